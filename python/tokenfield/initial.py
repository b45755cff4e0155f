"""Laws of initial tokens: arrays of shape (n, d), or (replicas, n, d) where replicas are asked for, in float64.

Token i of replica r is the same for one seed whatever n and the number of replicas; `tokens.initial` and `tokens.seed`
of a problem draw the same.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _native

Tokens = npt.NDArray[np.float64]

__all__ = [
    "box",
    "cap",
    "fourier",
    "gaussian",
    "mixture",
    "orthonormal",
    "simplex",
    "two_clusters",
    "uniform",
    "von_mises_fisher",
]


def _draw(law: dict[str, Any], n: int, d: int, seed: int, replicas: int | None, geometry: str = "sphere") -> Tokens:
    shape = {"count": n, "dim": d, "replicas": 1 if replicas is None else replicas}
    tokens = {**shape, "seed": seed, "geometry": geometry, "initial": law}
    attention = {"beta": 1.0, "normalization": "softmax"}
    time = {"scheme": "euler", "step": 1.0, "end": 0.0}
    drawn = _native.start({"tokens": tokens, "attention": attention, "time": time, "observe": {"quantities": []}})
    return drawn[0] if replicas is None else drawn


def uniform(n: int, d: int, seed: int = 0, replicas: int | None = None) -> Tokens:
    """Draw from the uniform law on the sphere S^{d-1}."""
    return _draw({"law": "uniform"}, n, d, seed, replicas)


def von_mises_fisher(
    n: int, d: int, concentration: float, axis: Sequence[float], seed: int = 0, replicas: int | None = None
) -> Tokens:
    """Draw from the density e^{concentration <axis, x>} on the sphere, up to a factor."""
    law = {"law": "von-mises-fisher", "concentration": concentration, "axis": _list(axis)}
    return _draw(law, n, d, seed, replicas)


def cap(n: int, d: int, angle: float, axis: Sequence[float], seed: int = 0, replicas: int | None = None) -> Tokens:
    """Draw from the uniform law on the points of the sphere at most angle (radians) away from the axis."""
    return _draw({"law": "cap", "angle": angle, "axis": _list(axis)}, n, d, seed, replicas)


def fourier(
    n: int, amplitudes: Sequence[float], seed: int = 0, replicas: int | None = None, *, quiet: bool = False
) -> Tokens:
    """Draw from the density (1 + sum_k amplitudes[k-1] cos(k phi)) / 2 pi of the angle phi on the circle, d = 2.

    quiet places token i at the quantile (i + 1/2) / n instead, the same in every replica.
    """
    return _draw({"law": "fourier", "amplitudes": _list(amplitudes), "quiet": quiet}, n, 2, seed, replicas)


def simplex(n: int, d: int, overlap: float | None = None, seed: int = 0, replicas: int | None = None) -> Tokens:
    """Place n tokens of which any two have the same inner product: -1 / (n - 1) unless given."""
    return _draw({"law": "simplex", "overlap": overlap}, n, d, seed, replicas)


def orthonormal(n: int, d: int, replicas: int | None = None) -> Tokens:
    """Place the first n <= d basis vectors."""
    return _draw({"law": "orthonormal"}, n, d, 0, replicas)


def two_clusters(
    n: int,
    d: int,
    overlap: float,
    fraction: float,
    concentration: float | None = None,
    seed: int = 0,
    replicas: int | None = None,
) -> Tokens:
    """Place the first fraction of the tokens at e_1, and the others at overlap e_1 + sqrt(1 - overlap^2) e_2.

    With a concentration, each cluster is drawn from the von Mises-Fisher law of that concentration about its centre.
    """
    law = {"law": "two-clusters", "overlap": overlap, "fraction": fraction, "concentration": concentration}
    return _draw(law, n, d, seed, replicas)


def gaussian(
    n: int,
    d: int,
    scale: float | None = None,
    covariance: Any = None,
    mean: Sequence[float] | None = None,
    seed: int = 0,
    replicas: int | None = None,
) -> Tokens:
    """Draw from the normal law in R^d of covariance scale^2 I, or of a (d, d) covariance."""
    law: dict[str, Any] = {"law": "gaussian", "scale": 1.0 if scale is None and covariance is None else scale}
    if covariance is not None:
        law["covariance"] = np.asarray(covariance).tolist()
    if mean is not None:
        law["mean"] = _list(mean)
    return _draw(law, n, d, seed, replicas, "euclidean")


def box(n: int, d: int, low: Any = -1.0, high: Any = 1.0, seed: int = 0, replicas: int | None = None) -> Tokens:
    """Draw from the uniform law in R^d between low and high, numbers or one for each component."""
    law = {"law": "box", "low": np.asarray(low).tolist(), "high": np.asarray(high).tolist()}
    return _draw(law, n, d, seed, replicas, "euclidean")


def mixture(
    n: int,
    d: int,
    laws: Sequence[dict[str, Any]],
    weights: Sequence[float] | None = None,
    seed: int = 0,
    replicas: int | None = None,
    *,
    geometry: str = "sphere",
) -> Tokens:
    """Draw each token from one of several laws, as `tokens.initial` writes them, with probabilities weights."""
    law: dict[str, Any] = {"law": "mixture", "laws": list(laws)}
    if weights is not None:
        law["weights"] = _list(weights)
    return _draw(law, n, d, seed, replicas, geometry)


def _list(numbers: Any) -> list[float]:
    listed: list[float] = np.asarray(numbers, dtype=np.float64).tolist()
    return listed
