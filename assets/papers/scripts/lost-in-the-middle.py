"""Numbers of lost-in-the-middle.toml with numpy and scipy: the causal circle with ALiBi as in generate_alibi_particle_circle_dynamics.py
(github.com/borjanG/2026-lost-in-the-middle), written anew, and the linear response of modes to independent uniform starts,
E |mode_n|^2 = (1 / N^2) sum_i (sum_j [exp(n^2 I_n(beta) t P)]_ji)^2, P the strictly causal weights. For the four heads of the double well
(generate_u_shape_numerology_data.py there) the particles and the response to all of them together, exp(t sum_h c_h n^2 I_n(beta_h) P_h), are
compared with the published profile, which is the sum over heads of c_h times the response to that head alone."""

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.special import iv


def weights(N, lam):
    P = np.zeros((N, N))
    for j in range(1, N):
        w = np.exp(-lam * (j - np.arange(j)) / N)
        P[j, :j] = w / w.sum()
    return P


def run(theta, beta, lam, T, h):
    P = weights(len(theta), lam)

    def F(a):
        d = a[:, None] - a[None, :]
        return (P * (-beta * np.sin(d) * np.exp(beta * np.cos(d)))).sum(1)

    for _ in range(round(T / h)):
        k1 = F(theta)
        k2 = F(theta + h / 2 * k1)
        k3 = F(theta + h / 2 * k2)
        k4 = F(theta + h * k3)
        theta = theta + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return theta


HEADS = ((1.0, 0.2, 3.0), (-27.519, 0.2, 0.25), (-1.5515, 0.5, 0.25), (3.93e-6, 3.0, 2.0))


def double_well(theta, T):
    P = [weights(len(theta), lam) for _, _, lam in HEADS]

    def F(_, a):
        d = a[:, None] - a[None, :]
        return sum((c * Q * (-b * np.sin(d) * np.exp(b * np.cos(d)))).sum(1) for (c, b, _), Q in zip(HEADS, P))

    return solve_ivp(F, (0, T), theta, method="DOP853", rtol=1e-13, atol=1e-13).y[:, -1]


def double_well_profiles(N, T, M=8.0, modes=20):
    """sum_n e^{-pi^2 n^2 / (2 M^2)} times the response of the last place: of all heads together, and summed over heads."""
    P = [weights(N, lam) for _, _, lam in HEADS]
    together, summed = np.zeros(N), np.zeros(N)
    for n in range(1, modes + 1):
        omega = np.exp(-((np.pi * n / M) ** 2) / 2) * N
        rates = [n * n * iv(n, b) * T * Q for (_, b, _), Q in zip(HEADS, P)]
        together += omega * expm(sum(c * R for (c, _, _), R in zip(HEADS, rates)))[-1]
        summed += omega * sum(c * expm(R)[-1] for (c, _, _), R in zip(HEADS, rates))
    return together, summed


def double_well_modes(N, R, T, h, rng):
    P = [weights(N, lam) for _, _, lam in HEADS]

    def F(a):
        c, s = np.cos(a), np.sin(a)
        out = np.zeros_like(a)
        for j in range(1, N):
            cd = c[:, j : j + 1] * c[:, :j] + s[:, j : j + 1] * s[:, :j]
            sd = s[:, j : j + 1] * c[:, :j] - c[:, j : j + 1] * s[:, :j]
            for (w, b, _), Q in zip(HEADS, P):
                out[:, j] -= w * b * (sd * np.exp(b * cd)) @ Q[j, :j]
        return out

    theta = rng.uniform(0, 2 * np.pi, (R, N))
    for _ in range(round(T / h)):
        k1 = F(theta)
        k2 = F(theta + h / 2 * k1)
        k3 = F(theta + h / 2 * k2)
        k4 = F(theta + h * k3)
        theta = theta + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    m = [abs(np.exp(1j * n * theta).mean(1)) ** 2 for n in (1, 2)]
    return [(x.mean(), x.std() / np.sqrt(R)) for x in m]


A = np.array([0.1, 1.3, 2.9, 4.0, 5.5, 0.9, 2.2, 3.6, 4.7, 6.1, 1.8, 5.0])


def places(N, R, t, h, rng):
    """N cos(theta_N(t) - theta_i(0)), less its value at t = 0: the mean over every second i, the first two and the last two of these above
    the fifth to the eighth."""
    P = weights(N, 1.0)
    start = rng.uniform(0, 2 * np.pi, (N, R))

    def F(a):
        c, s = np.cos(a), np.sin(a)
        out = np.zeros_like(a)
        for j in range(1, N):
            cd, sd = c[j] * c[:j] + s[j] * s[:j], s[j] * c[:j] - c[j] * s[:j]
            out[j] = -P[j, :j] @ (sd * np.exp(cd))
        return out

    theta = start
    for _ in range(round(t / h)):
        k1 = F(theta)
        k2 = F(theta + h / 2 * k1)
        k3 = F(theta + h / 2 * k2)
        k4 = F(theta + h * k3)
        theta = theta + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    q = N * (np.cos(theta[-1] - start[::2]) - np.cos(start[-1] - start[::2]))
    middle = q[4:8].mean()
    return q.mean(), q[:2].mean() - middle, q[-2:].mean() - middle


if __name__ == "__main__":
    print("rows", [[float(round(np.cos(a), 12)), float(round(np.sin(a), 12))] for a in A])
    for T in (2.0, 10.0):
        th = run(A, 2.0, 1.0, T, 0.0025)
        z = np.exp(1j * th).mean()
        z2 = np.exp(2j * th).mean()
        print("T", T, "mean %.12f %.12f mode_2 %.12f" % (z.real, z.imag, abs(z2)))
    for n in (1, 2):
        v = []
        for N in (32, 64, 128):
            C = expm(2 * n * n * iv(n, 1.0) * weights(N, 1.0))
            v.append((C.sum(0) ** 2).sum() / N**2)
            print("mode", n, "N", N, "E|mode|^2", v[-1], "times N", v[-1] * N)
        print("   slope", np.polyfit(np.log([32, 64, 128]), np.log(v), 1)[0])
    # The whole system by Monte Carlo, t = 2.
    rng = np.random.default_rng(0)
    for N, R in ((32, 20000), (128, 6000)):
        P = weights(N, 1.0)
        theta = rng.uniform(0, 2 * np.pi, (R, N))

        def F(a):
            c, s = np.cos(a), np.sin(a)
            out = np.zeros_like(a)
            for j in range(1, N):
                cd = c[:, j : j + 1] * c[:, :j] + s[:, j : j + 1] * s[:, :j]
                sd = s[:, j : j + 1] * c[:, :j] - c[:, j : j + 1] * s[:, :j]
                out[:, j] = -(sd * np.exp(cd)) @ P[j, :j]
            return out

        h = 0.2
        for _ in range(10):
            k1 = F(theta)
            k2 = F(theta + h / 2 * k1)
            k3 = F(theta + h / 2 * k2)
            k4 = F(theta + h * k3)
            theta = theta + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        for n in (1, 2):
            m = abs(np.exp(1j * n * theta).mean(1)) ** 2
            print("Monte Carlo: N", N, "E|mode_%d|^2" % n, m.mean(), "+-", m.std() / np.sqrt(R))
    z = np.exp(1j * double_well(A, 1.5))
    print("double well: mean %.12f %.12f mode_2 %.12f" % (z.mean().real, z.mean().imag, abs((z * z).mean())))
    together, summed = double_well_profiles(400, 1.5)
    for i in (8, 40, 80, 120, 160, 200, 240, 280, 320, 360, 392):
        print("double well: place %.2f together %.4f summed %.4f" % ((i + 1) / 400, together[i], summed[i]))
    for n in (1, 2):
        C = expm(1.5 * sum(c * n * n * iv(n, b) * weights(24, lam) for c, b, lam in HEADS))
        print("double well: linear response, N 24 E|mode_%d|^2 %.6f" % (n, (C.sum(0) ** 2).sum() / 24**2))
    print("double well: Monte Carlo, N 24, modes 1 and 2", double_well_modes(24, 6000, 1.5, 0.05, rng))
    profile = 32 * expm(iv(1, 1.0) * weights(32, 1.0))[31, ::2]
    middle = profile[4:8].mean()
    print("places at the start: mean %.5f, first %.5f, last %.5f" % (profile.mean(), profile[:2].mean() - middle, profile[-2:].mean() - middle))
    rng = np.random.default_rng(3)
    some = np.array([places(32, 5000, 1.0, 0.2, rng) for _ in range(200)])
    print("Monte Carlo: mean, first, last", some.mean(0), "+-", some.std(0, ddof=1) / 200**0.5)
