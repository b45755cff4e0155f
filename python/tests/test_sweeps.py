"""Sweeps, initial laws and laws of papers against the command line and formulas."""

import fcntl
import subprocess
from pathlib import Path

import numpy as np
import pytest
from problems import PROBLEM, TOML

import tokenfield as tf

COUPLED = {
    **PROBLEM,
    "observe": {"quantities": ["coupling_error"]},
    "reference": {"kind": "zonal"},
    "tokens": {**PROBLEM["tokens"], "replicas": 16, "initial": {"law": "cap", "axis": [0.0, 0.0, 1.0], "angle": 1.0}},
}


def test_a_sweep_has_the_rows_of_the_command_line(command: str, tmp_path: Path) -> None:
    fit = {"quantity": "coupling_error", "variable": "tokens.count", "expected": -0.5}
    sweep = tf.sweep(COUPLED, {"tokens.count": np.array([64, 128, 256])}, fit=[fit], device="cpu", out=tmp_path / "py")
    assert sweep is not None
    (tmp_path / "base.toml").write_text(sweep.runs[0].experiment)
    (tmp_path / "sweep.toml").write_text(
        'base = "base.toml"\n[axes]\n"tokens.count" = [64, 128, 256]\n'
        '[[fit]]\nquantity = "coupling_error"\nvariable = "tokens.count"\nexpected = -0.5\n'
    )
    arguments = ["sweep", "sweep.toml", "--backend", "cpu", "--out", "cli", "--no-plot"]
    subprocess.run([command, *arguments], cwd=tmp_path, check=True, capture_output=True)
    for file in ("cells.csv", "rates.csv"):
        assert (tmp_path / "py" / file).read_bytes() == (tmp_path / "cli" / file).read_bytes(), file
    errors = sweep.cells["coupling_error"].reshape(3, 16)
    assert (sweep.cells["tokens.count"].reshape(3, 16)[:, 0] == [64, 128, 256]).all()
    # The slope of the logarithms of mean errors, by least squares.
    slope = np.polyfit(np.log([64, 128, 256]), np.log(errors.mean(1)), 1)[0]
    assert abs(sweep.rates["slope"][0] - slope) < 0.05
    assert sweep.rates["on_a_line"].dtype == bool
    assert [run.tokens.shape for run in sweep.runs] == [(16, 64, 3), (16, 128, 3), (16, 256, 3)]
    assert "data:image/svg+xml" in sweep._repr_html_()
    again = tf.sweep(tmp_path / "sweep.toml", device="cpu", out=tmp_path / "file")
    assert again is not None
    assert (again.cells["coupling_error"] == sweep.cells["coupling_error"]).all()


def test_a_worker_leaves_what_another_process_holds(tmp_path: Path) -> None:
    axes = {"tokens.count": [16, 24, 300]}
    whole = tf.sweep(PROBLEM, axes, out=tmp_path / "whole", worker=True, device="cpu")
    assert whole is not None
    held = tmp_path / "shared" / "cells" / whole.runs[1].path.name
    held.mkdir(parents=True)
    with (held / "tokenfield.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert tf.sweep(PROBLEM, axes, out=tmp_path / "shared", worker=True, device="cpu") is None
    shared = tf.sweep(PROBLEM, axes, out=tmp_path / "shared", worker=True, device="cpu")
    assert shared is not None
    assert (tmp_path / "shared" / "cells.csv").read_bytes() == (tmp_path / "whole" / "cells.csv").read_bytes()


def test_shards_of_a_sweep_complete_each_other(tmp_path: Path) -> None:
    axes = {"tokens.count": [16, 300], "tokens.passive": "tokens.count / 4"}
    assert tf.sweep(PROBLEM, axes, out=tmp_path / "s", shard=(1, 2), device="cpu") is None
    both = tf.sweep(PROBLEM, axes, out=tmp_path / "s", shard=(2, 2), device="cpu")
    assert both is not None
    assert list(both.cells["tokens.passive"]) == [4, 4, 75, 75]
    with pytest.raises(ValueError, match="worker: needs a folder"):
        tf.sweep(PROBLEM, axes, worker=True)
    with pytest.raises(ValueError, match="worker: takes cells of all parts"):
        tf.sweep(PROBLEM, axes, out=tmp_path / "t", worker=True, shard=(1, 2))
    with pytest.raises(ValueError, match="shard: needs a folder"):
        tf.sweep(PROBLEM, axes, shard=(1, 2))
    with pytest.raises(ValueError, match=r"shard: expected \(k, n\) with 1 <= k <= n, got \(3, 2\)"):
        tf.sweep(PROBLEM, axes, out=tmp_path / "t", shard=(3, 2))
    with pytest.raises(TypeError, match=r"axes: attention.beta: expected a list of values or a formula, got float"):
        tf.sweep(PROBLEM, {"attention.beta": 2.0})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="fit: expected a list of dicts, got one dict"):
        tf.sweep(PROBLEM, {"attention.beta": [1.0]}, fit={"quantity": "mean_norm"})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="fit: a sweep file has fits of its own"):
        tf.sweep("sweep.toml", fit=[{"quantity": "mean_norm", "variable": "attention.beta"}])
    with pytest.raises(ValueError, match="axes: missing"):
        tf.sweep(PROBLEM)
    with pytest.raises(ValueError, match=r"axes.attention.betta|attention.betta"):
        tf.sweep(PROBLEM, {"attention.betta": [1.0]})


def test_initial_laws_have_their_moments() -> None:
    n = 20_000
    x = tf.initial.uniform(n, 4, seed=3)
    assert np.abs(x.mean(0)).max() < 5 / np.sqrt(n)
    assert np.abs(x.T @ x / n - np.eye(4) / 4).max() < 0.01
    assert tf.initial.uniform(5, 3, replicas=2).shape == (2, 5, 3)
    assert (tf.initial.uniform(5, 3, replicas=2)[0] == tf.initial.uniform(5, 3)).all()
    z = tf.initial.von_mises_fisher(n, 3, 2.0, [0, 0, 1])[:, 2]
    assert abs(z.mean() - (1 / np.tanh(2.0) - 0.5)) < 0.02
    angles = np.arccos(tf.initial.cap(n, 3, 0.5, [0, 0, 1])[:, 2])
    assert angles.max() <= 0.5 + 1e-9
    assert abs(np.cos(angles).mean() - (1 + np.cos(0.5)) / 2) < 0.01
    phi = np.arctan2(*tf.initial.fourier(n, [0.4, 0.2], quiet=True).T[::-1])
    assert abs(np.cos(phi).mean() - 0.2) < 1e-3
    assert abs(np.cos(2 * phi).mean() - 0.1) < 1e-3
    overlaps = tf.initial.simplex(4, 3) @ tf.initial.simplex(4, 3).T
    assert np.abs(overlaps - (4 * np.eye(4) - 1) / 3).max() < 1e-14
    assert (tf.initial.orthonormal(2, 3) == np.eye(3)[:2]).all()
    two = tf.initial.two_clusters(4, 2, 0.5, 0.25)
    assert np.abs(two @ two[0] - [1, 0.5, 0.5, 0.5]).max() < 1e-15
    covariance = np.array([[1.0, 0.5], [0.5, 2.0]])
    g = tf.initial.gaussian(n, 2, covariance=covariance, mean=[1.0, -1.0])
    assert np.abs(g.mean(0) - [1, -1]).max() < 0.05
    assert np.abs(np.cov(g.T) - covariance).max() < 0.1
    b = tf.initial.box(n, 2, [0.0, 1.0], [1.0, 3.0])
    assert (b.min(0) >= [0, 1]).all()
    assert np.abs(b.mean(0) - [0.5, 2.0]).max() < 0.02
    cap = {"law": "cap", "axis": [0.0, 0.0, 1.0], "angle": 0.1}
    m = tf.initial.mixture(n, 3, [cap, {"law": "cap", "axis": [0.0, 0.0, -1.0], "angle": 0.1}], [0.25, 0.75])
    assert abs((m[:, 2] > 0).mean() - 0.25) < 0.02
    with pytest.raises(ValueError, match="angle"):
        tf.initial.cap(5, 3, -1.0, [0, 0, 1])


def test_laws_of_papers_are_tried() -> None:
    known = tf.laws()
    assert len({law["paper"] for law in known}) > 20
    name = next(f"{law['paper']}/{law['law']}" for law in known if law["law"] == "two-tokens")
    tried = tf.papers(name)
    assert tried.hold
    for row in tried:
        low, high = row["interval"] or (row["measured"], row["measured"])
        assert low <= row["measured"] <= high
    assert "<table>" in tried._repr_html_()
    with pytest.raises(ValueError, match="names: no paper or law 'nobody'"):
        tf.papers("nobody")


def test_devices_are_named_and_checked() -> None:
    devices = tf.devices()
    assert devices[0]["device"] == "cpu"
    assert all(row["holds"] for row in tf.check("cpu", "double"))
    assert all(row["velocity"] <= row["tolerance"] for row in tf.check("cpu", "single"))


def test_axes_may_have_arrays_over_any_kind_of_base(tmp_path: Path) -> None:
    a, b = tf.initial.uniform(16, 3, seed=1), tf.initial.uniform(16, 3, seed=2)
    shape = {"tokens.count": 16, "tokens.replicas": 1}
    (tmp_path / "base.toml").write_text(TOML)
    for base in (PROBLEM, TOML, tmp_path / "base.toml"):
        sweep = tf.sweep(base, {"tokens.initial": [a, b]}, set=shape, precision="double", device="cpu")
        assert sweep is not None
        for run, x0 in zip(sweep.runs, (a, b), strict=True):
            assert (run.tokens == tf.simulate(base, x0=x0, set=shape, precision="double").tokens).all()
        set_for_all = tf.sweep(base, {"attention.beta": [1.0]}, set={**shape, "tokens.initial": b}, device="cpu")
        assert set_for_all is not None
        assert np.abs(set_for_all.runs[0].trajectory[0, 0] - b).max() < 1e-7
    (tmp_path / "sweep.toml").write_text('base = "base.toml"\n[axes]\n"attention.beta" = [1.0]\n')
    with pytest.raises(ValueError, match="set: arrays beside a sweep file"):
        tf.sweep(tmp_path / "sweep.toml", set={"tokens.initial": b})


def test_a_sweep_of_other_arrays_is_another_sweep(tmp_path: Path) -> None:
    for seed in (1, 2):
        x0 = tf.initial.uniform(16, 3, seed=seed)
        shape = {"tokens.initial": x0, "tokens.count": 16, "tokens.replicas": 1}
        sweep = tf.sweep(PROBLEM, {"attention.beta": [1.0, 2.0]}, set=shape, out=tmp_path / "s", device="cpu")
        assert sweep is not None
        assert np.abs(sweep.runs[0].trajectory[0, 0] - x0).max() < 1e-7
