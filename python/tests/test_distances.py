"""Distances between clouds, against POT, GeomLoss, SciPy and literal formulas."""

import itertools
from typing import Any

import geomloss
import literal
import numpy as np
import ot
import pytest
import torch
from literal import F64
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import energy_distance as energy_distance_of_the_line

import tokenfield as tf

# Two clouds and their weights.
Clouds = tuple[F64, F64, F64, F64]


def drawn(name: str, d: int, seed: int = 0) -> Clouds:
    """Return clouds of R^d, and weights, that are awkward by their name."""
    rng = np.random.default_rng([seed, d])
    n, m = {"one-point": (1, 6), "two-points": (1, 1), "equal-sizes": (12, 12)}.get(name, (12, 17))
    x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d)) * 0.7 + 0.3
    match name:
        case "coincident":
            x[3:6], y[:2] = x[0], x[0]
        case "far":
            y += 100.0
        case "near":
            y = np.concatenate([x, x[:5]]) + 1e-6 * rng.normal(size=(m, d))
    return x, y, literal.masses(seed, n), literal.masses(seed + 1, m)


def on_sphere(clouds: Clouds) -> Clouds:
    x, y, a, b = clouds
    return x / np.linalg.norm(x, axis=1, keepdims=True), y / np.linalg.norm(y, axis=1, keepdims=True), a, b


def angles(x: F64) -> F64:
    turned: F64 = np.arctan2(x[:, 1], x[:, 0]) % (2 * np.pi)
    return turned


def arcs(x: F64, y: F64) -> F64:
    difference = np.abs(angles(x)[:, None] - angles(y)[None, :])
    shorter: F64 = np.minimum(difference, 2 * np.pi - difference)
    return shorter


NAMES = ["general", "equal-sizes", "one-point", "two-points", "coincident", "far", "near"]
EVERY_CLOUD = pytest.mark.parametrize("name", NAMES)
EVERY_DIMENSION = pytest.mark.parametrize("d", [1, 2, 3, 16])
ORDERS = pytest.mark.parametrize("p", [1, 2])


@ORDERS
@EVERY_DIMENSION
@pytest.mark.parametrize("n", [1, 2, 7, 60])
def test_wasserstein_by_assignment(n: int, d: int, p: Any) -> None:
    x, y = literal.space(1, n, d), literal.space(2, n, d) + 0.5
    cost = cdist(x, y) ** p
    expected = cost[linear_sum_assignment(cost)].mean() ** (1 / p)
    assert tf.wasserstein(x, y, p, method="assignment") == pytest.approx(expected, rel=1e-12)
    equal = np.full(n, 1 / n)
    assert tf.wasserstein(x, y, p, equal, equal, method="assignment") == pytest.approx(expected, rel=1e-12)
    assert ot.emd2(equal, equal, cost) ** (1 / p) == pytest.approx(expected, rel=1e-9)
    assert tf.wasserstein(x, y, p) == tf.wasserstein(x, y, p, method="assignment")


@ORDERS
@EVERY_CLOUD
@pytest.mark.parametrize("seed", range(5))
def test_wasserstein_of_the_circle(seed: int, name: str, p: Any) -> None:
    x, y, a, b = on_sphere(drawn(name, 2, seed))
    exact = ot.emd2(a, b, arcs(x, y) ** p) ** (1 / p)
    found = tf.wasserstein(x, y, p, a, b)
    assert found == pytest.approx(exact, rel=1e-7, abs=1e-7)
    if name != "near":
        # The bisection of POT 0.9.7 loses its way between clouds this near.
        turns = [angles(z) / (2 * np.pi) for z in (x, y)]
        power = float(np.asarray(ot.wasserstein_circle(*turns, u_weights=a, v_weights=b, p=p)).item())
        assert found == pytest.approx(2 * np.pi * power ** (1 / p), rel=1e-4, abs=1e-6)
    assert found == tf.wasserstein(x, y, p, a, b, method="circle")
    # Angles alone count, where they are asked for.
    assert tf.wasserstein(3.0 * x, y, p, a, b, method="circle") == pytest.approx(found, rel=1e-12, abs=1e-14)


def test_auto_measures_arcs_on_the_circle_and_chords_elsewhere() -> None:
    x, y = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    assert tf.wasserstein(x, y) == pytest.approx(np.pi / 2)
    assert tf.wasserstein(x, y, method="assignment") == pytest.approx(np.sqrt(2))
    assert tf.wasserstein(1.1 * x, 1.1 * y) == pytest.approx(1.1 * np.sqrt(2))
    assert tf.wasserstein(np.eye(3)[:1], np.eye(3)[1:2]) == pytest.approx(np.sqrt(2))


def line_cost(x: F64, y: F64, a: F64, b: F64, p: int) -> float:
    """Return W_p^p of weighted points of the line, by their quantiles."""
    order, other = np.argsort(x), np.argsort(y)
    steps = np.unique(np.concatenate([[0.0], np.cumsum(a[order]), np.cumsum(b[other])]))
    middle, mass = (steps[1:] + steps[:-1]) / 2, np.diff(steps)
    last = (len(a) - 1, len(b) - 1)
    i = np.minimum(np.searchsorted(np.cumsum(a[order]), middle), last[0])
    j = np.minimum(np.searchsorted(np.cumsum(b[other]), middle), last[1])
    return float(mass @ np.abs(x[order][i] - y[other][j]) ** p)


@ORDERS
@EVERY_CLOUD
def test_sliced_wasserstein_of_the_line(name: str, p: Any) -> None:
    x, y, a, b = drawn(name, 1)
    found, error = tf.sliced_wasserstein(x, y, p, a, b, n_projections=3, return_error=True)
    cost = cdist(x, y) ** p
    assert found == pytest.approx(ot.emd2(a, b, cost) ** (1 / p), rel=1e-9)
    assert found == pytest.approx(line_cost(x[:, 0], y[:, 0], a, b, p) ** (1 / p), rel=1e-10)
    assert error <= 1e-12 * found


@ORDERS
@EVERY_CLOUD
def test_sliced_wasserstein_of_the_plane(name: str, p: Any) -> None:
    # The mean over all directions, by the midpoint rule, which kinks in the angle leave right to 1e-4.
    x, y, a, b = drawn(name, 2)
    turns = (np.arange(2000) + 0.5) * np.pi / 2000
    directions = np.stack([np.cos(turns), np.sin(turns)])
    costs = [line_cost(x @ u, y @ u, a, b, p) for u in directions.T]
    expected = np.mean(costs) ** (1 / p)
    found, error = tf.sliced_wasserstein(x, y, p, a, b, n_projections=4000, return_error=True)
    assert 0.0 < error < 0.02 * expected
    assert abs(found - expected) < 4.0 * error + 1e-4 * expected


@ORDERS
@pytest.mark.parametrize("name", ["general", "one-point", "coincident"])
@pytest.mark.parametrize("d", [3, 16])
def test_sliced_wasserstein_by_the_directions_of_another(d: int, name: str, p: Any) -> None:
    x, y, a, b = drawn(name, d)
    expected = float(ot.sliced_wasserstein_distance(x, y, a, b, n_projections=20_000, p=p, seed=7))
    found, error = tf.sliced_wasserstein(x, y, p, a, b, n_projections=20_000, return_error=True)
    assert abs(found - expected) < 4.0 * np.sqrt(2.0) * error
    assert error < 0.01 * expected


@ORDERS
def test_error_of_sliced_wasserstein_is_its_deviation_over_seeds(p: Any) -> None:
    x, y, a, b = drawn("general", 3)
    draws = [
        tf.sliced_wasserstein(x, y, p, a, b, n_projections=64, seed=seed, return_error=True) for seed in range(400)
    ]
    values, errors = np.array(draws).T
    # The deviation of 400 draws is known to 4 %.
    assert errors.mean() == pytest.approx(values.std(ddof=1), rel=0.15)
    same = tf.sliced_wasserstein(x, y, p, a, b, n_projections=64, seed=3)
    assert same == values[3] and same != values[4]


def test_sliced_wasserstein_of_a_translation() -> None:
    # <u, x + t> is <u, x> moved by <u, t>, and the mean of <u, t>^2 over the sphere is |t|^2 / d.
    x = literal.space(1, 30, 5)
    t = np.array([1.0, -2.0, 0.0, 0.5, 1.0])
    found, error = tf.sliced_wasserstein(x, x + t, n_projections=10_000, return_error=True)
    assert abs(found - np.linalg.norm(t) / np.sqrt(5)) < 4.0 * error


def log_sum(terms: F64) -> F64:
    """Return ln sum_j e^{terms_ij}."""
    largest = terms.max(axis=1)
    summed: F64 = largest + np.log(np.exp(terms - largest[:, None]).sum(axis=1))
    return summed


def entropic(x: F64, y: F64, a: F64, b: F64, epsilon: float) -> float:
    """Return the entropic cost of transport of |x - y|^2 / 2 by alternating half-steps."""
    scores = -cdist(x, y, "sqeuclidean") / 2.0 / epsilon
    log_a, log_b = np.log(a), np.log(b)
    # In units of epsilon.
    f, g = np.zeros(len(x)), np.zeros(len(y))
    for _ in range(20_000):
        g = -log_sum(scores.T + f + log_a)
        last, f = f, -log_sum(scores + g + log_b)
        if np.abs(f - last).max() < 1e-12:
            break
    return epsilon * float(a @ f + b @ g)


def debiased(x: F64, y: F64, a: F64, b: F64, epsilon: float) -> float:
    within = entropic(x, x, a, a, epsilon) + entropic(y, y, b, b, epsilon)
    return entropic(x, y, a, b, epsilon) - within / 2.0


@EVERY_CLOUD
@EVERY_DIMENSION
@pytest.mark.parametrize("epsilon", [0.2, 3.0])
def test_sinkhorn_divergence_by_literal_iterations(epsilon: float, d: int, name: str) -> None:
    x, y, a, b = drawn(name, d)
    scale = max(1.0, float(cdist(x, y, "sqeuclidean").max()))
    expected = debiased(x, y, a, b, epsilon)
    found = tf.sinkhorn_divergence(x, y, a, b, epsilon=epsilon)
    # A marginal that is off by 1e-3 leaves the value off by about its square.
    assert found == pytest.approx(expected, abs=1e-5 * scale)


@pytest.mark.parametrize("epsilon", [0.2, 3.0])
@pytest.mark.parametrize("d", [2, 3, 16])
def test_sinkhorn_divergence_to_a_small_tolerance(d: int, epsilon: float) -> None:
    x, y, a, b = on_sphere(drawn("general", d))
    found = tf.sinkhorn_divergence(x, y, a, b, epsilon=epsilon, tolerance=1e-9)
    assert found == pytest.approx(debiased(x, y, a, b, epsilon), abs=1e-11)


def by_geomloss(kind: str, clouds: Clouds, **given: Any) -> float:
    x, y, a, b = map(torch.from_numpy, clouds)
    return float(geomloss.SamplesLoss(kind, backend="tensorized", **given)(a, x, b, y))


@pytest.mark.parametrize("name", ["general", "one-point", "coincident"])
@EVERY_DIMENSION
def test_sinkhorn_divergence_by_geomloss(d: int, name: str) -> None:
    clouds = drawn(name, d)
    expected = by_geomloss("sinkhorn", clouds, p=2, blur=0.5**0.5, scaling=0.99)
    x, y, a, b = clouds
    assert tf.sinkhorn_divergence(x, y, a, b, epsilon=0.5) == pytest.approx(expected, rel=2e-3)


def test_sinkhorn_divergence_between_its_limits() -> None:
    # W_2^2 / 2 as epsilon falls, half the squared distance of the means as it grows.
    x, y, a, b = drawn("general", 3)
    half = ot.emd2(a, b, cdist(x, y, "sqeuclidean")) / 2.0
    means = float(((a @ x - b @ y) ** 2).sum()) / 2.0
    assert tf.sinkhorn_divergence(x, y, a, b, epsilon=0.02, max_iterations=100_000) == pytest.approx(half, rel=0.02)
    assert tf.sinkhorn_divergence(x, y, a, b, epsilon=1e4) == pytest.approx(means, rel=3e-3)
    assert abs(half - means) > 0.1 * half


@pytest.mark.parametrize("seed", range(20))
def test_sinkhorn_divergence_of_few_points_by_default(seed: int) -> None:
    # Plans are nearly permutations, which potentials hardly move: values are right to tolerance times epsilon.
    x, y = literal.sphere(seed, 4, 3), literal.sphere(seed + 100, 4, 3)
    equal = np.full(4, 0.25)
    assert tf.sinkhorn_divergence(x, y) == pytest.approx(debiased(x, y, equal, equal, 0.05), abs=5e-5)
    assert tf.sinkhorn_divergence(x, x) == pytest.approx(0.0, abs=5e-5)


@EVERY_CLOUD
@EVERY_DIMENSION
@pytest.mark.parametrize("beta", [0.5, 4.0])
def test_mmd(beta: float, d: int, name: str) -> None:
    clouds = on_sphere(drawn(name, d))
    x, y, a, b = clouds
    points, signed = np.concatenate([x, y]), np.concatenate([a, -b])
    square = float(signed @ np.exp(beta * (points @ points.T - 1.0)) @ signed)
    # The root of a difference of numbers that round to 1e-16.
    assert tf.mmd(x, y, a, b, beta=beta) ** 2 == pytest.approx(square, abs=1e-14)
    gaussian = 2.0 * by_geomloss("gaussian", clouds, blur=beta**-0.5)
    assert tf.mmd(x, y, a, b, beta=beta) ** 2 == pytest.approx(gaussian, abs=1e-12)
    # Off the sphere the kernel is what it says as well.
    points = 1.3 * points
    square = float(signed @ np.exp(beta * (points @ points.T - 1.0)) @ signed)
    assert tf.mmd(1.3 * x, 1.3 * y, a, b, beta=beta) ** 2 == pytest.approx(square, rel=1e-12, abs=1e-12)


@EVERY_CLOUD
@EVERY_DIMENSION
def test_energy_distance(d: int, name: str) -> None:
    clouds = drawn(name, d)
    x, y, a, b = clouds
    points, signed = np.concatenate([x, y]), np.concatenate([a, -b])
    square = -float(signed @ cdist(points, points) @ signed)
    scale = max(1.0, float(cdist(x, y).max()))
    found = tf.energy_distance(x, y, a, b)
    assert found**2 == pytest.approx(square, abs=1e-13 * scale)
    # GeomLoss bounds squared distances from below by 1e-8, which is felt where points coincide.
    assert found**2 == pytest.approx(2.0 * by_geomloss("energy", clouds), abs=3e-4 * scale)
    if d == 1 and name != "near":
        expected = energy_distance_of_the_line(x[:, 0], y[:, 0], a, b)
        assert found == pytest.approx(expected, rel=1e-9)


DISTANCES: dict[str, Any] = {
    "circle": lambda x, y: tf.wasserstein(x[:, :2], y[:, :2], method="circle"),
    "assignment-1": lambda x, y: tf.wasserstein(x, y, 1),
    "assignment-2": lambda x, y: tf.wasserstein(x, y, 2),
    "sliced-1": lambda x, y: tf.sliced_wasserstein(x, y, 1),
    "sliced-2": lambda x, y: tf.sliced_wasserstein(x, y, 2),
    "sinkhorn": lambda x, y: tf.sinkhorn_divergence(x, y, epsilon=0.5, tolerance=1e-9),
    "mmd": tf.mmd,
    "energy": tf.energy_distance,
}
EVERY_DISTANCE = pytest.mark.parametrize("name", DISTANCES)


@EVERY_DISTANCE
@pytest.mark.parametrize("seed", range(4))
def test_distances_are_symmetric_and_vanish_on_the_diagonal(seed: int, name: str) -> None:
    distance = DISTANCES[name]
    x, y = literal.sphere(seed, 20, 3), literal.sphere(seed + 50, 20, 3)
    assert distance(x, y) == pytest.approx(distance(y, x), rel=1e-8)
    assert distance(x, y) > 1e-3
    order = np.random.default_rng(seed).permutation(20)
    assert distance(x, x[order]) < 1e-7
    assert distance(x, y[order]) == pytest.approx(distance(x, y), rel=1e-8)


@EVERY_DISTANCE
@pytest.mark.parametrize("seed", range(4))
def test_distances_obey_the_triangle_inequality(seed: int, name: str) -> None:
    if name == "sinkhorn":
        # S is no distance; it is no square of one either.
        return
    distance = DISTANCES[name]
    x, y, z = (literal.sphere(3 * seed + k, 15, 3) for k in range(3))
    for u, v, w in itertools.permutations((x, y, z)):
        assert distance(u, w) <= distance(u, v) + distance(v, w) + 1e-12


@EVERY_DISTANCE
@pytest.mark.parametrize("seed", range(4))
def test_distances_do_not_see_rotations(seed: int, name: str) -> None:
    distance = DISTANCES[name]
    x, y = literal.sphere(seed, 20, 3), literal.sphere(seed + 50, 20, 3)
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    if name == "circle":
        turn = np.array([[0.6, -0.8], [0.8, 0.6]])
        assert distance(x[:, :2] @ turn, y[:, :2] @ turn) == pytest.approx(distance(x, y), rel=1e-9)
        return
    # Directions are drawn without regard to q, and their mean is known to some per cent.
    within = 0.2 if name.startswith("sliced") else 1e-8
    assert distance(x @ q, y @ q) == pytest.approx(distance(x, y), rel=within)


@EVERY_DISTANCE
def test_distances_of_single_precision_are_those_of_its_numbers(name: str) -> None:
    x, y = literal.sphere(1, 20, 3).astype(np.float32), literal.sphere(2, 20, 3).astype(np.float32)
    assert DISTANCES[name](x, y) == DISTANCES[name](x.astype(np.float64), y.astype(np.float64))
