"""Numbers of perceptrons-localization.toml: the minimiser of E(mu) = (1 / 2 beta) int int e^{beta (x.y - 1)} + (1 / 2) int v on the circle, v =
sum_j w_j (a_j . x)_+^2, by a fully corrective Frank-Wolfe method (numpy). The field of the program is minus its gradient.
"""

import numpy as np


def solve(beta, A, w, grid=7200, tol=1e-11, verbose=True):
    t = np.arange(grid) * 2 * np.pi / grid
    A = np.asarray(A, float)
    w = np.asarray(w, float)
    v = lambda t: sum(wj * np.maximum(a[0] * np.cos(t) + a[1] * np.sin(t), 0) ** 2 for a, wj in zip(A, w)) / 2
    k = lambda s, t: np.exp(beta * (np.cos(s[:, None] - t[None, :]) - 1)) / beta
    S = t[:: grid // 12].copy()
    p = np.full(len(S), 1 / len(S))

    def weights(S, p):
        # min 1/2 p K p + v p on the simplex: active set by repeated solves of the equality problem
        act = np.arange(len(S))
        while True:
            K = k(S[act], S[act])
            n = len(act)
            M = np.block([[K + 1e-14 * np.eye(n), np.ones((n, 1))], [np.ones((1, n)), np.zeros((1, 1))]])
            x = np.linalg.solve(M, np.append(-v(S[act]), 1))[:n]
            if x.min() > 1e-12:
                out = np.zeros(len(S))
                out[act] = x
                return out
            old = p[act]
            neg = x < 1e-12
            step = np.min(np.where(neg & (old > x), old / np.maximum(old - x, 1e-300), 1.0))
            new = old + step * (x - old)
            keep = new > 1e-13
            if keep.all():
                keep[np.argmin(np.where(neg, new, 1))] = False
            p = p.copy()
            p[act] = np.maximum(new, 0)
            act = act[keep]

    for it in range(4000):
        p = weights(S, p)
        keep = p > 0
        S, p = S[keep], p[keep]
        g = k(t, S) @ p + v(t)
        level = (k(S, S) @ p + v(S)) @ p
        gap = level - g.min()
        if gap < tol:
            break
        S = np.append(S, t[g.argmin()])
        p = np.append(p, 0.0)
    E = p @ k(S, S) @ p / 2
    if verbose:
        o = np.argsort(S)
        print("beta", beta, "A", A.tolist(), "w", w.tolist(), "gap %.1e" % gap, "atoms on the grid", len(S))
        print(
            "   mean",
            p @ np.cos(S),
            p @ np.sin(S),
            "ln of the energy of attention, shifted",
            np.log(E),
            "total",
            E + v(S) @ p,
        )
        print("   ", [(round(float(S[i]), 4), round(float(p[i]), 4)) for i in o])
    return S, p


if __name__ == "__main__":
    c, s = -0.5, np.sqrt(3) / 2
    solve(8.0, [[1, 0], [c, s]], [0.05, 0.05])
    solve(4.0, [[1, 0], [c, s]], [0.05, 0.05])
    solve(4.0, [[1, 0], [c, s]], [0.2, 0.2])
    solve(4.0, [[1, 0], [-1, 0]], [1.0, 1.0])
    solve(4.0, [[1, 0], [c, s], [c, -s]], [0.3, 0.3, 0.3])
