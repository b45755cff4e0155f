# Transcription of the authors' algorithm x <- N(x + 0.1 softmax(beta x x^T) x): n = 32, d = 16, T = 30; share of pairs with overlap > .998; mean and standard error over systems
import numpy as np, sys

rng = np.random.default_rng(1)


def run(beta, d, B, n=32, T=30, h=0.1):
    x = rng.standard_normal((B, n, d))
    x /= np.linalg.norm(x, axis=2)[:, :, None]
    for k in range(round(T / h)):
        a = np.exp(beta * (x @ x.transpose(0, 2, 1) - 1))
        a /= a.sum(2)[:, :, None]
        x = x + h * (a @ x)
        x /= np.linalg.norm(x, axis=2)[:, :, None]
    g = x @ x.transpose(0, 2, 1)
    iu = np.triu_indices(n, 1)
    s = (g[:, iu[0], iu[1]] > 0.998).mean(1)
    return s.mean(), s.std(ddof=1) / B**0.5, s.std(ddof=1)


for d in (16,):
    for b in (1.0, 4.0, 5.0, 7.0, 9.0):
        print(d, b, *run(b, d, 2048))
        sys.stdout.flush()
