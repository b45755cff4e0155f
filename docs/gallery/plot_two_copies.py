r"""
Two copies, and the curse of dimension
======================================

Two independent clouds of :math:`n` tokens are at a distance :math:`W_1` of the order :math:`n^{-1/(d-1)}` for
:math:`d > 3`, the dimension of the sphere being :math:`d - 1`, and :math:`n^{-1/2}` on the circle, while the coupling
error of the same tokens falls like :math:`n^{-1/2}` in every dimension ("The Mean-Field Dynamics of Transformers",
`arXiv:2512.01868 <https://arxiv.org/abs/2512.01868>`_). At :math:`t = 0` the distance is known without any dynamics.
On the circle it is

.. math::

   \mathbb E \, W_1 \approx 2 \pi \sqrt{2 / n} \;\, \mathbb E \min_c \int_0^1 |B(s) - c| \, ds,

:math:`B` being a Brownian bridge; in higher dimension SciPy's assignment of points that NumPy draws says the same
without Tokenfield.
"""

import matplotlib.pyplot as plt
import numpy as np
import tokenfield as tf
from scipy.optimize import linear_sum_assignment

BETA, COUNTS = 2.0, np.array([64, 128, 256, 512])
random = np.random.default_rng(0)


def distances(dim, count):
    """Return W_1 at t = 0 and at t = 1 of each pair of copies, and the coupling error at t = 1 of each replica."""
    problem = {
        "tokens": {
            "count": int(count),
            "dim": dim,
            "replicas": 96 if dim == 2 else 16,
            "seed": 1,
            "initial": {"law": "uniform"},
        },
        "attention": {"beta": BETA, "normalization": "softmax"},
        "time": {"scheme": "heun", "step": 0.2, "end": 1.0},
        "observe": {"quantities": ["w1_copies", "coupling_error"]},
        "reference": {"kind": "zonal", "steps": "tokens"},
    }
    samples = tf.simulate(problem, device="cpu").samples
    # Both replicas of a pair have its distance.
    copies = samples["w1_copies"][::2]
    return copies[:, 0], copies[:, -1], samples["coupling_error"][:, -1]


def bridge_constant():
    """Return 2 pi 2^{1/2} E min_c int |B - c|, from 4000 bridges; the best c is the median."""
    steps = random.standard_normal((4000, 1000)) / np.sqrt(1000)
    walk = np.cumsum(steps, axis=1)
    bridge = walk - np.linspace(0, 1, 1000) * walk[:, -1:]
    return 2 * np.pi * np.sqrt(2) * np.mean(abs(bridge - np.median(bridge, axis=1, keepdims=True)))


def assigned(dim, count):
    """Return the mean of W_1 of 8 pairs of uniform clouds, by NumPy and SciPy."""
    found = []
    for _ in range(8):
        x, y = random.standard_normal((2, count, dim))
        x, y = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in (x, y))
        chords = np.sqrt(np.maximum(2 - 2 * x @ y.T, 0))
        found.append(chords[linear_sum_assignment(chords)].mean())
    return np.mean(found)


def draw(panel, values, color, label):
    """Draw means over replicas with 95 % intervals, and return the means."""
    mean = np.array([value.mean() for value in values])
    bar = [1.96 * value.std(ddof=1) / np.sqrt(len(value)) for value in values]
    panel.errorbar(COUNTS, mean, bar, fmt="o", color=color, label=label)
    return mean


figure, axes = plt.subplots(1, 3, figsize=(9.5, 4), sharey=True)
for panel, dim in zip(axes, [2, 5, 8], strict=True):
    start, later, coupling = zip(*(distances(dim, count) for count in COUNTS), strict=True)
    draw(panel, start, "C0", r"$W_1$ of copies, t = 0")
    moved = draw(panel, later, "C1", r"$W_1$ of copies, t = 1")
    coupled = draw(panel, coupling, "C2", "coupling error, t = 1")
    if dim == 2:
        panel.plot(COUNTS, bridge_constant() * COUNTS**-0.5, color="C0", linewidth=1, label="Brownian bridge")
    else:
        panel.plot(COUNTS, [assigned(dim, count) for count in COUNTS], "x", color="black", label="SciPy, t = 0")
    rate = 1 / 2 if dim == 2 else 1 / (dim - 1)
    panel.plot(COUNTS, moved[-1] * (COUNTS / COUNTS[-1]) ** -rate, "C1--", linewidth=1, label=f"slope -1/{1 / rate:g}")
    panel.plot(COUNTS, coupled[-1] * (COUNTS / COUNTS[-1]) ** -0.5, "C2--", linewidth=1, label="slope -1/2")
    panel.set(xscale="log", yscale="log", ylim=(0.006, 1.2), title=f"d = {dim}", xlabel="tokens n")
    panel.set_xticks(COUNTS, COUNTS)
    panel.minorticks_off()
    panel.legend(fontsize=7, loc="lower left")
    slopes = [np.polyfit(np.log(COUNTS), np.log(values), 1)[0] for values in (moved, coupled)]
    print(f"d = {dim}: slopes {slopes[0]:.3f} (copies, law {-rate:.3f}) and {slopes[1]:.3f} (coupling, law -0.5)")
plt.show()
