r"""
Doubly stochastic attention
===========================

Under Sinkhorn's normalization (rows and columns have sums of one) the Fourier mode :math:`k` grows about the uniform
measure on the circle at the rate

.. math::

   r_k = \frac{k^2}{\beta} \, \frac{I_k(\beta)}{I_0(\beta) + I_k(\beta)},

for small :math:`k` and large :math:`\beta` half of :math:`k^2 I_k / (\beta I_0)`, that of softmax, as the heat
equation has half of the drift of softmax (after "Sinkformers: Transformers with Doubly Stochastic Attention",
`arXiv:2110.11773 <https://arxiv.org/abs/2110.11773>`_). Tokens stand at quantiles, so there is no noise and no error
bar.
"""

import matplotlib.pyplot as plt
import numpy as np
import tokenfield as tf
from scipy.special import iv

MODES = np.arange(1, 7)


def measured_rates(beta, attention):
    """Return the slope of ln(mode_k) over time, of each mode."""
    problem = {
        "tokens": {"count": 64, "dim": 2, "initial": {"law": "fourier", "amplitudes": [1e-5] * 6, "quiet": True}},
        "attention": {"beta": beta, **attention},
        "time": {"scheme": "rk4", "step": 0.2, "end": 1.0},
        "observe": {"every": 0.2, "quantities": ["modes"], "degree": 6},
        "result": [{"name": f"rate_{k}", "slope": f"ln(mode_{k})"} for k in MODES],
    }
    results = tf.simulate(problem, device="cpu", precision="double").results
    return np.array([results[f"rate_{k}"][0] for k in MODES])


sinkhorn = {"normalization": "sinkhorn", "sinkhorn": {"iterations": 500, "tolerance": 1e-13}}
fine = np.linspace(0.5, 6.5, 200)
figure, axes = plt.subplots(1, 2, figsize=(8.5, 4), sharey=True)
for panel, beta in zip(axes, [2.0, 8.0], strict=True):
    for attention, share, color in [({"normalization": "softmax"}, 0, "C0"), (sinkhorn, 1, "C1")]:
        rate = fine**2 * iv(fine, beta) / (beta * (iv(0, beta) + share * iv(fine, beta)))
        panel.plot(fine, rate, color=color, linewidth=1)
        measured = measured_rates(beta, attention)
        panel.plot(MODES, measured, "o", color=color, label=attention["normalization"])
        exact = MODES**2 * iv(MODES, beta) / (beta * (iv(0, beta) + share * iv(MODES, beta)))
        print(f"{attention['normalization']}, beta = {beta:g}: largest error {abs(measured - exact).max():.1e}")
        assert abs(measured - exact).max() < 1e-4
    panel.set(title=rf"$\beta$ = {beta:g}", xlabel="mode k", xticks=MODES)
axes[0].set_ylabel("growth rate (lines: predicted)")
axes[0].legend()
plt.show()
