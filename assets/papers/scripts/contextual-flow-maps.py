"""Slopes of W_1 of two samples of n uniform points on S^{d-1} for contextual-flow-maps.toml, by assignment with scipy."""

import numpy as np
from scipy.optimize import linear_sum_assignment

rng = np.random.default_rng(0)


def points(n, d):
    x = rng.standard_normal((n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


for d in (5, 8):
    means = []
    for n in (128, 256, 512):
        v = []
        for _ in range(24):
            c = np.sqrt(np.maximum(2 - 2 * points(n, d) @ points(n, d).T, 0))
            i, j = linear_sum_assignment(c)
            v.append(c[i, j].mean())
        means.append(np.mean(v))
        print("d", d, "n", n, "W_1", means[-1], "+-", np.std(v) / np.sqrt(len(v)))
    print("d", d, "slope", np.polyfit(np.log([128, 256, 512]), np.log(means), 1)[0])
