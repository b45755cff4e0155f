"""Sweeps: a problem over a grid of its keys, and the rates it shows."""

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _native
from ._equation import Device
from ._folders import new_folder
from ._html import Pictures, pictures_html
from ._progress import Progress, warn
from ._runs import Precision, Problem, Run, as_problem
from ._tables import columns


class Sweep:
    """A sweep: `cells` and `rates` as columns, the `runs` of its cells, and pictures."""

    def __init__(self, path: str | os.PathLike[str], owner: object | None = None) -> None:
        self.path = Path(path)
        self._owner = owner
        if not (self.path / "cells.csv").is_file():
            raise FileNotFoundError(
                f"{self.path}: holds no complete sweep; give a folder that sweep or the command line wrote"
            )

    @cached_property
    def cells(self) -> dict[str, npt.NDArray[Any]]:
        """The keys of each cell and its final numbers, a row for each replica: a column each."""
        return columns(self.path / "cells.csv")

    @cached_property
    def rates(self) -> dict[str, npt.NDArray[Any]]:
        """Slopes with their 95 % intervals, a row for each fit: a column each; empty where no fit was asked for."""
        path = self.path / "rates.csv"
        return columns(path) if path.is_file() else {}

    @cached_property
    def runs(self) -> list[Run]:
        """The run of every cell, in the order of the grid."""
        ids = dict.fromkeys(str(cell) for cell in self.cells["cell"])
        return [Run(self.path / "cells" / cell, self) for cell in ids]

    def plot(self) -> Pictures:
        """Draw rates or phase diagrams, as .svg and .png; a notebook shows what is returned."""
        return Pictures(_native.draw(self.path), self)

    def to_pandas(self) -> Any:
        """Return the cells as a DataFrame. Needs pandas."""
        import pandas

        return pandas.read_csv(self.path / "cells.csv")

    def __repr__(self) -> str:
        return f"Sweep({str(self.path)!r}: {len(set(map(str, self.cells['cell'])))} cells)"

    def _repr_html_(self) -> str:
        found = sorted(self.path.glob("*.svg")) or [path for path in self.plot() if path.suffix == ".svg"]
        return f"<p>{self!r}</p>" + pictures_html(found[:2])


def open_sweep(path: str | os.PathLike[str]) -> Sweep:
    """Open a sweep folder that `sweep` or `tokenfield sweep` wrote."""
    return Sweep(Path(path).expanduser())


def sweep(
    problem: Problem,
    axes: Mapping[str, Sequence[Any] | npt.NDArray[Any] | str] | None = None,
    *,
    fit: Sequence[Mapping[str, Any]] = (),
    set: Mapping[str, Any] | None = None,
    device: Device = "auto",
    precision: Precision = "single",
    out: str | os.PathLike[str] | None = None,
    shard: tuple[int, int] | None = None,
    worker: bool = False,
    progress: bool = True,
) -> Sweep | None:
    """Run a problem over every combination of values of some keys, and return the sweep.

    axes has a list of values, or a formula of other keys, for each dotted key: {"tokens.count": [256, 1024],
    "tokens.passive": "tokens.count / 4"}. fit asks for slopes: [{"quantity": "coupling_error", "variable":
    "tokens.count", "expected": -0.5}]. Without axes, problem is the path of a sweep file. out is the sweep folder,
    whose complete cells stay as they are; without it the sweep is kept in a temporary folder as long as the result
    lives. shard=(k, n) runs the k-th of n parts; worker=True takes whatever cells no other process is at work on, and
    ends when there are none. Both need out, a folder that all share, and return None where cells are still missing.
    Other arguments and errors are those of `simulate`.
    """
    if shard is not None and out is None:
        raise ValueError("shard: needs a folder that all parts share; pass out")
    if worker and out is None:
        raise ValueError("worker: needs a folder that all workers share; pass out")
    if worker and shard is not None:
        raise ValueError("worker: takes cells of all parts; leave out shard")
    if axes is None and isinstance(problem, Mapping):
        raise ValueError('axes: missing; pass e.g. axes={"tokens.count": [256, 1024]}')
    if axes is None and fit:
        raise ValueError("fit: a sweep file has fits of its own; write [[fit]] there, or pass axes")
    if isinstance(fit, Mapping):
        raise TypeError("fit: expected a list of dicts, got one dict; pass [fit]")
    typed: dict[str, Any] | None = None if axes is None else {"axes": _lists(axes)}
    if typed is not None and fit:
        typed["fit"] = [dict(one) for one in fit]
    folder, owner = new_folder(out)
    bar = Progress(progress)
    on_cells, on_steps = (bar.cells, bar.steps) if progress else (None, None)
    given, changes = as_problem(problem), dict(set) if set else None
    try:
        part = shard or (1, 1)
        left = _native.sweep(given, typed, changes, folder, device, precision, part, worker, on_cells, on_steps, warn)
    finally:
        bar.end()
    return Sweep(folder, owner) if left == 0 else None


def _lists(axes: Mapping[str, Any]) -> dict[str, Any]:
    def listed(values: Any) -> Any:
        if isinstance(values, str):
            return values
        return values.tolist() if hasattr(values, "tolist") else list(values)

    for key, values in axes.items():
        if not isinstance(values, str | Sequence | np.ndarray):
            raise TypeError(f"axes: {key}: expected a list of values or a formula, got {type(values).__name__}")
    return {key: listed(values) for key, values in axes.items()}
