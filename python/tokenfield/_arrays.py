"""Arrays of any library, as NumPy arrays of float32 or float64."""

from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]


def as_floats(name: str, x: Any) -> Floats:
    """Return x as an array of float32 or float64, without a copy where it is one.

    Tensors of other libraries come in by DLPack; lists of numbers become float64. Integers in arrays, float16 and
    complex numbers are refused, and so are masks.
    """
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(f"{name}: expected an array without a mask, got a masked array; fill or compress it first")
    if isinstance(x, np.ndarray):
        array = x
    elif x is None:
        raise TypeError(f"{name}: expected an array of float32 or float64, got None")
    elif hasattr(x, "__dlpack__"):
        try:
            array = np.from_dlpack(x)
        except (BufferError, RuntimeError, TypeError, ValueError) as error:
            raise TypeError(f"{name}: expected an array of float32 or float64 on the CPU: {error}") from None
    else:
        try:
            array = np.asarray(x)
        except ValueError as error:
            raise ValueError(f"{name}: expected an array of float32 or float64: {error}") from None
        if array.dtype.kind in "iu":
            array = array.astype(np.float64)
    native = array.dtype.newbyteorder("=")
    if native in (np.float32, np.float64):
        return array if array.dtype.isnative else array.astype(native)
    raise TypeError(f"{name}: expected an array of float32 or float64, got {array.dtype} of shape {array.shape}")


def as_floats_or_none(name: str, x: Any) -> Floats | None:
    """Return the same, or None for None."""
    return None if x is None else as_floats(name, x)


def as_number(name: str, x: Any) -> float:
    """Return one number as a float."""
    if isinstance(x, np.ndarray) and x.ndim == 0:
        x = x.item()
    if isinstance(x, Real) and not isinstance(x, bool):
        return float(x)
    raise TypeError(f"{name}: expected a number, got {type(x).__name__}")


def as_matrix(name: str, matrix: Any, dim: int) -> Any:
    """Return a (d, d) matrix as a problem has it: the identity, a multiple of it, a diagonal, or rows."""
    if matrix is None:
        return "identity"
    if np.ndim(matrix) == 0:
        return {"scale": _finite(name, as_number(name, matrix))}
    rows = _finite(name, as_floats(name, matrix))
    if rows.shape == (dim,):
        return {"diagonal": rows.tolist()}
    if rows.shape == (dim, dim):
        return rows
    raise ValueError(f"{name}: expected a number, shape ({dim},) or ({dim}, {dim}), got {rows.shape}")


def _finite(name: str, values: Any) -> Any:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        place = f" at {bad[0].tolist()}" if bad.shape[1] else ""
        raise ValueError(f"{name}: has {np.asarray(values)[tuple(bad[0])]}{place}; pass finite numbers")
    return values


def frozen(value: Any) -> Any:
    """Return what tells a value from others, to be the key of a dictionary. Errors: TypeError for what may change."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    if isinstance(value, dict):
        return tuple((name, frozen(item)) for name, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(frozen(item) for item in value)
    if isinstance(value, bool | int | float | str | np.generic | None):
        return type(value), value
    raise TypeError(f"{type(value).__name__} may change")
