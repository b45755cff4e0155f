r"""
Two tokens
==========

Two orthogonal tokens of half the mass each meet under softmax attention by :math:`\dot u = 2 (1 - u^2) / (e^{\beta (1
- u)} + 1)`, :math:`u = \langle x_1, x_2 \rangle`, which is solved by exponential integrals:

.. math::

   t(u) = \tfrac12 \operatorname{artanh} u + \tfrac14 \bigl[ \mathrm{Ei}(\beta) - \mathrm{Ei}(\beta (1 - u)) \bigr]
        + \tfrac14 e^{2 \beta} \bigl[ E_1(\beta) - E_1(\beta (1 + u)) \bigr].

At :math:`\beta = 0` this is :math:`u = \tanh t`. At large :math:`\beta` tokens that are apart stay so for a time of
about :math:`e^\beta / 2 \beta` ("The Mean-Field Dynamics of Transformers", `arXiv:2512.01868
<https://arxiv.org/abs/2512.01868>`_; "Dynamic metastability in the self-attention model", `arXiv:2410.06833
<https://arxiv.org/abs/2410.06833>`_).
"""

import matplotlib.pyplot as plt
import numpy as np
import tokenfield as tf
from scipy.special import exp1, expi


def time_of(u, beta):
    """Return the time at which orthogonal tokens have the overlap u."""
    if beta == 0:
        return np.arctanh(u)
    near = expi(beta) - expi(beta * (1 - u))
    far = np.exp(2 * beta) * (exp1(beta) - exp1(beta * (1 + u)))
    return np.arctanh(u) / 2 + (near + far) / 4


figure, axes = plt.subplots()
u = np.linspace(1e-4, 0.9999, 4000)
for beta in [0.0, 2.0, 4.0, 6.0, 8.0]:
    end = np.ceil(10 * time_of(0.999, beta)) / 10
    problem = {
        "tokens": {"count": 2, "dim": 2, "initial": {"law": "orthonormal"}},
        "attention": {"beta": beta, "normalization": "softmax"},
        "time": {"scheme": "rk4", "step": 0.02, "end": end},
        "observe": {"every": 0.1, "quantities": ["pair_overlap"]},
    }
    run = tf.simulate(problem, device="cpu", precision="double")
    overlap = run.samples["pair_overlap"][0]
    color = axes.plot(time_of(u, beta), u, linewidth=1)[0].get_color()
    shown = np.unique(np.geomspace(1, len(overlap) - 1, 16).astype(int))
    axes.plot(run.times[shown], overlap[shown], "o", color=color, label=rf"$\beta$ = {beta:g}")
    inside = (overlap > 1e-3) & (overlap < 0.999)
    error = abs(time_of(overlap[inside], beta) - run.times[inside]).max()
    print(f"beta = {beta:g}: times differ by at most {error:.1e}")
    assert error < 1e-7
axes.set(xscale="log", xlim=(0.05, 400), xlabel="layer-time", ylabel="overlap (lines: closed form, dots: measured)")
axes.legend()
plt.show()
