"""Runs: from a problem to a folder, and what lies in it."""

import json
import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from . import _native
from ._arrays import as_floats
from ._chunks import Chunks
from ._equation import Device
from ._folders import new_folder
from ._html import Pictures, experiment_html, pictures_html
from ._progress import Progress, warn
from ._tables import numbers

Problem = Mapping[str, Any] | str | os.PathLike[str]
Precision = Literal["single", "double", "half"]
Sample = dict[str, Any]
Numbers = npt.NDArray[np.float64]


class Run:
    """A run: `times`, `samples`, `results`, `tokens`, `trajectory`, `manifest`, and pictures.

    Files are read when they are asked for. A run without a folder of its own lives as long as this object.
    """

    def __init__(self, path: str | os.PathLike[str], owner: object | None = None) -> None:
        self.path = Path(path)
        self._owner = owner
        if not (self.path / "samples.csv").is_file():
            raise FileNotFoundError(f"{self.path}: holds no run; give a folder that simulate or the command line wrote")

    @cached_property
    def _table(self) -> tuple[Numbers, dict[str, Numbers]]:
        header, rows = numbers(self.path / "samples.csv")
        replicas = int(rows[:, 0].max(initial=0)) + 1
        # Rows come in the order of times, and replica by replica at each; the last time of a broken run may lack some.
        table = rows[: len(rows) // replicas * replicas].reshape(-1, replicas, len(header))
        return table[:, 0, 1], {name: table[:, :, index].T for index, name in enumerate(header) if index > 1}

    @property
    def times(self) -> Numbers:
        """Layer-times of the samples, of shape (s,)."""
        return self._table[0]

    @property
    def samples(self) -> dict[str, Numbers]:
        """Each column of the samples, of shape (replicas, s)."""
        return self._table[1]

    @cached_property
    def results(self) -> dict[str, Numbers]:
        """Each [[result]] of the problem, of shape (replicas,); empty where none was asked for."""
        path = self.path / "results.csv"
        if not path.is_file():
            return {}
        header, rows = numbers(path)
        return {name: rows[:, index] for index, name in enumerate(header) if index > 0}

    @cached_property
    def tokens(self) -> Any:
        """The tokens at the end, of shape (replicas, n, d)."""
        return np.load(self.path / "tokens.npy")

    @property
    def trajectory(self) -> Any:
        """The tokens over time, of shape (s, replicas, n, d); observe.quantities must have "tokens".

        They are those of every sample, or of `trajectory_times`; all, or the `trajectory_tokens` of each replica.
        What is not indexed is not read: a file is mapped, and beyond 256 MiB there are chunks, all of which np.asarray
        reads.
        """
        group = self.path / "trajectory.zarr"
        return Chunks(group / "tokens") if group.is_dir() else self._kept("trajectory.npy", "tokens")

    @cached_property
    def trajectory_times(self) -> Numbers:
        """Layer-times of the trajectory, of shape (s,): those of the samples unless observe.tokens.every was given."""
        group, file = self.path / "trajectory.zarr", self.path / "trajectory_times.npy"
        if group.is_dir():
            return np.fromfile(group / "time/c/0", "<f8").astype(np.float64, copy=False)
        return np.asarray(np.load(file), np.float64) if file.is_file() else self.times

    @cached_property
    def trajectory_tokens(self) -> npt.NDArray[np.intp]:
        """Numbers of the tokens of the trajectory, of shape (n,): of all unless observe.tokens.sample was given."""
        group, file = self.path / "trajectory.zarr/token", self.path / "trajectory_tokens.npy"
        if file.is_file():
            kept: npt.NDArray[np.intp] = np.load(file).astype(np.intp)
            return kept
        count = self.trajectory.shape[2]
        if not group.is_dir():
            return np.arange(count)
        chunks = sorted((group / "c").iterdir(), key=lambda chunk: int(chunk.name))
        return np.concatenate([np.fromfile(chunk, "<u8") for chunk in chunks])[:count].astype(np.intp)

    @property
    def attention(self) -> Any:
        """The weights of every sample, of shape (s, replicas, heads, n, n); quantities must have "attention_matrix"."""
        return self._kept("attention.npy", "attention_matrix")

    def _kept(self, file: str, word: str) -> Any:
        path = self.path / file
        if not path.is_file():
            raise FileNotFoundError(f'{path}: was not kept; add "{word}" to observe.quantities')
        return np.load(path, mmap_mode="r")

    @property
    def manifest(self) -> dict[str, Any]:
        """Who computed what, how it ended, and warnings."""
        manifest: dict[str, Any] = json.loads((self.path / "manifest.json").read_text(encoding="utf-8"))
        return manifest

    @property
    def experiment(self) -> str:
        """The problem with every default, as TOML; path / "experiment.toml" finds the arrays that it names as well."""
        return (self.path / "experiment.toml").read_text(encoding="utf-8")

    def plot(self) -> Pictures:
        """Draw a picture of every column and of the tokens, as .svg and .png; a notebook shows what is returned."""
        return Pictures(_native.draw(self.path), self)

    def animate(self) -> Pictures:
        """Draw the tokens over time as a .gif; observe.quantities must have "tokens"."""
        return Pictures([_native.animate(self.path)], self)

    def to_pandas(self) -> Any:
        """Return the samples as a DataFrame with the columns replica, time and those of the samples. Needs pandas."""
        import pandas

        return pandas.read_csv(self.path / "samples.csv")

    def to_xarray(self) -> Any:
        """Return samples, results and tokens as a Dataset over replica, time, token and component. Needs xarray.

        A trajectory of other times or of some tokens has dimensions of its own, trajectory_time and kept_token. One in
        chunks is read as far as it is used, and needs zarr.
        """
        import xarray

        variables: dict[str, Any] = {name: (("replica", "time"), values) for name, values in self.samples.items()}
        variables |= {f"result_{name}": (("replica",), values) for name, values in self.results.items()}
        of_token = ("replica", "token", "component")
        variables["tokens"] = (of_token, self.tokens, {"long_name": "x at the end", "units": "1"})
        named = {"long_name": "layer-time", "units": "1"}
        coordinates: dict[str, Any] = {"time": ("time", self.times, named)}
        group = self.path / "trajectory.zarr"
        if group.is_dir() or (self.path / "trajectory.npy").is_file():
            along, of = "time", "token"
            if not np.array_equal(self.trajectory_times, self.times):
                along = "trajectory_time"
                coordinates[along] = (along, self.trajectory_times, named)
            if self.trajectory.shape[2] != self.tokens.shape[1]:
                of = "kept_token"
                coordinates[of] = (of, self.trajectory_tokens, {"long_name": "number of the token"})
            about = {"long_name": "x", "units": "1"}
            variables["trajectory"] = ((along, "replica", of, "component"), self.trajectory, about)
            if group.is_dir():
                opened = xarray.open_zarr(group, consolidated=False, chunks=None)["tokens"]
                named_as = {"sample": along, "token": of}
                renamed = {name: dim for name, dim in named_as.items() if name != dim}
                variables["trajectory"] = opened.reset_coords(drop=True).rename(renamed)
        return xarray.Dataset(variables, coords=coordinates, attrs={"experiment": self.experiment})

    def __repr__(self) -> str:
        replicas = len(next(iter(self.samples.values()), [0]))
        end = f", to time {self.times[-1]:g}" if len(self.times) else ""
        return f"Run({str(self.path)!r}: {len(self.times)} samples of {replicas} replicas{end})"

    def _repr_html_(self) -> str:
        found = {path.stem: path for path in sorted(self.path.glob("*.svg"))}
        if not found:
            found = {path.stem: path for path in self.plot() if path.suffix == ".svg"}
        names = dict.fromkeys(name for name in ("tokens", *found) if name in found)
        return experiment_html(repr(self), self.experiment) + pictures_html([found[name] for name in names][:2])


def open_run(path: str | os.PathLike[str]) -> Run:
    """Open a run folder that `simulate` or `tokenfield run` wrote."""
    return Run(Path(path).expanduser())


def as_problem(problem: Problem) -> dict[str, Any] | str | os.PathLike[str]:
    """Return a problem as the library takes it."""
    if isinstance(problem, Mapping):
        return dict(problem)
    if isinstance(problem, str | os.PathLike):
        return problem
    raise TypeError(f"problem: expected a dict, TOML text or the path of a file, got {type(problem).__name__}")


def as_changes(set: Mapping[str, Any] | None, x0: Any) -> dict[str, Any] | None:
    """Return the keys that are replaced, with the tokens x0 among them."""
    changes = dict(set or {})
    if x0 is not None:
        x0 = as_floats("x0", x0)
        if x0.ndim not in (2, 3) or 0 in x0.shape:
            raise ValueError(f"x0: expected shape (n, d) or (replicas, n, d), all at least 1, got {x0.shape}")
        count, dim = x0.shape[-2:]
        changes = {"tokens.initial": x0, "tokens.count": count, "tokens.dim": dim, **changes}
        if x0.ndim == 3:
            changes["tokens.replicas"] = len(x0)
    return changes or None


def simulate(
    problem: Problem,
    *,
    x0: Any = None,
    set: Mapping[str, Any] | None = None,
    device: Device = "auto",
    precision: Precision = "single",
    out: str | os.PathLike[str] | None = None,
    checkpoint: str | None = None,
    progress: bool = True,
    callback: Callable[[Sample], object] | None = None,
) -> Run:
    """Evolve the tokens of a problem to its end and return the run.

    problem is a dictionary with the keys of an experiment file, TOML text, or the path of a file; arrays may stand
    wherever a file of one may. x0 are tokens of shape (n, d) or (replicas, n, d) in place of
    tokens.initial; their shape is tokens.count, tokens.dim and tokens.replicas, and of two axes every replica starts at
    the same tokens. set
    replaces dotted keys, e.g. {"attention.beta": 4}; None takes one out. out is the run folder, which must be absent or
    empty, or hold what the same problem left before its end; without it the run is kept in a temporary folder as long
    as the result lives. callback is called with each sample, a dictionary with the number "time" and an array of one
    number for each replica for every column; what it raises ends the run, and so does an interrupt. checkpoint is how
    often what the run can go on from is written to out, e.g. "10m", "90s", "2h" or "500steps"; then what ends the run
    ends it after the step under way and one more checkpoint, `resume` goes on from there, and a second interrupt does
    not wait. progress shows a
    bar on a terminal and in a notebook. Warnings of the run are Python's RuntimeWarning. Errors: ExperimentError, a
    ValueError, where the problem means nothing; RunError where it breaks off.
    """
    if checkpoint is not None and out is None:
        raise ValueError("checkpoint: the folder of a run without out goes with it; write out, or leave checkpoint out")
    folder, owner = new_folder(out)
    bar = Progress(progress)
    on_sample = _on_sample(callback) if callback else None
    on_steps = bar.steps if progress else None
    changes = as_changes(set, x0)
    taken = as_problem(problem)
    try:
        path = _native.run(taken, changes, folder, device, precision, checkpoint, on_steps, on_sample, warn)
    finally:
        bar.end()
    return Run(path, owner)


def resume(
    path: str | os.PathLike[str],
    device: Device | None = None,
    *,
    checkpoint: str | None = None,
    progress: bool = True,
    callback: Callable[[Sample], object] | None = None,
) -> Run:
    """Go on with the run in a folder from its last checkpoint, to its end, and return the run.

    The folder is one that `simulate` with checkpoint or `tokenfield run` left; at its end it has the bytes of a run
    that was never interrupted. It goes on with the device and the precision that it had. Another instruction set,
    graphics adapter or driver is a RunError, unless device says who goes on; a RuntimeWarning says so then. checkpoint,
    progress and callback are those of `simulate`, and callback is called with the samples from here on. What ends it
    does so after one more checkpoint.
    """
    bar = Progress(progress)
    on_sample = _on_sample(callback) if callback else None
    on_steps = bar.steps if progress else None
    folder = Path(path).expanduser()
    try:
        return Run(_native.resume(folder, device, checkpoint, on_steps, on_sample, warn))
    finally:
        bar.end()


def as_sample(columns: list[str], values: Numbers) -> Sample:
    """Return a sample of (replicas, 1 + columns) numbers, time first, by names."""
    return {"time": float(values[0, 0])} | {name: values[:, 1 + index] for index, name in enumerate(columns)}


def _on_sample(callback: Callable[[Sample], object]) -> Callable[[list[str], Numbers], None]:
    def on_sample(columns: list[str], values: Numbers) -> None:
        callback(as_sample(columns, values))

    return on_sample
