"""The energy identity of time-dependent-gradient-flows.toml with numpy and scipy: two heads with oscillating matrices, V_h = A_h, unnormalized:
E_T is predicted as E_0 + int |grad|^2 + int d_s E along a flow that is solved here."""

import numpy as np
from scipy.integrate import solve_ivp

beta = 1.0
B = [np.diag([1, 0.5, -0.5]), np.array([[0.2, 0.4, 0], [0.4, -0.3, 0.1], [0, 0.1, 0.6]])]
C = [0.5 * np.eye(3), np.diag([0.3, -0.2, 0.1])]
W = [3.0, 5.0]
X = np.array([[1.0, 0, 0], [0.6, 0.8, 0], [0, 0.6, 0.8], [-0.8, 0, 0.6], [0, -1.0, 0], [0.48, -0.6, -0.64]])
n = len(X)
A = lambda h, t: B[h] + np.sin(W[h] * t) * C[h]
dA = lambda h, t: W[h] * np.cos(W[h] * t) * C[h]


def energy(x, t):
    return sum(np.exp(beta * x @ A(h, t) @ x.T).sum() / (2 * beta * n * n) for h in (0, 1))


def rate(t, y):
    x = y[:-2].reshape(n, 3)
    v = 0
    de = 0
    for h in (0, 1):
        K = np.exp(beta * x @ A(h, t) @ x.T) / n
        v = v + K @ x @ A(h, t).T
        de += (K * (x @ dA(h, t) @ x.T)).sum() / (2 * n)
    v = v - (v * x).sum(1, keepdims=True) * x
    return np.concatenate([v.ravel(), [(v * v).sum() / n, de]])


for T in (1.0, 2.0, 4.0):
    s = solve_ivp(rate, (0, T), np.concatenate([X.ravel(), [0, 0]]), method="DOP853", rtol=1e-12, atol=1e-13)
    x = s.y[:-2, -1].reshape(n, 3)
    dis, de = s.y[-2:, -1]
    E0, ET = energy(X, 0), energy(x, T)
    print(
        "T",
        T,
        "E_0 %.10f int |grad|^2 %.10f int d_s E %.10f E_0 + both %.10f (E_T %.10f)" % (E0, dis, de, E0 + dis + de, ET),
    )
