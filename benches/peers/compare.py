"""Tokenfield beside other programs that can do the same work, on the machine at hand.

    cargo build --release
    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install -r benches/peers/requirements.txt
    /tmp/peers/bin/python benches/peers/compare.py                  # on the CPU
    /tmp/peers/bin/python benches/peers/compare.py --device cuda    # peers on the CUDA device, ours with --backend gpu

For each work, ours and each peer run in processes of their own, by turns (ours, peer, peer, ours, peer, peer, ...),
so that a machine that slows down slows everybody down. A process warms up, then takes the median of three readings of at
least 0.1 s; the table has the median over the rounds, and the ratio peer / ours: above 1, ours is faster. The range is
that of the ratios round by round. All have the same number of threads. Operands are random with a fixed seed.

Ours evaluates the whole velocity (keys laid out anew, attention, projection on the tangent space); attention peers do
only the attention. Errors are against f64: the largest difference on 64 rows, over the largest component.
A peer that is not installed, or cannot do a work, is reported as such.

With --record every peer that was measured is also appended to benches/history.csv, as `history.py` says.
"""

import argparse
import csv
import functools
import importlib.metadata
import importlib.util
import io
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import history

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Work:
    name: str
    kind: str  # attention, circle, sphere or phase
    dim: int
    count: int
    beta: float
    ours: tuple
    peers: tuple
    causal: bool = False


def attention(dim, count, peers, causal=False):
    name = f"attention{', causal' if causal else ''}, d = {dim}, n = {count}"
    ours = ("--dim", str(dim), "--count", str(count)) + (("--mask", "causal") if causal else ())
    return Work(name, "attention", dim, count, 4.0, ours, peers, causal)


def harmonic(kind, dim, beta, peers):
    ours = ("--dim", str(dim), "--count", "1000000", "--beta", str(beta), "--algorithm", "harmonic")
    return Work(f"near-linear, {kind}, n = 1000000, beta = {beta}", kind, dim, 1_000_000, beta, ours, peers)


DENSE = ("torch-f32", "torch-bf16", "jax")
WORKS = [
    attention(3, 16384, (*DENSE, "keops")),
    attention(16, 16384, DENSE),
    attention(64, 8192, DENSE),
    attention(64, 8192, ("torch-f32", "torch-bf16"), causal=True),
    harmonic("circle", 2, 16.0, ("finufft",)),
    harmonic("sphere", 3, 4.0, ("ducc0",)),
    Work("phase diagram, 2048 x 32 tokens, 300 steps", "phase", 3, 32, 4.0, ("--phase",), ("torch-phase",)),
]
MODULES = {"torch": "torch", "jax": "jax", "keops": "pykeops", "finufft": "finufft", "ducc0": "ducc0"}


class Unsupported(Exception):
    pass


# ---- What a peer does, in its own process: each maker returns a function to time and, for attention, its output.


def tokens(count, dim, replicas=1):
    import numpy

    cloud = numpy.random.default_rng(1).standard_normal((replicas, count, dim))
    return cloud / numpy.linalg.norm(cloud, axis=-1, keepdims=True)


def torch_attention(work, device, threads, precision):
    import torch

    torch.set_num_threads(threads)
    x = torch.tensor(tokens(work.count, work.dim)[:, None], dtype=getattr(torch, precision), device=device)
    attend = torch.nn.functional.scaled_dot_product_attention

    def run():
        out = attend(x, x, x, is_causal=work.causal, scale=work.beta)
        if device == "cuda":
            torch.cuda.synchronize()
        return out

    return run, lambda out: out[0, 0].double().cpu().numpy()


def jax_attention(work, device, threads):
    import jax
    import numpy

    jax.config.update("jax_platforms", device)
    x = jax.numpy.asarray(tokens(work.count, work.dim)[0], dtype="float32")
    attend = jax.jit(lambda x: jax.nn.softmax(work.beta * (x @ x.T), axis=-1) @ x)
    return lambda: attend(x).block_until_ready(), lambda out: numpy.asarray(out, dtype="float64")


def keops_attention(work, device, threads):
    import torch
    from pykeops.torch import LazyTensor

    torch.set_num_threads(threads)
    x = torch.tensor(tokens(work.count, work.dim)[0], dtype=torch.float32, device=device)
    queries, keys = LazyTensor(work.beta * x[:, None, :]), LazyTensor(x[None, :, :])

    def run():
        out = (queries | keys).sumsoftmaxweight(keys, axis=1)
        if device == "cuda":
            torch.cuda.synchronize()
        return out

    return run, lambda out: out.double().cpu().numpy()


def finufft_circle(work, device, threads):
    """Phi and its derivative: e^{beta cos} has the Fourier coefficients I_k(beta)."""
    import finufft
    import numpy
    import scipy.special

    if device == "cuda":
        raise Unsupported("finufft is for the CPU")
    coefficients = scipy.special.ive(numpy.arange(200), work.beta)
    order = int(numpy.argmax(2 * numpy.cumsum(coefficients[::-1])[::-1] < 1e-6)) - 1
    k = numpy.arange(-order, order + 1)
    # Both results are real, so one complex transform carries the two of them.
    kernel = ((1 + 1j * 1j * k) * coefficients[abs(k)] / work.count).astype("complex64")
    x, y = tokens(work.count, 2)[0].T
    angles = numpy.arctan2(y, x).astype("float32")
    ones = numpy.ones(work.count, dtype="complex64")
    there, back = (
        finufft.Plan(kind, (len(k),), eps=1e-6, isign=sign, dtype="complex64", nthreads=threads)
        for kind, sign in ((1, -1), (2, 1))
    )

    def run():
        there.setpts(angles)
        back.setpts(angles)
        return back.execute(kernel * there.execute(ones))

    return run, lambda out: out.real


def ducc0_sphere(work, device, threads):
    """Phi and its surface gradient: e^{beta t} = 4 pi sum_lm i_l(beta) Y_lm Y_lm^*."""
    import ducc0
    import numpy
    import scipy.special

    if device == "cuda":
        raise Unsupported("ducc0 is for the CPU")
    degrees = numpy.arange(200)
    bessel = numpy.sqrt(numpy.pi / (2 * work.beta)) * scipy.special.ive(degrees + 0.5, work.beta)
    tail = numpy.cumsum(((2 * degrees + 1) * bessel)[::-1])[::-1]
    lmax = int(numpy.argmax(tail < 1e-6)) - 1
    degree = numpy.concatenate([numpy.arange(m, lmax + 1) for m in range(lmax + 1)])
    kernel = 4 * numpy.pi * bessel[degree] / work.count
    x, y, z = tokens(work.count, 3)[0].T
    loc = numpy.stack([numpy.arccos(z), numpy.arctan2(y, x) % (2 * numpy.pi)], axis=1)
    common = {"lmax": lmax, "loc": loc, "epsilon": 1e-6, "nthreads": threads}
    # In single precision it misses the tolerance by a factor of twenty.
    ones = numpy.ones((1, work.count))

    def run():
        alm = kernel * ducc0.sht.adjoint_synthesis_general(map=ones, spin=0, **common)
        phi = ducc0.sht.synthesis_general(alm=alm, spin=0, **common)
        return phi, ducc0.sht.synthesis_general(alm=alm, spin=1, mode="DERIV1", **common)

    return run, lambda out: out[0][0]


def torch_phase(work, device, threads):
    """The dense program: all replicas at once, scores written out, projected Euler steps."""
    import torch

    torch.set_num_threads(threads)
    start = torch.tensor(tokens(work.count, work.dim, 2048), dtype=torch.float32, device=device)

    def run():
        x = start
        for _ in range(300):
            v = torch.softmax(work.beta * (x @ x.mT), dim=-1) @ x
            v = v - (v * x).sum(-1, keepdim=True) * x
            x = torch.nn.functional.normalize(x + 0.1 * v, dim=-1)
        if device == "cuda":
            torch.cuda.synchronize()
        return x

    return run, None


PEERS = {
    "torch-f32": functools.partial(torch_attention, precision="float32"),
    "torch-bf16": functools.partial(torch_attention, precision="bfloat16"),
    "jax": jax_attention,
    "keops": keops_attention,
    "finufft": finufft_circle,
    "ducc0": ducc0_sphere,
    "torch-phase": torch_phase,
}


def error(work, output):
    """Of the attention, or of Phi where that is what a peer transforms, on every (n / 64)-th row."""
    import numpy

    x = tokens(work.count, work.dim)[0]
    rows = numpy.arange(0, work.count, work.count // 64)
    weights = numpy.exp(work.beta * (x[rows] @ x.T - 1))
    if work.causal:
        weights[numpy.arange(work.count) > rows[:, None]] = 0
    if work.kind == "attention":
        expected = weights @ x / weights.sum(axis=1, keepdims=True)
    else:
        expected = weights.mean(axis=1)
    return abs(output[rows] - expected).max() / abs(expected).max()


def measure(run):
    """The median of three readings of at least 0.1 s each, after a warm-up."""
    run()
    repeats, seconds = 1, reading(run, 1)
    while seconds < 0.1:
        repeats = min(10 * repeats, int(1.2 * repeats * 0.1 / seconds) + 1)
        seconds = reading(run, repeats)
    return statistics.median([seconds, reading(run, repeats), reading(run, repeats)]) / repeats


def reading(run, repeats):
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    return time.perf_counter() - start


def peer_process(peer, work, device, threads):
    """Prints seconds and error, or why there are none."""
    module = MODULES[peer.split("-")[0]]
    if importlib.util.find_spec(module) is None:
        return print(f"{module} is not installed")
    try:
        run, output = PEERS[peer](work, device, threads)
        wrong = "" if output is None else f"{error(work, output(run())):.1e}"
        print("measured", measure(run), wrong)
    except Unsupported as reason:
        print(reason)


# ---- Who runs when, and the table.


def seconds_of_peer(peer, index, arguments):
    command = [sys.executable, __file__, "--device", arguments.device, "--peer", peer, str(index)]
    command += ["--threads", str(arguments.threads)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(arguments.threads))
    words = done.stdout.splitlines()[-1].split() if done.stdout.strip() else []
    if done.returncode != 0 or words[:1] != ["measured"]:
        raise Unsupported(" ".join(words) or (done.stderr.strip().splitlines() or ["failed"])[-1])
    return float(words[1]), "".join(words[2:])


def seconds_of_ours(work, arguments):
    backend = "gpu" if arguments.device == "cuda" else "cpu"
    command = [arguments.binary, "bench", "--csv", "--repeats", "3", "--backend", backend, *work.ours]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(arguments.threads))
    if done.returncode != 0:
        raise Unsupported(done.stderr.strip().splitlines()[-1])
    row = next(csv.DictReader(io.StringIO(done.stdout)))
    if work.kind == "phase":
        return 300 / float(row["steps_per_second"]), ""
    return float(row["seconds_per_evaluation"]), ""


def environment(threads):
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
    return os.environ | {name: str(threads) for name in names}


def compare(index, work, arguments):
    """Seconds and notes of one work: all run by turns, and whoever cannot is left out from then on."""
    takers = {"ours": lambda: seconds_of_ours(work, arguments)}
    for peer in work.peers:
        takers[peer] = functools.partial(seconds_of_peer, peer, index, arguments)
    times, notes = {name: [] for name in takers}, {}
    for _ in range(arguments.rounds):
        for name in [name for name in takers if name not in notes or times[name]]:
            try:
                seconds, note = takers[name]()
                times[name].append(seconds)
                notes[name] = note
            except Unsupported as reason:
                times[name], notes[name] = [], f"unsupported: {reason}"
    return times, notes


def line(work, name, times, note):
    seconds, ratio, spread = "-", "-", "-"
    if times[name]:
        seconds = f"{statistics.median(times[name]):.3g}"
    if times[name] and times["ours"] and name != "ours":
        ratio = f"{statistics.median(times[name]) / statistics.median(times['ours']):.2f}"
        by_round = [theirs / ours for theirs, ours in zip(times[name], times["ours"])]
        spread = f"{min(by_round):.2f} .. {max(by_round):.2f}"
    return f"| {work.name} | {name} | {seconds} | {ratio} | {spread} | {note} |"


def versions(times):
    peers = [peer for peer in times if times[peer] and peer != "ours"]
    return {peer: importlib.metadata.version(MODULES[peer.split("-")[0]]) for peer in peers}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="works whose name contains this")
    parser.add_argument("--binary", default=ROOT / "target/release/tokenfield")
    parser.add_argument("--record", action="store_true", help="append what is measured to benches/history.csv")
    parser.add_argument("--peer", nargs=2, metavar=("PEER", "WORK"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        peer, index = arguments.peer
        return peer_process(peer, WORKS[int(index)], arguments.device, arguments.threads)
    if arguments.record:
        about = history.about(arguments)
    load = os.getloadavg()[0]
    print(f"{platform.platform()}, {arguments.threads} threads, {arguments.rounds} rounds, load {load:.1f} at the start\n")
    print("| work | program | seconds | ratio to ours | range | error against f64 |\n|---|---|---|---|---|---|")
    for index, work in enumerate(WORKS):
        if arguments.only in work.name:
            times, notes = compare(index, work, arguments)
            for name in times:
                print(line(work, name, times, notes[name]), flush=True)
            if arguments.record:
                history.append(history.rows(work, times, versions(times), about))


if __name__ == "__main__":
    main()
