"""Numbers of multiscale-moderate-interaction.toml with numpy and scipy, from the density 1 + cos(phi) / 2 over 2 pi, V = -I.

heat: the transport of n quantiles by softmax attention at beta, by Fourier modes of their empirical measure (e^{beta cos} = I_0 + 2 sum I_k cos k).
porous medium: f_s = ((1 + f) f')' in the time s = t e^{-beta} I_1(beta) / beta of shifted attention, by a Fourier method, and the particles.
"""

import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import ive


def quantiles(n, a):
    p = 2 * np.pi * (np.arange(n) + 0.5) / n
    x = p.copy()
    for _ in range(60):
        x -= (x + a * np.sin(x) - p) / (1 + a * np.cos(x))
    return x


def particles(beta, t, softmax, a=0.5, n=400):
    K = int(beta + 60)
    k = np.arange(1, K + 1)
    I0, I = ive(0, beta), ive(k, beta)

    def f(_, x):
        C, S = np.cos(np.outer(x, k)), np.sin(np.outer(x, k))
        c, s = C.mean(0), S.mean(0)
        # int sin(y - x) e^{beta (cos(y - x) - 1)} dmu(y), of derivative form: -(1 / beta) d/dx of the potential
        field = (2 / beta) * (-S * (k * I * c) + C * (k * I * s)).sum(1)
        Z = I0 + 2 * (C * (I * c) + S * (I * s)).sum(1)
        return -field / Z if softmax else -field

    x = solve_ivp(f, (0, t), quantiles(n, a), method="DOP853", rtol=1e-10, atol=1e-12).y[:, -1]
    return [abs(np.exp(1j * j * x).mean()) for j in (1, 2)]


def porous(s, a=0.5, n=256):
    k = np.fft.fftfreq(n, 1 / n)
    x = 2 * np.pi * np.arange(n) / n

    def f(_, u):
        return np.fft.ifft(-(k**2) * np.fft.fft((1 + u) ** 2 / 2)).real

    u = solve_ivp(f, (0, s), a * np.cos(x), method="LSODA", rtol=1e-10, atol=1e-12).y[:, -1]
    c = np.fft.fft(u) / n
    return [abs(c[1]), abs(c[2])]


if __name__ == "__main__":
    for beta in (25.0, 50.0, 100.0):
        print("beta", beta, "softmax, t = beta / 2:", particles(beta, beta / 2, True), "heat:", [0.25 * np.exp(-0.5), 0.0])
        t = 0.5 * beta / ive(1, beta)
        print("beta", beta, "shifted, s = 1 / 2:", particles(beta, t, False), "porous medium:", porous(0.5))
