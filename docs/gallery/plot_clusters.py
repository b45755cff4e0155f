r"""
Clusters on the sphere
======================

Uniform tokens on :math:`S^2` gather in a few clusters, long before these merge into one (`arXiv:2312.10794
<https://arxiv.org/abs/2312.10794>`_, `arXiv:2410.23228 <https://arxiv.org/abs/2410.23228>`_). About the uniform
measure spherical harmonics of degree :math:`\ell` grow at the rate

.. math::

   r_\ell = \frac{\ell (\ell + 1)}{\beta} \,
   \frac{I_{\ell + 1/2}(\beta)}{I_{1/2}(\beta) + e^\beta \sqrt{2 \beta / \pi} / n},

where the second term of the denominator is a token's own weight, which a cloud of n tokens has and its limit has not.
The degree that grows fastest sets the size of the clusters.
"""

import matplotlib.pyplot as plt
import numpy as np
import tokenfield as tf
from scipy.special import iv

N, BETA = 1024, 16.0

problem = {
    "tokens": {"count": N, "dim": 3, "seed": 7, "initial": {"law": "uniform"}},
    "attention": {"beta": BETA, "normalization": "softmax"},
    "time": {"scheme": "heun", "step": 0.1, "end": 20.0},
    "observe": {"every": 0.5, "quantities": ["clusters", "tokens"]},
}
run = tf.simulate(problem, device="cpu")

# %%
# Tokens at three times, seen from two opposite sides. A cluster is what overlaps above 0.99 connect.

figure, axes = plt.subplots(2, 3, figsize=(8, 5.6), subplot_kw={"aspect": "equal"})
circle = np.exp(1j * np.linspace(0, 2 * np.pi, 200))
for column, time in enumerate([0.0, 3.0, 20.0]):
    frame = int(np.argmin(abs(run.times - time)))
    x = run.trajectory[frame, 0]
    for row, side in enumerate([1, -1]):
        seen = x[side * x[:, 2] >= 0]
        axes[row, column].plot(side * seen[:, 0], seen[:, 1], ".", markersize=2 if time < 20 else 6)
        axes[row, column].plot(circle.real, circle.imag, color="0.7", linewidth=0.8)
        axes[row, column].set_axis_off()
    count = run.samples["clusters"][0, frame]
    axes[0, column].set_title(f"t = {time:g}" + (f": {count:.0f} clusters" if time else ""), fontsize=10)
plt.show()

# %%
# The same tokens in motion. In a notebook this line shows them as well; drag to turn the sphere.

tf.view(run, color="cluster", limit=600, height=380)

# %%
# The rates at which harmonics start to grow. Those of uniform tokens start from noise, so the rate is the mean over
# replicas of :math:`\ln (m_\ell(t) / m_\ell(0)) / t`.

rates = {
    "tokens": {"count": N, "dim": 3, "replicas": 16, "seed": 1, "initial": {"law": "uniform"}},
    "attention": {"beta": BETA, "normalization": "softmax"},
    "time": {"scheme": "rk4", "step": 0.1, "end": 0.2},
    "observe": {"quantities": ["modes"], "degree": 12},
}
samples = tf.simulate(rates, device="cpu").samples
degree = np.arange(1, 13)
measured = np.array([np.log(samples[f"mode_{k}"][:, -1] / samples[f"mode_{k}"][:, 0]) / 0.2 for k in degree])
own = np.exp(BETA) * np.sqrt(2 * BETA / np.pi) / N
predicted = degree * (degree + 1) / BETA * iv(degree + 0.5, BETA) / (iv(0.5, BETA) + own)

figure, axes = plt.subplots()
axes.plot(degree, predicted, "_", color="black", markersize=16, label="predicted")
error = 1.96 * measured.std(axis=1, ddof=1) / np.sqrt(measured.shape[1])
axes.errorbar(degree, measured.mean(axis=1), error, fmt="o", label="16 clouds, mean and 95 % interval")
axes.set(xlabel="degree", ylabel="growth rate", xticks=degree)
axes.legend()
plt.show()
