"""How long one velocity takes against the number of tokens, by either algorithm, as a table and a figure.

    cargo build --release
    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install -r benches/peers/requirements.txt
    /tmp/peers/bin/python benches/scaling.py --figure assets/pictures/scaling.png

Every number is the median that `tokenfield bench` prints; sizes and algorithms take turns. Direct sums stop where one
velocity would take more than ten seconds.
"""

import argparse
import csv
import io
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COUNTS = [10**3, 3 * 10**3, 10**4, 3 * 10**4, 10**5, 3 * 10**5, 10**6, 3 * 10**6, 10**7]
CURVES = [
    ("circle, beta = 16", 2, 16.0, "direct"),
    ("circle, beta = 16", 2, 16.0, "harmonic"),
    ("sphere, beta = 4", 3, 4.0, "direct"),
    ("sphere, beta = 4", 3, 4.0, "harmonic"),
]
LONGEST = 10.0


def seconds(binary, dim, beta, algorithm, count):
    command = [binary, "bench", "--csv", "--repeats", "3", "--backend", "cpu", "--algorithm", algorithm]
    command += ["--dim", str(dim), "--beta", str(beta), "--count", str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(next(csv.DictReader(io.StringIO(done.stdout)))["seconds_per_evaluation"])


def measure(binary):
    times = {curve: {} for curve in CURVES}
    for count in COUNTS:
        for curve in CURVES:
            _, dim, beta, algorithm = curve
            before = times[curve].get(max(times[curve], default=0), 0.0)
            step = count / max(times[curve], default=count)
            if algorithm == "direct" and before * step**2 > LONGEST:
                continue
            times[curve][count] = seconds(binary, dim, beta, algorithm, count)
    return times


def draw(times, path):
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.2), dpi=150)
    colors = {"circle, beta = 16": "#0072b2", "sphere, beta = 4": "#d55e00"}
    for (cloud, _, _, algorithm), curve in times.items():
        style = {"color": colors[cloud], "marker": "o", "markersize": 4}
        style["linestyle"] = "--" if algorithm == "direct" else "-"
        axes.loglog(list(curve), list(curve.values()), label=f"{cloud}: {algorithm}", **style)
    axes.set_xlabel("tokens n")
    axes.set_ylabel("seconds per velocity of all tokens")
    axes.grid(True, which="major", linewidth=0.4, color="#cccccc")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=ROOT / "target/release/tokenfield")
    parser.add_argument("--figure", type=Path, help="where to draw the curves")
    arguments = parser.parse_args()
    times = measure(arguments.binary)
    print("| n |" + "".join(f" {cloud}: {algorithm} |" for cloud, _, _, algorithm in CURVES))
    print("|---|" + "---|" * len(CURVES))
    for count in COUNTS:
        cells = (f" {times[curve][count]:.3g} |" if count in times[curve] else " - |" for curve in CURVES)
        print(f"| {count} |" + "".join(cells))
    if arguments.figure:
        draw(times, arguments.figure)


if __name__ == "__main__":
    main()
