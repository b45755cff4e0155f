from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any, final

import numpy as np
import numpy.typing as npt

__all__ = [
    "Equation",
    "ExperimentError",
    "RunError",
    "Simulation",
    "__version__",
    "animate",
    "check",
    "devices",
    "draw",
    "energy_distance",
    "laws",
    "mmd",
    "resume",
    "run",
    "sinkhorn_divergence",
    "sliced_wasserstein",
    "start",
    "sweep",
    "try_law",
    "wasserstein",
]

__version__: str

class ExperimentError(ValueError): ...
class RunError(RuntimeError): ...

_Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]
_Path = str | PathLike[str]
_OnSteps = Callable[[int, int], object] | None
_OnCells = Callable[[int, int, int], object] | None
_OnSample = Callable[[list[str], npt.NDArray[np.float64]], object] | None
_OnWarning = Callable[[str], object]

@final
class Equation:
    def __new__(cls, problem: dict[str, Any], set: dict[str, Any] | None) -> Equation: ...
    @property
    def columns(self) -> list[str]: ...
    def velocity(self, x: _Floats, weights: _Floats | None, device: str) -> _Floats: ...
    def observe(self, x: _Floats, weights: _Floats | None, device: str) -> npt.NDArray[np.float64]: ...
    def attention_rows(self, x: _Floats, rows: list[int], weights: _Floats | None) -> npt.NDArray[np.float64]: ...

@final
class Simulation:
    def __new__(cls, problem: Any, set: dict[str, Any] | None, device: str, precision: str) -> Simulation: ...
    @property
    def steps(self) -> int: ...
    @property
    def total_steps(self) -> int: ...
    @property
    def time(self) -> float: ...
    @property
    def until_observed(self) -> int: ...
    @property
    def columns(self) -> list[str]: ...
    @property
    def tokens(self) -> Any: ...
    def step(self, steps: int) -> None: ...
    def observe(self) -> tuple[npt.NDArray[np.float64], bool]: ...
    def change(self, problem: Any | None, set: dict[str, Any] | None) -> None: ...
    @staticmethod
    def load(path: _Path, device: str | None, on_warning: _OnWarning) -> Simulation: ...
    def save(self, path: _Path) -> None: ...

def wasserstein(x: _Floats, y: _Floats, p: Any, a: _Floats | None, b: _Floats | None, method: str) -> float: ...
def sliced_wasserstein(
    x: _Floats, y: _Floats, p: Any, a: _Floats | None, b: _Floats | None, n_projections: Any, seed: Any
) -> tuple[float, float]: ...
def sinkhorn_divergence(
    x: _Floats, y: _Floats, a: _Floats | None, b: _Floats | None, epsilon: float, tolerance: float, max_iterations: Any
) -> float: ...
def mmd(x: _Floats, y: _Floats, a: _Floats | None, b: _Floats | None, beta: float) -> float: ...
def energy_distance(x: _Floats, y: _Floats, a: _Floats | None, b: _Floats | None) -> float: ...
def start(problem: dict[str, Any]) -> npt.NDArray[np.float64]: ...
def run(
    problem: Any,
    set: dict[str, Any] | None,
    out: _Path,
    device: str,
    precision: str,
    checkpoint: str | None,
    on_steps: _OnSteps,
    on_sample: _OnSample,
    on_warning: _OnWarning,
) -> Path: ...
def resume(
    path: _Path,
    device: str | None,
    checkpoint: str | None,
    on_steps: _OnSteps,
    on_sample: _OnSample,
    on_warning: _OnWarning,
) -> Path: ...
def sweep(
    problem: Any,
    sweep: dict[str, Any] | None,
    set: dict[str, Any] | None,
    out: _Path,
    device: str,
    precision: str,
    shard: tuple[int, int],
    worker: bool,
    on_cells: _OnCells,
    on_steps: _OnSteps,
    on_warning: _OnWarning,
) -> int: ...
def laws() -> list[dict[str, Any]]: ...
def try_law(
    paper: str,
    law: str,
    full: bool,
    out: _Path,
    device: str,
    precision: str,
    on_cells: _OnCells,
    on_steps: _OnSteps,
    on_warning: _OnWarning,
) -> list[dict[str, Any]]: ...
def draw(folder: _Path) -> list[Path]: ...
def animate(folder: _Path) -> Path: ...
def devices() -> list[dict[str, str]]: ...
def check(device: str, precision: str) -> list[dict[str, Any]]: ...
