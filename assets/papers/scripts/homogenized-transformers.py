"""How far the chain of homogenized-transformers.toml is from its law, with numpy. At beta = 0 every token gets the same increment h V m, m
the mean, and V m of a fresh V with entries N(0, 1/d) is |m| d^{-1/2} times a standard normal vector: each sample has noise of its own.
"""

import numpy as np


def chain(d, n, h, times, samples, rng):
    """Means of |m|^2 at the times t = layers h^2."""
    x = rng.standard_normal((samples, n, d))
    x /= np.linalg.norm(x, axis=2, keepdims=True)
    out, layers = [], 0
    for t in times:
        while layers < round(t / h**2):
            m = x.mean(1)
            g = rng.standard_normal((samples, d)) * (np.linalg.norm(m, axis=1, keepdims=True) / np.sqrt(d))
            x += h * g[:, None, :]
            x /= np.linalg.norm(x, axis=2, keepdims=True)
            layers += 1
        q = (x.mean(1) ** 2).sum(1)
        out.append((q.mean(), q.std() / np.sqrt(samples)))
    return out


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    law = lambda t, n=16: 1 / n / (1 / n + (1 - 1 / n) * np.exp(-t))
    # H heads of weight 1/H and step h have the noise of one head of step h / sqrt(H).
    cases = (32, 0.1, 8000), (32, 0.2 / np.sqrt(2), 8000), (64, 0.1, 1500), (128, 0.1, 1500), (256, 0.1, 800)
    for d, h, samples in cases:
        for t, (mean, error) in zip((1, 2, 3), chain(d, 16, h, (1, 2, 3), samples, rng)):
            print(
                "d %d h^2 %.3f t %d: %.4f +- %.4f, law %.4f, ratio - 1 = %.4f +- %.4f, times d %.1f"
                % (d, h * h, t, mean, error, law(t), mean / law(t) - 1, error / law(t), d * (mean / law(t) - 1))
            )
