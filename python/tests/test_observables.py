"""Every observable at given tokens, against literal formulas."""

import re
from typing import Any

import literal
import numpy as np
import numpy.typing as npt
import ot
import pytest
from literal import F64
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import connected_components
from scipy.special import eval_legendre

import tokenfield as tf

TOLERANCE = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-11}
TYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
SHAPES = pytest.mark.parametrize(
    ("n", "d"), [(1, 2), (2, 2), (2, 3), (7, 3), (64, 2), (64, 3), (300, 3), (64, 8), (64, 16)]
)


def check(
    x: npt.NDArray[Any], words: str | list[str], expected: dict[str, float], beta: float = 1.0, **given: Any
) -> None:
    """Compare all columns of the words, in their order."""
    found = tf.observe(x, words, beta, device="cpu", **given)
    assert list(found) == list(expected)
    assert all(type(value) is float for value in found.values())
    assert found == pytest.approx(expected, rel=TOLERANCE[x.dtype], abs=TOLERANCE[x.dtype], nan_ok=True)


def drawn(n: int, d: int, dtype: npt.DTypeLike) -> tuple[npt.NDArray[Any], F64, F64]:
    """Return tokens in their type and in float64, and weights."""
    x = literal.sphere(100 * n + d, n, d).astype(dtype)
    return x, x.astype(np.float64), literal.masses(n, n)


def bunches(seed: int, d: int) -> F64:
    """Return tokens in tight bunches of 1 to 9, far from each other in angle, in a random order."""
    rng = np.random.default_rng(seed)
    x = np.repeat(literal.sphere(seed, 6, d), [1, 2, 3, 5, 9, 9], axis=0)
    x = x + 0.01 * rng.normal(size=x.shape)
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    return rng.permutation(x)


def pairs(w: F64, of: F64) -> tuple[F64, F64]:
    """Return weights w_i w_j of pairs i < j, of sum one, and their entries of a matrix."""
    upper = np.triu_indices(len(w), 1)
    share = np.outer(w, w)[upper]
    return share / share.sum(), of[upper]


@TYPES
@SHAPES
def test_moments(n: int, d: int, dtype: npt.DTypeLike) -> None:
    x, exact, w = drawn(n, d, dtype)
    mean = w @ exact
    eigenvalues = np.linalg.eigvalsh((exact.T * w) @ exact)[::-1]
    expected = {f"mean_{k}": mean[k] for k in range(d)} | {"mean_norm": float(np.linalg.norm(mean))}
    expected |= {f"second_moment_eigenvalue_{k}": eigenvalues[k] for k in range(d)}
    check(x, "moments", expected, weights=w)


@TYPES
@SHAPES
def test_energies(n: int, d: int, dtype: npt.DTypeLike) -> None:
    x, exact, w = drawn(n, d, dtype)
    a = np.random.default_rng(n).normal(size=(d, d))
    log_energy = float(np.log(literal.energy(exact, 2.0, weights=w, query_key=a)))
    expected = {"log_energy": log_energy, "log_energy_0": log_energy, "log_energy_drift": 0.0}
    words = ["energy", "head_energies", "energy_drift"]
    check(x, words, expected, 2.0, weights=w, query_key=a)


def test_energy_beyond_the_range_of_numbers() -> None:
    x = literal.sphere(1, 1, 3)
    check(x, "energy", {"log_energy": 5000.0 - np.log(10_000.0)}, 5000.0)


@TYPES
@SHAPES
def test_distance_from_a_point_and_overlaps(n: int, d: int, dtype: npt.DTypeLike) -> None:
    x, exact, w = drawn(n, d, dtype)
    mean = w @ exact
    e = mean / np.linalg.norm(mean)
    expected = {
        "w2_dirac": float(np.sqrt(w @ ((exact - e) ** 2).sum(axis=1))),
        "overlap_min": float((exact @ e).min()),
        "overlap_mean": float(w @ (exact @ e)),
    }
    if n == 1:
        # The distance of a token from itself is the square root of a rounding.
        found = tf.observe(x, "w2_dirac", weights=w)
        assert found["w2_dirac"] <= np.sqrt(TOLERANCE[x.dtype])
        del expected["w2_dirac"]
        check(x, "overlap", expected, weights=w)
    else:
        check(x, ["w2_dirac", "overlap"], expected, weights=w)


@TYPES
@SHAPES
def test_overlaps_of_pairs(n: int, d: int, dtype: npt.DTypeLike) -> None:
    x, exact, w = drawn(n, d, dtype)
    share, overlap = pairs(w, exact @ exact.T)
    check(x, "pair_overlap", {"pair_overlap": float(share @ overlap) if n > 1 else np.nan}, weights=w)


@TYPES
@pytest.mark.parametrize("n", [2, 7, 64, 300])
@pytest.mark.parametrize("bins", [1, 10, 32])
def test_shares_of_overlaps(bins: int, n: int, dtype: npt.DTypeLike) -> None:
    x, exact, w = drawn(n, 3, dtype)
    share, overlap = pairs(w, exact @ exact.T)
    counts, _ = np.histogram(overlap, bins=bins, range=(-1.0, 1.0), weights=share)
    expected = {f"overlap_histogram_{k}": count for k, count in enumerate(counts.tolist())}
    expected |= {"overlap_histogram_error": 0.0}
    check(x, "overlap_histogram", expected, weights=w, bins=bins)
    for above in (-0.5, 0.9):
        expected = {"overlap_share": float(share[overlap > above].sum()), "overlap_share_error": 0.0}
        check(x, "overlap_share", expected, weights=w, above=above)


def test_histogram_of_drawn_pairs() -> None:
    x, _, w = drawn(300, 3, np.float64)
    share, overlap = pairs(w, x @ x.T)
    counts, _ = np.histogram(overlap, bins=8, range=(-1.0, 1.0), weights=share)
    found = tf.observe(x, "overlap_histogram", weights=w, bins=8, pairs=10_000)
    error = np.sqrt(counts * (1.0 - counts) / 10_000)
    shares = np.array([found[f"overlap_histogram_{k}"] for k in range(8)])
    assert found["overlap_histogram_error"] == pytest.approx(error.max(), rel=0.05)
    assert 0.1 < np.abs((shares - counts) / error).max() < 4.0


@TYPES
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("d", [2, 3, 8])
@pytest.mark.parametrize("threshold", [0.5, 0.99, 0.9995])
def test_clusters_are_connected_components(threshold: float, d: int, seed: int, dtype: npt.DTypeLike) -> None:
    x = bunches(seed, d).astype(dtype)
    exact, w = x.astype(np.float64), literal.masses(seed, len(x))
    overlap = exact @ exact.T
    assert np.abs(overlap - threshold).min() > 1e-6, "a pair at the threshold: take another seed"
    count, labels = connected_components(overlap >= threshold, directed=False)
    weights = sorted(np.bincount(labels, weights=w), reverse=True) + 8 * [0.0]
    expected = {"clusters": float(count)} | {f"cluster_weight_{k}": float(weights[k]) for k in range(8)}
    check(x, "clusters", expected, weights=w, threshold=threshold, largest=8)
    assert tf.clusters(x, threshold) == count
    assert tf.clusters(3.0 * x, threshold, geometry="pre-norm") == count
    assert np.array_equal(tf.clusters(np.stack([x, x[::-1]]), threshold), [count, count])


@TYPES
@pytest.mark.parametrize("n", [1, 7, 64, 300])
def test_modes_of_the_circle(n: int, dtype: npt.DTypeLike) -> None:
    x, exact, w = drawn(n, 2, dtype)
    angles = np.arctan2(exact[:, 1], exact[:, 0])
    expected = {f"mode_{k}": float(abs(w @ np.exp(1j * k * angles))) for k in range(1, 13)}
    check(x, "modes", expected, weights=w, degree=12)


@TYPES
@pytest.mark.parametrize("n", [1, 7, 64, 300])
def test_modes_of_the_sphere(n: int, dtype: npt.DTypeLike) -> None:
    # By the addition theorem 4 pi / (2 l + 1) sum_m |sum_j w_j Y_lm|^2 = sum_ij w_i w_j P_l(<x_i, x_j>).
    x, exact, w = drawn(n, 3, dtype)
    overlap = exact @ exact.T
    expected = {f"mode_{k}": float(np.sqrt(w @ eval_legendre(k, overlap) @ w)) for k in range(1, 9)}
    check(x, "modes", expected, weights=w)


@TYPES
@SHAPES
def test_effective_rank_and_lengths(n: int, d: int, dtype: npt.DTypeLike) -> None:
    x = literal.space(n + d, n, d).astype(dtype)
    exact, w = x.astype(np.float64), literal.masses(n, n)
    p = np.linalg.eigvalsh((exact.T * w) @ exact)
    p = p[p > 1e-15] / p.sum()
    lengths = np.linalg.norm(exact, axis=1)
    expected = {"effective_rank": float(np.exp(-p @ np.log(p)))}
    expected |= {f"norm_moment_{k}": float(w @ lengths**k) for k in range(1, 7)}
    check(x, ["effective_rank", "norm_moments"], expected, weights=w, geometry="euclidean", order=6)


@TYPES
@pytest.mark.parametrize("mask", [None, "causal", "strictly-causal"])
@pytest.mark.parametrize("normalization", ["softmax", "unnormalized", "sigmoid"])
def test_sharpness_of_attention(normalization: str, mask: str | None, dtype: npt.DTypeLike) -> None:
    for n, d in ((3, 2), (40, 3), (200, 8)):
        x, exact, w = drawn(n, d, dtype)
        equation: dict[str, Any] = {"weights": w, "normalization": normalization, "mask": mask}
        a = literal.shares(literal.attention(exact, 3.0, **equation))
        a = a[a.sum(axis=1) > 0.0]
        ranked = np.sort(a, axis=1)[:, ::-1]
        gaps = np.log(ranked[:, 0] / np.where(ranked[:, 1] > 0.0, ranked[:, 1], np.nan))
        expected = {
            "attention_entropy": float(
                -np.where(a > 0.0, a * np.log(np.where(a > 0.0, a, 1.0)), 0.0).sum(axis=1).mean()
            ),
            "attention_largest": float(ranked[:, 0].mean()),
            "attention_gap": float(np.nanmean(gaps)),
        }
        check(x, "attention", expected, 3.0, **equation)


@pytest.mark.parametrize("mask", [None, "causal"])
def test_spectrum_of_attention(mask: str | None) -> None:
    for n, d in ((1, 2), (3, 2), (60, 3)):
        x, _, w = drawn(n, d, np.float64)
        a = literal.attention(x, 3.0, weights=w, mask=mask)
        values = np.append(np.linalg.svd(a, compute_uv=False), np.zeros(6))
        expected = {"attention_rank": float((values > 1e-3 * values[0]).sum())}
        expected |= {f"attention_singular_value_{k}": float(values[k]) for k in range(6)}
        check(x, "attention_spectrum", expected, 3.0, weights=w, mask=mask, rank_threshold=1e-3, singular_values=6)


@TYPES
@pytest.mark.parametrize("mask", [None, "causal"])
def test_counts_of_scores_near_the_largest(mask: str | None, dtype: npt.DTypeLike) -> None:
    x, exact, _ = drawn(50, 3, dtype)
    counts, scales = [], []
    for i, scores in enumerate(exact @ exact.T):
        seen = scores if mask is None else scores[: i + 1]
        gaps = np.sort(seen.max() - seen)[1:]
        counts.append((gaps <= 0.25).sum())
        # N(u) is constant between gaps, so that ln N(u) / u is largest at one of them.
        scales.append(max((np.log(k) / gaps[k - 1] for k in range(2, len(gaps) + 1)), default=0.0))
    expected = {"gap_count": float(np.mean(counts)), "gap_scale": float(np.mean(scales))}
    found = tf.observe(x, "gap_counts", 3.0, mask=mask, gap=0.25)
    # A scale is one over a difference of two scores.
    assert found == pytest.approx(expected, rel=1e-3 if dtype == np.float32 else 1e-9)


def test_renyi_centres_at_the_start() -> None:
    x, separation = literal.sphere(3, 60, 3), 0.4
    angles = np.arccos(np.clip(x @ x.T, -1.0, 1.0))
    centres: list[int] = []
    for i in range(60):
        if all(angles[i, j] > separation for j in centres):
            centres.append(i)
    strong = [i for i in range(60) if (angles[i, :i] > separation).all()]
    absorbed = (angles[:, strong] <= separation / 4).any(axis=1).mean()
    expected = {
        "renyi_centres": float(len(centres)),
        "strong_renyi_centres": float(len(strong)),
        "renyi_absorbed": float(absorbed),
        "renyi_drift": 0.0,
    }
    found = tf.observe(x, "renyi_centres", mask="causal", separation=separation)
    # The angle of a token from itself is an arc cosine of a rounded 1.
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-7)
    assert len(strong) < len(centres)


@TYPES
def test_overlaps_with_the_start(dtype: npt.DTypeLike) -> None:
    x, exact, _ = drawn(50, 3, dtype)
    expected = {f"start_overlap_{k}": float(exact[-1] @ exact[50 * k // 7]) for k in range(7)}
    check(x, "start_overlap", expected, places=7)


@TYPES
@pytest.mark.parametrize("normalization", ["softmax", "unnormalized", "shifted"])
@pytest.mark.parametrize("geometry", ["sphere", "euclidean"])
def test_rate_of_the_energy(geometry: str, normalization: str, dtype: npt.DTypeLike) -> None:
    # dE/dt = sum_i <grad_i E, dx_i/dt> with grad_i E = w_i sum_j w_j e^{beta <x_i, A x_j>} A x_j for a symmetric A.
    x = (literal.sphere(5, 40, 4) if geometry == "sphere" else literal.space(5, 40, 4)).astype(dtype)
    exact, w = x.astype(np.float64), literal.masses(5, 40)
    g = np.random.default_rng(5).normal(size=(4, 4))
    a, v = (g + g.T) / 4.0, np.random.default_rng(6).normal(size=(4, 4))
    equation: dict[str, Any] = {"weights": w, "query_key": a, "normalization": normalization}
    moved = literal.velocity(exact, 2.0, value=v, geometry=geometry, **equation)
    gradient = w[:, None] * (np.exp(2.0 * (exact @ a @ exact.T)) * w) @ exact @ a
    expected = float((gradient * moved).sum()) / literal.energy(exact, 2.0, weights=w, query_key=a)
    check(x, "dissipation", {"log_energy_rate": expected}, 2.0, value=v, geometry=geometry, **equation)


@TYPES
@pytest.mark.parametrize("geometry", ["sphere", "euclidean", "pre-norm", "peri-norm"])
def test_velocities(geometry: str, dtype: npt.DTypeLike) -> None:
    x = (literal.sphere(5, 40, 4) if geometry == "sphere" else literal.space(5, 40, 4)).astype(dtype)
    w = literal.masses(5, 40)
    speed = np.linalg.norm(literal.velocity(x.astype(np.float64), 2.0, weights=w, geometry=geometry), axis=1)
    expected = {"velocity_largest": float(speed.max()), "velocity_rms": float(np.sqrt(w @ speed**2))}
    check(x, "velocity", expected, 2.0, weights=w, geometry=geometry)


def test_distances_of_copies() -> None:
    circle, sphere = literal.sphere(1, 4, 20, 2), literal.sphere(2, 4, 20, 5)
    turns = np.arctan2(circle[..., 1], circle[..., 0]) / (2 * np.pi) % 1.0
    arcs = tf.observe(circle, "w1_copies")["w1_copies"]
    chords = tf.observe(sphere, "w1_copies")["w1_copies"]
    for k in (0, 2):
        arc = 2 * np.pi * float(np.asarray(ot.wasserstein_circle(turns[k], turns[k + 1], p=1)).item())
        cost = np.linalg.norm(sphere[k][:, None] - sphere[k + 1][None], axis=-1)
        chord = cost[linear_sum_assignment(cost)].mean()
        assert arcs[k : k + 2] == pytest.approx([arc, arc], rel=1e-9)
        assert chords[k : k + 2] == pytest.approx([chord, chord], rel=1e-12)


@TYPES
def test_replicas_have_values_of_their_own(dtype: npt.DTypeLike) -> None:
    x = literal.sphere(9, 3, 20, 3).astype(dtype)
    w = literal.masses(1, 3, 20)
    words = ["moments", "energy", "overlap", "clusters", "modes", "velocity"]
    together = tf.observe(x, words, 2.0, weights=w)
    for r in range(3):
        alone = tf.observe(x[r], words, 2.0, weights=w[r])
        assert list(alone) == list(together)
        assert alone == {column: values[r] for column, values in together.items()}
    assert all(values.shape == (3,) and values.dtype == np.float64 for values in together.values())


REFUSED = {
    "potential_energy": "perceptron",
    "coupling_error": "reference",
    "tagged_error": "reference",
    "lyapunov": "perturbation",
    "w1_reference": "reference",
    "w2_reference": "reference",
    "sliced_w2_reference": "reference",
    "sinkhorn_reference": "reference",
    "mmd_reference": "reference",
    "moments_reference": "reference",
    "overlap_reference": "reference",
    "limit_moments": "reference",
    "limit_pair_overlap": "reference",
    "limit_energy": "reference",
    "limit_attention": "reference",
    "limit_modes": "reference",
    "tokens": "tokens",
    "attention_matrix": "attention_matrix",
}


@pytest.mark.parametrize("word", REFUSED)
def test_observables_that_given_tokens_have_not(word: str) -> None:
    with pytest.raises(ValueError, match=REFUSED[word]):
        tf.observe(literal.sphere(1, 8, 3), word, 2.0, normalization="unnormalized")


def test_every_observable_is_tried_here() -> None:
    with pytest.raises(ValueError, match="not supported") as raised:
        tf.observe(literal.sphere(1, 8, 3), "nothing")
    words = re.findall(r'"(\w+)"', str(raised.value).split("accepted:")[1])
    with open(__file__) as file:
        source = file.read()
    assert [word for word in words if f'"{word}"' not in source] == []


@pytest.mark.parametrize("dim", [2, 3])
def test_modes_are_moments_of_harmonics(dim: int) -> None:
    x = np.random.default_rng(dim).normal(size=(3, 40, dim))
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    # By the addition theorem the sum over m is a mean of the zonal polynomial over pairs.
    overlaps = np.clip(x @ x.swapaxes(-1, -2), -1, 1)
    for degree in range(1, 6):
        zonal = np.cos(degree * np.arccos(overlaps)) if dim == 2 else eval_legendre(degree, overlaps)
        literal = np.sqrt(zonal.mean((1, 2)))
        assert np.abs(tf.modes(x, 5)[:, degree - 1] - literal).max() < 1e-12
    assert tf.modes(x[0], 2).shape == (2,)
