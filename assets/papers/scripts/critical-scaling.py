"""Numbers of critical-scaling.toml that no formula gives; needs numpy and scipy.

uniform keys: E of the largest weight of a row, the query being one of the n tokens: a = 1 / (1 + S), S = sum over n - 1 others of
e^{-beta (1 - u)}, and E 1 / (1 + S) = int_0^inf e^{-s} (E e^{-s e^{-beta (1 - u)}})^{n - 1} ds with u of density ~ (1 - u^2)^{(d - 3) / 2}.
random energy model: n independent standard normal scores, entropy of the softmax row by Monte Carlo; and scores <g, y_j> of uniform y_j,
g = A^T x standard normal, those of a row under a matrix A of its own.
"""

import numpy as np
from scipy.special import gammaln


def largest(n, beta, d):
    # u by Gauss-Jacobi after 1 - u = 2 v^2 in v, dense where the exponential is sharp.
    x, w = np.polynomial.legendre.leggauss(4000)
    lv = np.log(1e-9) + (0 - np.log(1e-9)) * (x + 1) / 2  # v = e^{lv}, 1 - u = 2 v^2
    v = np.exp(lv)
    wu = w * (-np.log(1e-9)) / 2 * v * 4 * v  # du
    gap = 2 * v * v
    dens = np.exp(gammaln(d / 2) - gammaln((d - 1) / 2)) / np.sqrt(np.pi) * (gap * (2 - gap)) ** ((d - 3) / 2)
    assert abs((dens * wu).sum() - 1) < 1e-9, (dens * wu).sum()
    y, q = np.polynomial.laguerre.laggauss(120)
    inner = np.array([-(dens * wu * np.expm1(-s * np.exp(-beta * gap))).sum() for s in y])  # 1 - E e^{-s ..}
    return (q * np.exp((n - 1) * np.log1p(-inner))).sum()


def largest_mc(n, beta, d, rows, rng):
    x = rng.standard_normal((rows, n - 1, d))
    u = x[..., 0] / np.linalg.norm(x, axis=-1)
    return 1 / (1 + np.exp(-beta * (1 - u)).sum(1))


def rem(n, beta, d, rows, rng, block=200):
    """Scores sqrt(d) u with u a coordinate of a uniform point of S^{d-1}."""
    H, top = [], []
    for _ in range(rows // block):
        x = rng.standard_normal((block, n))
        chi = rng.chisquare(d - 1, (block, n))
        s = np.sqrt(d) * x / np.sqrt(x * x + chi)
        z = beta * s
        z -= z.max(1, keepdims=True)
        p = np.exp(z)
        p /= p.sum(1, keepdims=True)
        H.append(-(p * np.log(np.maximum(p, 1e-300))).sum(1))
        top.append(p.max(1))
    H, top = np.concatenate(H), np.concatenate(top)
    return H.mean(), H.std() / np.sqrt(rows), top.mean(), top.std() / np.sqrt(rows)


def rem_of_matrices(n, betas, d, blocks, rng, rows=400):
    out = {beta: [] for beta in betas}
    for _ in range(blocks):
        y = rng.standard_normal((n, d))
        y /= np.linalg.norm(y, axis=1, keepdims=True)
        s = y @ rng.standard_normal((d, rows))
        for beta in betas:
            p = np.exp(beta * (s - s.max(0)))
            p /= p.sum(0)
            out[beta].append((-(p * np.log(np.maximum(p, 1e-300))).sum(0).mean(), p.max(0).mean()))
    return {beta: (np.mean(v, 0), np.std(v, 0, ddof=1) / len(v) ** 0.5) for beta, v in out.items()}


if __name__ == "__main__":
    rng = np.random.default_rng(1)
    m = largest_mc(300, 20.0, 5, 2000, rng)
    print("check: quadrature", largest(300, 20.0, 5), "Monte Carlo", m.mean(), m.std() / np.sqrt(len(m)))
    for d in (3, 5):
        for n in (250, 1000, 4000):
            print("uniform d", d, "n", n, "E largest at beta = n^(2/(d-1))", largest(n, n ** (2 / (d - 1)), d))
    for n, d in ((2048, 128),):
        for g in (0.5, 1.5, 2.0):
            print("rem n", n, "beta/beta_c", g, rem(n, g * np.sqrt(2 * np.log(n)), d, 20000, rng))
    for beta, (mean, error) in rem_of_matrices(2048, (1.0, 1.95252, 5.85757, 7.81009), 128, 160, rng).items():
        print("rem of matrices, beta %.5f: entropy %.4f +- %.4f, largest %.4f +- %.4f" % (beta, mean[0], error[0], mean[1], error[1]))
