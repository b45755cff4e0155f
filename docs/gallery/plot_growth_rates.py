r"""
Growth rates of modes on the circle
===================================

About the uniform measure on the circle the Fourier mode :math:`k` grows at the rate

.. math::

   r_k = \frac{k^2}{\beta} \, \frac{I_k(\beta)}{I_0(\beta)} \quad \text{(softmax)}, \qquad
   r_k = \frac{k^2}{\beta} \, I_k(\beta) \quad \text{(unnormalized)}

("Emergence of meta-stable clustering in mean-field transformer models", `arXiv:2410.23228
<https://arxiv.org/abs/2410.23228>`_). Tokens start at the quantiles of a density that is perturbed by one millionth
in each mode, so there is no noise and no error bar.
"""

import matplotlib.pyplot as plt
import numpy as np
import tokenfield as tf
from scipy.special import iv

BETAS = [1.0, 2.0, 5.0, 16.0]
MODES = np.arange(1, 9)


def measured_rates(beta, normalization):
    """Return the slope of ln(mode_k) over time, of each mode."""
    end = 0.4 if normalization == "softmax" else 0.4 / iv(0, beta)
    problem = {
        "tokens": {"count": 200, "dim": 2, "initial": {"law": "fourier", "amplitudes": [1e-6] * 8, "quiet": True}},
        "attention": {"beta": beta, "normalization": normalization},
        "time": {"scheme": "rk4", "step": end / 8, "end": end},
        "observe": {"every": end / 8, "quantities": ["modes"], "degree": 8},
        "result": [{"name": f"rate_{k}", "slope": f"ln(mode_{k})"} for k in MODES],
    }
    results = tf.simulate(problem, device="cpu", precision="double").results
    return np.array([results[f"rate_{k}"][0] for k in MODES])


figure, axes = plt.subplots(1, 2, figsize=(8.5, 4.2))
for panel, normalization in zip(axes, ["softmax", "unnormalized"], strict=True):
    for beta in BETAS:
        fine = np.linspace(0.5, 8.5, 200)
        scale = iv(0, beta) if normalization == "softmax" else 1
        color = panel.plot(fine, fine**2 * iv(fine, beta) / (beta * scale), linewidth=1)[0].get_color()
        rates = measured_rates(beta, normalization)
        panel.plot(MODES, rates, "o", color=color, label=rf"$\beta$ = {beta:g}")
        predicted = MODES**2 * iv(MODES, beta) / (beta * scale)
        error = abs(rates - predicted).max() / predicted.max()
        print(f"{normalization}, beta = {beta:g}: largest error {error:.1e} of the largest rate")
        assert error < 2e-5
    panel.set(title=normalization, xlabel="mode k")
axes[0].set_ylabel("growth rate (lines: predicted, dots: measured)")
axes[1].set_yscale("log")
axes[0].legend()
plt.show()
