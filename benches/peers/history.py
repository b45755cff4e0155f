"""What `compare.py --record` appends to benches/history.csv, one row for each peer that was measured:

    commit        of the working tree, which must have no changes; the program must have been built after it
    date          of the day, in UTC
    machine       the processor and what `tokenfield devices` says of it, or the adapter; threads, and the load before the run
    work          as in the table
    ours_seconds  the median over the rounds
    peer          its name and the versions of its packages
    peer_seconds  the median over the rounds
    ratio         peer_seconds / ours_seconds

Rows of one commit, date and machine were taken by turns and compare; others do not.
"""

import csv
import datetime
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HISTORY = ROOT / "benches/history.csv"
COLUMNS = ("commit", "date", "machine", "work", "ours_seconds", "peer", "peer_seconds", "ratio")


def git(*arguments):
    return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=True).stdout.strip()


def commit_of(binary):
    """The commit that the program was built from; ends where that cannot be said."""
    if changes := git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!benches/history.csv"):
        sys.exit(f"--record: the working tree has changes that no commit has; commit or stash them first:\n{changes}")
    if not Path(binary).exists() or Path(binary).stat().st_mtime < int(git("log", "-1", "--format=%ct")):
        sys.exit(f"--record: {binary} is older than the commit; run cargo build --release first")
    return git("rev-parse", "--short=12", "HEAD")


def machine(arguments):
    kind = "gpu" if arguments.device == "cuda" else "cpu"
    devices = subprocess.run([arguments.binary, "devices"], capture_output=True, text=True, check=True).stdout
    named = [line.removeprefix(kind).removesuffix("<- auto").strip() for line in devices.splitlines() if line.startswith(kind)]
    if not named:
        sys.exit(f"--record: `{arguments.binary} devices` lists no {kind}")
    model = f"{processor()}; " if kind == "cpu" else ""
    return f"{model}{named[0]}; {arguments.threads} threads in use; load {os.getloadavg()[0]:.1f}"


def processor():
    """What the processor is called, as far as the system says."""
    models = Path("/proc/cpuinfo")
    lines = models.read_text().splitlines() if models.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def about(arguments):
    """Commit, date and machine."""
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    return commit_of(arguments.binary), today, machine(arguments)


def rows(work, times, versions, about):
    """What is kept of one work; `versions` has the packages of each peer."""
    for peer, seconds in times.items():
        if peer != "ours" and seconds and times["ours"]:
            ours, theirs = statistics.median(times["ours"]), statistics.median(seconds)
            numbers = f"{ours:.4g}", f"{peer} {versions[peer]}", f"{theirs:.4g}", f"{theirs / ours:.4g}"
            yield *about, work.name, *numbers


def append(kept):
    is_new = not HISTORY.exists()
    with HISTORY.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(COLUMNS)
        writer.writerows(kept)
