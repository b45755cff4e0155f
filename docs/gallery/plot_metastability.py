r"""
Metastability: a histogram of overlaps over time
================================================

Clusters form fast, last long and merge in pairs. Once they are formed, clusters of masses :math:`m_k` at the angles
:math:`\theta_k` move like as many tokens of these weights,

.. math::

   \dot \theta_k = \frac{\sum_l m_l e^{\beta \cos(\theta_l - \theta_k)} \sin(\theta_l - \theta_k)}
                        {\sum_l m_l e^{\beta \cos(\theta_l - \theta_k)}},

and two that have the overlap :math:`u` need a time of about :math:`e^{\beta (1 - u)} / (2 \beta (1 - u^2))` to meet.
So later mergers can be foretold from one look at the clusters ("The Mean-Field Dynamics of Transformers",
`arXiv:2512.01868 <https://arxiv.org/abs/2512.01868>`_; "Dynamic metastability in the self-attention model",
`arXiv:2410.06833 <https://arxiv.org/abs/2410.06833>`_).
"""

import matplotlib.pyplot as plt
import numpy as np
import tokenfield as tf
from scipy.integrate import solve_ivp

BETA, BINS = 6.0, 60

problem = {
    "tokens": {"count": 192, "dim": 2, "seed": 7, "initial": {"law": "uniform"}},
    "attention": {"beta": BETA, "normalization": "softmax"},
    "time": {"scheme": "heun", "step": 0.1, "end": 120.0},
    "observe": {"every": 0.5, "quantities": ["clusters", "overlap_histogram", "tokens"], "bins": BINS},
}
run = tf.simulate(problem, device="cpu")
count = run.samples["clusters"][0]

# %%
# One look at t = 15: clusters are parted where the angles of neighbours differ by more than 0.2. SciPy takes it from
# there.

look = int(np.argmin(abs(run.times - 15.0)))
x = run.trajectory[look, 0].astype(float)
angles = np.sort(np.arctan2(x[:, 1], x[:, 0]))
gaps = np.diff(angles, append=angles[0] + 2 * np.pi)
first = int(np.argmax(gaps)) + 1
parts = np.split(np.unwrap(np.roll(angles, -first)), np.flatnonzero(np.roll(gaps, -first)[:-1] > 0.2) + 1)
masses = np.array([len(part) for part in parts]) / len(angles)


def velocity(_, theta):
    """Return d theta_k / dt."""
    difference = theta[None, :] - theta[:, None]
    weights = masses * np.exp(BETA * np.cos(difference))
    return (weights * np.sin(difference)).sum(1) / weights.sum(1)


later = run.times[look:]
theta = solve_ivp(velocity, later[[0, -1]], [part.mean() for part in parts], t_eval=later, rtol=1e-9, atol=1e-11).y
first_pair, second_pair = np.triu_indices(len(masses), 1)
overlaps = np.cos(theta[first_pair] - theta[second_pair])


def count_clusters(angles):
    """Return the number of arcs that are parted by more than acos 0.99."""
    angles = np.sort(angles % (2 * np.pi))
    return max(1, int((np.diff(angles, append=angles[0] + 2 * np.pi) > np.arccos(0.99)).sum()))


predicted = np.array([count_clusters(angles) for angles in theta.T])
print("masses:", np.round(masses, 3))
mergers = [later[1:][np.diff(counts) < 0] for counts in (count[look:], predicted)]
print("mergers measured at", mergers[0], "and predicted at", mergers[1])
assert np.allclose(*mergers, atol=0.5)

# %%
# Colours are shares of pairs by their overlap. White: overlaps of clusters as SciPy has them.

histogram = np.array([run.samples[f"overlap_histogram_{k}"][0] for k in range(BINS)])
figure, (top, bottom) = plt.subplots(2, 1, figsize=(7.5, 5.6), sharex=True, height_ratios=[3, 1])
edges = np.concatenate([run.times - 0.25, run.times[-1:] + 0.25])
shown = np.log10(np.maximum(histogram, 1e-4))
image = top.pcolormesh(edges, np.linspace(-1, 1, BINS + 1), shown, cmap="magma", rasterized=True)
figure.colorbar(image, ax=top, label="log10 of the share of pairs")
top.plot(later, overlaps.T, color="white", linewidth=1, linestyle="--")
top.set(ylabel="overlap", xlim=(0, 120))
top.grid(visible=False)
bottom.step(run.times, count, where="post", label="measured")
bottom.step(later, predicted, "--", where="post", color="black", linewidth=1, label="predicted at t = 15")
bottom.set(xlabel="layer-time", ylabel="clusters", ylim=(0.5, 6.5))
bottom.legend()
plt.show()
