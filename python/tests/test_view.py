"""The view of tokens: what is sent to the front end and what a page holds, against values from outside."""

import base64
import html.parser
import json
import sys

import numpy as np
import pytest

import tokenfield as tf
from tokenfield import _widget
from tokenfield._view import view


def on_sphere(*shape, seed=0):
    x = np.random.default_rng(seed).normal(size=shape)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def frames_of(widget):
    scene = widget.scene
    return np.frombuffer(widget.frames, "<f4").reshape(-1, scene["count"], scene["axes"])


def colors_of(widget):
    return np.frombuffer(widget.colors, np.uint8).reshape(-1, widget.scene["count"], 3)


class Circling:
    """A simulation whose tokens turn by 0.1 radians a step."""

    def __init__(self, x):
        self.start, self.time, self.broken = x, 0.0, False

    @property
    def tokens(self):
        c, s = np.cos(self.time), np.sin(self.time)
        turn = np.eye(self.start.shape[-1])
        turn[:2, :2] = [[c, s], [-s, c]]
        return self.start @ turn

    def step(self, steps=1):
        if self.broken:
            raise RuntimeError("tokens have left the sphere")
        self.time += 0.1 * steps


@pytest.fixture
def sent(monkeypatch):
    """Messages of all views to their front ends: (content, buffers)."""
    messages = []
    monkeypatch.setattr(_widget.View, "send", lambda self, content, buffers=None: messages.append((content, buffers)))
    return messages


# Frames.


def test_frames_are_little_endian_floats_in_order():
    x = np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0], [0.6, 0.8, 0.0]]])
    widget = view(x, times=[0.0, 2.5])
    assert widget.frames[:24] == bytes.fromhex("0000803f 00000000 00000000 00000000 0000803f 00000000")
    assert frames_of(widget).tolist() == x.astype(np.float32).tolist()
    assert widget.scene["times"] == [0.0, 2.5]
    assert (widget.scene["count"], widget.scene["axes"], widget.scene["sphere"], widget.scene["radius"]) == (
        2,
        3,
        True,
        1.0,
    )


def test_two_axes_are_one_frame_and_three_are_frames():
    x = on_sphere(5, 4, 3)
    assert len(frames_of(view(x))) == 5
    one = view(x[0])
    assert len(frames_of(one)) == 1 and one.scene["times"] == [0.0]
    assert not one.scene["timed"] and view(x, times=range(5)).scene["timed"]


def test_trajectories_show_the_replica_that_was_asked_for():
    x = on_sphere(5, 3, 4, 3)
    widget = view(x, replica=2)
    assert np.array_equal(frames_of(widget), x[:, 2].astype(np.float32))
    assert widget.scene["caption"] == "4 tokens on the sphere; replica 2 of 3"


PROBLEM = {
    "tokens": {"count": 12, "dim": 3, "replicas": 2, "initial": {"law": "uniform"}},
    "attention": {"beta": 4.0, "normalization": "softmax"},
    "time": {"scheme": "heun", "step": 0.1, "end": 1.0},
    "observe": {"quantities": ["moments", "tokens"], "every": 0.5},
}


def test_runs_show_their_trajectory():
    run = tf.simulate(PROBLEM, device="cpu")
    widget = view(run, replica=1)
    assert np.array_equal(frames_of(widget), np.asarray(run.trajectory)[:, 1])
    assert widget.scene["times"] == pytest.approx([0.0, 0.5, 1.0]) and widget.scene["timed"]


def test_runs_without_a_trajectory_show_their_end_and_say_so():
    run = tf.simulate({**PROBLEM, "observe": {"quantities": ["moments"], "every": 0.5}}, device="cpu")
    widget = view(run)
    assert np.array_equal(frames_of(widget), run.tokens[:1])
    assert widget.scene["times"] == pytest.approx([1.0])
    assert 'the end only: add "tokens" to observe.quantities' in widget.scene["caption"]


def test_many_tokens_are_thinned_and_the_caption_says_so():
    x = on_sphere(3, 5000, 3)
    widget = view(x, limit=1000, color=np.arange(5000) // 2500)
    shown = frames_of(widget)
    assert shown.shape == (3, 1000, 3)
    places = [int(np.flatnonzero((x[0].astype(np.float32) == token).all(axis=1))[0]) for token in shown[0]]
    assert places == sorted(set(places)), "in their order, none twice"
    assert np.array_equal(shown[2], x[2, places].astype(np.float32)), "the same tokens in every frame"
    # Half are of each class, give or take five standard deviations of a draw without repetition.
    assert abs(sum(place < 2500 for place in places) - 500) < 5 * np.sqrt(1000 * 0.25)
    first = colors_of(widget)[0]
    assert all((first[k] == first[0]).all() == (place < 2500) for k, place in enumerate(places))
    assert widget.scene["caption"].startswith("1,000 of 5,000 tokens, drawn at random, on the sphere")


# Coordinates.


def test_projection_keeps_the_plane_that_holds_all_tokens():
    rng = np.random.default_rng(3)
    basis, _ = np.linalg.qr(rng.normal(size=(9, 3)))
    inside = rng.normal(size=(40, 3)) * [3.0, 2.0, 1.0]
    x = inside @ basis.T
    widget = view(np.stack([rng.normal(size=x.shape), x]))
    last = frames_of(widget)[-1].astype(np.float64)
    assert last @ last.T == pytest.approx(x @ x.T, abs=1e-4)
    assert "3 principal directions at the end, 100.0 % of the variance about 0" in widget.scene["caption"]


def test_projection_takes_the_axes_of_known_second_moments():
    # Second moments 16, 9, 4, 1, 0 along e_4, e_2, e_0, e_1, e_3, by hand: 29 / 30 of the whole.
    x = np.zeros((8, 5))
    for axis, moment in ((4, 16.0), (2, 9.0), (0, 4.0), (1, 1.0)):
        row = [4, 2, 0, 1].index(axis)
        x[2 * row, axis], x[2 * row + 1, axis] = np.sqrt(moment), -np.sqrt(moment)
    widget = view(x)
    assert frames_of(widget)[0] == pytest.approx(x[:, [4, 2, 0]], abs=1e-6)
    assert "96.7 % of the variance about 0" in widget.scene["caption"]


def test_a_cluster_far_from_the_origin_stays_at_its_length():
    x = np.tile(on_sphere(1, 6), (10, 1))
    assert np.linalg.norm(frames_of(view(x))[0], axis=1) == pytest.approx(np.ones(10), abs=1e-6)


def test_few_tokens_of_many_components_have_a_projection():
    widget = view(np.eye(2, 6))
    shown = frames_of(widget)[0]
    assert np.linalg.norm(shown, axis=1) == pytest.approx([1.0, 1.0]) and "100.0 %" in widget.scene["caption"]


def test_tokens_off_the_sphere_have_a_radius():
    x = np.array([[3.0, 4.0, 0.0], [0.0, 1.0, 0.0]])
    widget = view(x)
    assert widget.scene["radius"] == 5.0 and not widget.scene["sphere"]
    assert widget.scene["caption"] == "2 tokens in R^3; ball of radius 5"
    assert view(x / np.array([[5.0], [1.0]])).scene["caption"] == "2 tokens on the sphere"
    line = view(np.array([[0.5], [-2.0]]))
    assert frames_of(line).tolist() == [[[0.5, 0.0], [-2.0, 0.0]]]
    assert line.scene["caption"] == "2 tokens in R^1; circle of radius 2"


# Simulations.


def test_simulations_are_stepped_and_followed(sent):
    simulation = Circling(on_sphere(2, 7, 3))
    widget = view(simulation, replica=1)
    assert widget.scene["live"] and frames_of(widget).shape == (1, 7, 3)
    widget._answer(widget, {"kind": "step", "steps": 3}, [])
    content, buffers = sent[-1]
    assert (content["kind"], content["time"]) == ("frame", pytest.approx(0.3))
    c, s = np.cos(0.3), np.sin(0.3)
    expected = simulation.start[1] @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    assert np.frombuffer(buffers[0], "<f4").reshape(7, 3) == pytest.approx(expected, abs=1e-6)
    assert buffers[1] == widget.colors, "colours of the start stay"
    simulation.step(1)
    widget.update()
    assert sent[-1][0]["time"] == pytest.approx(0.4)


def test_histories_are_bounded(sent):
    widget = view(Circling(on_sphere(5, 2)), history=4)
    for _ in range(10):
        widget.step()
    widget._answer(widget, {"kind": "history"}, [])
    content, buffers = sent[-1]
    assert content["times"] == pytest.approx([0.7, 0.8, 0.9, 1.0])
    assert np.frombuffer(buffers[0], "<f4").shape == (4 * 5 * 2,) and len(buffers[1]) == 4 * 5 * 3


def test_simulations_that_fail_say_so_in_the_picture(sent):
    simulation = Circling(on_sphere(5, 2))
    widget = view(simulation)
    simulation.broken = True
    widget._answer(widget, {"kind": "step", "steps": 1}, [])
    assert sent == [({"kind": "error", "text": "RuntimeError: tokens have left the sphere"}, None)]


def test_speeds_of_a_simulation(sent):
    widget = view(Circling(np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])), color="speed")
    assert widget.scene["legend"]["label"] == "colour: speed; nothing has moved yet"
    widget.step()
    content, buffers = sent[-1]
    # A chord of 0.1 radians over a time of 0.1; the other token is on the axis.
    assert content["legend"]["high"] == f"{2 * np.sin(0.05) / 0.1:.2g}"
    assert ["#" + buffers[1][k : k + 3].hex() for k in (0, 3)] == [content["legend"]["stops"][k] for k in (8, 0)]


def test_growing_clouds_widen_the_picture(sent):
    simulation = Circling(np.array([[0.5, 0.0], [0.0, 1.5]]))
    widget = view(simulation)
    simulation.start = 2.0 * simulation.start
    widget.step()
    assert sent[-1][0]["radius"] == pytest.approx(3.0)
    assert sent[-1][0]["caption"] == widget.scene["caption"] == "2 tokens in R^2; circle of radius 3"


# Errors.


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"run": np.zeros(3)}, ValueError, r"shape \(n, d\).*got an array of shape \(3,\)"),
        ({"run": np.zeros((0, 3))}, ValueError, "at least 1"),
        ({"run": "folder"}, TypeError, "run: expected an array"),
        ({"run": np.array([[1.0, np.nan]])}, ValueError, "token 0 at time 0 is not finite"),
        ({"replica": 1}, ValueError, "replica: .*0, got 1"),
        ({"run": on_sphere(2, 3, 4, 3), "replica": 3}, ValueError, "replica: expected 0 to 2, got 3"),
        ({"run": on_sphere(2, 3, 4, 3), "replica": -1}, ValueError, "replica: expected 0 to 2, got -1"),
        ({"times": [0.0]}, ValueError, r"times: expected shape \(2,\)"),
        ({"times": [1.0, 1.0]}, ValueError, "times: must be finite and increase"),
        (
            {"run": Circling(on_sphere(4, 3)), "times": [0.0]},
            ValueError,
            "times: a run and a simulation have their own",
        ),
        ({"color": "hue"}, ValueError, "color: expected one of start, cluster, speed, index or an array .* got 'hue'"),
        ({"color": np.zeros(5)}, ValueError, r"color: expected shape \(4,\), one number for each token, got \(5,\)"),
        ({"color": np.array([1.0, np.inf, 0.0, 0.0])}, ValueError, "color: must be finite, got inf"),
        ({"color": np.zeros(4, complex)}, TypeError, "color: .*complex128"),
        ({"run": on_sphere(4, 3), "color": "speed"}, ValueError, "speed.*two frames"),
        ({"limit": 0}, ValueError, "limit: expected at least 1"),
        ({"size": 0.0}, ValueError, "size: expected at least 0.5"),
        ({"height": 10}, ValueError, "height: expected at least 50"),
        (
            {"run": np.broadcast_to(np.ones(3), (3000, 10_000, 3))},
            ValueError,
            "343 MiB, and a view carries at most 256",
        ),
    ],
)
def test_errors_name_the_argument(arguments, error, words):
    with pytest.raises(error, match=words):
        view(**{"run": on_sphere(2, 4, 3), **arguments})


def test_frames_cannot_be_stepped():
    with pytest.raises(ValueError, match="give view a Simulation"):
        view(on_sphere(4, 3)).step()


def test_without_anywidget_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "tokenfield._widget")
    with pytest.raises(ImportError, match="pip install anywidget"):
        view(on_sphere(4, 3))


# Pages.


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.parts, self.attributes, self._open = {}, [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.attributes += [(tag, name) for name in attributes]
        self._open = attributes.get("id") or tag

    def handle_data(self, data):
        self.parts.setdefault(self._open, data)


def test_pages_hold_everything_and_fetch_nothing(tmp_path):
    x = on_sphere(3, 40, 3)
    widget = view(x, color="speed")
    path = widget.to_html(tmp_path / "tokens.html", title="a </title> @scene@")
    assert path == tmp_path / "tokens.html" and list(tmp_path.iterdir()) == [path]
    text = path.read_text()
    page = Page(text)
    assert base64.b64decode(page.parts["frames"]) == x.astype("<f4").tobytes()
    assert base64.b64decode(page.parts["colors"]) == widget.colors
    assert json.loads(page.parts["scene"]) == {
        **widget.scene,
        "legend": {**widget.scene["legend"], "stops": list(widget.scene["legend"]["stops"])},
    }
    assert page.parts["title"] == "a </title> @scene@"
    assert not {("script", "src"), ("link", "href"), ("img", "src")} & set(page.attributes)
    assert "http:" not in text and "https:" not in text and "import " not in page.parts["script"]
    assert "default-src 'none'" in text


def test_the_module_of_the_widget_has_one_export():
    script = view(on_sphere(4, 3))._esm
    assert script.count("\nexport ") == 1 and script.endswith("export default { render };\n")


def test_pages_of_simulations_have_the_frames_kept(tmp_path, sent):
    widget = view(Circling(on_sphere(5, 2)), history=3)
    for _ in range(6):
        widget.step()
    page = Page(widget.to_html(tmp_path / "tokens.html").read_text())
    scene = json.loads(page.parts["scene"])
    assert scene["times"] == pytest.approx([0.4, 0.5, 0.6]) and not scene["live"]
    assert len(base64.b64decode(page.parts["frames"])) == 3 * 5 * 2 * 4
