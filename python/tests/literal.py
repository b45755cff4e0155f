"""The equation and its observables written out with NumPy in float64, and clouds to try them on."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

F64 = npt.NDArray[np.float64]


def sphere(seed: int, *shape: int) -> F64:
    """Return uniform points of the sphere."""
    x = np.random.default_rng(seed).normal(size=shape)
    unit: F64 = x / np.linalg.norm(x, axis=-1, keepdims=True)
    return unit


def space(seed: int, *shape: int) -> F64:
    """Return normal points of R^d, of mean square length 1."""
    x: F64 = np.random.default_rng(seed).normal(size=shape) / np.sqrt(shape[-1])
    return x


def masses(seed: int, *shape: int) -> F64:
    """Return unequal weights of sum one, none of them tiny."""
    w = np.random.default_rng(seed).uniform(0.5, 2.0, size=shape)
    shares: F64 = w / w.sum(axis=-1, keepdims=True)
    return shares


def matrix(given: Any, d: int) -> F64:
    """Return what a number, d numbers or a (d, d) array stand for; None is the identity."""
    if given is None:
        return np.eye(d)
    array = np.asarray(given, dtype=np.float64)
    if array.ndim == 2:
        return array
    diagonal: F64 = np.diag(np.broadcast_to(array, d))
    return diagonal


def seen(n: int, mask: str | None) -> npt.NDArray[np.bool_]:
    """Return whether token i sees token j."""
    everything = np.ones((n, n), dtype=np.bool_)
    match mask:
        case None:
            return everything
        case "causal":
            return np.tril(everything)
        case "strictly-causal":
            return np.tril(everything, -1)
        case "others":
            return ~np.eye(n, dtype=np.bool_)
    raise AssertionError(mask)


def attention(
    x: F64,
    beta: float,
    *,
    weights: F64 | None = None,
    query_key: Any = None,
    normalization: str = "softmax",
    mask: str | None = None,
) -> F64:
    """Return a_ij of tokens x of shape (n, d)."""
    n, d = x.shape
    w = np.full(n, 1 / n) if weights is None else weights
    scores = x @ matrix(query_key, d) @ x.T
    allowed = seen(n, mask)
    match normalization:
        case "softmax":
            shifted = np.where(allowed, beta * scores, -np.inf)
            largest = shifted.max(axis=1, keepdims=True)
            a = w * np.exp(shifted - np.where(np.isfinite(largest), largest, 0.0))
            return shares(a)
        case "hardmax":
            tie = 1e-6 * np.where(allowed, np.abs(scores), 0.0).max(axis=1, keepdims=True)
            largest = np.where(allowed, scores, -np.inf).max(axis=1, keepdims=True)
            return shares(w * (allowed & (scores >= largest - tie)))
        case "unnormalized":
            a = w * np.exp(beta * scores)
        case "shifted":
            a = w * np.exp(beta * (scores - 1.0))
        case "relu":
            a = w * np.maximum(0.0, beta * scores)
        case "sigmoid":
            a = w * expit(beta * scores)
        case "sinkhorn":
            a = w * np.exp(beta * scores)
            for _ in range(10_000):
                a = a / a.sum(axis=1, keepdims=True)
                a = a * (w / (w @ a))
            return shares(a)
        case _:
            raise AssertionError(normalization)
    found: F64 = np.where(allowed, a, 0.0)
    return found


def shares(a: F64) -> F64:
    """Return rows divided by their sums, and zero where these vanish."""
    sums = a.sum(axis=1, keepdims=True)
    divided: F64 = a / np.where(sums == 0.0, 1.0, sums)
    return divided


def tangential(x: F64, f: F64) -> F64:
    """Return P_{x_i} f_i = f_i - <x_i, f_i> x_i."""
    projected: F64 = f - (f * x).sum(axis=1, keepdims=True) * x
    return projected


def velocity(x: F64, beta: float, *, value: Any = None, geometry: str = "sphere", **equation: Any) -> F64:
    """Return dx_i/dt of tokens x of shape (n, d)."""
    v = matrix(value, x.shape[1])
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    theta = x / lengths if geometry in ("pre-norm", "peri-norm") else x
    field: F64 = attention(theta, beta, **equation) @ theta @ v.T
    match geometry:
        case "sphere" | "post-norm":
            return tangential(x, field)
        case "euclidean" | "pre-norm":
            return field
        case "peri-norm":
            unit: F64 = field / np.linalg.norm(field, axis=1, keepdims=True)
            return unit
        case "rescaled":
            moved: F64 = field - x @ v.T
            return moved
    raise AssertionError(geometry)


def unit_of(x: F64, beta: float, *, value: Any = None, geometry: str = "sphere", **equation: Any) -> float:
    """Return the largest sum of magnitudes of terms of a velocity, but at least one: the unit of errors."""
    if geometry == "peri-norm":
        return 1.0
    theta = x / np.linalg.norm(x, axis=1, keepdims=True) if geometry == "pre-norm" else x
    lengths = np.linalg.norm(theta @ matrix(value, x.shape[1]).T, axis=1)
    return max(1.0, float((attention(theta, beta, **equation) @ lengths).max()), float(lengths.max()))


def energy(x: F64, beta: float, *, weights: F64 | None = None, query_key: Any = None) -> float:
    """Return (1 / 2 beta) sum_ij w_i w_j e^{beta <x_i, A x_j>}."""
    n, d = x.shape
    w = np.full(n, 1 / n) if weights is None else weights
    return float(w @ np.exp(beta * (x @ matrix(query_key, d) @ x.T)) @ w / (2.0 * beta))
