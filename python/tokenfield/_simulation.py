"""Tokens that are moved step by step."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from . import _native
from ._equation import Device
from ._progress import warn
from ._runs import Precision, Problem, Sample, as_changes, as_problem


class Simulation:
    """The tokens of a problem, to be moved by hand.

    `step` moves them, `tokens` reads them, `observe` measures them, `set` changes the equation between steps. Iteration
    goes through the observations of the problem, from time 0 to its end. Arguments are those of `simulate`; a problem
    with [reference] is refused. `save` writes it to a folder, and `load` goes on from there.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        x0: Any = None,
        set: Mapping[str, Any] | None = None,
        device: Device = "auto",
        precision: Precision = "single",
    ) -> None:
        self._problem: Any = as_problem(problem)
        self._changes = as_changes(set, x0)
        self._native = _native.Simulation(self._problem, self._changes, device, precision)

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_"):
            raise AttributeError(
                f"{name}: a Simulation has no such attribute to set; call set({{'attention.beta': 4}})"
            )
        super().__setattr__(name, value)

    def step(self, steps: int = 1) -> None:
        """Take so many steps. An interrupt leaves the tokens after the last step that was completed."""
        if steps < 0:
            raise ValueError(f"steps: expected at least 0, got {steps}")
        self._native.step(steps)

    @property
    def time(self) -> float:
        """The layer-time of the tokens."""
        return self._native.time

    @property
    def steps(self) -> int:
        """Steps that are done."""
        return self._native.steps

    @property
    def total_steps(self) -> int:
        """Steps to the end of the problem."""
        return self._native.total_steps

    @property
    def tokens(self) -> Any:
        """The tokens, of shape (replicas, n, d), of float64 in double and of float32 in other precisions."""
        return self._native.tokens

    def observe(self) -> Sample:
        """Return "time" and, for each column of the quantities of the problem, one number for each replica."""
        return self._observe()[0]

    def _observe(self) -> tuple[Sample, bool]:
        values, stops = self._native.observe()
        named = {name: values[:, index] for index, name in enumerate(self._native.columns)}
        return {"time": self.time} | named, stops

    def set(self, changes: Mapping[str, Any]) -> None:
        """Replace dotted keys of attention, perceptron, noise or observe from now on, e.g. {"attention.beta": 4}."""
        changed = {**(self._changes or {}), **changes}
        self._native.change(self._problem, changed)
        self._changes = changed

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the simulation to a folder, from which `load` goes on byte for byte.

        The folder has the problem as it is now (experiment.toml, and arrays.safetensors), the tokens in the precision
        of the arithmetic, all that the next step depends on (state.toml), and the hashes of these. Files that the
        problem names by their paths stay where they are, and must not change. path must be absent, or an earlier save,
        which is replaced once the new one is whole; anything else there is a RunError.
        """
        self._native.save(Path(path).expanduser())

    @classmethod
    def load(cls, path: str | os.PathLike[str], device: Device | None = None) -> Self:
        """Return the simulation that was saved to a folder.

        It goes on as the saved one would have, byte for byte, on the same device and in the same precision. Another
        instruction set, graphics adapter or driver is a RunError, unless device says who goes on; a RuntimeWarning says
        so then. So is a folder whose files are not those that were written; the message names the file. Its problem has
        every default written out, so `set` that takes a quantity out takes out its numbers too, with None.
        """
        loaded = cls.__new__(cls)
        loaded._problem = loaded._changes = None
        loaded._native = _native.Simulation.load(Path(path).expanduser(), device, warn)
        return loaded

    def __iter__(self) -> Iterator[Sample]:
        """Go through the observations from the present one to the end, or to where time.stop holds."""
        while True:
            sample, stops = self._observe()
            yield sample
            if stops or self.steps == self.total_steps:
                return
            self.step(self._native.until_observed)

    def __repr__(self) -> str:
        return f"Simulation(time {self.time:g}, {self.steps} of {self.total_steps} steps)"
