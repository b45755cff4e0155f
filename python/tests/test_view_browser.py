"""The view of tokens in a browser: what is drawn where, and what mouse, keys and messages do.

The marker `browser` is for tests that run headless Chromium by playwright. They need `pip install playwright pillow`
and a Chromium: /usr/bin/chromium (Debian's package), or what the environment variable CHROMIUM names. They fail where
one of these is missing; `pytest -m "not browser"` leaves them out, and `pytest -m browser` runs nothing else.
"""

import io
import os

import numpy as np
import pytest

from tokenfield import _widget
from tokenfield._view import view

pytestmark = pytest.mark.browser

BLUE, ORANGE = (0x3F, 0x90, 0xDA), (0xFF, 0xA9, 0x0E)
WHITE = (255, 255, 255)
# How the sphere is first seen: rows are right, up, and out of the screen, from 0.35 radians above the equator.
SIDE = np.array([[-0.5, 0.866, 0.0], [0.0, 0.0, 1.0], [0.866, 0.5, 0.0]])
C, S = np.cos(0.35), np.sin(0.35)
LOOK = np.array([[1.0, 0.0, 0.0], [0.0, C, -S], [0.0, S, C]]) @ SIDE
NO_WEBGL = """
const plain = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind === "webgl2" ? null : plain.call(this, kind, ...rest);
};
"""


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    flags = [
        *("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"),
    ]
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        launched = playwright.chromium.launch(executable_path=path, args=flags)
        yield launched
        launched.close()


class Shown:
    """A page with a view in it."""

    def __init__(self, page, target):
        self.page, self.requests, self.errors = page, [], []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda line: self.errors.append(line.text) if line.type in ("error", "warning") else None)
        if target.startswith("file:"):
            page.goto(target)
        else:
            page.set_content(target)

    def settle(self):
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    @property
    def renderer(self):
        return self.page.locator(".tokenfield-view").get_attribute("data-renderer")

    @property
    def time(self):
        return self.page.locator(".tf-time").text_content()

    def wait(self, condition):
        """Wait until it holds; the policy of pages leaves no script to wait in them."""
        for _ in range(500):
            if condition():
                return
            self.page.wait_for_timeout(20)
        raise AssertionError("nothing came in ten seconds")

    def picture(self):
        """Return the canvas as numbers (height, width, 3)."""
        from PIL import Image

        self.settle()
        return np.asarray(Image.open(io.BytesIO(self.page.locator("canvas").screenshot())).convert("RGB")).astype(int)

    def at(self, x, y):
        """Return the pixel at a place of the picture whose unit circle has radius 1."""
        picture = self.picture()
        height, width, _ = picture.shape
        unit = 0.46 * min(height, width)
        return tuple(picture[round(height / 2 - unit * y), round(width / 2 + unit * x)].tolist())

    def drag(self, start, end):
        box = self.page.locator("canvas").bounding_box()
        unit = 0.46 * min(box["height"], box["width"])
        for (x, y), act in ((start, self.page.mouse.down), (end, self.page.mouse.up)):
            self.page.mouse.move(box["x"] + box["width"] / 2 + unit * x, box["y"] + box["height"] / 2 - unit * y)
            act()


@pytest.fixture
def show(browser, tmp_path):
    contexts = []

    def open_page(widget, *, width=600, dark=False, motion="reduce", script="", live=False):
        theme = "dark" if dark else "light"
        size = {"width": width, "height": 700}
        context = browser.new_context(viewport=size, color_scheme=theme, reduced_motion=motion, has_touch=True)
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(script or "0")
        target = _LIVE if live else widget.to_html(tmp_path / "tokens.html").as_uri()
        shown = Shown(page, target)
        shown.settle()
        return shown

    yield open_page
    for context in contexts:
        context.close()


def close_to(pixel, expected, tolerance=12):
    return np.abs(np.subtract(pixel, expected)).max() <= tolerance


QUARTER = np.array([[[1.0, 0.0], [-1.0, 0.0]], [[0.0, 1.0], [-1.0, 0.0]]])


@pytest.mark.parametrize("renderer", ["webgl2", "2d"])
def test_tokens_of_the_circle_are_where_they_should_be(show, renderer):
    shown = show(view(QUARTER, color=[0, 1], size=12), script=NO_WEBGL if renderer == "2d" else "")
    assert shown.renderer == renderer
    assert close_to(shown.at(1, 0), BLUE) and close_to(shown.at(-1, 0), ORANGE)
    assert shown.at(0, 0) == WHITE and shown.at(0.5, 0.5) == WHITE
    assert shown.errors == []


@pytest.mark.parametrize("renderer", ["webgl2", "2d"])
def test_between_frames_tokens_stay_on_the_circle(show, renderer):
    shown = show(view(QUARTER, color=[0, 1], size=12), script=NO_WEBGL if renderer == "2d" else "")
    shown.page.get_by_role("slider").fill("0.5")
    assert shown.time == "frame 0.5"
    assert close_to(shown.at(np.sqrt(0.5), np.sqrt(0.5)), BLUE) and not close_to(shown.at(0.5, 0.5), BLUE)
    shown.page.get_by_role("slider").fill("1")
    assert close_to(shown.at(0, 1), BLUE)


def test_between_frames_tokens_off_the_circle_move_along_chords(show):
    shown = show(view(np.array([[[2.0, 0.0], [-2.0, 0.0]], [[0.0, 2.0], [-1.0, 0.0]]]), color=[0, 1], size=12))
    shown.page.get_by_role("slider").fill("0.5")
    assert close_to(shown.at(0.5, 0.5), BLUE) and close_to(shown.at(-0.75, 0), ORANGE)


def test_the_sphere_is_seen_from_above_and_its_far_side_is_pale(show):
    front = LOOK.T @ [0.0, 0.0, 1.0]
    side = LOOK.T @ [0.5, 0.6, np.sqrt(0.39)]
    back = LOOK.T @ [-0.4, -0.5, -np.sqrt(0.59)]
    x = np.stack([front, side, back])
    shown = show(view(x / np.linalg.norm(x, axis=1, keepdims=True), color=[0, 0, 0], size=14))
    assert front[2] == pytest.approx(np.sin(0.35), abs=1e-3)
    assert close_to(shown.at(0, 0), BLUE) and close_to(shown.at(0.5, 0.6), BLUE)
    # One fifth of the colour is left on white.
    assert close_to(shown.at(-0.4, -0.5), 255 - 0.2 * (255 - np.array(BLUE)))


def test_both_renderers_draw_the_same(show):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(2, 60, 3))
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    widget = view(x, size=9)
    pictures = []
    for script in ("", NO_WEBGL):
        shown = show(widget, script=script)
        shown.page.get_by_role("slider").fill("0.4")
        shown.drag((0, 0), (0.4, 0.3))
        pictures.append(shown.picture())
    # Edges of tokens and lines are smoothed in other ways: shares of pixels, not single ones.
    different = (np.abs(pictures[0] - pictures[1]).max(axis=2) > 48).mean()
    drawn = (np.abs(pictures[0] - 255).max(axis=2) > 48).mean()
    assert drawn > 0.01 and different < 0.03 * drawn


def test_drags_turn_the_circle_and_the_sphere(show):
    shown = show(view(QUARTER[0], color=[0, 1], size=12))
    shown.drag((0.8, 0.0), (0.0, 0.8))
    assert close_to(shown.at(0, 1), BLUE) and close_to(shown.at(0, -1), ORANGE)
    shown.page.get_by_role("button", name="Reset the view").click()
    assert close_to(shown.at(1, 0), BLUE)
    front = LOOK.T @ [0.0, 0.0, 1.0]
    shown = show(view((front / np.linalg.norm(front))[None], color=[0], size=12))
    shown.drag((0.0, 0.0), (0.5, 0.0))
    assert close_to(shown.at(np.sin(0.5), 0), BLUE)


def test_wheels_zoom_where_the_picture_has_focus(show):
    shown = show(view(QUARTER[0], color=[0, 1], size=12))
    box = shown.page.locator("canvas").bounding_box()
    before = shown.picture()
    shown.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    shown.page.mouse.wheel(0, 462)
    assert np.array_equal(shown.picture(), before), "the page scrolls, the picture stays"
    shown.page.locator("canvas").focus()
    shown.page.mouse.wheel(0, 462)  # e^{-0.0015 * 462} = 1/2
    assert close_to(shown.at(0.5, 0), BLUE) and not close_to(shown.at(1, 0), BLUE)


def test_two_fingers_zoom(show):
    shown = show(view(QUARTER[0], color=[0, 1], size=12))
    box = shown.page.locator("canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = shown.page.context.new_cdp_session(shown.page)
    for kind, spread in (("touchStart", 160), ("touchMove", 120), ("touchMove", 80), ("touchEnd", None)):
        points = [] if spread is None else [{"x": x + sign * spread, "y": y, "id": k} for k, sign in enumerate((-1, 1))]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert close_to(shown.at(0.5, 0), BLUE) and close_to(shown.at(-0.5, 0), ORANGE)


def test_keys(show):
    shown = show(view(QUARTER, color=[0, 1], size=12))
    page = shown.page
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    assert shown.time == "frame 1"
    page.keyboard.press("ArrowLeft")
    assert shown.time == "frame 0"
    page.locator("canvas").focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    assert close_to(shown.at(np.cos(0.5), np.sin(0.5)), BLUE)
    page.keyboard.press(" ")
    assert page.get_by_role("button", name="Pause").count() == 1
    shown.wait(lambda: page.get_by_role("button", name="Play").count() == 1)
    assert shown.time == "frame 1", "it stops at the end"


def test_every_control_has_a_name(show):
    page = show(view(QUARTER)).page
    for role, name in (
        *(("button", name) for name in ("Play", "One frame back", "One frame on", "Reset the view")),
        *(
            ("slider", "Frame"),
            ("combobox", "Speed"),
            ("img", "2 tokens on the circle. Drag or press arrow keys to turn."),
        ),
    ):
        assert page.get_by_role(role, name=name, exact=True).count() == 1, name
    assert page.locator("button, input, select, canvas").count() == 7
    still = show(view(QUARTER[0])).page
    assert still.get_by_role("slider").count() == 0 and still.get_by_role("button").count() == 1


def test_tokens_move_by_themselves_unless_motion_is_to_be_reduced(show):
    widget = view(np.tile(QUARTER, (20, 1, 1)))
    assert show(widget).page.get_by_role("button", name="Play").count() == 1
    moving = show(widget, motion="no-preference")
    assert moving.page.get_by_role("button", name="Pause").count() == 1
    moving.wait(lambda: float(moving.page.get_by_role("slider").input_value()) > 0.5)
    moving.page.get_by_role("button", name="Pause").click()
    stopped = moving.time
    moving.settle()
    assert moving.time == stopped


def test_themes_and_narrow_screens(show):
    widget = view(QUARTER, color="index")
    light, dark = show(widget, width=390), show(widget, width=390, dark=True)
    assert light.at(0, 0) == WHITE and max(dark.at(0, 0)) < 40
    for shown in (light, dark):
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert shown.page.locator(".tf-legend").inner_text().split("\n")[0] == "colour: place in the text"


def test_pages_ask_for_nothing(show):
    shown = show(view(QUARTER))
    assert [url for url in shown.requests if not url.startswith("file:")] == []
    assert len(shown.requests) == 1


def test_lost_contexts_are_replaced(show):
    shown = show(view(QUARTER[0], color=[0, 1], size=12))
    assert shown.renderer == "webgl2"
    shown.page.evaluate(
        "document.querySelector('canvas').getContext('webgl2').getExtension('WEBGL_lose_context').loseContext()"
    )
    shown.page.wait_for_selector(".tokenfield-view[data-renderer='2d']")
    assert close_to(shown.at(1, 0), BLUE)
    shown.drag((0.8, 0.0), (0.0, 0.8))
    assert close_to(shown.at(0, 1), BLUE)


def test_many_tokens(show):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 100_000, 3)).cumsum(axis=0)
    shown = show(view(x / np.linalg.norm(x, axis=-1, keepdims=True)))
    first = shown.picture()
    shown.page.get_by_role("slider").fill("1.5")
    second = shown.picture()
    assert shown.renderer == "webgl2" and shown.errors == []
    covered = (np.abs(second - 255).max(axis=2) > 40).mean()
    assert covered > 0.5 * np.pi * 0.46**2 * 420 / 576, "most of the disc is covered"
    assert (first != second).any(axis=2).mean() > 0.1


# A page whose model hears what is sent and says what a kernel would.
_MODEL = """
const heard = [];
window.sent = [];
window.say = (message, ...parts) => {
  for (const listener of heard) listener(message, parts.map((part) => new DataView(part.buffer)));
};
const blue = new Uint8Array([63, 144, 218]);
const legend = { label: "colour: none", stops: [] };
window.frame = (time, x, y) =>
  say({ kind: "frame", time, legend, radius: 1, caption: "one token" }, new Float32Array([x, y]), blue);
const size = { count: 1, axes: 2, size: 12, height: 420, radius: 1, history: 3 };
const state = {
  scene: { ...size, times: [0], timed: true, sphere: true, caption: "", legend, live: true },
  frames: new DataView(new Float32Array([1, 0]).buffer),
  colors: new DataView(blue.buffer),
};
const model = {
  get: (key) => state[key],
  on: (_, listener) => heard.push(listener),
  off: (_, listener) => heard.splice(heard.indexOf(listener), 1),
  send: (message) => sent.push(message),
};
window.close = render({ model, el: document.querySelector("main") });
window.again = () => render({ model, el: document.querySelector("main") });
window.listeners = () => heard.length;
"""
_LIVE = (
    f"<!doctype html><style>body {{ margin: 12px; }} {_widget._STYLE}</style><main></main>"
    f'<script type="module">{_widget._SCRIPT.replace(_widget._EXPORT, _MODEL)}</script>'
)


def test_simulations_are_stepped_by_the_button(show):
    shown = show(None, live=True)
    page = shown.page
    assert page.evaluate("sent") == [{"kind": "history"}]
    page.get_by_role("combobox", name="Steps for each frame").select_option("5")
    page.get_by_role("button", name="One frame on").click()
    page.get_by_role("button", name="One frame on").click()
    assert page.evaluate("sent.slice(1)") == [{"kind": "step", "steps": 5}], "one request at a time"
    page.evaluate("frame(0.5, 0, 1)")
    assert shown.time == "t = 0.50" and close_to(shown.at(0, 1), BLUE)
    assert page.locator(".tf-caption").inner_text() == "one token"
    page.get_by_role("button", name="Play").click()
    shown.wait(lambda: page.evaluate("sent.length") == 3)
    page.evaluate("frame(1.0, -1, 0)")
    shown.wait(lambda: page.evaluate("sent.length") == 4)
    page.evaluate("frame(1.5, 0, -1)")
    shown.wait(lambda: shown.time == "t = 1.50")
    assert page.get_by_role("slider").get_attribute("max") == "2", "three frames are kept"
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("slider").fill("0")
    assert shown.time == "t = 0.50" and close_to(shown.at(0, 1), BLUE)
    assert shown.errors == []


def test_errors_of_simulations_are_shown(show):
    shown = show(None, live=True)
    page = shown.page
    page.get_by_role("button", name="Play").click()
    shown.wait(lambda: page.evaluate("sent.length") == 2)
    page.evaluate("say({ kind: 'error', text: 'RuntimeError: tokens have left the sphere' })")
    assert page.get_by_role("status").inner_text() == "RuntimeError: tokens have left the sphere"
    assert page.get_by_role("button", name="Play").count() == 1, "it has stopped"
    page.get_by_role("button", name="One frame on").click()
    assert page.evaluate("sent.length") == 3, "and it can be tried again"


def test_a_second_view_of_a_simulation_gets_its_history(show):
    shown = show(None, live=True)
    shown.page.evaluate(
        "const colors = new Uint8Array([63, 144, 218, 63, 144, 218]);"
        "say({ kind: 'history', times: [3, 4] }, new Float32Array([0, 1, 0, -1]), colors)"
    )
    assert shown.time == "t = 4.0" and close_to(shown.at(0, -1), BLUE)
    shown.page.evaluate("close()")
    assert shown.page.locator(".tokenfield-view").count() == 0 and shown.page.evaluate("listeners()") == 0


def test_two_views_of_a_simulation_keep_histories_of_their_own(show):
    page = show(None, live=True).page
    page.evaluate("again(); say({ kind: 'history', times: [0] }, new Float32Array([1, 0]), new Uint8Array(3))")
    page.evaluate("for (let time = 1; time < 6; time += 1) frame(time, 0, 1)")
    assert page.locator(".tf-time").all_inner_texts() == ["t = 5.0", "t = 5.0"]
    assert [slider.get_attribute("max") for slider in page.get_by_role("slider").all()] == ["2", "2"]
