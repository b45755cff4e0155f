r"""
Both poles, with a probability
==============================

Under :math:`Q^\top K = V` with the leading eigenvector :math:`e_1` and at low temperature a token follows those of
its own side. Uniform tokens end at both poles :math:`\pm e_1` unless all start on one side, which has the probability
:math:`2 \cdot 2^{-n}`:

.. math::

   P(\text{both poles}) = 1 - 2^{1 - n}

("Spectral Selection in Symmetric Self-Attention Dynamics", `arXiv:2604.26085 <https://arxiv.org/abs/2604.26085>`_).
At small :math:`\beta` all end at one pole. Bars are Wilson's 95 % intervals of a share.
"""

import matplotlib.pyplot as plt
import numpy as np
import tokenfield as tf

COUNTS = np.array([2, 3, 4, 5, 6, 8])
REPLICAS = 256


def share_of_splits(count, beta):
    """Return the share of replicas that end in two clusters at both poles."""
    head = {"query-key": {"diagonal": [3.0, 2.0, 1.0, 0.4]}, "value": {"query-key": 1.0}}
    problem = {
        "tokens": {"count": int(count), "dim": 4, "replicas": REPLICAS, "seed": 1, "initial": {"law": "uniform"}},
        "attention": {"beta": beta, "normalization": "softmax", "head": [head]},
        "time": {"scheme": "rk4", "step": 0.05, "end": 30.0},
        "observe": {"quantities": ["moments", "clusters"], "threshold": 0.999},
    }
    last = {name: values[:, -1] for name, values in tf.simulate(problem, device="cpu").samples.items()}
    return np.mean((last["clusters"] == 2) & (last["second_moment_eigenvalue_0"] > 0.999))


def wilson(share):
    """Return how far Wilson's interval reaches below and above a share."""
    z = 1.96
    centre = (share + z**2 / (2 * REPLICAS)) / (1 + z**2 / REPLICAS)
    half = z / (1 + z**2 / REPLICAS) * np.sqrt(share * (1 - share) / REPLICAS + z**2 / (4 * REPLICAS**2))
    return np.maximum([share - centre + half, centre + half - share], 0)


figure, axes = plt.subplots()
axes.plot(COUNTS, 1 - 2.0 ** (1 - COUNTS), color="black", linewidth=1, label="$1 - 2^{1 - n}$")
axes.axhline(0, color="0.5", linewidth=1)
for beta, label in [(50.0, r"$\beta$ = 50"), (0.03, r"$\beta$ = 0.03")]:
    share = np.array([share_of_splits(count, beta) for count in COUNTS])
    axes.errorbar(COUNTS, share, wilson(share), fmt="o", label=label)
    print(f"beta = {beta:g}:", np.round(share, 3))
print("predicted:", 1 - 2.0 ** (1 - COUNTS))
axes.set(xlabel="tokens n", ylabel="share that ends at both poles", xticks=COUNTS)
axes.legend()
plt.show()
