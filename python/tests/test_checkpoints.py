"""Simulations and runs that are left and taken up again, against those that never were."""

import contextlib
import hashlib
import json
import os
import signal
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from problems import PROBLEM

import tokenfield as tf

NOISE = {"field": "independent", "intensity": 0.3, "calculus": "stratonovich"}
RAMP = {"times": [0.0, 2.0], "values": [1.0, 6.0]}
CASES: dict[str, dict[str, Any]] = {
    "direct": {"algorithm": "direct"},
    "harmonic": {"algorithm": "harmonic", "tokens.count": 500},
    "noise": {"noise": NOISE},
    "ramp": {"attention.beta": RAMP},
    "many small replicas": {"tokens.count": 6, "tokens.replicas": 40},
    "no length": {"tokens.geometry": "euclidean", "noise": NOISE, "observe.quantities": ["moments"]},
}


def assert_same(left: tf.Simulation, right: tf.Simulation) -> None:
    assert (left.steps, left.time, left.total_steps) == (right.steps, right.time, right.total_steps)
    assert left.tokens.dtype == right.tokens.dtype
    assert left.tokens.tobytes() == right.tokens.tobytes()
    expected = right.observe()
    for column, values in left.observe().items():
        assert np.array_equal(values, expected[column], equal_nan=True), column


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("case", CASES)
def test_a_loaded_simulation_goes_where_the_saved_one_would_have(tmp_path: Path, case: str, precision: Any) -> None:
    def start() -> tf.Simulation:
        return tf.Simulation(PROBLEM, set=CASES[case], device="cpu", precision=precision)

    whole, first = start(), start()
    first.step(5)
    beginning = first.tokens
    first.save(tmp_path / "saved")
    del first
    second = tf.Simulation.load(tmp_path / "saved")
    assert second.steps == 5
    assert second.tokens.tobytes() == beginning.tobytes()
    second.step(5)
    whole.step(10)
    assert_same(second, whole)
    # And once more, to where the first one lies.
    second.save(tmp_path / "saved")
    third = tf.Simulation.load(str(tmp_path / "saved"))
    third.step(10)
    whole.step(10)
    assert_same(third, whole)
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]


def test_what_harmonics_know_of_the_past_is_saved(tmp_path: Path) -> None:
    """Concentrated tokens, at which single precision is given up for double on the way."""
    law = {"law": "von-mises-fisher", "concentration": 4.0, "axis": [0.0, 0.0, 1.0]}
    tokens = {"count": 4000, "dim": 3, "initial": law}
    problem = {**PROBLEM, "tokens": tokens, "algorithm": "harmonic", "observe": {"quantities": ["moments", "energy"]}}
    whole, first = (tf.Simulation(problem, device="cpu") for _ in range(2))
    first.step(2)
    first.save(tmp_path / "saved")
    assert "is_widened = true" in (tmp_path / "saved" / "state.toml").read_text()
    second = tf.Simulation.load(tmp_path / "saved")
    second.step(2)
    whole.step(4)
    assert_same(second, whole)


def test_arrays_and_changed_keys_are_saved(tmp_path: Path) -> None:
    x0 = tf.initial.uniform(16, 3, seed=1)
    np.save(tmp_path / "value.npy", np.diag([1.0, -0.5, 0.25]))
    head = {"value": {"path": tmp_path / "value.npy"}, "query-key": np.diag([1.0, 2.0, 3.0])}
    problem = {**PROBLEM, "attention": {**PROBLEM["attention"], "head": [head]}}
    whole, first = (tf.Simulation(problem, x0=x0, device="cpu", precision="double") for _ in range(2))
    for simulation in (whole, first):
        simulation.step(3)
        simulation.set({"attention.beta": 9.0, "attention.head.0.query-key": np.diag([3.0, 2.0, 1.0])})
        simulation.step(2)
    first.save(tmp_path / "saved")
    second = tf.Simulation.load(tmp_path / "saved")
    # It stands on its own, whatever becomes of the folder.
    (tmp_path / "saved").rename(tmp_path / "elsewhere")
    for simulation in (whole, second):
        simulation.set({"attention.beta": 5.0, "observe.quantities": ["energy", "clusters"]})
        simulation.step(5)
    assert_same(second, whole)
    second.save(tmp_path / "saved")
    third = tf.Simulation.load(tmp_path / "saved")
    for simulation in (whole, third):
        simulation.set({"attention.head.0.value": np.eye(3)})
        simulation.step(10)
    assert_same(third, whole)
    np.save(tmp_path / "value.npy", np.eye(3))
    with pytest.raises(tf.RunError, match=r"elsewhere: .*a file that it names was changed"):
        tf.Simulation.load(tmp_path / "elsewhere")


def test_a_simulation_is_saved_after_an_exception(tmp_path: Path) -> None:
    whole, first = (tf.Simulation(PROBLEM, device="cpu") for _ in range(2))
    first.step(5)
    with pytest.raises(ValueError, match="at most"):
        first.step(1000)
    with pytest.raises(tf.ExperimentError):
        first.set({"attention.beta": -1.0})
    first.save(tmp_path / "saved")
    with pytest.raises(tf.RunError, match=r"absent.*: no simulation can be loaded"):
        tf.Simulation.load(tmp_path / "absent")
    second = tf.Simulation.load(tmp_path / "saved")
    for simulation in (first, second):
        simulation.step(5)
    whole.step(10)
    assert_same(first, whole)
    assert_same(second, whole)


@pytest.mark.parametrize("name", ["manifest.json", "state.toml", "tokens.npy", "experiment.toml", "arrays.safetensors"])
def test_damage_is_refused_by_name(tmp_path: Path, name: str) -> None:
    simulation = tf.Simulation(PROBLEM, x0=tf.initial.uniform(16, 3, seed=1), device="cpu")
    simulation.save(tmp_path / "saved")
    path = tmp_path / "saved" / name
    held = path.read_bytes()
    for damaged in (held[:-2], held[:-2] + bytes([held[-2] ^ 1]) + held[-1:], None):
        path.unlink()
        if damaged is not None:
            path.write_bytes(damaged)
        with pytest.raises(tf.RunError, match=f"saved: no simulation can be loaded: .*{name}"):
            tf.Simulation.load(tmp_path / "saved")
        path.write_bytes(held)
    assert tf.Simulation.load(tmp_path / "saved").tokens.tobytes() == simulation.tokens.tobytes()


def pretend(folder: Path, old: str, new: str) -> None:
    """Have a state say something else, as if it had been written so."""
    text = (folder / "state.toml").read_text()
    assert text.count(old) == 1
    state = text.replace(old, new).encode()
    (folder / "state.toml").write_bytes(state)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["state.toml"] = {"bytes": len(state), "sha256": hashlib.sha256(state).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def arithmetic(folder: Path) -> str:
    (line,) = (line for line in (folder / "state.toml").read_text().splitlines() if line.startswith("arithmetic"))
    return line


def test_another_machine_goes_on_only_where_it_is_named(tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    simulation = tf.Simulation(PROBLEM, device="cpu", precision="double")
    simulation.step(5)
    simulation.save(saved)
    pretend(saved, arithmetic(saved), 'arithmetic = "abacus"')
    with pytest.raises(tf.RunError, match=r"saved: it was computed on cpu \(abacus\), and this is cpu .*device="):
        tf.Simulation.load(saved)
    with pytest.warns(RuntimeWarning, match=r"goes on at time 0.5 on cpu .* after cpu \(abacus\)") as caught:
        loaded = tf.Simulation.load(saved, device="cpu")
    assert [warning.filename for warning in caught] == [__file__]
    assert loaded.tokens.dtype == np.float64
    pretend(saved, 'precision = "double"', 'precision = "half"')
    with pytest.raises(tf.RunError, match="not in half"):
        tf.Simulation.load(saved, device="cpu")


def test_only_a_saved_simulation_is_replaced_and_only_by_a_whole_one(tmp_path: Path) -> None:
    saved, simulation = tmp_path / "saved", tf.Simulation(PROBLEM, device="cpu")
    saved.mkdir()
    (saved / "notes.txt").write_text("mine")
    with pytest.raises(tf.RunError, match=r"saved: holds notes.txt, which no saved simulation has"):
        simulation.save(saved)
    (saved / "notes.txt").rename(saved / "tokens.npy")
    with pytest.raises(tf.RunError, match=r"saved: holds a record without state.toml"):
        simulation.save(saved)
    assert (saved / "tokens.npy").read_text() == "mine"
    (saved / "tokens.npy").unlink()
    simulation.save(saved)
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    simulation.step(5)
    # Something is in the way of the new one.
    (tmp_path / ".saved.tokenfield-new").write_text("mine")
    with pytest.raises(tf.RunError, match=r"saved.tokenfield-new"):
        simulation.save(saved)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before
    (tmp_path / ".saved.tokenfield-new").unlink()
    simulation.save(f"{saved}/")
    assert tf.Simulation.load(saved).steps == 5
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]
    # A process that ended while the new one took the place of the old.
    saved.rename(tmp_path / ".saved.tokenfield-before")
    assert tf.Simulation.load(saved).steps == 5
    simulation.step(1)
    simulation.save(saved)
    assert tf.Simulation.load(saved).steps == 6
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]


def test_simulations_beside_the_one_that_is_saved_stay(tmp_path: Path) -> None:
    simulation = tf.Simulation(PROBLEM, device="cpu")
    names = ["saved", "saved.new", "saved.before", "saved.partial"]
    for steps, name in enumerate(names):
        simulation.save(tmp_path / name)
        simulation.step(1)
        assert simulation.steps == steps + 1
    simulation.save(tmp_path / "saved")
    assert [tf.Simulation.load(tmp_path / name).steps for name in names] == [4, 1, 2, 3]


def test_tokens_that_are_not_finite_replace_no_others(tmp_path: Path) -> None:
    problem = {
        **PROBLEM,
        "tokens": {**PROBLEM["tokens"], "geometry": "euclidean"},
        "attention": {"beta": 300.0, "normalization": "unnormalized"},
        "observe": {"every": 0.5, "quantities": ["moments"]},
    }
    simulation = tf.Simulation(problem, device="cpu")
    simulation.save(tmp_path / "saved")
    with contextlib.suppress(tf.RunError):
        simulation.step(5)
    with pytest.raises(tf.RunError, match=r"saved: nothing is saved, since tokens are no longer finite"):
        simulation.save(tmp_path / "saved")
    assert tf.Simulation.load(tmp_path / "saved").steps == 0


FILES = ("samples.csv", "tokens.npy", "trajectory.npy", "experiment.toml")


@pytest.mark.parametrize("raised", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupted_run_goes_on_to_the_bytes_of_an_undisturbed_one(tmp_path: Path, raised: Any) -> None:
    problem = {**PROBLEM, "noise": NOISE}
    whole = tf.simulate(problem, device="cpu", out=tmp_path / "whole")
    times: list[float] = []

    def stop(sample: dict[str, Any]) -> None:
        times.append(sample["time"])
        if sample["time"] in (0.5, 1.5):
            raise raised

    with pytest.raises(raised) as caught:
        tf.simulate(problem, device="cpu", out=tmp_path / "cut", checkpoint="1000steps", callback=stop)
    assert len(caught.value.__notes__) == 1
    assert f'tokenfield.resume("{tmp_path / "cut"}") goes on' in caught.value.__notes__[0]
    assert not (tmp_path / "cut" / "tokens.npy").exists()
    with pytest.raises(raised):
        tf.resume(tmp_path / "cut", callback=stop)
    run = tf.resume(str(tmp_path / "cut"), callback=stop)
    assert times == [0.0, 0.5, 1.0, 1.5, 2.0], "each sample is reported once"
    for file in FILES:
        assert (run.path / file).read_bytes() == (whole.path / file).read_bytes(), file
    assert len(run.manifest["resumed_at"]) == 2
    with pytest.raises(tf.RunError, match=r"cut: there is no checkpoint to go on from"):
        tf.resume(tmp_path / "cut")


def test_what_is_raised_at_the_end_finds_a_run_that_is_complete(tmp_path: Path) -> None:
    def stop(sample: dict[str, Any]) -> None:
        if sample["time"] == 2.0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        tf.simulate(PROBLEM, device="cpu", out=tmp_path / "run", checkpoint="10m", callback=stop)
    assert "open_run" in caught.value.__notes__[0]
    assert len(tf.open_run(tmp_path / "run").times) == 5


def test_without_checkpoints_a_run_ends_as_it_did(tmp_path: Path) -> None:
    def stop(sample: dict[str, Any]) -> None:
        if sample["time"] == 1.0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        tf.simulate(PROBLEM, device="cpu", out=tmp_path / "run", callback=stop)
    assert not hasattr(caught.value, "__notes__")
    assert not (tmp_path / "run" / "checkpoints").exists()
    with pytest.raises(tf.RunError, match=r"run: there is no checkpoint to go on from"):
        tf.resume(tmp_path / "run")


def test_intervals_and_folders_of_checkpoints_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'checkpoint: write a time or a number of steps, .* not "often"'):
        tf.simulate(PROBLEM, out=tmp_path / "run", checkpoint="often")
    assert not (tmp_path / "run").exists()
    with pytest.raises(ValueError, match="checkpoint: the folder of a run without out goes with it"):
        tf.simulate(PROBLEM, checkpoint="10m")


def test_checkpoints_are_written_while_a_run_goes_on(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    def look(sample: dict[str, Any]) -> None:
        seen.append(sorted(path.name for path in (tmp_path / "run").glob("checkpoints/*")))

    run = tf.simulate(PROBLEM, device="cpu", out=tmp_path / "run", checkpoint="5steps", callback=look)
    assert seen[0] == []
    assert all(seen[1:])
    plain = tf.simulate(PROBLEM, device="cpu")
    for file in FILES:
        assert (run.path / file).read_bytes() == (plain.path / file).read_bytes(), file


def test_a_run_goes_on_another_machine_only_where_it_is_named(tmp_path: Path) -> None:
    def stop(sample: dict[str, Any]) -> None:
        if sample["time"] == 1.0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tf.simulate(PROBLEM, device="cpu", out=tmp_path / "run", checkpoint="10m", callback=stop)
    (checkpoint,) = (tmp_path / "run" / "checkpoints").iterdir()
    pretend(checkpoint, arithmetic(checkpoint), 'arithmetic = "abacus"')
    with pytest.raises(tf.RunError, match=r'cpu \(abacus\), and this is cpu .*resume\(".*run", device="auto"\)'):
        tf.resume(tmp_path / "run")
    with pytest.warns(RuntimeWarning, match=r"after cpu \(abacus\)"):
        run = tf.resume(tmp_path / "run", device="cpu")
    assert len(run.times) == 5


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to itself")
def test_the_second_interrupt_does_not_wait(tmp_path: Path) -> None:
    delivered = 0

    # Signals that come while nobody looks are one, so they are sent until two have come; later ones raise nothing.
    def deliver(signum: int, frame: object) -> None:
        nonlocal delivered
        delivered += 1
        if delivered <= 2:
            raise KeyboardInterrupt

    def interrupt() -> None:
        while delivered < 2:
            time.sleep(0.3)
            if (tmp_path / "run").exists():
                os.kill(os.getpid(), signal.SIGINT)

    # A step takes minutes.
    slow = {**PROBLEM, "tokens": {"count": 400_000, "dim": 8, "initial": {"law": "uniform"}}, "observe": {}}
    usual = signal.signal(signal.SIGINT, deliver)
    interrupter = threading.Thread(target=interrupt)
    try:
        interrupter.start()
        with warnings.catch_warnings(), pytest.raises(KeyboardInterrupt) as caught:
            warnings.simplefilter("ignore")
            tf.simulate(slow, device="cpu", precision="double", out=tmp_path / "run", checkpoint="1h")
        interrupter.join()
    finally:
        signal.signal(signal.SIGINT, usual)
    assert caught.value.__notes__ == ["no checkpoint was waited for"]
