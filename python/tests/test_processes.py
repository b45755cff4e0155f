"""Forks, pools, threads, interrupts and memory."""

import gc
import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import literal
import numpy as np
import psutil
import pytest
from literal import F64

import tokenfield as tf

# The first lines of scripts that run in a process of their own.
PREAMBLE = """
import os, sys
import numpy as np
import tokenfield as tf
import literal
"""
PACKAGE = Path(tf.__file__).parents[1]
PATH = os.pathsep.join([str(PACKAGE), str(Path(__file__).parent)])
# Who hangs is ended after so many seconds.
PATIENCE = 60.0


def calls(seed: int, n: int = 40) -> dict[str, Callable[[], Any]]:
    """Return a call of every function, on clouds of this seed."""
    x, y = literal.sphere(seed, n, 3), literal.sphere(seed + 1, n, 3)
    w = literal.masses(seed, n)
    return {
        "attention_velocity": lambda: tf.attention_velocity(x, 2.0, weights=w),
        "attention_rows": lambda: tf.attention_rows(x, 2.0, [0, 3]),
        "energy": lambda: tf.energy(x, 2.0, query_key=0.5),
        "observe": lambda: tf.observe(x, ["moments", "clusters"]),
        "clusters": lambda: tf.clusters(x, 0.9),
        "wasserstein": lambda: tf.wasserstein(x, y),
        "circle": lambda: tf.wasserstein(x[:, :2], y[:, :2], method="circle"),
        "sliced_wasserstein": lambda: tf.sliced_wasserstein(x, y, a=w, n_projections=8),
        "sinkhorn_divergence": lambda: tf.sinkhorn_divergence(x, y, epsilon=2.0),
        "mmd": lambda: tf.mmd(x, y, w),
        "energy_distance": lambda: tf.energy_distance(x, y),
        "initial": lambda: tf.initial.uniform(n, 3, seed),
    }


FUNCTIONS = list(calls(0))


def same(found: Any, expected: Any) -> bool:
    return bool(np.array_equal(found, expected)) if isinstance(found, np.ndarray) else bool(found == expected)


def run(script: str) -> list[str]:
    """Run a script in a process of its own, which has to end well, and return the lines that it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PREAMBLE + script],
        env={**os.environ, "PYTHONPATH": PATH},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


needs_fork = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")

FORKED = """
x = literal.sphere(1, 40, 3)
{before}
sys.stdout.flush()
child = os.fork()
if child == 0:
    import test_processes
    for name, call in test_processes.calls(0).items():
        try:
            call()
            print(name)
        except RuntimeError as error:
            print(name, error)
    sys.stdout.flush()
    os._exit(0)
_, status = os.waitpid(child, 0)
assert status == 0
assert np.abs(tf.attention_velocity(x) - literal.velocity(x, 1.0)).max() < 1e-12
print("parent")
"""


@needs_fork
def test_a_process_that_was_forked_after_use_is_refused() -> None:
    lines = run(FORKED.format(before="tf.attention_velocity(x)"))
    message = (
        "this process was forked from one that has used tokenfield, and its threads are missing here; "
        'call multiprocessing.set_start_method("spawn") first'
    )
    assert lines == [*(f"{name} {message}" for name in FUNCTIONS), "parent"]


@needs_fork
def test_a_process_that_was_forked_before_use_computes() -> None:
    assert run(FORKED.format(before="")) == [*FUNCTIONS, "parent"]


def velocity_of(seed: int) -> Any:
    return tf.attention_velocity(literal.sphere(seed, 30, 3), 2.0)


def test_pool_of_spawned_processes() -> None:
    tf.attention_velocity(literal.sphere(0, 30, 3))
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = pool.map_async(velocity_of, range(6)).get(PATIENCE)
    for seed, velocity in enumerate(found):
        assert np.abs(velocity - literal.velocity(literal.sphere(seed, 30, 3), 2.0)).max() < 1e-12


def test_threads_at_once_compute_what_one_does() -> None:
    work = [call for seed in range(8) for call in calls(seed).values()]
    expected = [call() for call in work]
    start = threading.Barrier(8)

    def shuffled(seed: int) -> list[bool]:
        start.wait(PATIENCE)
        order = np.random.default_rng(seed).permutation(len(work)).tolist()
        return [same(work[index](), expected[index]) for index in order]

    with ThreadPoolExecutor(8) as pool:
        assert all(all(found) for found in pool.map(shuffled, range(8)))


def progress_during(call: Callable[[int], object]) -> int:
    """Return how often this thread wakes from sleeps of a millisecond while another is in a call of over a second."""
    size = 500
    while True:
        thread = threading.Thread(target=call, args=(size,))
        began, count = time.monotonic(), 0
        thread.start()
        while thread.is_alive():
            time.sleep(0.001)
            count += 1
        if time.monotonic() - began > 1.0:
            return count
        size = size * 3 // 2


def two(n: int) -> tuple[F64, F64]:
    return literal.sphere(1, n, 4), literal.sphere(2, n, 4)


LONG: dict[str, Callable[[int], object]] = {
    "attention_velocity": lambda n: tf.attention_velocity(literal.sphere(1, n, 4)),
    "energy": lambda n: tf.energy(literal.sphere(1, n, 4)),
    "observe": lambda n: tf.observe(literal.sphere(1, n, 4), "clusters"),
    "wasserstein": lambda n: tf.wasserstein(*two(n)),
    "sliced_wasserstein": lambda n: tf.sliced_wasserstein(*two(n)),
    "sinkhorn_divergence": lambda n: tf.sinkhorn_divergence(*two(n), epsilon=0.5),
    "mmd": lambda n: tf.mmd(*two(n)),
    "energy_distance": lambda n: tf.energy_distance(*two(n)),
}


@pytest.mark.parametrize("function", LONG)
def test_other_threads_go_on_during_a_call(function: str) -> None:
    assert progress_during(LONG[function]) > 50


def test_progress_is_not_seen_where_a_call_keeps_the_interpreter() -> None:
    # The sum is one call of C, which lets no other thread run.
    assert progress_during(lambda n: sum(range(n * 20_000))) < 25


def refused() -> None:
    x = literal.sphere(0, 24, 3)
    with pytest.raises(ValueError):
        tf.attention_velocity(2.0 * x)
    with pytest.raises(ValueError):
        tf.mmd(x, x[:, :2])
    with pytest.raises(ValueError):
        tf.observe(x, "none")


def new_equations() -> Callable[[], object]:
    x, betas = literal.sphere(0, 24, 3), itertools.count(1)
    return lambda: tf.attention_velocity(x, next(betas) * 1e-4)


def leak() -> Callable[[], object]:
    kept: list[bytes] = []
    return lambda: kept.append(bytes(500))


def growth(name: str, count: int) -> int:
    """Return by how many bytes the process grows over so many calls, after a fifth as many to warm up."""
    others = {"refused": lambda: refused, "new equations": new_equations, "leak": leak}
    call = others[name]() if name in others else calls(0, n=24)[name]
    process = psutil.Process()
    sizes: list[int] = []
    for repeats in (count // 5, count):
        for _ in range(repeats):
            call()
        gc.collect()
        sizes.append(process.memory_info().rss)
    return sizes[1] - sizes[0]


# Each call takes in 576 bytes at least: a leak of them is almost six times this.
CALLS, BOUND = 10_000, 1_000_000
# A process of its own has no memory that others gave back, in which a leak would be hidden.
GROWTH = "import test_processes; print(test_processes.growth({name!r}, {count}))"


@pytest.mark.parametrize("name", [*FUNCTIONS, "refused", "new equations"])
def test_calls_leave_no_memory_behind(name: str) -> None:
    assert int(run(GROWTH.format(name=name, count=CALLS))[0]) < BOUND


RUNS = """
import gc, psutil
problem = {"tokens": {"count": 64, "dim": 3, "initial": {"law": "uniform"}},
           "attention": {"beta": 4.0, "normalization": "softmax"},
           "time": {"scheme": "euler", "step": 0.1, "end": 1.0}, "observe": {"every": 0.1, "quantities": ["moments"]}}
def stop(sample):
    if sample["time"] > 0.45:
        raise KeyError
def aborted():
    try:
        tf.simulate(problem, callback=stop, device="cpu")
    except KeyError:
        return
    raise AssertionError("it was not aborted")
def stepped():
    simulation = tf.Simulation(problem, device="cpu")
    simulation.step(3)
    simulation.set({"attention.beta": 5.0})
    assert simulation.observe()["time"] == 0.3 and simulation.tokens.shape == (1, 64, 3)
process, sizes = psutil.Process(), []
for repeats in (50, 100):
    for _ in range(repeats):
        aborted()
        stepped()
    gc.collect()
    sizes.append(process.memory_info().rss)
print(sizes[1] - sizes[0], process.num_threads())
"""


def test_aborted_runs_and_simulations_leave_neither_memory_nor_threads() -> None:
    grown, threads = map(int, run(RUNS)[0].split())
    assert grown < 2_000_000
    assert threads < 40


FORKED_RUNS = """
import os, sys
problem = {"tokens": {"count": 8, "dim": 3, "initial": {"law": "uniform"}},
           "attention": {"beta": 4.0, "normalization": "softmax"}, "time": {"scheme": "euler", "step": 0.1, "end": 1.0}}
simulation = tf.Simulation(problem, device="cpu")
simulation.step(1)
folder = tf.simulate(problem, device="cpu")
calls = [lambda: simulation.step(1), lambda: simulation.tokens, lambda: tf.Simulation(problem), folder.plot,
         lambda: tf.simulate(problem), lambda: tf.sweep(problem, {"attention.beta": [1.0]}),
         lambda: tf.papers("sinkformers")]
for call in calls:
    child = os.fork()
    if child == 0:
        try:
            call()
        except RuntimeError as error:
            os._exit(0 if "set_start_method" in str(error) else 2)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
        os._exit(1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@needs_fork
def test_runs_simulations_and_sweeps_explain_a_fork() -> None:
    assert run(FORKED_RUNS) == ["0"] * 7


def test_a_leak_is_seen() -> None:
    assert int(run(GROWTH.format(name="leak", count=CALLS))[0]) > BOUND


MILLION = """
import psutil, threading, tracemalloc
x = literal.sphere(1, 1_000_000, 2).astype(np.{dtype})
def call():
    return tf.attention_velocity(x, algorithm="harmonic", device="cpu")
call()
process, peak, done = psutil.Process(), 0, threading.Event()
before = process.memory_info().rss
def watch():
    global peak
    while not done.wait(0.002):
        peak = max(peak, process.memory_info().rss - before)
watcher = threading.Thread(target=watch)
watcher.start()
tracemalloc.start()
for _ in range(12):
    call()
_, traced = tracemalloc.get_traced_memory()
done.set()
watcher.join()
print(x.nbytes, traced, peak, process.memory_info().rss - before)
"""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_million_tokens_are_copied_once_in_and_once_out(dtype: str) -> None:
    size, traced, peak, after = map(int, run(MILLION.format(dtype=dtype))[0].split())
    # NumPy makes no copy on the way in: all copies are of doubles in Rust.
    assert traced < 0.1 * size
    # Tokens, those of the backend, velocities there and on their way out, and what the allocator keeps. A copy that
    # each call left behind would be twelve.
    doubles = 16_000_000
    assert peak < 8 * doubles
    assert after < 4 * doubles


INTERRUPTED = """
import traceback
x = literal.sphere(1, {n}, {d})
problem = dict(
    tokens=dict(count=2000, dim=16, initial=dict(law="uniform")),
    attention=dict(beta=1.0, normalization="softmax"),
    time=dict(scheme="euler", step=0.001, end=1e6),
)
print("ready", flush=True)
try:
    {call}
    print("not interrupted")
except KeyboardInterrupt as interrupt:
    frames = traceback.extract_tb(interrupt.__traceback__)
    print("interrupted", os.path.basename(os.path.dirname(frames[-1].filename)), flush=True)
x = x[:50]
assert np.abs(tf.attention_velocity(x) - literal.velocity(x, 1.0)).max() < 1e-12
run = tf.simulate(problem, set={{"time.end": 0.002, "tokens.count": 10}}, progress=False)
print(len(run.times), flush=True)
os._exit(0)
"""

# Calls of hours, and how many tokens of how many components they are of.
HOURS = {
    "simulate": ("tf.simulate(problem, progress=False)", 100, 16),
    "simulate with a callback": ("tf.simulate(problem, progress=False, callback=lambda sample: None)", 100, 16),
    "step": ("tf.Simulation(problem).step(10**9)", 100, 16),
    "one direct sum": ('tf.attention_velocity(x, algorithm="direct")', 1_000_000, 16),
    "attention_rows": ("tf.attention_rows(x)", 10_000, 512),
    "observe": ('tf.observe(x, "energy")', 1_000_000, 16),
    "clusters": ("tf.clusters(x, 0.9)", 1_000_000, 16),
    "energy_distance": ("tf.energy_distance(x, x)", 1_000_000, 16),
    "sinkhorn_divergence": ("tf.sinkhorn_divergence(x, -x)", 100_000, 16),
    "wasserstein": ("tf.wasserstein(x, -x)", 8192, 16),
    "sliced_wasserstein": ("tf.sliced_wasserstein(x, -x, n_projections=10**7)", 10_000, 16),
}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
@pytest.mark.parametrize("name", HOURS)
def test_interrupts_end_a_call_and_the_process_goes_on(name: str) -> None:
    call, n, d = HOURS[name]
    child = subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + INTERRUPTED.format(call=call, n=n, d=d)],
        env={**os.environ, "PYTHONPATH": PATH},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(1.0)
        child.send_signal(signal.SIGINT)
        printed, errors = child.communicate(timeout=PATIENCE)
    finally:
        child.kill()
    assert (printed, child.returncode) == ("interrupted tokenfield\n2\n", 0), errors
