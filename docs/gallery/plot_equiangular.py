r"""
Equiangular tokens, and high dimension
======================================

Orthonormal tokens stay equiangular, and their overlap follows

.. math::

   \dot \rho = \frac{2 e^{\beta \rho} (1 - \rho) ((n - 1) \rho + 1)}{e^\beta + (n - 1) e^{\beta \rho}}.

Uniform tokens in high dimension are nearly orthonormal, and stay near this curve: their mean overlap is off by a
multiple of :math:`d^{-1/2}` ("A mathematical perspective on Transformers", `arXiv:2312.10794
<https://arxiv.org/abs/2312.10794>`_). The multiple follows from the same equation: the mean overlap of :math:`n`
uniform tokens has the variance :math:`2 / (n (n - 1) d)` at the start, and the curve carries it along by
:math:`\partial \rho(t) / \partial \rho(0)`.
"""

import matplotlib.pyplot as plt
import numpy as np
import tokenfield as tf
from scipy.integrate import solve_ivp

N, BETA, END = 8, 2.0, 2.0
DIMENSIONS = np.array([16, 64, 256, 512])


def curve(start, times):
    """Return the overlap of equiangular tokens, by SciPy."""

    def velocity(_, rho):
        weight = np.exp(BETA * rho)
        return 2 * weight * (1 - rho) * ((N - 1) * rho + 1) / (np.exp(BETA) + (N - 1) * weight)

    return solve_ivp(velocity, (0, END), [start], t_eval=times, rtol=1e-10, atol=1e-12).y[0]


def overlaps(dim):
    """Return times, and the mean overlap of each of 48 replicas at them."""
    problem = {
        "tokens": {"count": N, "dim": int(dim), "replicas": 48, "seed": 1, "initial": {"law": "uniform"}},
        "attention": {"beta": BETA, "normalization": "softmax"},
        "time": {"scheme": "rk4", "step": 0.1, "end": END},
        "observe": {"every": 0.1, "quantities": ["pair_overlap"]},
    }
    run = tf.simulate(problem, device="cpu")
    return run.times, run.samples["pair_overlap"]


figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 4.2))
deviations, bars = [], []
for dim, color in zip(DIMENSIONS, ["C1", "C2", "C3", "C0"], strict=True):
    times, measured = overlaps(dim)
    middle = int(np.argmin(abs(times - 1.0)))
    predicted = curve(0.0, times)
    squares = (measured[:, middle] - predicted[middle]) ** 2
    deviations.append(np.sqrt(squares.mean()))
    bars.append(1.96 * squares.std(ddof=1) / (2 * deviations[-1] * np.sqrt(len(squares))))
    if dim in (16, 512):
        left.plot(times, measured[:12].T, color=color, linewidth=0.6)
        left.plot([], [], color=color, label=f"12 clouds, d = {dim}")
left.plot(times, predicted, "--", color="black", label="equiangular tokens")
left.set(xlabel="layer-time", ylabel="mean overlap")
left.legend()

response = (curve(1e-4, times) - curve(-1e-4, times))[middle] / 2e-4
line = response * np.sqrt(2 / (N * (N - 1) * DIMENSIONS))
right.plot(DIMENSIONS, line, color="black", linewidth=1, label=r"predicted, $\propto d^{-1/2}$")
right.errorbar(DIMENSIONS, deviations, bars, fmt="o", label="root mean square of 48 clouds")
right.set(xscale="log", yscale="log", xlabel="dimension d", ylabel="deviation of the mean overlap at t = 1")
right.set_xticks(DIMENSIONS, DIMENSIONS)
right.minorticks_off()
right.legend()
print("measured / predicted:", np.round(np.array(deviations) / line, 3))
plt.show()
