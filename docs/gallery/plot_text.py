r"""
How sharp is the attention of a real text?
==========================================

A row of attention of :math:`n` equiangular tokens of overlap :math:`\rho` passes from all tokens to a single one at
:math:`\beta = \ln n / (1 - \rho)`: its largest weight is :math:`1 / Z` and its entropy :math:`\ln Z + g (Z - 1) / Z`,
with :math:`g = \beta (1 - \rho)` and :math:`Z = 1 + (n - 1) e^{-g}` (Chen, Lin, Polyanskiy, Rigollet,
`arXiv:2510.05554 <https://arxiv.org/abs/2510.05554>`_; dotted lines below). Tokens of a real text, as a trained
encoder embeds them on :math:`S^{383}`, are not equiangular: words come again, and similar words are near each other.
Their rows stay broad at temperatures at which those of uniform tokens have become sharp.
"""

import matplotlib.pyplot as plt
import numpy as np
import tokenfield as tf

# The first 256 tokens of a text after the embedding of all-MiniLM-L6-v2, from the repository.
text = np.load("../../assets/minilm/tokens.npy")[:256]
text /= np.linalg.norm(text, axis=1, keepdims=True)
n, d = text.shape
uniform = np.random.default_rng(0).standard_normal((n, d)).astype(np.float32)
uniform /= np.linalg.norm(uniform, axis=1, keepdims=True)


def rows(x, beta):
    """Return the mean entropy and the mean largest weight of rows of softmax, by NumPy in double precision."""
    scores = beta * x.astype(float) @ x.T.astype(float)
    weights = np.exp(scores - scores.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    logs = np.log(np.maximum(weights, 1e-300))
    return -(weights * logs).sum(1).mean(), weights.max(1).mean()


def equiangular(rho, beta):
    """Return entropy and largest weight of the formula."""
    gap = beta * (1 - rho)
    total = 1 + (n - 1) * np.exp(-gap)
    return np.log(total) + gap * (total - 1) / total, 1 / total


figure, axes = plt.subplots(1, 2, figsize=(9, 4.2))
fine = np.geomspace(0.5, 120, 120)
betas = np.geomspace(0.5, 120, 9)
for x, name, color in [(uniform, "uniform on $S^{383}$", "C1"), (text, "text", "C0")]:
    rho = (np.linalg.norm(x.sum(0)) ** 2 - n) / (n * (n - 1))
    found = [tf.observe(x, "attention", float(beta), rows=n, device="cpu") for beta in betas]
    for column, panel, place in [("attention_entropy", axes[0], 0), ("attention_largest", axes[1], 1)]:
        panel.plot(fine, equiangular(rho, fine)[place], "--", color=color, linewidth=1)
        values = np.array([one[column] for one in found])
        panel.plot(betas, values, "o", color=color, label=name)
        exact = [rows(x, beta)[place] for beta in betas]
        assert np.allclose(values, exact, atol=1e-5)
        panel.plot(betas, exact, "x", color="black", markersize=4)
        panel.axvline(np.log(n) / (1 - rho), color=color, linewidth=0.6, linestyle=":")
axes[0].set(xscale="log", xlabel=r"$\beta$", ylabel="entropy of a row")
axes[1].set(xscale="log", xlabel=r"$\beta$", ylabel="largest weight of a row")
axes[0].plot([], [], "x", color="black", markersize=4, label="NumPy")
axes[0].plot([], [], "--", color="0.4", linewidth=1, label="equiangular, of the\nsame mean overlap")
axes[0].legend(fontsize=8, loc="lower left")
plt.show()
