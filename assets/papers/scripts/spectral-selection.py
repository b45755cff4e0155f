"""Rows of tokens of spectral-selection.toml: roots q of three-group equilibria, with numpy and scipy."""

import numpy as np
from scipy.optimize import brentq


def equation(q, a, b, beta, ratio):
    A, B, C = b + (a - b) * q * q, -b + (a + b) * q * q, a * q
    return q * ((a - b) * np.exp(beta * A) + (a + b) * np.exp(beta * B)) + a * ratio * np.exp(beta * C)


def velocity(x, V, beta):
    P = np.exp(beta * x @ V @ x.T)
    P /= P.sum(1, keepdims=True)
    f = P @ x @ V
    return f - (f * x).sum(1, keepdims=True) * x


for a, b, beta, ratio in ((2, -3, 1.5, 1), (-0.4, -4, 0.03, 1), (-2, -4, 0.03, 1), (2, -3, 1.5, 2)):
    f = lambda q: equation(q, a, b, beta, ratio)
    grid = np.linspace(-0.999, 0.999, 4001)
    v = f(grid)
    for k in np.nonzero(v[1:] * v[:-1] < 0)[0]:
        q = brentq(f, grid[k], grid[k + 1], xtol=1e-16)
        p = np.sqrt(1 - q * q)
        x = np.array([[1, 0]] * ratio + [[q, p], [q, -p]])
        print(
            a,
            b,
            beta,
            ratio,
            "q = %.17g, p = %.17g" % (q, p),
            "|velocity|",
            abs(velocity(x, np.diag([a, b]), beta)).max(),
        )
