# stationary states of the noisy circle: rho ~ exp((2K/beta) (e^{beta cos} * rho)), by iteration, d=2
import numpy as np
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


for beta in (1.0, 4.0):
    Ks = beta / (2 * iv(1, beta))
    print("beta", beta, "K#", Ks)
    for f in ((1.1, 1.2, 1.5) if beta == 1 else (0.94, 0.945, 0.95, 0.96, 0.97, 0.975, 0.98, 0.99, 1.01)):
        c, i = branch(beta, f * Ks)
        print(f, f * Ks, c[:3], i)
