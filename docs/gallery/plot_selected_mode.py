r"""
How many clusters emerge
========================

On the circle the mode that grows fastest is the :math:`k` at which :math:`k^2 I_k(\beta)` is largest, about :math:`(2
\beta)^{1/2}`. From a perturbation of the uniform measure that is equal in all modes, as many clusters emerge
("Emergence of meta-stable clustering in mean-field transformer models", `arXiv:2410.23228
<https://arxiv.org/abs/2410.23228>`_), but only well inside a step of the staircase: just above a change the slower
mode is still nearly as large when the density breaks up.
"""

import matplotlib.pyplot as plt
import numpy as np
import tokenfield as tf
from scipy.special import ive

BETAS = np.array([0.5, 0.9, 1.2, 2.0, 2.8, 3.3, 4.0, 5.0, 5.8, 7.0, 8.0, 9.5, 11.0, 12.0, 14.0])

fastest, clusters = [], []
for beta in BETAS:
    problem = {
        "tokens": {"count": 120, "dim": 2, "initial": {"law": "fourier", "amplitudes": [1e-6] * 8, "quiet": True}},
        "attention": {"beta": beta, "normalization": "softmax"},
        "time": {"scheme": "heun", "step": 0.2, "end": 44.0},
        "observe": {"every": 2.0, "quantities": ["modes", "clusters"], "degree": 8},
    }
    run = tf.simulate(problem, device="cpu", precision="double")
    early = int(np.argmin(abs(run.times - 2.0)))
    fastest.append(1 + np.argmax([run.samples[f"mode_{k}"][0, early] for k in range(1, 9)]))
    clusters.append(run.samples["clusters"][0, -1])

modes = np.arange(1, 20)
fine = np.linspace(0.2, 15, 2000)
# ive is e^{-beta} I_k(beta), which has its maximum over k where I_k has.
staircase = modes[np.argmax(modes**2 * ive(modes, fine[:, None]), axis=1)]

figure, axes = plt.subplots()
axes.plot(fine, staircase, color="black", linewidth=1, label=r"largest $k^2 I_k(\beta)$")
axes.plot(fine, np.sqrt(2 * fine), ":", color="0.5", linewidth=1, label=r"$(2 \beta)^{1/2}$")
axes.plot(BETAS, fastest, "s", markerfacecolor="none", markersize=9, label="largest mode at t = 2")
axes.plot(BETAS, clusters, "o", label="clusters at t = 44")
axes.set(xlabel=r"$\beta$", ylabel="mode, or number of clusters", ylim=(0.5, 6.5), yticks=range(1, 7))
axes.legend()
assert np.array_equal(fastest, modes[np.argmax(modes**2 * ive(modes, BETAS[:, None]), axis=1)])
plt.show()
