r"""
Propagation of chaos
====================

Tokens that start as independent draws of a law stay near tokens that start at the same places and feel the field of
the limit :math:`n = \infty`. This coupling error falls like :math:`n^{-1/2}` in every dimension ("The Mean-Field
Dynamics of Transformers", `arXiv:2512.01868 <https://arxiv.org/abs/2512.01868>`_; "Propagation of Chaos in Contextual
Flow Maps", `arXiv:2605.16747 <https://arxiv.org/abs/2605.16747>`_):

.. math::

   \Bigl( \mathbb E \, \frac{1}{n} \sum_i |x_i(t) - \bar x_i(t)|^2 \Bigr)^{1/2} \sim C(t) \, n^{-1/2}.

At small times the constant is known. The field at :math:`x` is a ratio of two means over tokens, with weights
:math:`e^{\beta \langle x, y \rangle}`; its error is normal with the variance that the delta method gives, and the
error of a token is :math:`t` times that. NumPy integrates it over the law of the tokens.
"""

import matplotlib.pyplot as plt
import numpy as np
import tokenfield as tf

BETA, KAPPA, TIME = 2.0, 1.5, 0.05
COUNTS = np.array([64, 256, 1024, 4096])


def coupling_sweep(end):
    """Return the sweep over n of the coupling error at the time `end`."""
    problem = {
        "tokens": {
            "dim": 3,
            "replicas": 32,
            "seed": 7,
            "initial": {"law": "von-mises-fisher", "concentration": KAPPA, "axis": [0, 0, 1]},
        },
        "attention": {"beta": BETA, "normalization": "softmax"},
        "time": {"scheme": "heun", "step": min(0.2, end / 4), "end": end},
        "observe": {"quantities": ["coupling_error"]},
        "reference": {"kind": "zonal", "steps": "tokens"},
    }
    fit = [{"quantity": "coupling_error", "variable": "tokens.count", "expected": -0.5}]
    return tf.sweep(problem, axes={"tokens.count": COUNTS}, fit=fit, device="cpu", progress=False)


def predicted_constant():
    """Return (E |error of the field|^2)^{1/2} n^{1/2}, by quadrature over queries x and keys y."""
    height, mass = np.polynomial.legendre.leggauss(48)
    mass = mass * np.exp(KAPPA * height)
    mass /= mass.sum()
    angle = np.arange(64) * 2 * np.pi / 64
    radius = np.sqrt(1 - height**2)
    y = np.stack(
        [np.outer(radius, np.cos(angle)), np.outer(radius, np.sin(angle)), np.outer(height, np.ones(64))], -1
    ).reshape(-1, 3)
    w = np.repeat(mass / 64, 64)
    total = 0.0
    for h, m in zip(height, mass, strict=True):
        x = np.array([np.sqrt(1 - h * h), 0, h])
        kernel = np.exp(BETA * y @ x)
        z = w @ kernel
        mean = (w * kernel) @ y / z
        # By the delta method the variance of a ratio of means is that of e^{beta <x, y>} (y - mean) / Z.
        residual = (kernel / z)[:, None] * (y - mean)
        residual -= np.outer(residual @ x, x)
        total += m * (w @ (residual**2).sum(1))
    return np.sqrt(total)


figure, axes = plt.subplots()
for end, color in [(TIME, "C0"), (2.0, "C1")]:
    sweep = coupling_sweep(end)
    errors = np.array([sweep.cells["coupling_error"][sweep.cells["tokens.count"] == count] for count in COUNTS])
    # Root mean square over replicas, and its standard error by the delta method.
    mean = np.sqrt((errors**2).mean(1))
    bar = 1.96 * (errors**2).std(1, ddof=1) / (2 * mean * np.sqrt(errors.shape[1]))
    axes.errorbar(COUNTS, mean, bar, fmt="o", color=color, label=f"measured, t = {end:g}")
    slope, low, high = (sweep.rates[name][0] for name in ("slope", "slope_low", "slope_high"))
    print(f"t = {end:g}: slope {slope:.3f} [{low:.3f}, {high:.3f}], predicted -0.5")
    if end == TIME:
        line = TIME * predicted_constant() * COUNTS**-0.5
        axes.plot(COUNTS, line, color=color, linewidth=1, label="predicted, with its constant")
        print(f"constant: measured {np.mean(mean / line):.3f} of the predicted one")
    else:
        axes.plot(
            COUNTS,
            mean[-1] * (COUNTS / COUNTS[-1]) ** -0.5,
            "--",
            color=color,
            linewidth=1,
            label="slope -1/2 through the last",
        )
axes.set(xscale="log", yscale="log", xlabel="tokens n", ylabel="coupling error")
axes.legend()
plt.show()
