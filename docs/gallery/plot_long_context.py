r"""
Long contexts
=============

One layer of attention with :math:`\beta = \gamma \ln n` on :math:`n` equiangular tokens of overlap :math:`\rho`: as
:math:`n \to \infty` the overlap of its outputs tends to 1 for :math:`\gamma (1 - \rho) < 1`, to :math:`4 \rho / (1 +
3 \rho)` for :math:`\gamma (1 - \rho) = 1`, and stays :math:`\rho` above ("The Mean-Field Dynamics of Transformers",
`arXiv:2512.01868 <https://arxiv.org/abs/2512.01868>`_). For every :math:`n` it is

.. math::

   \frac{\rho + (1 - \rho) (2 a b + (n - 2) b^2)}{\rho + (1 - \rho) (a^2 + (n - 1) b^2)}, \qquad
   a = \frac{1}{1 + (n - 1) n^{-\gamma (1 - \rho)}}, \quad b = \frac{1 - a}{n - 1},

:math:`a` being the weight of a token for itself. There is no chance in it, and so no error bar.
"""

import matplotlib.pyplot as plt
import numpy as np
import tokenfield as tf

RHO = 0.5
GAMMAS = np.arange(1.0, 3.3, 0.25)


def output_overlap(count, gamma):
    """Return the overlap of the outputs of one layer. With a step of 1e9 a layer is N(1e-9 x + attention)."""
    problem = {
        "tokens": {"count": count, "dim": count, "initial": {"law": "simplex", "overlap": RHO}},
        "attention": {"beta": float(gamma * np.log(count)), "normalization": "softmax"},
        "time": {"scheme": "layer", "step": 1e9, "end": 1e9},
        "observe": {"quantities": ["pair_overlap"]},
    }
    return tf.simulate(problem, device="cpu", precision="double").samples["pair_overlap"][0, -1]


def predicted(count, gamma):
    """Return the formula."""
    a = 1 / (1 + (count - 1) * count ** (-gamma * (1 - RHO)))
    b = (1 - a) / (count - 1)
    above = RHO + (1 - RHO) * (2 * a * b + (count - 2) * b**2)
    return above / (RHO + (1 - RHO) * (a**2 + (count - 1) * b**2))


figure, axes = plt.subplots()
fine = np.linspace(0.9, 3.3, 400)
for count in [30, 100, 300]:
    measured = np.array([output_overlap(count, gamma) for gamma in GAMMAS])
    color = axes.plot(fine, predicted(count, fine), linewidth=1)[0].get_color()
    axes.plot(GAMMAS, measured, "o", color=color, label=f"n = {count}")
    error = abs(measured - predicted(count, GAMMAS)).max()
    print(f"n = {count}: largest error {error:.1e}")
    assert error < 1e-8
critical = 1 / (1 - RHO)
axes.plot([0.9, critical, critical, 3.3], [1, 1, RHO, RHO], "--", color="black", linewidth=1, label=r"n = $\infty$")
axes.plot(critical, 4 * RHO / (1 + 3 * RHO), "k*", markersize=11, label=r"$4 \rho / (1 + 3 \rho)$")
axes.set(xlabel=r"$\gamma = \beta / \ln n$", ylabel="overlap after one layer")
axes.legend()
plt.show()
