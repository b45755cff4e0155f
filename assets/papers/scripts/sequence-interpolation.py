"""Numbers of sequence-interpolation.toml: hardmax attention x_i <- (1 - h) x_i + h mean of argmax_j <x_i, x_j>, with numpy."""

import numpy as np

X = np.array(
    [
        [2.7, -3.9],
        [-4.6, 0.8],
        [1.3, 4.4],
        [-2.2, -2.9],
        [3.6, 2.1],
        [-0.7, 1.6],
        [4.8, -1.2],
        [-3.3, 3.5],
        [0.4, -4.7],
        [-1.8, 0.2],
    ]
)
h = 0.1


def step(x):
    s = x @ x.T
    best = s >= s.max(1, keepdims=True) - 1e-9
    return (1 - h) * x + h * (best @ x) / best.sum(1, keepdims=True), best


x, last = X, None
for k in range(300):
    x, best = step(x)
    first = best.argmax(1)
    if last is not None and (first != last).any():
        print("choices change at step", k)
    last = first
    if k + 1 in (20, 300):
        print(
            "steps",
            k + 1,
            "mean",
            x.mean(0),
            "eigenvalues",
            np.linalg.eigvalsh(x.T @ x / len(x))[::-1],
            "leaders",
            np.nonzero(np.diag(best))[0],
        )
        np.set_printoptions(precision=15)
print("distinct points at the end", len(np.unique(x.round(6), axis=0)), "leader of each token", best.argmax(1))
