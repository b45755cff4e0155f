"""Time the first look at a large trajectory: opened lazily by xarray, one slice of it drawn, beside NumPy alone.

    python benches/trajectory.py target/release/tokenfield --tokens 10000000 --samples 20 --folder /tmp/large

runs the problem, unless the folder holds it already, and prints seconds; caches of the system are as the run left them.
"""

import argparse
import subprocess
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import xarray

PROBLEM = """
name = "large"
algorithm = "harmonic"
tokens = {{ count = {tokens}, dim = 3, initial = {{ law = "uniform" }} }}
attention = {{ beta = 4.0, normalization = "softmax" }}
time = {{ scheme = "euler", step = 0.1, end = {end} }}
observe = {{ every = 0.1, quantities = ["energy", "tokens"], tokens = {{ format = "zarr" }} }}
"""


def main() -> None:
    """Run, open, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--tokens", type=int, default=10_000_000)
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    run = given.folder / "run"
    if not run.exists():
        given.folder.mkdir(parents=True, exist_ok=True)
        problem = given.folder / "large.toml"
        problem.write_text(PROBLEM.format(tokens=given.tokens, end=round(0.1 * (given.samples - 1), 9)))
        start = time.perf_counter()
        subprocess.run([given.program, "run", problem, "--backend", "cpu", "--no-plot", "--out", run], check=True)
        print(f"run: {time.perf_counter() - start:.1f} s")
    start = time.perf_counter()
    opened = xarray.open_zarr(run / "trajectory.zarr", consolidated=False, chunks=None)
    print(f"opened {dict(opened.tokens.sizes)}: {time.perf_counter() - start:.3f} s")
    for what, key in {
        "every 100th token of one sample": {"sample": -1, "replica": 0, "token": slice(None, None, 100)},
        "2^20 tokens of one sample": {"sample": -1, "replica": 0, "token": slice(0, 2**20)},
    }.items():
        start = time.perf_counter()
        x = opened.tokens.isel(key).values
        read = time.perf_counter() - start
        figure, axes = plt.subplots()
        axes.hist2d(np.arctan2(x[:, 1], x[:, 0]), x[:, 2], bins=200)
        figure.savefig(given.folder / "slice.png")
        print(f"{what}: read in {read:.3f} s, drawn after {time.perf_counter() - start:.3f} s")


if __name__ == "__main__":
    main()
