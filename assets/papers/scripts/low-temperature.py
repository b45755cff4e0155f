"""Numbers of low-temperature.toml with numpy and scipy: uniform tokens on S^2 under V = diag(1, 1, 1/2), A = I. The limit of many tokens is
symmetric about e_3: heights z at the nodes of Gauss and Legendre feel z-components and radial components of the barycentre,
sum_j w_j e^{beta z z_j} (I_0(beta r r_j) z_j, I_1(beta r r_j) r_j) / Z. And particles, for how far n tokens are off it."""

import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import ive


def limit(beta, t, nodes=400):
    z0, w = np.polynomial.legendre.leggauss(nodes)
    w = w / 2

    def f(_, z):
        r = np.sqrt(1 - z * z)
        e = w * np.exp(beta * (np.outer(z, z) + np.outer(r, r) - 1))
        e0, e1 = e * ive(0, beta * np.outer(r, r)), e * ive(1, beta * np.outer(r, r))
        Z = e0.sum(1)
        bz, br = (e0 @ z) / Z / 2, (e1 @ r) / Z
        return bz - z * (r * br + z * bz)

    z = solve_ivp(f, (0, t), z0, method="DOP853", rtol=1e-9, atol=1e-11).y[:, -1]
    return (w * z * z).sum()


def zero_temperature(t):
    z, w = np.polynomial.legendre.leggauss(400)
    return (w / 2 * z * z / (z * z + (1 - z * z) * np.exp(t))).sum()


def particles(beta, t, n, h, rng):
    x = rng.standard_normal((n, 3))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    V = np.array([1, 1, 0.5])

    def f(x):
        a = np.exp(beta * (x @ x.T - 1))
        b = (a @ x) / a.sum(1, keepdims=True) * V
        return b - (b * x).sum(1, keepdims=True) * x

    for _ in range(round(t / h)):
        k = f(x)
        y = x + h * k
        x = x + h / 2 * (k + f(y / np.linalg.norm(y, axis=1, keepdims=True)))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
    return np.linalg.eigvalsh(x.T @ x / n)[0]


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    for beta in (16.0, 64.0):
        print("beta", beta, "E z^2 at t = 1.5:", limit(beta, 1.5), limit(beta, 1.5, 300), "zero temperature", zero_temperature(1.5))
        for n in (500, 1000):
            v = [particles(beta, 1.5, n, 0.1, rng) for _ in range(12)]
            print("  n %d: %.5f +- %.5f" % (n, np.mean(v), np.std(v, ddof=1) / len(v) ** 0.5))
