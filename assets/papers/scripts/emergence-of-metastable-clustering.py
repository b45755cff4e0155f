"""Clusters that emerge on the circle, for emergence-of-metastable-clustering.toml; needs numpy and scipy.

n angles at the quantiles of (1 + a sum_k cos(k phi)) / 2 pi, k = 1 .. 6, a = 1e-6, under softmax attention. By scipy's DOP853 on the angles,
with the sums over pairs from the Fourier series e^{beta cos} = I_0 + 2 sum_k I_k cos(k .), not pair by pair. A gap between neighbours whose
cosine is below 0.99 parts two clusters.
"""

import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import ive


def start(n, a, modes=6):
    target = (np.arange(n) + 0.5) / n
    phi = 2 * np.pi * target
    k = np.arange(1, modes + 1)[:, None]
    for _ in range(20):
        F = phi / (2 * np.pi) + a * (np.sin(k * phi) / k).sum(0) / (2 * np.pi)
        phi = phi - (F - target) * 2 * np.pi / (1 + a * np.cos(k * phi).sum(0))
    return phi


def field(beta, terms):
    k = np.arange(1, terms + 1)[:, None]
    I = ive(np.arange(terms + 1), beta)

    def f(_, phi):
        c, s = np.cos(k * phi), np.sin(k * phi)
        C, S = c.mean(1)[:, None], s.mean(1)[:, None]
        weight = I[1:, None]
        Z = I[0] + 2 * (weight * (C * c + S * s)).sum(0)
        # -sum_j sin(phi_i - phi_j) e^{beta cos} is the derivative of Z over beta.
        return 2 * (weight * k * (S * c - C * s)).sum(0) / beta / Z

    return f


def clusters(phi):
    phi = np.sort(np.mod(phi, 2 * np.pi))
    gaps = np.diff(phi, append=phi[0] + 2 * np.pi)
    return max(1, int((np.cos(gaps) < 0.99).sum()))


def fastest(beta):
    k = np.arange(1, 31)
    return int(np.argmax(k**2 * ive(k, beta)) + 1)


if __name__ == "__main__":
    for beta in (2.0, 3.1, 3.2, 3.3, 3.4, 3.5, 5.0, 6.1, 6.3, 6.4, 8.0, 10.0, 10.3, 10.5, 11.0, 11.5):
        sol = solve_ivp(field(beta, 24 + int(2 * beta)), (0, 30), start(400, 1e-6), method="DOP853", rtol=1e-10, atol=1e-12, t_eval=(26, 28, 30))
        print("beta", beta, "fastest", fastest(beta), "clusters at 26, 28, 30:", [clusters(y) for y in sol.y.T])
