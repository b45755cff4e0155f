r"""
Noise against attention
=======================

Under independent noise (generator :math:`\tfrac12 \Delta`) and unnormalized attention of strength :math:`K` the mean
of a nearly uniform measure on :math:`S^{d-1}` moves like :math:`e^{-r t}`,

.. math::

   r = \frac{d - 1}{2} \Bigl( 1 - \frac{K}{K_\#} \Bigr), \qquad
   K_\# = \frac{\beta^{d/2}}{2^{d/2} \, \Gamma(d/2) \, I_{d/2}(\beta)}

("Phase transitions for the noisy transformer model in arbitrary dimension", `arXiv:2606.05140
<https://arxiv.org/abs/2606.05140>`_): below the threshold noise wins, above it tokens gather.
"""

import matplotlib.pyplot as plt
import numpy as np
import tokenfield as tf
from scipy.special import gamma, iv

BETA, CONCENTRATION, END = 1.0, 0.4, 1.0
SHARES = np.linspace(0, 2, 6)


def threshold(dim):
    """Return K_#."""
    return BETA ** (dim / 2) / (2 ** (dim / 2) * gamma(dim / 2) * iv(dim / 2, BETA))


def decay_rates(dim, strength):
    """Return -ln(mean(t) / mean(0)) / t of each replica."""
    axis = [0.0] * (dim - 1) + [1.0]
    problem = {
        "tokens": {
            "count": 1500,
            "dim": dim,
            "replicas": 12,
            "seed": 1,
            "initial": {"law": "von-mises-fisher", "concentration": CONCENTRATION, "axis": axis},
        },
        "attention": {
            "beta": BETA,
            "normalization": "unnormalized",
            "head": [{"weight": strength, "value": "identity"}],
        },
        "noise": {"field": "independent", "intensity": 1.0, "calculus": "stratonovich"},
        "time": {"scheme": "heun", "step": 0.1, "end": END},
        "observe": {"quantities": ["moments"]},
    }
    mean = tf.simulate(problem, device="cpu").samples[f"mean_{dim - 1}"]
    return -np.log(mean[:, -1] / mean[:, 0]) / END


figure, axes = plt.subplots()
for dim in [2, 3]:
    rates = np.array([decay_rates(dim, float(share * threshold(dim))) for share in SHARES])
    bar = 1.96 * rates.std(axis=1, ddof=1) / np.sqrt(rates.shape[1])
    predicted = (dim - 1) / 2 * (1 - SHARES)
    color = axes.plot(SHARES, predicted, linewidth=1)[0].get_color()
    axes.errorbar(SHARES, rates.mean(1), bar, fmt="o", color=color, label=f"d = {dim}, $K_\\#$ = {threshold(dim):.4f}")
    print(f"d = {dim}: measured - predicted, in half intervals:", np.round((rates.mean(1) - predicted) / bar, 2))
axes.axhline(0, color="0.6", linewidth=0.8)
axes.set(xlabel="strength of attention $K / K_\\#$", ylabel="decay rate of the mean (lines: predicted)")
axes.legend()
plt.show()
