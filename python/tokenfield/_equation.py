"""The equation at given tokens: its field, its attention, its energy, and every observable."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from . import _native
from ._arrays import Floats, as_floats, as_floats_or_none, as_matrix, as_number, frozen

Device = Literal["auto", "cpu", "gpu", "reference"]

_KEPT = 64
_WIDEST = 64
_equations: OrderedDict[Any, _native.Equation] = OrderedDict()


def _equation(
    x: Floats,
    beta: Any,
    query_key: Any = None,
    value: Any = None,
    normalization: str = "softmax",
    mask: str | None = None,
    geometry: str = "sphere",
    algorithm: str = "auto",
    tolerance: float | None = None,
    set: Mapping[str, Any] | None = None,
    quantities: Sequence[str] = (),
    parameters: Mapping[str, Any] | None = None,
) -> _native.Equation:
    """Return the equation of these keys; the newest are kept, since reading one takes longer than small sums."""
    if x.ndim not in (2, 3) or 0 in x.shape:
        raise ValueError(f"x: expected shape (n, d) or (replicas, n, d), all at least 1, got {x.shape}")
    beta = as_number("beta", beta)
    tolerance = None if tolerance is None else as_number("tolerance", tolerance)
    if mask is not None and not isinstance(mask, str):
        raise TypeError(f'mask: expected None, "causal", "strictly-causal" or "others", got {type(mask).__name__}')
    if set is not None and not isinstance(set, Mapping):
        raise TypeError(f"set: expected a dict of dotted keys, got {type(set).__name__}")
    if x.shape[-1] == 1 and geometry not in ("euclidean", "rescaled"):
        raise ValueError('x: tokens with directions have d >= 2, got d = 1; pass geometry="euclidean"')
    # Keys of a problem may depend on the numbers of tokens and replicas, arguments do not.
    is_any_shape = set is None and parameters is None
    replicas, count, dim = (
        (1, 2, x.shape[-1]) if is_any_shape else (x.size // (x.shape[-2] * x.shape[-1]), *x.shape[-2:])
    )
    key: Any = (replicas, count, dim, beta, normalization, mask, geometry, algorithm, tolerance, tuple(quantities))
    # Numbers as they are now: a tensor that is changed is another matrix.
    query_key, value = as_matrix("query_key", query_key, dim), as_matrix("value", value, dim)
    if not (isinstance(query_key, str) and isinstance(value, str) and parameters is None):
        key = key, frozen(query_key), frozen(value), frozen(dict(parameters or {}))
    # Further keys may name files, and wide matrices take more memory than reading them again takes time.
    is_kept = set is None and dim <= _WIDEST
    try:
        found = _equations.get(key) if is_kept else None
    except TypeError:
        found, is_kept = None, False
    if found is None:
        head = {"query-key": query_key, "value": value}
        start = np.eye(1, dim).repeat(count, 0)
        problem: dict[str, Any] = {
            "algorithm": algorithm,
            "tolerance": tolerance,
            "tokens": {"count": count, "dim": dim, "replicas": replicas, "geometry": geometry, "initial": start},
            "attention": {
                "beta": beta,
                "normalization": normalization,
                "mask": "none" if mask is None else mask,
                "head": [head],
            },
            "time": {"scheme": "euler", "step": 1.0, "end": 0.0},
            "observe": {"quantities": list(quantities), **(parameters or {})},
        }
        found = _native.Equation(problem, dict(set) if set else None)
        if is_kept:
            _equations[key] = found
        while len(_equations) > _KEPT:
            _equations.popitem(last=False)
    return found


def attention_velocity(
    x: Any,
    beta: float = 1.0,
    *,
    weights: Any = None,
    query_key: Any = None,
    value: Any = None,
    normalization: str = "softmax",
    mask: str | None = None,
    geometry: str = "sphere",
    algorithm: str = "auto",
    tolerance: float | None = None,
    set: Mapping[str, Any] | None = None,
    device: Device = "auto",
) -> Floats:
    """Return dx_i/dt = P_{x_i} V sum_j a_ij x_j, a_ij = w_j e^{beta <x_i, A x_j>} / sum_k w_k e^{beta <x_i, A x_k>}.

    x has shape (n, d) or (replicas, n, d) and rows of length 1 (geometry "sphere"); the result has its shape and type.
    weights are w_j of sum 1, of shape (n,) or (replicas, n), equal unless given. query_key is A and value is V: a
    number for a multiple of the identity, d numbers for a diagonal, or a (d, d) array. normalization, mask, geometry,
    algorithm and tolerance are those of a problem; set has further keys of it, e.g. {"attention.sinkhorn":
    {"iterations": 50, "tolerance": 1e-9}}. float32 is computed in single and float64 in double precision; device "auto"
    is a GPU where there is one, for float32. Errors: TypeError and ValueError, which name the argument.
    """
    x = as_floats("x", x)
    equation = _equation(x, beta, query_key, value, normalization, mask, geometry, algorithm, tolerance, set)
    return equation.velocity(x, as_floats_or_none("weights", weights), device)


def attention_rows(
    x: Any,
    beta: float = 1.0,
    rows: Sequence[int] | npt.NDArray[np.integer[Any]] | None = None,
    *,
    weights: Any = None,
    query_key: Any = None,
    normalization: str = "softmax",
    mask: str | None = None,
    geometry: str = "sphere",
    set: Mapping[str, Any] | None = None,
) -> npt.NDArray[np.float64]:
    """Return the weights a_ij of the tokens i in rows, of shape (rows, n) or (replicas, rows, n); all rows by default.

    With passive tokens in set, columns are those of the others. Rows are divided by their sums whatever the
    normalization; weights of sources that a token does not see are zero. Computed in float64. Arguments are those of
    `attention_velocity`.
    """
    x = as_floats("x", x)
    equation = _equation(x, beta, query_key, None, normalization, mask, geometry, set=set)
    asked = range(x.shape[-2]) if rows is None else np.atleast_1d(rows).tolist()
    found = equation.attention_rows(x, list(asked), as_floats_or_none("weights", weights))
    return found if x.ndim == 3 else found[0]


def energy(
    x: Any,
    beta: float = 1.0,
    *,
    weights: Any = None,
    query_key: Any = None,
    geometry: str = "sphere",
    set: Mapping[str, Any] | None = None,
    device: Device = "auto",
) -> float | npt.NDArray[np.float64]:
    """Return E = (1 / 2 beta) sum_ij w_i w_j e^{beta <x_i, A x_j>}: a number, or one for each replica of three axes.

    It is inf where beta exceeds some 700; `observe(x, "energy", beta)` has its logarithm. Arguments are those of
    `attention_velocity`.
    """
    x = as_floats("x", x)
    equation = _equation(x, beta, query_key, geometry=geometry, set=set, quantities=("energy",))
    values = equation.observe(x, as_floats_or_none("weights", weights), device)
    with np.errstate(over="ignore"):
        energies: npt.NDArray[np.float64] = np.exp(values[:, 0])
    return energies if x.ndim == 3 else float(energies[0])


def clusters(
    x: Any, threshold: float = 0.99, *, geometry: str = "sphere", device: Device = "auto"
) -> int | npt.NDArray[np.int64]:
    """Return the number of connected components of the graph that links tokens i and j where <x_i, x_j> >= threshold.

    A number, or one for each replica of three axes. Of tokens of other lengths, directions are compared.
    """
    x = as_floats("x", x)
    parameters = {"threshold": threshold, "largest": 0}
    equation = _equation(x, 1.0, geometry=geometry, quantities=("clusters",), parameters=parameters)
    counts = equation.observe(x, None, device)[:, 0].astype(np.int64)
    return counts if x.ndim == 3 else int(counts[0])


def modes(
    x: Any, degree: int = 8, *, weights: Any = None, geometry: str = "sphere", device: Device = "auto"
) -> npt.NDArray[np.float64]:
    """Return the modes of degrees 1 to degree: 0 for the uniform measure, 1 for a Dirac; shape (degree,).

    For d = 2, |sum_j w_j e^{i l phi_j}|; for d = 3, (4 pi / (2 l + 1) sum_m |sum_j w_j Y_lm(x_j)|^2)^{1/2}. Of shape
    (replicas, degree) for three axes. Of tokens of other lengths, directions count. arXiv:2410.23228.
    """
    x = as_floats("x", x)
    equation = _equation(x, 1.0, geometry=geometry, quantities=("modes",), parameters={"degree": degree})
    values = equation.observe(x, as_floats_or_none("weights", weights), device)
    return values if x.ndim == 3 else values[0]


def observe(
    x: Any,
    quantities: str | Sequence[str],
    beta: float = 1.0,
    *,
    weights: Any = None,
    query_key: Any = None,
    value: Any = None,
    normalization: str = "softmax",
    mask: str | None = None,
    geometry: str = "sphere",
    set: Mapping[str, Any] | None = None,
    device: Device = "auto",
    **parameters: Any,
) -> dict[str, Any]:
    """Return observables of tokens by the names of their columns: numbers, or one for each replica of three axes.

    quantities are words such as "clusters", "modes", "moments", "overlap_histogram"; further arguments are their
    parameters, with _ for -: `observe(x, "clusters", threshold=0.999)`. Words, columns and parameters are those of
    `observe` in a problem; the others are those of `attention_velocity`.
    """
    x = as_floats("x", x)
    words = (quantities,) if isinstance(quantities, str) else tuple(quantities or ())
    if not words or not all(isinstance(word, str) for word in words):
        raise TypeError(f'quantities: expected words such as "moments" or a list of them, got {quantities!r}')
    for word in words:
        if word in _WITHOUT_COLUMNS:
            raise ValueError(f'quantities: "{word}" has no column; {_WITHOUT_COLUMNS[word]}')
    named = {name.replace("_", "-"): number for name, number in parameters.items()}
    for name in ("every", "times", "log"):
        if name in named:
            raise ValueError(f"{name}: says when runs are observed; leave it out, or call simulate")
    equation = _equation(x, beta, query_key, value, normalization, mask, geometry, "auto", None, set, words, named)
    values = equation.observe(x, as_floats_or_none("weights", weights), device)
    if x.ndim == 3:
        return {column: values[:, index] for index, column in enumerate(equation.columns)}
    return {column: float(values[0, index]) for index, column in enumerate(equation.columns)}


_WITHOUT_COLUMNS = {
    "tokens": "call simulate for tokens of a run",
    "attention_matrix": "call attention_rows",
}
