"""Tokens over time that are too large for one file: chunks, of which those are read that are asked for."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

# The numbers of one axis that are asked for, ascending.
Wanted = range | npt.NDArray[np.intp]


class Chunks:
    """The array `tokens` of a group of Zarr, of shape (s, replicas, n, d), which is read as far as it is indexed.

    An index means what it does in NumPy. The same is opened by `zarr.open_array(path)` and by
    `xarray.open_zarr(path.parent, consolidated=False)`.
    """

    ndim = 4

    def __init__(self, path: Path) -> None:
        self.path = path
        about = json.loads((path / "zarr.json").read_text(encoding="utf-8"))
        self.shape: tuple[int, ...] = tuple(about["shape"])
        self.chunks: tuple[int, ...] = tuple(about["chunk_grid"]["configuration"]["chunk_shape"])
        self.dtype = np.dtype(about["data_type"]).newbyteorder("<")

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return math.prod(self.shape)

    def __repr__(self) -> str:
        return f"Chunks({str(self.path)!r}: {self.shape} of {self.dtype}, in chunks of {self.chunks})"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if copy is False:
            raise ValueError("trajectory: lies in chunks, which make no array without a copy")
        whole: npt.NDArray[Any] = self[...]
        cast: npt.NDArray[Any] = whole if dtype is None else whole.astype(dtype, copy=False)
        return cast

    def __getitem__(self, key: Any) -> Any:
        axes, key = self._plan(key)
        block = np.empty([len(wanted) for wanted in axes], self.dtype)
        samples, replicas, tokens, components = axes
        _, per_replicas, per_tokens, _ = self.chunks
        for at, sample in enumerate(samples):
            for group, to_r, from_r in _cut(replicas, per_replicas):
                for run, to_t, from_t in _cut(tokens, per_tokens):
                    chunk = np.memmap(self.path / f"c/{sample}/{group}/{run}/0", self.dtype, "r", shape=self.chunks[1:])
                    part = chunk[from_r][:, from_t]
                    block[at, to_r, to_t] = part[:, :, _as_index(components, 0)]
        return block[key]

    def of_replica(self, replica: int) -> "Frames":
        """Return the tokens of one replica, each sample an array of shape (n, d) that is read when it is asked for."""
        return Frames(self, replica)

    def _plan(self, key: Any) -> tuple[list[Wanted], tuple[Any, ...]]:
        """Return what is wanted of each axis, and the key into that block which means what `key` does in the whole."""
        parts = list(key) if isinstance(key, tuple) else [key]
        if sum(part is Ellipsis for part in parts) > 1:
            raise IndexError("trajectory: an index has one ellipsis at most")
        dots = next((at for at, part in enumerate(parts) if part is Ellipsis), len(parts))
        named = len(parts) - (dots < len(parts))
        if named > self.ndim:
            raise IndexError(f"trajectory: has {self.ndim} axes, and {named} were indexed")
        parts[dots : dots + 1] = [slice(None)] * (self.ndim - named)
        axes, inside = zip(*(_axis(part, size) for part, size in zip(parts, self.shape, strict=True)), strict=True)
        return list(axes), tuple(inside)


class Frames:
    """One replica of `Chunks`: a sequence of frames of shape (n, d)."""

    def __init__(self, chunks: Chunks, replica: int) -> None:
        self._chunks, self._replica = chunks, replica

    def __len__(self) -> int:
        return len(self._chunks)

    def __getitem__(self, sample: int) -> Any:
        return self._chunks[sample, self._replica]


def _axis(part: Any, size: int) -> tuple[Wanted, Any]:
    """Return the numbers of an axis that a part of an index asks for, and the part as an index into these alone."""
    if isinstance(part, slice):
        wanted = range(*part.indices(size))
        return (wanted[::-1], slice(None, None, -1)) if wanted.step < 0 else (wanted, slice(None))
    asked = np.asarray(part)
    if asked.dtype == bool and asked.ndim == 1 and asked.size == size:
        asked = np.flatnonzero(asked)
    if asked.size == 0 and asked.ndim == 1:
        asked = asked.astype(np.intp)
    if asked.dtype.kind not in "iu" or asked.ndim > 1:
        raise IndexError(f"trajectory: is indexed by numbers, slices and lists of numbers, got {part!r}")
    if asked.size and not -size <= asked.min() <= asked.max() < size:
        raise IndexError(f"trajectory: index {part!r} is out of bounds for an axis of {size}")
    found, places = np.unique(asked % size if size else asked, return_inverse=True)
    return found, int(places.ravel()[0]) if asked.ndim == 0 else places.reshape(asked.shape)


def _cut(wanted: Wanted, length: int) -> list[tuple[int, slice, Any]]:
    """Return for every chunk of this length which of the numbers it has, and where: chunk, numbers, places in it."""
    if not len(wanted):
        return []
    pieces = []
    for chunk in range(wanted[0] // length, wanted[-1] // length + 1):
        first, last = (_position(wanted, edge) for edge in (chunk * length, (chunk + 1) * length))
        if first < last:
            pieces.append((int(chunk), slice(first, last), _as_index(wanted[first:last], chunk * length)))
    return pieces


def _position(wanted: Wanted, edge: int) -> int:
    """Return how many of the numbers are below the edge."""
    if isinstance(wanted, range):
        return min(max(-((wanted.start - edge) // wanted.step), 0), len(wanted))
    return int(np.searchsorted(wanted, edge))


def _as_index(wanted: Wanted, start: int) -> Any:
    """Return the numbers, counted from `start`, as what indexes fastest."""
    if isinstance(wanted, range):
        return slice(wanted.start - start, wanted.stop - start, wanted.step) if len(wanted) else slice(0, 0)
    return np.asarray(wanted) - start
