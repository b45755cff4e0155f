# Independent transcription of kinetic.py: x <- N(x + dt softmax(beta x x^T) x), n=5, d=2.
import numpy as np

z = np.array(
    [
        (0.99806638, 0.06215705),
        (0.97712061, 0.21268594),
        (-0.24578194, 0.96932515),
        (-0.97354734, 0.2284854),
        (-0.99892629, -0.04632772),
    ]
)
z /= np.linalg.norm(z, axis=1)[:, None]


def cl(z, th):
    n = len(z)
    lab = list(range(n))
    for i in range(n):
        for j in range(i):
            if z[i] @ z[j] >= th:
                a, b = lab[i], lab[j]
                lab = [b if l == a else l for l in lab]
    return len(set(lab))


prev = None
for k in range(4001):
    c = cl(z, 0.999)
    if c != prev:
        print("t", k / 10, "clusters", c)
        prev = c
    if k in (50, 1000, 2000, 3000, 3500, 4000):
        print(k / 10, z.mean(0).tolist(), np.linalg.norm(z.mean(0)), np.log((np.exp(4 * z @ z.T)).mean() / 8))
    A = np.exp(4 * z @ z.T)
    A /= A.sum(1)[:, None]
    z = z + 0.1 * A @ z
    z /= np.linalg.norm(z, axis=1)[:, None]

# Staircase: five tokens at log(beta) / (2 beta^(1/2)) times (0, .5, 2, 4, 7), beta = 16, under shifted attention; S = sum_ij e^{beta (<x_i, x_j> - 1)}
from scipy.integrate import solve_ivp

beta = 16.0
start = np.log(beta) / (2 * np.sqrt(beta)) * np.array([0, 0.5, 2, 4, 7])


def velocity(_, a):
    d = a[:, None] - a[None, :]
    return -(np.exp(beta * (np.cos(d) - 1)) * np.sin(d)).sum(1) / 5


def S(a):
    d = a[:, None] - a[None, :]
    return np.exp(beta * (np.cos(d) - 1)).sum()


events = [lambda _, a, level=level: S(a) - level for level in (9, 14)]
r = solve_ivp(velocity, (0, 1200), start, method="DOP853", rtol=1e-12, atol=1e-14, events=events, t_eval=[0, 40, 1200])
print("rows", [[float(round(np.cos(a), 12)), float(round(np.sin(a), 12))] for a in start])
print("S at 0, 40, 1200:", ["%.9f" % S(r.y[:, i]) for i in range(3)], "S = 9 and 14 at", [e[0] for e in r.t_events])
