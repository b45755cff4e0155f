"""Mean-field dynamics of Transformers: NumPy in, NumPy out, on any GPU and any CPU.

Tokens are arrays of shape (n, d) or (replicas, n, d), of float32 or float64, and results have the shape and the type of
what came in. Problems are dictionaries with the keys of an experiment file, TOML text, or the path of a file.
"""

from . import initial
from ._distances import energy_distance, mmd, sinkhorn_divergence, sliced_wasserstein, wasserstein
from ._equation import attention_rows, attention_velocity, clusters, energy, modes, observe
from ._machines import check, devices
from ._native import ExperimentError, RunError, __version__
from ._papers import Laws, laws, papers
from ._runs import Run, open_run, resume, simulate
from ._simulation import Simulation
from ._sweeps import Sweep, open_sweep, sweep
from ._view import view

__all__ = [
    "ExperimentError",
    "Laws",
    "Run",
    "RunError",
    "Simulation",
    "Sweep",
    "__version__",
    "attention_rows",
    "attention_velocity",
    "check",
    "clusters",
    "devices",
    "energy",
    "energy_distance",
    "initial",
    "laws",
    "mmd",
    "modes",
    "observe",
    "open_run",
    "open_sweep",
    "papers",
    "resume",
    "simulate",
    "sinkhorn_divergence",
    "sliced_wasserstein",
    "sweep",
    "view",
    "wasserstein",
]
