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
