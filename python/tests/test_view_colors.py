"""Colours of the view of tokens, against published values, SciPy's components of graphs, and the engine."""

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

import tokenfield as tf
from tokenfield import _colors
from tokenfield._view import view


def on_sphere(*shape, seed=0):
    x = np.random.default_rng(seed).normal(size=shape)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def colors_of(widget):
    return np.frombuffer(widget.colors, np.uint8).reshape(-1, widget.scene["count"], 3)


@pytest.mark.parametrize(
    ("lightness", "a", "b", "expected"),
    # OKLab coordinates of the primaries as CSS Color 4 publishes them (https://www.w3.org/TR/css-color-4/#ok-lab).
    [
        (1.0, 0.0, 0.0, (255, 255, 255)),
        (0.0, 0.0, 0.0, (0, 0, 0)),
        (0.62796, 0.22486, 0.12585, (255, 0, 0)),
        (0.86644, -0.23389, 0.17950, (0, 255, 0)),
        (0.45201, -0.03246, -0.31153, (0, 0, 255)),
        (0.59987, 0.0, 0.0, (128, 128, 128)),
    ],
)
def test_oklab(lightness, a, b, expected):
    assert np.abs(_colors.oklab(lightness, a, b).astype(int) - expected).max() <= 1


def test_ramps_grow_lighter_and_tell_their_ends():
    linear = (_colors.ramp(np.linspace(0.0, 1.0, 33)) / 255.0) ** 2.2
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > 0.0).all()
    violet, red, yellow = _colors.ramp([0.0, 0.5, 1.0]).astype(int)
    assert violet.argmax() == 2 and red.argmax() == 0 and yellow.argmin() == 2 and yellow[1] > yellow[2] + 80
    widget = view(on_sphere(4, 3), color=np.array([2.0, 5.0, 3.5, 2.0]))
    assert (widget.scene["legend"]["low"], widget.scene["legend"]["high"]) == ("2", "5")
    painted = [bytes(color).hex() for color in colors_of(widget)[0]]
    stops = [stop[1:] for stop in widget.scene["legend"]["stops"]]
    assert painted == [stops[0], stops[8], stops[4], stops[0]]


def test_index_is_the_place_in_the_text():
    widget = view(on_sphere(9, 3), color="index")
    assert ["#" + bytes(color).hex() for color in colors_of(widget)[0]] == list(widget.scene["legend"]["stops"])
    assert (widget.scene["legend"]["low"], widget.scene["legend"]["high"]) == ("0", "8")


def test_start_colours_are_those_of_the_first_frame():
    x = on_sphere(3, 50, 3)
    first, alone = colors_of(view(x)), colors_of(view(x[0]))
    assert first.shape == (1, 50, 3) and np.array_equal(first, alone)
    # Near tokens have near colours, and antipodes have other ones.
    near = colors_of(view(np.array([[1.0, 0.0], [np.cos(0.02), np.sin(0.02)], [-1.0, 0.0]])))[0].astype(int)
    assert np.abs(near[0] - near[1]).max() <= 4 < 60 < np.abs(near[0] - near[2]).max()


@pytest.mark.parametrize(
    ("n", "d", "spread"), [(300, 3, 0.1), (300, 2, 0.02), (200, 8, 0.05), (150, 3, 3.0), (97, 16, 9.0)]
)
def test_clusters_are_the_components_of_the_graph(n, d, spread):
    rng = np.random.default_rng(n + d)
    x = on_sphere(6, d, seed=d)[rng.integers(0, 6, n)] + spread * rng.normal(size=(n, d))
    theta = x / np.linalg.norm(x, axis=1, keepdims=True)
    _, expected = connected_components(theta @ theta.T >= 0.99, directed=False)
    sizes = np.bincount(expected)
    found = _colors.components(x)
    assert np.array_equal(found < 0, sizes[expected] == 1)
    together = sizes[expected] > 1
    pairs = {(int(a), int(b)) for a, b in zip(found[together], expected[together], strict=True)}
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}) == (sizes > 1).sum()
    assert (np.diff(np.bincount(found[together], minlength=1)) <= 0).all(), "the largest first"


def test_clusters_are_those_of_the_engine():
    x = on_sphere(5, 3, seed=4)[np.arange(60) % 5] + 0.03 * np.random.default_rng(1).normal(size=(60, 3))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    labels = _colors.components(x)
    seen = tf.observe(x, "clusters", threshold=0.99)
    alone = int((labels < 0).sum())
    assert seen["clusters"] == labels.max() + 1 + alone
    assert seen["cluster_weight_0"] == pytest.approx((labels == 0).sum() / 60)


def test_cluster_colours_and_their_words():
    x = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.01], [-1.0, 0.0], [0.01, 1.0], [1.0, 0.02]])
    widget = view(x, color="cluster")
    colors = ["#" + bytes(color).hex() for color in colors_of(widget)[0]]
    first, second = _colors.CLASSES[:2]
    assert colors == [first, second, first, _colors.GREY, second, first]
    assert widget.scene["legend"]["label"] == "colour: 2 clusters at overlap 0.99, 1 token alone in grey"


def test_integers_are_classes_and_negative_ones_grey():
    widget = view(on_sphere(5, 3), color=np.array([70, -1, 12, 70, -5]))
    colors = ["#" + bytes(color).hex() for color in colors_of(widget)[0]]
    assert colors == [_colors.CLASSES[1], _colors.GREY, _colors.CLASSES[0], _colors.CLASSES[1], _colors.GREY]
    assert len({bytes(color) for color in colors_of(view(on_sphere(2, 3), color=[True, False]))[0]}) == 2


def test_speed_is_displacement_over_time():
    x = np.array([[[0.0, 0.0], [0.0, 0.0]], [[3.0, 4.0], [0.3, 0.4]], [[3.0, 4.0], [0.3, 0.9]]])
    assert _colors.speeds(x, np.array([0.0, 0.5, 1.5])) == pytest.approx(
        np.array([[10.0, 1.0], [0.0, 0.5], [0.0, 0.5]])
    )
    widget = view(x, times=[0.0, 0.5, 1.5], color="speed")
    painted = colors_of(widget)
    assert painted.shape == (3, 2, 3)
    legend = widget.scene["legend"]
    assert (legend["low"], legend["high"]) == ("0.01", "10")
    assert "#" + bytes(painted[0, 0]).hex() == legend["stops"][8], "the fastest"
    assert "#" + bytes(painted[1, 0]).hex() == legend["stops"][0], "at rest"
    # Speed 1 is a decade below the fastest of three: two thirds of the ramp.
    assert painted[0, 1].tolist() == _colors.ramp(2 / 3).tolist()


def test_clusters_of_a_simulation_keep_their_colours():
    before = np.array([0, 0, 0, 1, 1, 2, 2, -1])
    assert _colors.inherit(np.array([1, 1, 1, 0, 0, 0, 0, -1]), before).tolist() == [0, 0, 0, 1, 1, 1, 1, -1]
    assert _colors.inherit(np.array([0, 0, 0, -1, -1, -1, 1, 1]), before).tolist() == [0, 0, 0, -1, -1, -1, 2, 2]
    assert _colors.inherit(np.zeros(4, int), np.array([0, 1, 1, -1])).tolist() == [1, 1, 1, 1]
    split = _colors.inherit(np.array([0, 0, 0, 1, 1, 2, 2]), np.array([2, 2, 2, 2, 2, 0, 0]))
    assert split.tolist() == [2, 2, 2, 1, 1, 0, 0]
