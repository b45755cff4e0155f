# Independent: n=200 uniform on the circle, beta=64, causal softmax; strong Renyi centres (delta=.5) of the start: share of tokens within
# delta/4 of one, mean angle moved by centres and its logarithm (from 1e-5 on), at t=30 and 150, over R systems
import sys

import numpy as np

rng = np.random.default_rng(7)
n = 200
b = 64.0
h = 0.1
R = int(sys.argv[1]) if len(sys.argv) > 1 else 192
dl = 0.5
L = np.tril(np.ones((n, n)))


def f(t):
    c, s = np.cos(t), np.sin(t)
    w = np.exp(b * (c[:, :, None] * c[:, None, :] + s[:, :, None] * s[:, None, :] - 1)) * L
    x, y, z = (w @ c[:, :, None])[:, :, 0], (w @ s[:, :, None])[:, :, 0], w.sum(2)
    return (c * y - s * x) / z


def ang(a):
    return np.abs((a + np.pi) % (2 * np.pi) - np.pi)


T = float(sys.argv[2]) if len(sys.argv) > 2 else 150
out = {k: ([], []) for k in (300, 1500) if k * h < T + h}
for batch in range(0, R, 8):
    th = rng.uniform(0, 2 * np.pi, (8, n))
    th0 = th.copy()
    for k in range(1, round(T / h) + 1):
        k1 = f(th)
        th = th + h / 2 * (k1 + f(th + h * k1))
        if k in out:
            for r in range(8):
                D = ang(th0[r][:, None] - th0[r][None, :])
                c = [i for i in range(n) if (D[i, :i] > dl).all()]
                out[k][0].append((ang(th[r][:, None] - th[r][c][None, :]).min(1) <= dl / 4).mean())
                out[k][1].append(ang(th[r][c] - th0[r][c]).mean())
for k, (ab, dr) in out.items():
    for name, v in (("absorbed", ab), ("drift", dr), ("ln drift", np.log(np.maximum(dr, 1e-5)))):
        print("t %g %s: %.5f +- %.5f" % (k * h, name, np.mean(v), np.std(v, ddof=1) / len(v) ** 0.5))
