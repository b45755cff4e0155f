"""What a view shows: frames of tokens in two or three coordinates, and the words below them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._arrays import as_floats
from ._chunks import Chunks
from ._runs import Run

Doubles = npt.NDArray[np.float64]
MAX_BYTES = 2**28
ON_SPHERE = 2e-3


@dataclass(frozen=True)
class Cloud:
    """Tokens of one replica: frames of shape (n, d), at times; `timed` is whether these are layer-times or numbers."""

    frames: Sequence[Any]
    times: Doubles
    timed: bool
    notes: tuple[str, ...] = ()
    simulation: Any = None

    @property
    def shape(self) -> tuple[int, int]:
        """(n, d)."""
        n, d = self.frames[0].shape
        return n, d


def gather(run: Any, times: Any, replica: int) -> Cloud:
    """Return the tokens of a Run, a Simulation or an array."""
    stepped = callable(getattr(run, "step", None))
    if stepped or isinstance(run, Run):
        if times is not None:
            raise ValueError("times: a run and a simulation have their own; leave it out")
        return _of_simulation(run, replica) if stepped else _of_run(run, replica)
    x = as_floats("run", run)
    if x.ndim not in (2, 3, 4) or 0 in x.shape:
        raise ValueError(
            "run: expected a Run, a Simulation, one frame of shape (n, d), frames of shape (s, n, d) or a trajectory "
            f"of shape (s, replicas, n, d), all at least 1, got an array of shape {x.shape}"
        )
    if x.ndim == 4:
        frames, note = _replica(x, replica)
    else:
        frames, note = x.reshape(-1, *x.shape[-2:]), _only_replica(replica)
    return Cloud(frames, _times(times, len(frames)), times is not None, note)


def tokens_of(simulation: Any, replica: int) -> Any:
    """Return the tokens of a simulation now, of shape (n, d)."""
    x = as_floats("simulation.tokens", simulation.tokens)
    if x.ndim == 2:
        _only_replica(replica)
        return np.array(x)
    return np.array(_replica(x[None], replica)[0][0])


def _of_simulation(simulation: Any, replica: int) -> Cloud:
    x = as_floats("simulation.tokens", simulation.tokens)
    note = _replica(x[None], replica)[1] if x.ndim == 3 else ()
    return Cloud([tokens_of(simulation, replica)], np.array([float(simulation.time)]), True, note, simulation)


def _of_run(run: Run, replica: int) -> Cloud:
    try:
        frames, note = _replica(run.trajectory, replica)
        times = run.trajectory_times
    except FileNotFoundError:
        frames, note = _replica(np.asarray(run.tokens)[None], replica)
        times = np.asarray(run.times, np.float64)[-1:]
        note = (*note, 'the end only: add "tokens" to observe.quantities to see tokens move')
    if len(times) != len(frames):
        raise ValueError(
            f"run: has {len(frames)} frames of tokens and {len(times)} times; was it changed after it was written?"
        )
    return Cloud(frames, times, True, note)


def _replica(x: Any, replica: int) -> tuple[Any, tuple[str, ...]]:
    """Return one replica of (s, replicas, n, d), and its name where there are others."""
    count = x.shape[1]
    if not 0 <= replica < count:
        raise ValueError(f"replica: expected 0 to {count - 1}, got {replica}")
    frames = x.of_replica(replica) if isinstance(x, Chunks) else x[:, replica]
    return frames, (f"replica {replica} of {count}",) if count > 1 else ()


def _only_replica(replica: int) -> tuple[str, ...]:
    if replica != 0:
        raise ValueError(f"replica: these tokens have one replica, 0, got {replica}")
    return ()


def _times(times: Any, count: int) -> Doubles:
    if times is None:
        return np.arange(count, dtype=np.float64)
    result = np.asarray(times, np.float64)
    if result.shape != (count,):
        raise ValueError(f"times: expected shape ({count},), one for each frame, got {result.shape}")
    if not np.isfinite(result).all() or (np.diff(result) <= 0.0).any():
        raise ValueError("times: must be finite and increase from frame to frame")
    return result


class Camera:
    """How tokens of d components come to two or three coordinates: as they are, or beyond d = 3 by a projection.

    The directions u_1, u_2, u_3 are the leading eigenvectors of (1/n) sum_i x_i x_i^T, of all tokens of one frame,
    about the origin, so that lengths and overlaps only shrink; `share` is the part of sum_i |x_i|^2 that they have.
    """

    def __init__(self, x: Any) -> None:
        d = x.shape[1]
        self.axes = min(max(d, 2), 3)
        self.directions: Doubles | None = None
        self.share = 1.0
        if d > 3:
            upper = np.linalg.qr(np.asarray(x, np.float64), mode="r")
            _, lengths, directions = np.linalg.svd(upper, full_matrices=False)
            # A single token, or two, have fewer directions than three.
            directions = np.vstack([directions[:3], np.zeros((max(3 - len(directions), 0), d))])
            signs = np.sign(directions[np.arange(3), np.abs(directions).argmax(axis=1)])
            self.directions = directions * np.where(signs == 0.0, 1.0, signs)[:, None]
            total = float((lengths**2).sum())
            self.share = float((lengths[:3] ** 2).sum()) / total if total else 1.0

    def shoot(self, x: Any) -> npt.NDArray[np.float32]:
        """Return tokens (n, d) in the picture's coordinates, of shape (n, axes)."""
        x = np.asarray(x)
        if self.directions is not None:
            x = x @ self.directions.T
        picture = np.zeros((len(x), self.axes), np.float32)
        picture[:, : x.shape[1]] = x
        return picture


def choose(n: int, limit: int) -> npt.NDArray[np.int64]:
    """Return which of n tokens are shown: all up to the limit, else as many drawn at random, always the same."""
    if limit < 1:
        raise ValueError(f"limit: expected at least 1, got {limit}")
    if n <= limit:
        return np.arange(n)
    return np.sort(np.random.default_rng(0).choice(n, limit, replace=False))


def check_size(frames: int, tokens: int, axes: int) -> None:
    """Refuse what no notebook should be asked to carry."""
    size = 4 * frames * tokens * axes
    if size > MAX_BYTES:
        raise ValueError(
            f"run: {frames} frames of {tokens} tokens are {size / 2**20:.0f} MiB, and a view carries at most "
            f"{MAX_BYTES // 2**20}; give fewer frames or a smaller limit"
        )


def check_finite(x: Any, time: float) -> None:
    """Refuse tokens that are not numbers."""
    bad = ~np.isfinite(x).all(axis=1)
    if bad.any():
        raise ValueError(f"run: token {int(bad.argmax())} at time {time:g} is not finite: {x[int(bad.argmax())]}")


def on_sphere(x: Any) -> bool:
    """Say whether all rows of (n, d) have length 1, to 0.002."""
    return bool((np.abs(np.linalg.norm(x, axis=1) - 1.0) < ON_SPHERE).all())


def describe(cloud: Cloud, camera: Camera, shown: int, sphere: bool, radius: float) -> str:
    """Return the caption: how many tokens, of what space, when, and what of them is drawn."""
    n, d = cloud.shape
    space = {2: "the circle", 3: "the sphere"}.get(d, f"the sphere of R^{d}") if sphere else f"R^{d}"
    count = f"{shown:,} of {n:,} tokens, drawn at random," if shown < n else f"{n:,} token{'' if n == 1 else 's'}"
    parts = [f"{count} {'on' if sphere else 'in'} {space}", *cloud.notes]
    if camera.directions is not None:
        when = "at the first moment shown" if cloud.simulation is not None else "at the end"
        parts.append(f"{camera.axes} principal directions {when}, {100.0 * camera.share:.1f} % of the variance about 0")
    if not sphere:
        parts.append(f"{'circle' if camera.axes == 2 else 'ball'} of radius {radius:.4g}")
    return "; ".join(parts)
