"""What may come in as an array, and that layouts, types and owners of memory change no number."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import literal
import numpy as np
import numpy.typing as npt
import pytest
import torch

import tokenfield as tf

Array = npt.NDArray[Any]


def numbers(observed: dict[str, Any]) -> Array:
    return np.array(list(observed.values()))


OTHER = literal.sphere(99, 10, 3)
# All functions, as functions of their first cloud.
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "attention_velocity": lambda x: tf.attention_velocity(x, 3.0),
    "energy": lambda x: tf.energy(x, 3.0),
    "observe": lambda x: numbers(tf.observe(x, ["moments", "energy", "clusters"], 3.0)),
    "wasserstein": lambda x: tf.wasserstein(x, OTHER),
    "sliced_wasserstein": lambda x: np.array(tf.sliced_wasserstein(x, OTHER, return_error=True)),
    "sinkhorn_divergence": lambda x: tf.sinkhorn_divergence(x, OTHER, epsilon=0.5, max_iterations=100),
    "mmd": lambda x: tf.mmd(x, OTHER),
    "energy_distance": lambda x: tf.energy_distance(x, OTHER),
}
EVERY_FUNCTION = pytest.mark.parametrize("function", FUNCTIONS)


def fortran(x: Array) -> Array:
    return np.asfortranarray(x)


def every_second(x: Array) -> Array:
    return np.repeat(x, 2, axis=0)[::2]


def backwards(x: Array) -> Array:
    return np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]


def part_of_rows(x: Array) -> Array:
    return np.pad(x, ((1, 1), (2, 3)), constant_values=np.nan)[1:-1, 2:-3]


def transposed(x: Array) -> Array:
    return np.ascontiguousarray(x.T).T


def read_only(x: Array) -> Array:
    y = x.copy()
    y.flags.writeable = False
    return y


def unaligned(x: Array) -> Array:
    memory = np.zeros(x.nbytes + 1, dtype=np.uint8)
    y = memory[1:].view(x.dtype).reshape(x.shape)
    y[...] = x
    assert not y.flags.aligned
    return y


def other_byte_order(x: Array) -> Array:
    return x.astype(x.dtype.newbyteorder(">" if sys.byteorder == "little" else "<"))


class Tagged(np.ndarray[Any, Any]):
    """A subclass, as those of units and of metadata are."""


def subclass(x: Array) -> Array:
    return x.view(Tagged)


def field_of_records(x: Array) -> Array:
    records = np.zeros(len(x), dtype=[("place", x.dtype, x.shape[1]), ("label", np.int8)])
    records["place"] = x
    return records["place"]


def tensor(x: Array) -> torch.Tensor:
    return torch.from_numpy(x.copy())


def strided_tensor(x: Array) -> torch.Tensor:
    return torch.from_numpy(np.repeat(x, 3, axis=0))[::3]


class Capsule:
    """An array of a library that has nothing but the protocol of DLPack."""

    def __init__(self, x: Array) -> None:
        self.x = x

    def __dlpack__(self, **given: Any) -> Any:
        return self.x.__dlpack__(**given)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.x.__dlpack_device__()


ARRAYS: list[Callable[[Array], Any]] = [
    fortran, every_second, backwards, part_of_rows, transposed, read_only, unaligned, other_byte_order, subclass,
    field_of_records
]  # fmt: skip
LAYOUTS = [*ARRAYS, memoryview, tensor, strided_tensor, Capsule]


@contextmanager
def unchanged(*arrays: Array) -> Iterator[None]:
    before = [array.tobytes() for array in arrays]
    yield
    assert [array.tobytes() for array in arrays] == before


@EVERY_FUNCTION
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_change_no_bit(layout: Callable[[Array], Any], dtype: npt.DTypeLike, function: str) -> None:
    x = literal.sphere(1, 10, 3).astype(dtype)
    given = layout(x)
    held = np.asarray(given.x if isinstance(given, Capsule) else given)
    with unchanged(held, OTHER):
        found = FUNCTIONS[function](given)
    expected = FUNCTIONS[function](x)
    assert np.asarray(found).tobytes() == np.asarray(expected).tobytes()
    if function == "attention_velocity":
        assert type(found) is np.ndarray
        assert found.dtype == dtype
        assert found.flags.c_contiguous and found.flags.writeable
        assert not np.shares_memory(found, held)


@EVERY_FUNCTION
def test_lists_of_numbers_are_of_double_precision(function: str) -> None:
    x = literal.sphere(1, 10, 3)
    assert np.array_equal(FUNCTIONS[function](x.tolist()), FUNCTIONS[function](x))
    assert np.array_equal(FUNCTIONS[function](tuple(map(tuple, x))), FUNCTIONS[function](x))


def test_whole_numbers_of_lists_are_numbers() -> None:
    corners = [[1, 0], [0, -1]]
    assert np.array_equal(tf.attention_velocity(corners), tf.attention_velocity(np.array(corners, dtype=np.float64)))


@EVERY_FUNCTION
def test_one_point_over_and_over(function: str) -> None:
    # No stride at all: ten rows at one place of memory.
    x = np.broadcast_to(literal.sphere(1, 3), (10, 3))
    assert x.strides[0] == 0
    assert np.array_equal(FUNCTIONS[function](x), FUNCTIONS[function](x.copy()))


@pytest.mark.parametrize("layout", [fortran, every_second, transposed, tensor])
def test_layouts_of_weights_and_matrices(layout: Callable[[Array], Any]) -> None:
    x, y = literal.sphere(1, 10, 3), literal.sphere(2, 7, 3)
    w, u, a = literal.masses(3, 10), literal.masses(4, 7), literal.space(5, 3, 3)
    given: list[Any] = [layout(w), layout(u), layout(a)]
    equation: dict[str, Any] = {"weights": w, "query_key": a, "value": a}
    laid: dict[str, Any] = {"weights": given[0], "query_key": given[2], "value": given[2]}
    assert np.array_equal(tf.attention_velocity(x, **laid), tf.attention_velocity(x, **equation))
    assert tf.energy(x, weights=given[0], query_key=given[2]) == tf.energy(x, weights=w, query_key=a)
    assert tf.observe(x, "moments", weights=given[0]) == tf.observe(x, "moments", weights=w)
    for distance in (tf.sliced_wasserstein, tf.sinkhorn_divergence, tf.mmd, tf.energy_distance):
        assert distance(x, y, a=given[0], b=given[1]) == distance(x, y, a=w, b=u)


@pytest.mark.parametrize("layout", [fortran, read_only, unaligned, tensor])
def test_layouts_of_replicas(layout: Callable[[Array], Any]) -> None:
    x = literal.sphere(1, 4, 10, 3)
    for given in (
        layout(x),
        np.ascontiguousarray(x.transpose(2, 0, 1)).transpose(1, 2, 0),
        np.repeat(x, 2, axis=0)[::2],
    ):
        assert np.array_equal(tf.attention_velocity(given), tf.attention_velocity(x))


@pytest.mark.parametrize("layout", ARRAYS)
def test_layouts_inside_problems(layout: Callable[[Array], Any]) -> None:
    x, a = literal.sphere(1, 10, 3), literal.space(5, 3, 3)
    problem = {
        "tokens": {"initial": layout(x)},
        "attention": {"beta": 1.0, "normalization": "softmax", "head": [{"query-key": layout(a)}]},
        "time": {"scheme": "layer", "step": 1.0, "end": 1.0},
    }
    moved = x + literal.attention(x, 1.0, query_key=a) @ x
    run = tf.simulate(problem, device="cpu", precision="double")
    assert np.abs(run.tokens[0] - moved / np.linalg.norm(moved, axis=1, keepdims=True)).max() < 1e-12


def test_single_precision_comes_back_in_single_precision() -> None:
    x = literal.sphere(1, 10, 3)
    single = tf.attention_velocity(x.astype(np.float32), 3.0)
    double = tf.attention_velocity(x, 3.0)
    assert single.dtype == np.float32
    assert double.dtype == np.float64
    # Weights have a type of their own, which does not decide.
    assert tf.attention_velocity(x, weights=literal.masses(1, 10).astype(np.float32)).dtype == np.float64
    assert tf.attention_velocity(x.astype(np.float32), weights=literal.masses(1, 10)).dtype == np.float32


def test_results_are_the_callers_own() -> None:
    x = literal.sphere(1, 10, 3)
    first = tf.attention_velocity(x)
    kept = first.copy()
    first[...] = 0.0
    again = tf.attention_velocity(x)
    assert np.array_equal(again, kept)
    assert not np.shares_memory(first, again)


def test_tokens_that_change_are_read_anew() -> None:
    # Equations are kept by their keys; tokens, weights and matrices of the last call must not be.
    x, y = literal.sphere(1, 10, 3), literal.sphere(2, 10, 3)
    w, u = literal.masses(1, 10), literal.masses(2, 10)
    a = literal.space(3, 3, 3)
    for tokens, weights, sign in ((x, w, 1.0), (y, w, 1.0), (y, u, 1.0), (y, u, -1.0), (x, w, 1.0)):
        found = tf.attention_velocity(tokens, 2.0, weights=weights, query_key=sign * a)
        expected = literal.velocity(tokens, 2.0, weights=weights, query_key=sign * a)
        assert np.abs(found - expected).max() < 1e-12
    matrix = a.copy()
    tf.attention_velocity(x, 2.0, query_key=matrix)
    matrix *= 2.0
    expected = literal.velocity(x, 2.0, query_key=matrix)
    assert np.abs(tf.attention_velocity(x, 2.0, query_key=matrix) - expected).max() < 1e-12


def test_more_equations_than_are_kept() -> None:
    x = literal.sphere(1, 5, 3)
    for beta in [*np.linspace(0.1, 9.0, 100), 0.1]:
        assert np.abs(tf.attention_velocity(x, beta) - literal.velocity(x, beta)).max() < 1e-12


def test_a_tensor_or_a_file_that_was_changed_is_another_matrix(tmp_path: Path) -> None:
    x = tf.initial.uniform(20, 3)
    matrix = torch.eye(3, dtype=torch.float64)
    before = tf.attention_velocity(x, 2.0, value=matrix)
    matrix *= -1
    assert np.abs(tf.attention_velocity(x, 2.0, value=matrix) + before).max() < 1e-15
    file = tmp_path / "value.npy"
    keys = {"attention.head.0.value": {"path": str(file)}}
    np.save(file, np.eye(3))
    before = tf.attention_velocity(x, 2.0, set=keys)
    np.save(file, -np.eye(3))
    assert np.abs(tf.attention_velocity(x, 2.0, set=keys) + before).max() < 1e-15
