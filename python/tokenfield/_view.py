"""Tokens in motion: a widget for notebooks, and a page of its own."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._widget import View


def view(
    run: Any,
    *,
    times: Any = None,
    replica: int = 0,
    color: Any = "start",
    size: float | None = None,
    height: int = 420,
    limit: int = 100_000,
    history: int = 500,
) -> "View":
    """Show tokens as they move: the circle, the sphere, or principal directions of more than three components.

    run is one of

    - a Run: its trajectory, or its final tokens where "tokens" was not among the quantities;
    - a Simulation: an object with `tokens` of shape (n, d) or (replicas, n, d), `time` and `step(k)`. The widget has a
      button that steps it, and keeps the last `history` frames; a Simulation that is stepped elsewhere is followed by
      `update()` of the result;
    - an array of shape (n, d), one frame; (s, n, d), s frames; or (s, replicas, n, d), a trajectory. Three axes are
      always frames, never replicas. times are the s layer-times, increasing.

    replica is which of several is shown. color is "start" (the place at the first frame), "cluster" (connected
    components of overlaps of at least 0.99 at the last frame, those of a Simulation at every frame; tokens alone are
    grey), "speed" (|dx| / dt between frames, on a logarithmic scale), "index" (the place in the text), n integers or
    booleans, which are classes, negative ones grey, or n floats, a linear scale. size is the diameter of a token and
    height that of the picture, in pixels. Of more than `limit` tokens as many are drawn at random.

    For d > 3 tokens are projected on the three leading eigenvectors of (1/n) sum_i x_i x_i^T of the last frame (of a
    Simulation: of the first one shown), and the caption has their share of sum_i |x_i|^2. Between frames tokens move
    along chords, on the circle and on the sphere brought back to length 1. Frames travel as float32, 4 s n min(d, 3)
    bytes, at most 256 MiB.

    Drag to turn, pinch or turn the wheel to zoom (after a click, so that pages still scroll), space to play, arrow keys
    to turn or, on the slider, to step. `view(...).to_html(path)` writes a page that needs neither kernel nor network.
    Errors: ImportError without anywidget; ValueError or TypeError for arrays of the wrong shape or type, tokens that
    are not finite, and a replica that is not there.
    """
    try:
        from ._widget import View
    except ImportError as error:
        raise ImportError("view needs anywidget: pip install anywidget") from error
    return View.of(run, times, replica, color, size, height, limit, history)
