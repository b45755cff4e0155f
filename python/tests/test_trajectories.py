"""Tokens over time in one file and in chunks, with NumPy alone, zarr and xarray."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
import zarr
from problems import PROBLEM

import tokenfield as tf


def both(problem: dict[str, Any], tmp_path: Path, **changes: Any) -> tuple[tf.Run, tf.Run]:
    """Run a problem twice, with its tokens in a file and in chunks."""
    forms = ("npy", "zarr")
    file, chunks = (
        tf.simulate(problem, device="cpu", set={"observe.tokens": {"format": form, **changes}}, out=tmp_path / form)
        for form in forms
    )
    assert (file.path / "trajectory.npy").is_file() and (chunks.path / "trajectory.zarr").is_dir()
    return file, chunks


# Wide tokens have small chunks: of 1024 tokens, or of as many replicas as make no more.
WIDE = {
    "tokens": {"count": 1500, "dim": 4096, "replicas": 2, "initial": {"law": "uniform"}},
    "attention": {"beta": 1.0, "normalization": "softmax"},
    "time": {"scheme": "euler", "step": 0.1, "end": 0.0},
    "observe": {"quantities": ["tokens"]},
}
NARROW = {**WIDE, "tokens": {"count": 300, "dim": 4096, "replicas": 4, "initial": {"law": "uniform"}}}


@pytest.mark.parametrize(
    ("problem", "chunks", "files"),
    [(PROBLEM, (1, 2, 64, 3), 5), (WIDE, (1, 1, 1024, 4096), 4), (NARROW, (1, 3, 300, 4096), 2)],
)
def test_chunks_hold_what_the_file_holds(problem: Any, chunks: Any, files: int, tmp_path: Path) -> None:
    file, run = both(problem, tmp_path)
    expected = np.asarray(file.trajectory)
    group = run.path / "trajectory.zarr"
    assert run.trajectory.chunks == chunks
    assert sum(path.is_file() for path in (group / "tokens/c").rglob("*")) == files
    assert run.trajectory.shape == expected.shape and run.trajectory.dtype == expected.dtype
    assert (np.asarray(run.trajectory) == expected).all()
    stored = zarr.open_group(group, mode="r", zarr_format=3)
    assert sorted(stored.array_keys()) == ["time", "tokens"]
    assert (stored["tokens"][...] == expected).all()
    opened = xarray.open_zarr(group, consolidated=False)
    assert opened.tokens.dims == ("sample", "replica", "token", "component")
    assert (opened.tokens.values == expected).all()
    assert (opened.time.values == file.times).all() and "time" in opened.tokens.coords
    for key in (0, (-1, 1), np.s_[:, 0, ::100], ([-1, 0], 0), np.s_[..., 2], np.s_[-1:, ::-1, 7:-7:3]):
        assert np.array_equal(run.trajectory[key], expected[key]), key
    for key in (len(expected), (0, 99), (0, 0, 0, 0, 0), 0.5, "x"):
        with pytest.raises(IndexError):
            run.trajectory[key]


def test_what_is_not_indexed_is_not_read(tmp_path: Path) -> None:
    _, run = both(WIDE, tmp_path)
    expected = run.trajectory[0, 1, 1024:]
    chunk = run.path / "trajectory.zarr/tokens/c/0/0/0/0"
    chunk.unlink()
    assert (run.trajectory[0, 1, 1024:] == expected).all()
    lazily = run.to_xarray().trajectory
    assert (lazily[0, 1, 1024:].values == expected).all()
    with pytest.raises(FileNotFoundError):
        run.trajectory[0, 0, 5]


@pytest.mark.parametrize("form", ["npy", "zarr"])
def test_some_tokens_at_some_times(form: str, tmp_path: Path) -> None:
    everything = tf.simulate(PROBLEM, device="cpu", set={"observe.every": 0.1})
    kept = {"every": 0.4, "sample": 10, "format": form}
    run = tf.simulate(PROBLEM, device="cpu", set={"observe.tokens": kept}, out=tmp_path / "run")
    assert (run.times == [0.0, 0.5, 1.0, 1.5, 2.0]).all()
    assert (run.trajectory_times == [0.0, 0.4, 0.8, 1.2, 1.6, 2.0]).all()
    numbers = run.trajectory_tokens
    assert len(set(numbers.tolist())) == 10 and (np.diff(numbers) > 0).all() and numbers[-1] < 64
    expected = everything.trajectory[::4][:, :, numbers]
    assert (np.asarray(run.trajectory) == expected).all()
    dataset = run.to_xarray()
    assert dataset.trajectory.dims == ("trajectory_time", "replica", "kept_token", "component")
    assert (dataset.trajectory.sel(trajectory_time=0.8, kept_token=numbers[3]) == expected[2, :, 3]).all()
    assert dataset.trajectory.attrs["units"] == "1"
    assert {path.suffix for path in run.plot()} == {".svg", ".png"}
    assert run.animate()[0].read_bytes()[:4] == b"GIF8"
    if form == "zarr":
        opened = xarray.open_zarr(run.path / "trajectory.zarr", consolidated=False)
        assert (opened.token.values == numbers).all() and opened.tokens.sel(token=numbers[3]).shape == (6, 2, 3)


def test_both_forms_look_the_same(tmp_path: Path) -> None:
    file, run = both(PROBLEM, tmp_path)
    assert (file.trajectory_times == file.times).all() and (run.trajectory_times == file.times).all()
    assert (run.trajectory_tokens == np.arange(64)).all() and (file.trajectory_tokens == np.arange(64)).all()
    same = run.to_xarray().load()
    xarray.testing.assert_identical(same.drop_attrs(), file.to_xarray().drop_attrs())
    for run_ in (file, run):
        run_.plot()
        run_.animate()
    for picture in ("tokens-over-time.svg", "tokens.gif", "tokens.svg"):
        assert (run.path / picture).read_bytes() == (file.path / picture).read_bytes(), picture
