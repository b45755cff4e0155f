"""Numbers of emergence-of-clusters.toml that no formula gives.

The scheme of clustering-Tformers.py (github.com/borjanG/2023-transformers), written anew: z' = sum_j P_ij V (z_j - z_i), P = softmax of
<A e^{tV} z_i, A e^{tV} z_j> with A = I, four stages of Runge and Kutta in which the attention of the start of the step is kept and the
increment of token i is added to every token. Needs numpy and scipy.
"""

import numpy as np
from scipy.linalg import expm


def attention(z, V, t):
    x = z @ expm(V * t).T
    s = x @ x.T
    P = np.exp(s - s.max(1, keepdims=True))
    return P / P.sum(1, keepdims=True)


def field(z, P, V, i):
    return sum(P[i, j] * (V @ (z[j] - z[i])) for j in range(len(z)))


def authors(z, V, h, steps):
    for l in range(steps):
        P = attention(z, V, l * h)
        new = np.empty_like(z)
        for i in range(len(z)):
            k1 = h * field(z, P, V, i)
            k2 = h * field(z + k1 / 2, P, V, i)
            k3 = h * field(z + k2 / 2, P, V, i)
            k4 = h * field(z + k3, P, V, i)
            new[i] = z[i] + (k1 + 2 * k2 + 2 * k3 + k4) / 6
        z = new
    return z


def euler(z, V, h, steps):
    for l in range(steps):
        z = z + h * (attention(z, V, l * h) @ z - z) @ V.T
    return z


def moments(z):
    print("   mean", ", ".join(f"{m:.15f}" for m in z.mean(0)))
    print("   eigenvalues", ", ".join(f"{e:.15f}" for e in np.sort(np.linalg.eigvalsh(z.T @ z / len(z)))[::-1]))


def groups(values, gap):
    v = np.sort(values)
    return np.split(v, np.nonzero(np.diff(v) > gap)[0] + 1)


PLANE = np.array(
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
SPACE = np.array(
    [
        [2.7, -3.9, 1.1],
        [-4.6, 0.8, -2.4],
        [1.3, 4.4, 3.2],
        [-2.2, -2.9, 4.1],
        [3.6, 2.1, -3.7],
        [-0.7, 1.6, 0.5],
        [4.8, -1.2, 2.6],
        [-3.3, 3.5, -1.5],
        [0.4, -4.7, -0.9],
        [-1.8, 0.2, -4.3],
    ]
)
LINE = np.array([-0.9, -0.55, -0.4, -0.15, 0.1, 0.25, 0.5, 0.7, 0.8, 1.0])
POLYTOPE = np.eye(2)
HYPERPLANES = np.array(
    [[0.2362413, 0.0599536, 0.40506019], [0.81321448, 0.49948705, 0.33754772], [0.2160645, 0.38505272, 0.14588075]]
)
PARANORMAL = np.diag([1.0, 1.0, -0.5])

if __name__ == "__main__":
    for name, z0, V, steps in (
        ("polytope", PLANE, POLYTOPE, 50),
        ("hyperplanes", SPACE, HYPERPLANES, 50),
        ("paranormal", SPACE, PARANORMAL, 50),
    ):
        a, e = authors(z0, V, 0.1, steps), euler(z0, V, 0.1, steps)
        print(name, "authors at t = 5; |authors - euler|", abs(a - e).max())
        moments(a)
    z = euler(PLANE, POLYTOPE, 0.1, 400)
    print("polytope at t = 40")
    print(z.round(6))
    moments(z)
    z = euler(SPACE, HYPERPLANES, 0.01, 4000)
    w, left = np.linalg.eig(HYPERPLANES.T)
    phi = np.real(left[:, np.argmax(w.real)])
    phi *= np.sign(phi.sum())
    print(
        "hyperplanes at t = 40: eigenvalues",
        w,
        "values of <phi, z>",
        [(len(g), g.mean(), np.ptp(g)) for g in groups(z @ phi, 1e-2)],
    )
    z = euler(SPACE, PARANORMAL, 0.01, 4000)
    print("paranormal: e_1 e_2 at t = 40")
    print(z[:, :2].round(6), z[:, 2].round(3))
    z = euler(np.stack([LINE, 0 * LINE], 1), np.eye(2), 0.01, 1500)
    print("line at t = 15", z[:, 0])
