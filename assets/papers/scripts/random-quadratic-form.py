"""Numbers of random-quadratic-form.toml with numpy and scipy: E u of du = -u (1 - u^2) dt + sqrt(2) (1 - u^2) dB by its backward equation on
Chebyshev points; and the layers x <- N(x + h Q x) themselves, Q symmetric with entries of variance 1/2, 1 on the diagonal."""

import numpy as np
from scipy.linalg import expm


def mean_overlap(u0, t, N=200):
    k = np.arange(N + 1)
    u = np.cos(np.pi * k / N)
    c = np.where((k == 0) | (k == N), 2.0, 1.0) * (-1.0) ** k
    D = np.outer(c, 1 / c) / (u[:, None] - u[None, :] + np.eye(N + 1))
    D -= np.diag(D.sum(1))
    L = np.diag(-u * (1 - u * u)) @ D + np.diag((1 - u * u) ** 2) @ D @ D
    v = expm(t * L) @ u
    # Barycentric interpolation; the weights are (-1)^k, halved at the ends.
    w = (-1.0) ** k * np.where((k == 0) | (k == N), 0.5, 1.0) / (u0 - u)
    return (w * v).sum() / w.sum()


def layers(d, u0, h, times, samples, rng):
    x = np.zeros((2, samples, d))
    x[0, :, 0], x[1, :, 0], x[1, :, 1] = 1, u0, np.sqrt(1 - u0 * u0)
    done, out = 0, []
    for t in times:
        while done < round(t / h**2):
            G = rng.standard_normal((samples, d, d))
            Q = (G + G.transpose(0, 2, 1)) / 2
            x = x + h * np.einsum("sij,asj->asi", Q, x)
            x /= np.linalg.norm(x, axis=2, keepdims=True)
            done += 1
        u = np.clip((x[0] * x[1]).sum(1), -1, 1)
        a = np.arccos(u)
        out.append((u.mean(), u.std() / samples**0.5, a.mean(), a.std() / samples**0.5))
    return out


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    for t in (0.5, 6.0):
        print("t %.1f: E u = %.7f, %.7f with fewer points" % (t, mean_overlap(0.5000001, t), mean_overlap(0.5000001, t, 140)))
    for d in (2, 4):
        for h, samples in ((0.1, 20000), (0.05, 20000)):
            for t, (u, eu, a, ea) in zip((0.5, 6.0), layers(d, 0.5, h, (0.5, 6.0) if h > 0.07 else (0.5,), samples, rng)):
                print("d %d h %.2f t %.1f: E u = %.4f +- %.4f, E angle = %.4f +- %.4f, %.4f at the start" % (d, h, t, u, eu, a, ea, np.pi / 3))
