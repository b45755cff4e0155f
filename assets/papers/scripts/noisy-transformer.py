# stationary states of the noisy circle: rho ~ exp((2K/beta) (e^{beta cos} * rho)), by iteration, d=2
# and the flow of the Fourier modes c_k = E cos k theta of a symmetric law: with F = -(2 K / beta) sum_j j I_j c_j sin j theta,
# dc_k/dt = -k^2 c_k / 2 + k (K / beta) sum_j j I_j c_j (c_|k-j| - c_{k+j})
import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import iv

M = 4096
th = 2 * np.pi * np.arange(M) / M


def branch(beta, K, R0=0.9, modes=40, it=200000, kappa=5):
    k = np.arange(1, modes + 1)
    I = iv(k, beta)
    w = np.exp(kappa * np.cos(th))
    w /= w.sum()
    C = np.cos(np.outer(k, th))
    c = C @ w
    for i in range(it):
        w = np.exp((2 * K / beta) * (2 * (I * c) @ C))
        w /= w.sum()
        n = C @ w
        if np.abs(n - c).max() < 1e-13:
            break
        c = n
    return c, i


def flow(beta, K, concentration, times, modes=40):
    k = np.arange(1, modes + 1)
    I = iv(k, beta)

    def f(_, c):
        c0 = np.concatenate([[1.0], c, np.zeros(modes)])
        D = c0[np.abs(k[:, None] - k[None, :])] - c0[k[:, None] + k[None, :]]
        return -k * k / 2 * c + k * (K / beta) * (D @ (k * I * c))

    start = iv(k, concentration) / iv(0, concentration)
    return solve_ivp(f, (0, times[-1]), start, method="LSODA", rtol=1e-10, atol=1e-12, t_eval=times).y[0]


for ratio in (0.97, 1.1):
    times = np.linspace(6, 16, 101)
    m = flow(4.0, ratio * 4.0 / (2 * iv(1, 4.0)), 2.3, times)
    print("K / K# %.2f: mean from t = 6 to 16 %.6f" % (ratio, np.trapezoid(m, times) / 10))


for beta in (1.0, 4.0):
    Ks = beta / (2 * iv(1, beta))
    print("beta", beta, "K#", Ks)
    for f in ((1.1, 1.2, 1.5) if beta == 1 else (0.94, 0.945, 0.95, 0.96, 0.97, 0.975, 0.98, 0.99, 1.01, 1.1)):
        c, i = branch(beta, f * Ks)
        print(f, f * Ks, c[:3], i)
