"""Weak scaling over processes: one process of two threads against two processes of one thread, on the same tokens.

    cargo build --release --no-default-features --features mpi
    python benches/ranks.py [target/release/tokenfield]

A step is the difference of a long and a short run, divided by the steps between them, so that neither the law nor the files count. Runs take turns;
what is printed is the ratio of medians. Only an idle machine gives a ratio: a process that waits for another one spins.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

EXPERIMENT = """
name = "ranks"
algorithm = "{algorithm}"
tokens = {{ count = {count}, dim = 3, initial = {{ law = "uniform" }} }}
attention = {{ beta = 4.0, normalization = "softmax" }}
time = {{ scheme = "euler", step = 0.01, end = {end} }}
observe = {{ every = {end}, quantities = ["moments"] }}
"""
ROUNDS = 7
WORK = [("harmonic", 2_000_000, 10, 60), ("direct", 65_536, 1, 5)]
SHAPES = {"1 process, 2 threads": (1, 2), "2 processes, 1 thread": (2, 1)}


def seconds(program: str, folder: Path, text: str, processes: int, threads: int) -> float:
    """The wall time of one run, without its beginning and its end."""
    (folder / "ranks.toml").write_text(text)
    command = [program, "run", "ranks.toml", "--backend", "cpu", "--no-plot", "--out", "run"]
    launcher = ["mpirun", "-n", str(processes)] if processes > 1 else []
    environment = dict(os.environ, RAYON_NUM_THREADS=str(threads))
    subprocess.run(launcher + command, cwd=folder, env=environment, check=True, capture_output=True)
    wall = json.loads((folder / "run" / "manifest.json").read_text())["wall_seconds"]
    for file in (folder / "run").iterdir():
        file.unlink()
    return wall


def main() -> None:
    """Prints a row for each kind of sums."""
    program = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "target/release/tokenfield")
    print("| sums | n | 1 process, 2 threads | 2 processes, 1 thread | ratio |")
    print("|---|---|---|---|---|")
    for algorithm, count, short, long in WORK:
        steps: dict[str, list[float]] = {name: [] for name in SHAPES}
        for _ in range(ROUNDS):
            for name, (processes, threads) in SHAPES.items():
                with tempfile.TemporaryDirectory() as folder:
                    walls = [
                        seconds(
                            program,
                            Path(folder),
                            EXPERIMENT.format(algorithm=algorithm, count=count, end=end * 0.01),
                            processes,
                            threads,
                        )
                        for end in (short, long)
                    ]
                steps[name].append((walls[1] - walls[0]) / (long - short))
        one, two = (statistics.median(values) for values in steps.values())
        print(f"| {algorithm} | {count} | {one:.4f} s | {two:.4f} s | {two / one:.2f} |", flush=True)


if __name__ == "__main__":
    main()
