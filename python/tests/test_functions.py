"""The velocity and the energy at given tokens, against literal formulas."""

import itertools
from typing import Any

import literal
import numpy as np
import numpy.typing as npt
import pytest
from literal import F64

import tokenfield as tf
from tokenfield._equation import Device

# Scores of length-one tokens round to about 2^-23 in single precision, of which exponents are beta times as much.
SINGLE, DOUBLE = 1e-5, 1e-11
SCORE_ROUNDING = 2.4e-7

NORMALIZATIONS = ["softmax", "unnormalized", "shifted", "relu", "sigmoid"]


def tolerance(dtype: npt.DTypeLike, beta: float) -> float:
    return max(SINGLE, SCORE_ROUNDING * beta) if dtype == np.float32 else DOUBLE


def check_velocity(x: npt.NDArray[Any], beta: float, within: float, **equation: Any) -> None:
    found = tf.attention_velocity(x, beta, device="cpu", **equation)
    assert found.shape == x.shape
    assert found.dtype == x.dtype
    exact = x.astype(np.float64)
    expected = literal.velocity(exact, beta, **equation)
    error = np.abs(found - expected).max() / literal.unit_of(exact, beta, **equation)
    assert error <= within


def query_keys(d: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    full = rng.normal(size=(d, d)) / np.sqrt(d)
    return {"none": None, "number": -0.7, "diagonal": rng.normal(size=d), "full": full, "list": full.tolist()}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("beta", [0.0, 1.0, 40.0, 1000.0])
@pytest.mark.parametrize("d", [2, 3, 8, 16])
@pytest.mark.parametrize("n", [1, 2, 7, 64, 300])
def test_softmax_velocity_at_all_sizes(n: int, d: int, beta: float, dtype: npt.DTypeLike) -> None:
    x = literal.sphere(1000 * n + 10 * d + int(beta), n, d).astype(dtype)
    check_velocity(x, beta, tolerance(dtype, beta))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("mask", [None, "causal", "strictly-causal"])
@pytest.mark.parametrize(
    ("normalization", "beta"), [("hardmax", 1.0), *itertools.product(NORMALIZATIONS, [0.0, 1.0, 40.0])]
)
def test_velocity_of_every_normalization_and_mask(
    normalization: str, beta: float, mask: str | None, dtype: npt.DTypeLike
) -> None:
    for n, d in ((1, 2), (2, 3), (37, 2), (37, 8)):
        x = literal.sphere(n + d, n, d).astype(dtype)
        equation: dict[str, Any] = {"normalization": normalization, "mask": mask, "weights": literal.masses(n, n)}
        check_velocity(x, beta, tolerance(dtype, beta), **equation)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [2, 5])
def test_velocity_of_hardmax_without_oneself(d: int, dtype: npt.DTypeLike) -> None:
    x = literal.sphere(d, 30, d).astype(dtype)
    check_velocity(x, 1.0, tolerance(dtype, 0.0), normalization="hardmax", mask="others")


@pytest.mark.parametrize("beta", [200.0, 1000.0])
@pytest.mark.parametrize("normalization", ["shifted", "relu", "sigmoid"])
def test_velocity_of_large_beta(normalization: str, beta: float) -> None:
    check_velocity(literal.sphere(5, 50, 3), beta, DOUBLE, normalization=normalization)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", ["none", "number", "diagonal", "full", "list"])
@pytest.mark.parametrize("query_key", ["none", "number", "diagonal", "full", "list"])
@pytest.mark.parametrize("d", [2, 3, 8, 16])
def test_velocity_of_every_form_of_the_matrices(d: int, query_key: str, value: str, dtype: npt.DTypeLike) -> None:
    x = literal.sphere(d, 50, d).astype(dtype)
    forms = {"query_key": query_keys(d, 1)[query_key], "value": query_keys(d, 2)[value]}
    check_velocity(x, 3.0, tolerance(dtype, 3.0), **forms)


@pytest.mark.parametrize("beta", [1.0, 40.0])
def test_negative_inverse_temperature_is_a_negative_query_key(beta: float) -> None:
    x = literal.sphere(3, 64, 3)
    check_velocity(x, beta, DOUBLE, query_key=-1)
    assert np.allclose(literal.velocity(x, -beta), literal.velocity(x, beta, query_key=-1), atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("mask", [None, "causal"])
@pytest.mark.parametrize("geometry", ["post-norm", "euclidean", "rescaled", "pre-norm", "peri-norm"])
def test_velocity_of_every_geometry(geometry: str, mask: str | None, dtype: npt.DTypeLike) -> None:
    for n, d in ((1, 2), (40, 3), (40, 16)):
        x = literal.sphere(7, n, d) if geometry == "post-norm" else literal.space(7, n, d)
        forms = {"query_key": query_keys(d, 3)["full"], "value": query_keys(d, 4)["full"]}
        equation: dict[str, Any] = {"geometry": geometry, "mask": mask, "weights": literal.masses(8, n)}
        check_velocity(x.astype(dtype), 2.0, tolerance(dtype, 2.0), **equation, **forms)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_velocity_on_a_line(dtype: npt.DTypeLike) -> None:
    check_velocity(literal.space(1, 20, 1).astype(dtype), 2.0, tolerance(dtype, 2.0), geometry="euclidean")


@pytest.mark.parametrize("weights", ["none", "shared", "each"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_replicas_are_systems_of_their_own(dtype: npt.DTypeLike, weights: str) -> None:
    x = literal.sphere(9, 4, 33, 3).astype(dtype)
    given = {"none": None, "shared": literal.masses(1, 33), "each": literal.masses(2, 4, 33)}[weights]
    found = tf.attention_velocity(x, 4.0, weights=given, device="cpu")
    energies = tf.energy(x, 4.0, weights=given, device="cpu")
    assert found.shape == x.shape
    assert isinstance(energies, np.ndarray)
    assert energies.shape == (4,)
    for r in range(4):
        w = None if given is None else np.broadcast_to(given, (4, 33))[r]
        exact = x[r].astype(np.float64)
        assert np.abs(found[r] - literal.velocity(exact, 4.0, weights=w)).max() <= tolerance(dtype, 4.0)
        assert energies[r] == pytest.approx(literal.energy(exact, 4.0, weights=w), rel=tolerance(dtype, 4.0))


def test_weights_of_zero_are_no_sources() -> None:
    x = literal.sphere(4, 12, 3)
    w = np.append(literal.masses(3, 8), np.zeros(4))
    found = tf.attention_velocity(x, 4.0, weights=w)
    alone = literal.velocity(x[:8], 4.0, weights=w[:8])
    assert np.abs(found[:8] - alone).max() <= DOUBLE
    assert np.abs(found - literal.velocity(x, 4.0, weights=w)).max() <= DOUBLE


@pytest.mark.parametrize("beta", [4.0, 20.0])
@pytest.mark.parametrize("d", [2, 3])
def test_harmonic_sums_are_direct_sums_to_their_tolerance(d: int, beta: float) -> None:
    x = literal.sphere(11, 500, d)
    expected = literal.velocity(x, beta)
    for within in (1e-4, 1e-9):
        found = tf.attention_velocity(x, beta, algorithm="harmonic", tolerance=within)
        assert np.abs(found - expected).max() <= within
    direct = tf.attention_velocity(x, beta, algorithm="direct")
    assert np.abs(direct - expected).max() <= DOUBLE


@pytest.mark.parametrize("geometry", ["sphere", "euclidean"])
def test_velocity_of_sinkhorn(geometry: str) -> None:
    x = literal.sphere(12, 20, 3) if geometry == "sphere" else literal.space(12, 20, 3)
    found = tf.attention_velocity(
        x,
        2.0,
        weights=literal.masses(1, 20),
        normalization="sinkhorn",
        geometry=geometry,
        set={"attention.sinkhorn": {"iterations": 10_000, "tolerance": 1e-13}},
    )
    equation: dict[str, Any] = {"weights": literal.masses(1, 20), "normalization": "sinkhorn"}
    assert np.abs(found - literal.velocity(x, 2.0, geometry=geometry, **equation)).max() <= 1e-10


def test_velocity_of_two_heads() -> None:
    x, a = literal.sphere(13, 20, 3), literal.space(14, 3, 3)
    heads = [{"query-key": a, "weight": 0.3, "beta": 2.0}, {"value": {"scale": -1.0}}]
    found = tf.attention_velocity(x, 5.0, set={"attention.head": heads})
    expected = 0.3 * literal.velocity(x, 2.0, query_key=a) + literal.velocity(x, 5.0, value=-1.0)
    assert np.abs(found - expected).max() <= DOUBLE


def test_velocity_of_ngpt() -> None:
    x = literal.sphere(15, 20, 3)
    found = tf.attention_velocity(x, 3.0, geometry="ngpt", set={"tokens.alpha": 0.7})
    field = literal.velocity(x, 3.0, geometry="euclidean")
    expected = 0.7 * literal.tangential(x, field / np.linalg.norm(field, axis=1, keepdims=True))
    assert np.abs(found - expected).max() <= DOUBLE


@pytest.mark.parametrize("device", sorted({entry["device"] for entry in tf.devices()} | {"auto", "reference"}))
@pytest.mark.parametrize("beta", [1.0, 40.0])
@pytest.mark.parametrize("d", [2, 3, 16])
def test_every_device_computes_the_same(d: int, beta: float, device: Device) -> None:
    # The reference computes in double precision alone, graphics adapters in single.
    dtype = np.dtype(np.float64 if device == "reference" else np.float32)
    x, w = literal.sphere(d, 65, d).astype(dtype), literal.masses(d, 65)
    exact = x.astype(np.float64)
    found = tf.attention_velocity(x, beta, weights=w, device=device)
    assert found.dtype == dtype
    assert np.abs(found - literal.velocity(exact, beta, weights=w)).max() <= tolerance(dtype, beta)
    expected = literal.energy(exact, beta, weights=w)
    assert tf.energy(x, beta, weights=w, device=device) == pytest.approx(expected, rel=tolerance(dtype, beta))


@pytest.mark.parametrize("mask", [None, "causal", "strictly-causal"])
@pytest.mark.parametrize("normalization", ["softmax", "unnormalized", "shifted", "relu", "sigmoid"])
def test_rows_of_attention(normalization: str, mask: str | None) -> None:
    x, w, a = literal.sphere(16, 3, 20, 4), literal.masses(16, 20), literal.space(17, 4, 4)
    equation: dict[str, Any] = {"weights": w, "query_key": a, "normalization": normalization, "mask": mask}
    expected = np.stack([literal.shares(literal.attention(tokens, 3.0, **equation)) for tokens in x])
    assert np.abs(tf.attention_rows(x, 3.0, **equation) - expected).max() <= DOUBLE
    assert np.abs(tf.attention_rows(x, 3.0, [7, 0, 19, 7], **equation) - expected[:, [7, 0, 19, 7]]).max() <= DOUBLE
    assert np.abs(tf.attention_rows(x[1], 3.0, np.array([3]), **equation) - expected[1, [3]]).max() <= DOUBLE
    assert np.abs(tf.attention_rows(x[1].astype(np.float32), 3.0, **equation) - expected[1]).max() <= SINGLE


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("beta", [0.01, 1.0, 40.0, 600.0])
@pytest.mark.parametrize("d", [2, 3, 8, 16])
@pytest.mark.parametrize("n", [1, 2, 7, 64, 300])
def test_energy_at_all_sizes(n: int, d: int, beta: float, dtype: npt.DTypeLike) -> None:
    x = literal.sphere(n + d, n, d).astype(dtype)
    w = literal.masses(n, n)
    found = tf.energy(x, beta, weights=w, device="cpu")
    assert isinstance(found, float)
    exact = x.astype(np.float64)
    assert found == pytest.approx(literal.energy(exact, beta, weights=w), rel=energy_tolerance(dtype, beta))


def energy_tolerance(dtype: npt.DTypeLike, beta: float) -> float:
    # beta = 600 multiplies the rounding 2^-53 of a score.
    return tolerance(dtype, beta) if dtype == np.float32 else max(DOUBLE, 1e-14 * beta)


@pytest.mark.parametrize("form", ["none", "number", "diagonal", "full", "list"])
@pytest.mark.parametrize("geometry", ["sphere", "euclidean", "pre-norm", "peri-norm"])
@pytest.mark.parametrize("normalization", ["unnormalized", "softmax", "shifted"])
def test_energy_of_every_matrix_and_geometry(normalization: str, geometry: str, form: str) -> None:
    x: F64 = literal.sphere(2, 40, 5) if geometry == "sphere" else literal.space(2, 40, 5)
    a = query_keys(5, 6)[form]
    theta = x / np.linalg.norm(x, axis=1, keepdims=True) if geometry.endswith("norm") else x
    found = tf.energy(x, 2.0, query_key=a, geometry=geometry, set={"attention.normalization": normalization})
    assert found == pytest.approx(literal.energy(theta, 2.0, query_key=a), rel=DOUBLE)


def test_velocity_is_the_gradient_of_the_energy() -> None:
    # Unnormalized attention with V = A = I ascends the energy: dE/dt = sum_i w_i |dx_i/dt|^2 (arXiv:2312.10794).
    x, w, h = literal.sphere(8, 25, 4), literal.masses(8, 25), 1e-4
    v = tf.attention_velocity(x, 3.0, weights=w, normalization="unnormalized")

    def at(t: float) -> float:
        y = x + t * v
        return float(tf.energy(y / np.linalg.norm(y, axis=1, keepdims=True), 3.0, weights=w))

    assert (at(h) - at(-h)) / (2 * h) == pytest.approx(float(w @ (v**2).sum(axis=1)), rel=1e-6)
