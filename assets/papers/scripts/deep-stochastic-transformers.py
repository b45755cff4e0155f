"""Numbers of deep-stochastic-transformers.toml with numpy and scipy.

overlap: du = [-(d-1) a u + b (d - 2 + u^2)] ds + sqrt(2 (1 - u^2)(a - u b)) dB from two uniform points, a = p^2 + q^2 + 2 p q u,
b = 2 p q + u (p^2 + q^2), p = 1 / (1 + e^{beta (u - 1)}), q = 1 - p, by Euler and Maruyama.
consensus: two close tokens get the same increment h g, g = V x ~ N(0, I): the exponent of a layer is E ln(|y|^2 - y_1^2) - 2 E ln |y|^2,
y = x + h g and y_1 a component across x; |y|^2 / h^2 is noncentral chi-squared.
"""

import numpy as np
from scipy.special import digamma
from scipy.stats import poisson


def mean_overlap(d, beta, s, samples, rng, ds=2e-5):
    x = rng.standard_normal((2, samples, d))
    x /= np.linalg.norm(x, axis=2, keepdims=True)
    u = (x[0] * x[1]).sum(1)
    for _ in range(round(s / ds)):
        p = 1 / (1 + np.exp(beta * (u - 1)))
        q = 1 - p
        a = p * p + q * q + 2 * p * q * u
        b = 2 * p * q + u * (p * p + q * q)
        u = (
            u
            + (-(d - 1) * a * u + b * (d - 2 + u * u)) * ds
            + np.sqrt(np.maximum(2 * (1 - u * u) * (a - u * b), 0) * ds) * rng.standard_normal(samples)
        )
        u = np.clip(u, -1, 1)
    return u.mean(), u.std() / np.sqrt(samples)


def limit(d, beta, s):
    from scipy.integrate import solve_ivp

    def f(_, u):
        p = 1 / (1 + np.exp(beta * (u - 1)))
        q = 1 - p
        return -(d - 1) * (p * p + q * q + 2 * p * q * u) * u + (2 * p * q + u * (p * p + q * q)) * (d - 2 + u * u)

    return solve_ivp(f, (0, s), [0.0], rtol=1e-10, atol=1e-12).y[0, -1]


def mean_log(k, lam):
    j = np.arange(int(lam / 2 + 40 * np.sqrt(lam) + 100))
    return (poisson.pmf(j, lam / 2) * (digamma(k / 2 + j) + np.log(2))).sum()


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    for d, h in ((32, 0.02), (32, 0.01), (64, 0.02)):
        lam = 1 / h**2
        e = mean_log(d - 1, lam) - 2 * mean_log(d, lam) - np.log(h * h)
        print("d", d, "h", h, "consensus exponent per s = h^2:", e / h**2)
    for beta in (0.5, 2.0):
        for s in (0.004, 0.008):
            print(
                "d 256 beta",
                beta,
                "s",
                s,
                "E u",
                mean_overlap(256, beta, s, 20000, rng, 4e-6),
                "without noise",
                limit(256, beta, s),
            )
