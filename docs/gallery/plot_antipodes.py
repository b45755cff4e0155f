r"""
Random layers: antipodes attract or repel
=========================================

Under a value matrix of independent normal entries, fresh in every layer of step :math:`h`, one plus the overlap of
two tokens near antipodes has the Lyapunov exponent

.. math::

   \lambda = \frac{d - 1}{\cosh^2 \beta} - 2

in the time :math:`s = L h^2`, so that antipodes attract where :math:`\cosh 2 \beta > d - 2` ("Clustering in Deep
Stochastic Transformers", `arXiv:2601.21942 <https://arxiv.org/abs/2601.21942>`_). Each of the replicas has matrices
of its own; :math:`s` is ``time.end * time.step``.
"""

import matplotlib.pyplot as plt
import numpy as np
import tokenfield as tf

BETAS = np.array([0.0, 0.3, 0.6, 1.0, 1.5, 2.0])
STEP, END = 0.04, 20.0
START = [[1.0, 0.0], [-np.cos(1e-3), np.sin(1e-3)]]


def exponents(dim, beta):
    """Return ln((1 + overlap) / its start) / s of each replica."""
    rows = [[*row, *[0.0] * (dim - 2)] for row in START]
    head = {"value": {"ensemble": "gaussian", "variance": 1.0, "every": 1, "draws": "replicas"}}
    problem = {
        "tokens": {"count": 2, "dim": dim, "replicas": 256, "seed": 1, "initial": {"law": "points", "rows": rows}},
        "attention": {"beta": float(beta), "normalization": "softmax", "head": [head]},
        "time": {"scheme": "layer", "step": STEP, "end": END},
        "observe": {"quantities": ["pair_overlap"]},
    }
    overlap = tf.simulate(problem, device="cpu", precision="double").samples["pair_overlap"][:, -1]
    return np.log((1 + overlap) / (1 - np.cos(1e-3))) / (END * STEP)


figure, axes = plt.subplots()
fine = np.linspace(0, 2.1, 200)
for dim in [3, 4, 6]:
    measured = np.array([exponents(dim, beta) for beta in BETAS])
    bar = 1.96 * measured.std(axis=1, ddof=1) / np.sqrt(measured.shape[1])
    color = axes.plot(fine, (dim - 1) / np.cosh(fine) ** 2 - 2, linewidth=1)[0].get_color()
    axes.errorbar(BETAS, measured.mean(1), bar, fmt="o", color=color, label=f"d = {dim}")
    off = (measured.mean(1) - (dim - 1) / np.cosh(BETAS) ** 2 + 2) / bar
    print(f"d = {dim}: measured - predicted, in half intervals:", np.round(off, 2))
axes.axhline(0, color="0.6", linewidth=0.8)
axes.set(xlabel=r"$\beta$", ylabel="exponent near antipodes (lines: predicted)")
axes.legend()
plt.show()
