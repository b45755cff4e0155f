"""Runs, sweeps and simulations against the command line, literal steps and each other."""

import contextlib
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from problems import PROBLEM, TOML

import tokenfield as tf


def literal_step(x: np.ndarray, beta: float, h: float) -> np.ndarray:
    """Take one step of Heun's scheme on the sphere, as on paper."""

    def velocity(x: np.ndarray) -> np.ndarray:
        a = np.exp(beta * x @ x.swapaxes(-1, -2))
        v = a / a.sum(-1, keepdims=True) @ x
        return v - (v * x).sum(-1, keepdims=True) * x

    def onto_sphere(x: np.ndarray) -> np.ndarray:
        return x / np.linalg.norm(x, axis=-1, keepdims=True)

    first = velocity(x)
    return onto_sphere(x + h / 2 * (first + velocity(onto_sphere(x + h * first))))


@pytest.mark.parametrize("precision", ["single", "double"])
def test_a_run_has_the_bytes_of_the_command_line(command: str, tmp_path: Path, precision: Any) -> None:
    (tmp_path / "clusters.toml").write_text(TOML)
    arguments = ["run", "clusters.toml", "--backend", "cpu", "--precision", precision, "--out", "cli", "--no-plot"]
    subprocess.run([command, *arguments], cwd=tmp_path, check=True, capture_output=True)
    for problem in (PROBLEM, TOML, tmp_path / "clusters.toml"):
        run = tf.simulate(problem, device="cpu", precision=precision)
        for file in ("samples.csv", "tokens.npy", "trajectory.npy"):
            assert (run.path / file).read_bytes() == (tmp_path / "cli" / file).read_bytes(), file
    opened = tf.open_run(tmp_path / "cli")
    assert opened.samples.keys() == run.samples.keys()
    assert (opened.times == [0.0, 0.5, 1.0, 1.5, 2.0]).all()


def test_samples_are_those_of_the_tokens_at_their_times() -> None:
    run = tf.simulate(PROBLEM, precision="double")
    assert run.trajectory.shape == (5, 2, 64, 3)
    means = np.linalg.norm(run.trajectory.mean(2), axis=-1).T
    assert np.abs(run.samples["mean_norm"] - means).max() < 1e-14
    assert (run.trajectory[-1] == run.tokens).all()
    x = run.trajectory[0]
    for _ in range(20):
        x = literal_step(x, 4.0, 0.1)
    assert np.abs(run.tokens - x).max() < 1e-12


def test_arrays_stand_where_paths_may_stand() -> None:
    x0 = tf.initial.uniform(16, 3, seed=1)
    value = np.diag([1.0, -0.5, 0.25])
    typed = {**PROBLEM, "attention": {**PROBLEM["attention"], "head": [{"query-key": "identity", "value": value}]}}
    run = tf.simulate(typed, x0=x0, set={"tokens.replicas": 1, "tokens.seed": 0}, precision="double")
    assert np.abs(run.trajectory[0, 0] - x0).max() < 1e-15
    v = tf.attention_velocity(x0, 4.0, value=value)
    run = tf.simulate(
        typed, x0=x0[None], set={"time": {"scheme": "euler", "step": 1e-6, "end": 1e-6}}, precision="double"
    )
    assert np.abs((run.tokens[0] - x0) / 1e-6 - v).max() < 1e-5


def test_set_replaces_and_takes_out() -> None:
    run = tf.simulate(PROBLEM, set={"attention.beta": np.float32(2.0), "observe.every": None, "tokens.replicas": 1})
    assert "beta = 2.0" in run.experiment
    assert len(run.times) == 2


def test_a_callback_sees_every_sample_and_ends_the_run() -> None:
    seen: list[tf.Run | dict[str, Any]] = []
    run = tf.simulate(PROBLEM, callback=seen.append)
    assert [sample["time"] for sample in seen] == list(run.times)
    for index, sample in enumerate(seen):
        for column, values in run.samples.items():
            assert np.array_equal(sample[column], values[:, index], equal_nan=True), column

    def stop(sample: dict[str, Any]) -> None:
        if sample["time"] >= 1.0:
            raise StopAsyncIteration("enough")

    with pytest.raises(StopAsyncIteration, match="enough"):
        tf.simulate(PROBLEM, callback=stop)


def test_a_run_that_was_ended_keeps_its_samples_and_goes_on(tmp_path: Path) -> None:
    def stop(sample: dict[str, Any]) -> None:
        if sample["time"] >= 1.0:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tf.simulate(PROBLEM, out=tmp_path / "run", callback=stop)
    assert list(tf.open_run(tmp_path / "run").times) == [0.0, 0.5, 1.0]
    again = tf.simulate(PROBLEM, out=tmp_path / "run")
    assert len(again.times) == 5
    with pytest.raises(tf.RunError, match="run"):
        tf.simulate({**PROBLEM, "name": "other"}, out=tmp_path / "run")


def test_problems_that_mean_nothing_are_refused_by_key() -> None:
    with pytest.raises(tf.ExperimentError, match=r"attention.betta: unknown key"):
        tf.simulate({**PROBLEM, "attention": {"betta": 4.0}})
    with pytest.raises(ValueError, match=r"attention.beta"):
        tf.simulate(PROBLEM, set={"attention.beta": "hot"})
    with pytest.raises(TypeError, match=r"attention.beta: expected a number, text, a list, a dict or an array, got"):
        tf.simulate(PROBLEM, set={"attention.beta": object()})
    with pytest.raises(TypeError, match="problem: expected a dict, TOML text or the path of a file"):
        tf.simulate(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"no-such-file.toml"):
        tf.simulate("no-such-file.toml")
    with pytest.raises(
        ValueError, match=r"x0: expected shape \(n, d\) or \(replicas, n, d\), all at least 1, got \(3,\)"
    ):
        tf.simulate(PROBLEM, x0=np.ones(3))
    with pytest.raises(ValueError, match='device: expected "auto"'):
        tf.simulate(PROBLEM, device="tpu")  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError, match="holds no run"):
        tf.open_run("nowhere")


def test_warnings_of_a_run_are_those_of_python() -> None:
    stiff = {
        **PROBLEM,
        "attention": {"beta": 4.0, "normalization": "unnormalized"},
        "time": {"scheme": "euler", "step": 1.0, "end": 5.0},
        "observe": {"every": 1.0, "quantities": ["energy"]},
    }
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = tf.simulate(stiff, precision="double")
    said = [str(warning.message) for warning in caught]
    assert {warning.filename for warning in caught} == {__file__}
    kept = run.manifest.get("warnings", [])
    assert len(said) == len(kept) > 0
    assert all(warning.category is RuntimeWarning for warning in caught)


def test_tables_and_pictures(tmp_path: Path) -> None:
    run = tf.simulate(PROBLEM, set={"result": [{"name": "last", "last": "mean_norm"}]}, out=tmp_path / "run")
    assert np.abs(run.results["last"] - run.samples["mean_norm"][:, -1]).max() == 0.0
    frame = run.to_pandas()
    assert (frame[frame.replica == 1].mean_norm.to_numpy() == run.samples["mean_norm"][1]).all()
    dataset = run.to_xarray()
    assert dataset.mean_norm.dims == ("replica", "time")
    assert dataset.trajectory.sel(time=1.0).shape == (2, 64, 3)
    assert dataset.time.attrs["units"] == "1"
    assert {path.suffix for path in run.plot()} == {".svg", ".png"}
    (animation,) = run.animate()
    assert animation.read_bytes()[:4] == b"GIF8"
    assert "data:image/gif" in run.animate()._repr_html_()
    pictures = tf.simulate(PROBLEM).plot()
    assert "data:image/svg+xml" in pictures._repr_html_(), "the folder of a run lives as long as its pictures"
    shown = run.plot()._repr_html_()
    assert shown.count("data:image/svg+xml") * 2 == len(run.plot())
    assert "data:image/png" not in shown
    shown = run._repr_html_()
    assert shown.count("data:image/svg+xml") == 2
    assert "beta = 4.0" in shown


def test_a_simulation_goes_where_a_run_goes() -> None:
    run = tf.simulate(PROBLEM, device="cpu")
    simulation = tf.Simulation(PROBLEM, device="cpu")
    for index, sample in enumerate(simulation):
        assert sample["time"] == run.times[index]
        for column, values in run.samples.items():
            assert np.array_equal(sample[column], values[:, index], equal_nan=True), column
    assert simulation.tokens.dtype == np.float32
    assert (simulation.tokens == run.tokens).all()
    assert simulation.steps == simulation.total_steps == 20


def test_the_equation_of_a_simulation_changes_between_steps() -> None:
    simulation = tf.Simulation(PROBLEM, precision="double")
    x = simulation.tokens
    simulation.step(3)
    simulation.set({"attention.beta": 9.0})
    simulation.step(2)
    for beta in (4.0, 4.0, 4.0, 9.0, 9.0):
        x = literal_step(x, beta, 0.1)
    assert np.abs(simulation.tokens - x).max() < 1e-13
    assert simulation.time == 0.5
    energies = np.log(np.exp(9.0 * x @ x.swapaxes(-1, -2)).mean((1, 2)) / 18.0)
    assert np.abs(simulation.observe()["log_energy"] - energies).max() < 1e-12
    with pytest.raises(ValueError, match="tokens and time stay as they were"):
        simulation.set({"tokens.count": 8})
    with pytest.raises(ValueError, match="tokens and time stay as they were"):
        simulation.set({"time.step": 0.2, "time.end": 4.0, "observe.every": 1.0})
    with pytest.raises(ValueError, match=r"time.step.tolerance: a Simulation takes steps of given lengths"):
        tf.Simulation(PROBLEM, set={"time.scheme": "bogacki-shampine", "time.step": {"tolerance": 1e-6}})
    with pytest.raises(ValueError, match=r"at most the 15 that lie between time 0.5 and time.end = 2"):
        simulation.step(16)
    with pytest.raises(AttributeError, match=r"beta: a Simulation has no such attribute to set; call set"):
        simulation.beta = 2.0  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="reference: a Simulation has no limit"):
        tf.Simulation({**PROBLEM, "reference": {"kind": "particles", "count": 128}})


def test_noise_of_a_simulation_is_that_of_its_steps() -> None:
    noisy = {**PROBLEM, "noise": {"field": "independent", "intensity": 0.3, "calculus": "stratonovich"}}
    run = tf.simulate(noisy, device="cpu", precision="double")
    simulation = tf.Simulation(noisy, device="cpu", precision="double")
    simulation.step(7)
    # The same numbers typed anew: tokens go through another backend, and nothing changes.
    simulation.set({"attention.beta": 4.0})
    simulation.step(13)
    assert (simulation.tokens == run.tokens).all()


def test_two_threads_may_step_one_simulation() -> None:
    simulation = tf.Simulation(PROBLEM)
    steps = simulation.total_steps

    def step() -> None:
        with contextlib.suppress(ValueError):
            simulation.step(steps)

    threads = [threading.Thread(target=step, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert simulation.steps == steps


def test_rows_of_attention_leave_passive_tokens_out() -> None:
    x = tf.initial.uniform(5, 3)
    rows = tf.attention_rows(x, 2.0, set={"tokens.passive": 1})
    weights = np.exp(2.0 * x @ x[:4].T)
    assert np.abs(rows - weights / weights.sum(1, keepdims=True)).max() < 1e-14


def test_x0_takes_the_place_of_an_array_in_the_problem() -> None:
    a, b = tf.initial.uniform(16, 3, seed=1), tf.initial.uniform(16, 3, seed=2)
    problem = {**PROBLEM, "tokens": {"initial": a}}
    for x0 in (a, b):
        run = tf.simulate(problem, x0=x0, precision="double")
        assert np.abs(run.trajectory[0, 0] - x0).max() < 1e-15
    simulation = tf.Simulation({**problem, "attention": {**PROBLEM["attention"], "head": [{"value": -np.eye(3)}]}})
    simulation.set({"attention.head.0.value": np.eye(3)})
    simulation.step(5)
    plain = tf.Simulation(problem)
    plain.step(5)
    assert (simulation.tokens == plain.tokens).all()


def test_a_path_is_a_path_whatever_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / "beta=4.toml"
    path.write_text(TOML)
    for given in (path, str(path)):
        assert len(tf.simulate(given).times) == 5


def test_iteration_ends_where_the_condition_of_the_problem_holds() -> None:
    stops = {**PROBLEM, "time": {**PROBLEM["time"], "end": 20.0, "stop": "mean_norm > 0.3"}}
    run = tf.simulate(stops, device="cpu")
    assert 0 < run.times[-1] < 20.0
    assert [sample["time"] for sample in tf.Simulation(stops, device="cpu")] == list(run.times)


def test_functions_refuse_keys_that_they_would_pass_over() -> None:
    x = tf.initial.uniform(5, 3)
    with pytest.raises(ValueError, match="set: reference: there is no limit"):
        tf.attention_velocity(x, set={"reference.kind": "quadrature"})
    with pytest.raises(ValueError, match=r"set: tokens.weights: pass the weights"):
        tf.attention_velocity(x, set={"tokens.weights": np.array([0.4, 0.3, 0.1, 0.1, 0.1])})


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_forked_process_leaves_the_folders_of_its_parent(tmp_path: Path) -> None:
    script = (
        "import os, tokenfield._folders as f\n"
        "path, owner = f.new_folder(None)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    raise SystemExit\n"
        "os.waitpid(child, 0)\n"
        "assert path.parent.is_dir()\n"
        "del owner\n"
        "assert not path.parent.exists()\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
