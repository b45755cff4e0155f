"""What is refused, and in which words: the argument, what was expected, and what came."""

from collections.abc import Callable
from typing import Any

import literal
import numpy as np
import pytest
import torch
from literal import F64

import tokenfield as tf

X, Y = literal.sphere(1, 7, 3), literal.sphere(2, 5, 3)
UNEQUAL = literal.masses(1, 7)


def changed(at: Any, to: Any, x: F64 = X) -> F64:
    y = x.copy()
    y[at] = to
    return y


LONG = changed(2, [0.0, 2.0, 0.0])
UNIT = 'and tokens of the sphere have length 1; divide every row by its length, or pass geometry="euclidean"'

# Functions of clouds, by their first argument and its name.
OF_X: dict[str, Callable[[Any], Any]] = {
    "attention_velocity": tf.attention_velocity,
    "attention_rows": tf.attention_rows,
    "energy": tf.energy,
    "observe": lambda x: tf.observe(x, "moments"),
    "clusters": tf.clusters,
}
OF_TWO: dict[str, Callable[..., Any]] = {
    "wasserstein": tf.wasserstein,
    "sliced_wasserstein": tf.sliced_wasserstein,
    "sinkhorn_divergence": tf.sinkhorn_divergence,
    "mmd": tf.mmd,
    "energy_distance": tf.energy_distance,
}

# What is no array of floats, whatever the function and the argument.
NO_FLOATS: list[tuple[Any, str]] = [
    (X.astype(np.float16), "expected an array of float32 or float64, got float16 of shape (7, 3)"),
    (X.astype(np.complex128), "expected an array of float32 or float64, got complex128 of shape (7, 3)"),
    (X.astype(np.int64), "expected an array of float32 or float64, got int64 of shape (7, 3)"),
    (X.astype(np.bool_), "expected an array of float32 or float64, got bool of shape (7, 3)"),
    (X.astype(object), "expected an array of float32 or float64, got object of shape (7, 3)"),
    ("tokens", "expected an array of float32 or float64, got <U6 of shape ()"),
    ([[True, False]], "expected an array of float32 or float64, got bool of shape (1, 2)"),
    (np.ma.masked_array(X, X > 0), "expected an array without a mask, got a masked array; fill or compress it first"),
]


def refused(error: type[Exception], call: Callable[[], Any]) -> str:
    with pytest.raises(error) as raised:
        call()
    return str(raised.value)


@pytest.mark.parametrize("function", OF_X)
@pytest.mark.parametrize(
    ("given", "message"), [*NO_FLOATS, (None, "expected an array of float32 or float64, got None")]
)
def test_what_are_no_tokens(given: Any, message: str, function: str) -> None:
    assert refused(TypeError, lambda: OF_X[function](given)) == f"x: {message}"


@pytest.mark.parametrize("function", OF_TWO)
@pytest.mark.parametrize(("given", "message"), NO_FLOATS)
def test_what_are_no_clouds(given: Any, message: str, function: str) -> None:
    distance = OF_TWO[function]
    assert refused(TypeError, lambda: distance(given, X)) == f"x: {message}"
    assert refused(TypeError, lambda: distance(X, given)) == f"y: {message}"
    assert refused(TypeError, lambda: distance(X, X, a=given)) == f"a: {message}"
    assert refused(TypeError, lambda: distance(X, X, b=given)) == f"b: {message}"


@pytest.mark.parametrize(("given", "message"), NO_FLOATS)
def test_what_are_no_weights_and_no_starts(given: Any, message: str) -> None:
    assert refused(TypeError, lambda: tf.attention_velocity(X, weights=given)) == f"weights: {message}"
    assert refused(TypeError, lambda: tf.simulate({}, x0=given)) == f"x0: {message}"


class OfDevice:
    """An array in the memory of a graphics adapter."""

    def __dlpack__(self, **given: Any) -> Any:
        raise BufferError("memory of a device")

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        (torch.eye(3).requires_grad_(), "require gradient"),
        (torch.eye(3).to(torch.bfloat16), "dtype"),
        (torch.eye(3).to_sparse(), "strided"),
        (torch.eye(3, device="meta"), "meta"),
        (OfDevice(), "device"),
    ],
)
def test_tensors_that_cannot_be_handed_over(tensor: Any, reason: str) -> None:
    calls: dict[str, Callable[[], Any]] = {
        "x": lambda: tf.attention_velocity(tensor),
        "y": lambda: tf.mmd(X, tensor),
        "weights": lambda: tf.energy(X, weights=tensor),
    }
    for name, call in calls.items():
        message = refused(TypeError, call)
        assert message.startswith(f"{name}: expected an array of float32 or float64")
        assert reason in message


@pytest.mark.parametrize("function", [*OF_X, *OF_TWO])
def test_ragged_lists(function: str) -> None:
    call = OF_X.get(function) or (lambda x: OF_TWO[function](x, X))
    message = refused(ValueError, lambda: call([[1.0, 0.0], [0.0]]))
    assert message.startswith("x: expected an array of float32 or float64: setting an array element with a sequence.")


@pytest.mark.parametrize("function", OF_X)
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (X[0], "x: expected shape (n, d) or (replicas, n, d), all at least 1, got (3,)"),
        (X[None, None], "x: expected shape (n, d) or (replicas, n, d), all at least 1, got (1, 1, 7, 3)"),
        (X[:0], "x: expected shape (n, d) or (replicas, n, d), all at least 1, got (0, 3)"),
        (X[:, :0], "x: expected shape (n, d) or (replicas, n, d), all at least 1, got (7, 0)"),
        (1.0, "x: expected shape (n, d) or (replicas, n, d), all at least 1, got ()"),
        (changed((3, 1), np.nan), "x: has NaN at [3, 1]; pass finite numbers"),
        (np.stack([X, changed((2, 0), np.inf)]), "x: has inf at [1, 2, 0]; pass finite numbers"),
        (LONG, f"x: row [2] has length 2, {UNIT}"),
        (np.stack([X, LONG]), f"x: row [1, 2] has length 2, {UNIT}"),
        (0.99 * np.eye(3), f"x: row [0] has length 0.99, {UNIT}"),
    ],
)
def test_shapes_and_numbers_of_tokens(x: Any, message: str, function: str) -> None:
    # The same at the first call and where the equation is known.
    OF_X[function](X)
    assert refused(ValueError, lambda: OF_X[function](x)) == message


@pytest.mark.parametrize("function", OF_TWO)
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x": X[0]}, "x: expected shape (n, d), got (3,)"),
        ({"y": X[None]}, "y: expected shape (n, d), got (1, 7, 3)"),
        ({"y": X[:, :2]}, "y: expected shape (m, 3) as x has, got (7, 2)"),
        ({"x": changed((3, 1), np.nan)}, "x: number 1 of point 3 is NaN; give finite numbers"),
        ({"y": changed((3, 1), -np.inf)}, "y: number 1 of point 3 is -inf; give finite numbers"),
        ({"a": np.ones(7)}, "a: their sum is 7; divide them by it"),
        ({"b": np.full(7, 0.0625)}, "b: their sum is 0.4375; divide them by it"),
        ({"a": np.ones((7, 1)) / 7}, "a: expected shape (7,), got (7, 1)"),
        ({"b": np.ones(4) / 4}, "b: expected shape (7,), got (4,)"),
        ({"b": np.eye(7)[0] * 3 - np.eye(7)[4] * 2}, "b: that of point 4 is -2; give finite numbers, none negative"),
        ({"a": changed(5, np.nan, UNEQUAL)}, "a: that of point 5 is NaN; give finite numbers, none negative"),
    ],
)
def test_shapes_and_numbers_of_clouds(given: dict[str, Any], message: str, function: str) -> None:
    assert refused(ValueError, lambda: OF_TWO[function](**{"x": X, "y": X, **given})) == message


REFUSED: list[tuple[str, type[Exception], Callable[[], Any], str]] = [
    ("beta of text", TypeError, lambda: tf.attention_velocity(X, "1"), "beta: expected a number, got str"),  # type: ignore[arg-type]
    ("beta of a list", TypeError, lambda: tf.energy(X, [1.0]), "beta: expected a number, got list"),  # type: ignore[arg-type]
    ("beta of an array", TypeError, lambda: tf.energy(X, np.ones(2)), "beta: expected a number, got ndarray"),  # type: ignore[arg-type]
    ("beta of truth", TypeError, lambda: (tf.energy(X, 1.0), tf.energy(X, True)), "beta: expected a number, got bool"),
    ("line", ValueError, lambda: tf.attention_velocity(X[:, :1] ** 0),
     'x: tokens with directions have d >= 2, got d = 1; pass geometry="euclidean"'),
    ("negative weights", ValueError, lambda: tf.attention_velocity(X, weights=2 * np.eye(7)[0] - np.eye(7)[1]),
     "weights: that of token 1 is -1; pass numbers of at least 0 that sum to 1"),
    ("matrix of NaN", ValueError, lambda: tf.attention_velocity(X, query_key=np.full((3, 3), np.nan)),
     "query_key: has nan at [0, 0]; pass finite numbers"),
    ("infinite diagonal", ValueError, lambda: tf.attention_velocity(X, value=[1.0, np.inf, 1.0]),
     "value: has inf at [1]; pass finite numbers"),
    ("multiple of NaN", ValueError, lambda: tf.attention_velocity(X, value=np.nan),
     "value: has nan; pass finite numbers"),
    ("no quantities", TypeError, lambda: tf.observe(X, None),  # type: ignore[arg-type]
     'quantities: expected words such as "moments" or a list of them, got None'),
    ("kernel of text", TypeError, lambda: tf.mmd(X, Y, beta="a"), "beta: expected a number, got str"),  # type: ignore[arg-type]
    ("entropy of text", TypeError, lambda: tf.sinkhorn_divergence(X, Y, epsilon="a"),  # type: ignore[arg-type]
     "epsilon: expected a number, got str"),
    ("one projection", ValueError, lambda: tf.sliced_wasserstein(X, Y, n_projections=1),
     "n_projections: expected a whole number from 2 to 4294967295, got 1"),
    ("no points", ValueError, lambda: tf.mmd(X[:0], Y), "x: expected shape (n, d), both at least 1, got (0, 3)"),
    ("overflow", ValueError, lambda: tf.attention_velocity(X, 1000.0, normalization="unnormalized"),
     "beta: weights e^{beta <x_i, A x_j>} overflow; pass a smaller beta, or a normalization that divides by their sum"),
    ("few weights", ValueError, lambda: tf.attention_velocity(X, weights=np.ones(6) / 6),
     "weights: expected shape (7,), got (6,)"),
    ("weights of replicas", ValueError, lambda: tf.energy(np.stack([X, X]), weights=np.ones((3, 7)) / 7),
     "weights: expected shape (7,) or (2, 7), got (3, 7)"),
    ("large weights", ValueError, lambda: tf.attention_velocity(X, weights=np.ones(7)),
     "weights: expected numbers of at least 0 that sum to 1, and their sum is 7; divide them by their sum"),
    ("weights of NaN", ValueError, lambda: tf.attention_velocity(X, weights=changed(4, np.nan, UNEQUAL)),
     "weights: has NaN at [4]; pass finite numbers"),
    ("wide matrix", ValueError, lambda: tf.attention_velocity(X, query_key=np.eye(2)),
     "query_key: expected a number, shape (3,) or (3, 3), got (2, 2)"),
    ("short diagonal", ValueError, lambda: tf.attention_velocity(X, value=[1.0, 2.0]),
     "value: expected a number, shape (3,) or (3, 3), got (2,)"),
    ("matrix of text", TypeError, lambda: tf.attention_velocity(X, query_key="one"),
     "query_key: expected a number, got str"),
    ("matrix of truth", TypeError, lambda: tf.attention_velocity(X, value=True), "value: expected a number, got bool"),
    ("matrix of integers", TypeError, lambda: tf.attention_velocity(X, value=np.eye(3, dtype=int)),
     "value: expected an array of float32 or float64, got int64 of shape (3, 3)"),
    ("device", ValueError, lambda: tf.attention_velocity(X, device="tpu"),  # type: ignore[arg-type]
     'device: expected "auto", "cpu", "gpu" or "reference", got "tpu"'),
    ("tokens observed", ValueError, lambda: tf.observe(X, "tokens"),
     'quantities: "tokens" has no column; call simulate for tokens of a run'),
    ("matrix observed", ValueError, lambda: tf.observe(X, ["moments", "attention_matrix"]),
     'quantities: "attention_matrix" has no column; call attention_rows'),
    ("times observed", ValueError, lambda: tf.observe(X, "moments", every=1.0),
     "every: says when runs are observed; leave it out, or call simulate"),
    ("row beyond", ValueError, lambda: tf.attention_rows(X, 1.0, [0, 7]),
     "rows: expected a whole number from 0 to 6, got 7"),
    ("row before", ValueError, lambda: tf.attention_rows(X, 1.0, [-1]),
     "rows: expected a whole number from 0 to 6, got -1"),
    ("row between", ValueError, lambda: tf.attention_rows(X, 1.0, [0.5]),  # type: ignore[list-item]
     "rows: expected a whole number from 0 to 6, got 0.5"),
    ("order", ValueError, lambda: tf.wasserstein(X, X, 3), "p: expected a whole number from 1 to 2, got 3"),  # type: ignore[arg-type]
    ("order below", ValueError, lambda: tf.wasserstein(X, X, -1), "p: expected a whole number from 1 to 2, got -1"),  # type: ignore[arg-type]
    ("broken order", ValueError, lambda: tf.sliced_wasserstein(X, X, 1.5),  # type: ignore[call-overload]
     "p: expected a whole number from 1 to 2, got 1.5"),
    ("method", ValueError, lambda: tf.wasserstein(X, X, method="exact"),  # type: ignore[arg-type]
     'method: expected "auto", "circle" or "assignment", got "exact"'),
    ("projections", ValueError, lambda: tf.sliced_wasserstein(X, Y, n_projections=-1),
     "n_projections: expected a whole number"),
    ("seed", ValueError, lambda: tf.sliced_wasserstein(X, Y, seed=-1),
     "seed: expected a whole number from 0 to 18446744073709551615, got -1"),
    ("broken seed", ValueError, lambda: tf.sliced_wasserstein(X, Y, seed=0.5),  # type: ignore[call-overload]
     "seed: expected a whole number from 0 to 18446744073709551615, got 0.5"),
    ("no entropy", ValueError, lambda: tf.sinkhorn_divergence(X, Y, epsilon=0.0),
     "epsilon: 0 is not positive and finite"),
    ("tolerance", ValueError, lambda: tf.sinkhorn_divergence(X, Y, tolerance=-1.0),
     "tolerance: -1 is not positive and finite"),
    ("iterations", ValueError, lambda: tf.sinkhorn_divergence(X, Y, max_iterations=0),
     "max_iterations: expected a whole number from 1 to 4294967295, got 0"),
    ("few iterations", ValueError, lambda: tf.sinkhorn_divergence(X, Y, epsilon=1e-4, max_iterations=3),
     "sinkhorn: after 3 iterations the marginals are off by"),
    ("narrow kernel", ValueError, lambda: tf.mmd(X, Y, beta=-1.0), "beta: -1 is not positive and finite"),
    ("kernel beyond", ValueError, lambda: tf.mmd(20 * X, Y, beta=100.0),
     "beta: the kernel e^{beta (<x, y> - 1)} overflows at beta = 100 for points this long"),
    ("unequal counts", ValueError, lambda: tf.wasserstein(X, Y), "assignment: 7 points and 5 points do not pair off"),
    ("unequal weights", ValueError, lambda: tf.wasserstein(X, X, a=UNEQUAL),
     "assignment: the weights are not all equal"),
    ("no circle", ValueError, lambda: tf.wasserstein(X, X, method="circle"), "circle: points of R^3 have no angle"),
    ("no angle", ValueError, lambda: tf.wasserstein(np.eye(2), 0 * np.eye(2), method="circle"),
     "circle: point 0 is the origin and has no angle"),
    ("too many", ValueError, lambda: tf.wasserstein(np.ones((9000, 1)), np.ones((9000, 1))),
     "assignment: 9000 points would take too long"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "call", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_refusals_say_why(error: type[Exception], call: Callable[[], Any], message: str) -> None:
    assert refused(error, call).startswith(message)


# Words and numbers that the library judges, which names them as keys of a problem: what the message has to hold.
JUDGED: list[tuple[Callable[[], Any], list[str]]] = [
    (lambda: tf.attention_velocity(X, -1.0), ["beta", "-1.0", "at least 0"]),
    (lambda: tf.attention_velocity(X, np.nan), ["beta", "nan", "finite"]),
    (lambda: tf.attention_velocity(X, normalization="none"), ["normalization", '"none"', '"softmax"', '"sinkhorn"']),
    (lambda: tf.attention_velocity(X, normalization="sinkhorn"), ["attention.sinkhorn", "missing"]),
    (lambda: tf.attention_velocity(X, mask="past"), ["mask", '"past"', '"strictly-causal"']),
    (lambda: tf.attention_velocity(X, mask="others"), ["mask", '"others"', "hardmax"]),
    (lambda: tf.attention_velocity(X, geometry="torus"), ["geometry", '"torus"', '"euclidean"']),
    (lambda: tf.attention_velocity(X, algorithm="fast"), ["algorithm", '"fast"', '"direct"']),
    (lambda: tf.attention_velocity(X, algorithm="harmonic", mask="causal"), ["algorithm", '"harmonic"', "mask"]),
    (lambda: tf.attention_velocity(X, tolerance=2.0), ["tolerance", "2.0", "less than 1"]),
    (lambda: tf.attention_velocity(X, set={"attention.beat": 1}), ["attention.beat", "attention.beta"]),
    (lambda: tf.energy(X, 0.0), ["energy", "beta = 0"]),
    (lambda: tf.observe(X, "nothing"), ["quantities", '"nothing"', '"moments"']),
    (lambda: tf.observe(X, ["moments", "moments"]), ["quantities", '"moments"', "twice"]),
    (lambda: tf.observe(X, "clusters", thresh=0.9), ["thresh", "threshold"]),
    (lambda: tf.observe(X, "clusters", threshold=2.0), ["threshold", "2.0", "less than 1"]),
    (lambda: tf.observe(X, "moments", threshold=0.9), ["threshold", "clusters"]),
    (lambda: tf.initial.uniform(0, 3), ["count", "0", "at least 1"]),
    (lambda: tf.initial.uniform(3, 3, seed=-1), ["seed", "-1", "at least 0"]),
]


@pytest.mark.parametrize("case", range(len(JUDGED)))
def test_refusals_of_the_library_name_key_and_value(case: int) -> None:
    call, words = JUDGED[case]
    message = refused(tf.ExperimentError, call)
    assert [word for word in words if word not in message] == []
