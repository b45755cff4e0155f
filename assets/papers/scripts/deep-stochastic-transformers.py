"""Numbers of deep-stochastic-transformers.toml with numpy and scipy.

overlap: du = [-(d-1) a u + b (d - 2 + u^2)] ds + sqrt(2 (1 - u^2)(a - u b)) dB from u = 0, a = p^2 + q^2 + 2 p q u,
b = 2 p q + u (p^2 + q^2), p = 1 / (1 + e^{beta (u - 1)}), q = 1 - p, by the backward equation on Chebyshev points; and the layers
themselves: V m_1 and V m_2 are normal with the Gram matrix (a, b; b, a) of m_1 and m_2, of which the inner products are all that counts.
consensus: two close tokens get the same increment h g, g = V x ~ N(0, I): the exponent of a layer is E ln(|y|^2 - y_1^2) - 2 E ln |y|^2,
y = x + h g and y_1 a component across x; |y|^2 / h^2 is noncentral chi-squared.
"""

import numpy as np
from scipy.linalg import expm
from scipy.special import digamma
from scipy.stats import poisson


def coefficients(u, beta):
    p = 1 / (1 + np.exp(beta * (u - 1)))
    q = 1 - p
    return p * p + q * q + 2 * p * q * u, 2 * p * q + u * (p * p + q * q)


def mean_overlap(d, beta, s, N=120):
    k = np.arange(N + 1)
    u = np.cos(np.pi * k / N)
    c = np.where((k == 0) | (k == N), 2.0, 1.0) * (-1.0) ** k
    D = np.outer(c, 1 / c) / (u[:, None] - u[None, :] + np.eye(N + 1))
    D -= np.diag(D.sum(1))
    a, b = coefficients(u, beta)
    L = np.diag(-(d - 1) * a * u + b * (d - 2 + u * u)) @ D + np.diag((1 - u * u) * (a - u * b)) @ D @ D
    return (expm(s * L) @ u)[N // 2]


def layers(d, beta, h, times, samples, rng):
    """Means of the overlap at the times s = L h^2, with x_1 = e_1 and x_2 = u e_1 + w e_2."""
    u, done, out = np.zeros(samples), 0, []
    for s in times:
        while done < round(s / h**2):
            a, b = coefficients(u, beta)
            w, e = np.sqrt(1 - u * u), np.sqrt(np.maximum(a * a - b * b, 0))
            z, y = rng.standard_normal((2, samples)), rng.standard_normal((2, samples))
            # Beyond the plane: |z|^2, <z, y> and |y|^2 in d - 2 dimensions.
            zz, l = rng.chisquare(d - 2, samples), rng.standard_normal(samples)
            yy, zy = rng.chisquare(d - 3, samples) + l * l, np.sqrt(zz) * l
            g1, g2 = np.sqrt(a) * z, (b * z + e * y) / np.sqrt(a)
            n1 = (1 + h * g1[0]) ** 2 + (h * g1[1]) ** 2 + h * h * a * zz
            n2 = (u + h * g2[0]) ** 2 + (w + h * g2[1]) ** 2
            n2 += h * h * (b * b * zz + 2 * b * e * zy + e * e * yy) / a
            inner = (1 + h * g1[0]) * (u + h * g2[0]) + h * g1[1] * (w + h * g2[1]) + h * h * (b * zz + e * zy)
            u = np.clip(inner / np.sqrt(n1 * n2), -1, 1)
            done += 1
        out.append((u.mean(), u.std() / np.sqrt(samples)))
    return out


def mean_log(k, lam):
    j = np.arange(int(lam / 2 + 40 * np.sqrt(lam) + 100))
    return (poisson.pmf(j, lam / 2) * (digamma(k / 2 + j) + np.log(2))).sum()


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    for d, h in ((32, 0.05), (32, 0.02), (64, 0.02)):
        lam = 1 / h**2
        e = mean_log(d - 1, lam) - 2 * mean_log(d, lam) - np.log(h * h)
        print("d", d, "h", h, "consensus exponent per s = h^2:", e / h**2)
    d, h, times = 32, 0.02, (0.032, 0.064)
    for beta in (0.5, 2.0):
        for s, (mean, error) in zip(times, layers(d, beta, h, times, 200000, rng)):
            print("d %d beta %.1f s %.3f: E u = %.7f, layers %.4f +- %.4f" % (d, beta, s, mean_overlap(d, beta, s), mean, error))
