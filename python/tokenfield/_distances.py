"""Distances between weighted clouds of points, computed in float64."""

from typing import Any, Literal, overload

from . import _native
from ._arrays import as_floats, as_floats_or_none, as_number


def wasserstein(
    x: Any,
    y: Any,
    p: Literal[1, 2] = 2,
    a: Any = None,
    b: Any = None,
    method: Literal["auto", "circle", "assignment"] = "auto",
) -> float:
    """Return W_p of the measures sum_i a_i delta_{x_i} and sum_j b_j delta_{y_j}.

    x and y have shapes (n, d) and (m, d); a and b are weights of sum 1, equal unless given. "circle" is exact in O(n
    log n) for d = 2 and measures arcs between angles, in radians. "assignment" is exact for n = m <= 8192 points of
    equal weights and measures chords |x - y|, in O(n^3). "auto" is "circle" for points of length 1 (to 1e-3) in the
    plane, else "assignment". Errors: ValueError where a method does not serve; `sliced_wasserstein` and
    `sinkhorn_divergence` serve all measures.
    """
    x, y = as_floats("x", x), as_floats("y", y)
    if method == "auto":
        on_circle = all(z.ndim == 2 and z.shape[1] == 2 and bool((abs((z**2).sum(1) - 1) < 2e-3).all()) for z in (x, y))
        method = "circle" if on_circle else "assignment"
    return _native.wasserstein(x, y, p, as_floats_or_none("a", a), as_floats_or_none("b", b), method)


@overload
def sliced_wasserstein(
    x: Any,
    y: Any,
    p: Literal[1, 2] = 2,
    a: Any = None,
    b: Any = None,
    *,
    n_projections: int = 256,
    seed: int = 0,
    return_error: Literal[False] = False,
) -> float: ...
@overload
def sliced_wasserstein(
    x: Any,
    y: Any,
    p: Literal[1, 2] = 2,
    a: Any = None,
    b: Any = None,
    *,
    n_projections: int = 256,
    seed: int = 0,
    return_error: Literal[True],
) -> tuple[float, float]: ...
def sliced_wasserstein(
    x: Any,
    y: Any,
    p: Literal[1, 2] = 2,
    a: Any = None,
    b: Any = None,
    *,
    n_projections: int = 256,
    seed: int = 0,
    return_error: bool = False,
) -> float | tuple[float, float]:
    """Return SW_p = (mean over directions u of W_p^p(<u, x>, <u, y>))^{1/p}, from random directions u on the sphere.

    Chordal: SW_2 <= W_2 / sqrt(d). The same seed draws the same directions. With return_error the result is (distance,
    standard error), the error being one standard deviation over draws of the directions. Bonneel, Rabin, Peyre,
    Pfister, J. Math. Imaging Vis. 51 (2015).
    """
    masses = as_floats_or_none("a", a), as_floats_or_none("b", b)
    distance, error = _native.sliced_wasserstein(as_floats("x", x), as_floats("y", y), p, *masses, n_projections, seed)
    return (distance, error) if return_error else distance


def sinkhorn_divergence(
    x: Any,
    y: Any,
    a: Any = None,
    b: Any = None,
    *,
    epsilon: float = 0.05,
    tolerance: float = 1e-3,
    max_iterations: int = 10_000,
) -> float:
    """Return the debiased entropic cost of transport of the cost |x - y|^2 / 2: W_2^2 / 2 as epsilon -> 0.

    epsilon is the weight of the entropy, a squared length. tolerance is what the marginals may be off, as a sum of
    absolute differences of masses. It leaves an error of about tolerance * epsilon in the value where the plan is
    nearly a permutation, as that of few points is, and of its square where plans are spread out. Errors: ValueError
    where max_iterations do not reach it. Feydy et al., AISTATS (2019).
    """
    masses = as_floats_or_none("a", a), as_floats_or_none("b", b)
    clouds = as_floats("x", x), as_floats("y", y)
    settings = as_number("epsilon", epsilon), as_number("tolerance", tolerance)
    return _native.sinkhorn_divergence(*clouds, *masses, *settings, max_iterations)


def mmd(x: Any, y: Any, a: Any = None, b: Any = None, *, beta: float = 4.0) -> float:
    """Return the maximum mean discrepancy of the kernel e^{beta (<x, y> - 1)}, pairs i = j included.

    On the sphere the kernel is the Gaussian e^{-beta |x - y|^2 / 2}. Gretton et al., JMLR 13 (2012), equation 5.
    """
    masses = as_floats_or_none("a", a), as_floats_or_none("b", b)
    return _native.mmd(as_floats("x", x), as_floats("y", y), *masses, as_number("beta", beta))


def energy_distance(x: Any, y: Any, a: Any = None, b: Any = None) -> float:
    """Return (2 E|X - Y| - E|X - X'| - E|Y - Y'|)^{1/2}, of chords, as a V-statistic.

    Szekely, Rizzo, J. Stat. Plan. Inference 143 (2013).
    """
    masses = as_floats_or_none("a", a), as_floats_or_none("b", b)
    return _native.energy_distance(as_floats("x", x), as_floats("y", y), *masses)
