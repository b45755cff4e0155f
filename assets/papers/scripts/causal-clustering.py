# Independent: n=200 uniform on the circle, beta=64, causal softmax, T=150; strong Renyi centres (delta=.5) of the start; share of tokens within delta/4 of one, mean angle moved by centres
import numpy as np

rng = np.random.default_rng(5)
n = 200
b = 64.0
h = 0.1
R = 48
dl = 0.5
th = rng.uniform(0, 2 * np.pi, (R, n))
th0 = th.copy()
L = np.tril(np.ones((n, n), bool))


def f(t):
    d = t[:, :, None] - t[:, None, :]
    w = np.where(L, np.exp(b * (np.cos(d) - 1)), 0)
    return -(w * np.sin(d)).sum(2) / w.sum(2)


def ang(a):
    return np.abs((a + np.pi) % (2 * np.pi) - np.pi)


for k in range(1500):
    k1 = f(th)
    th = th + h / 2 * (k1 + f(th + h * k1))
ab = []
dr = []
for r in range(R):
    D = ang(th0[r][:, None] - th0[r][None, :])
    c = [i for i in range(n) if (D[i, :i] > dl).all()]
    ab.append((ang(th[r][:, None] - th[r][c][None, :]).min(1) <= dl / 4).mean())
    dr.append(ang(th[r][c] - th0[r][c]).mean())
for v in (ab, dr):
    print(np.mean(v), np.std(v, ddof=1) / R**0.5)
