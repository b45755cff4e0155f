"""The widget of `view`, with anywidget, and its static page."""

import base64
import html
import json
import os
import re
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from ._colors import Painter
from ._scene import MAX_BYTES, Camera, Cloud, check_finite, check_size, choose, describe, gather, on_sphere, tokens_of

_HERE = Path(__file__).parent
_SCRIPT = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in ("view_draw.js", "view.js"))
_STYLE = (_HERE / "view.css").read_text(encoding="utf-8")
_EXPORT = "export default { render };"


class View(anywidget.AnyWidget):
    """Tokens in motion; made by `view`. In a notebook it shows itself, and `to_html` writes it as a page."""

    _esm = _SCRIPT
    _css = _STYLE

    scene = traitlets.Dict().tag(sync=True)
    frames = traitlets.Bytes().tag(sync=True)
    colors = traitlets.Bytes().tag(sync=True)

    @classmethod
    def of(
        cls,
        run: Any,
        times: Any,
        replica: int,
        color: Any,
        size: float | None,
        height: int,
        limit: int,
        history: int,
    ) -> "View":
        """Return the widget of `view`, which has the arguments."""
        for name, value, least in (("size", size, 0.5), ("height", height, 50), ("history", history, 2)):
            if value is not None and not value >= least:
                raise ValueError(f"{name}: expected at least {least}, got {value}")
        cloud = gather(run, times, replica)
        n, d = cloud.shape
        kept = choose(n, limit)
        axes = min(max(d, 2), 3)
        check_size(2 if cloud.simulation is not None else len(cloud.frames), len(kept), axes)
        history = min(history, MAX_BYTES // (4 * len(kept) * axes))
        painter = Painter(color, kept, n)
        if painter.name == "speed" and len(cloud.frames) < 2 and cloud.simulation is None:
            raise ValueError('color: "speed" needs two frames or more, got one')
        for time, frame in zip(cloud.times, cloud.frames, strict=True):
            check_finite(frame, time)
        camera = Camera(cloud.frames[-1])
        picked = [np.asarray(frame[kept]) for frame in cloud.frames]
        shown = [camera.shoot(frame) for frame in picked]
        sphere = all(on_sphere(frame) for frame in picked)
        radius = 1.0 if sphere else max(float(np.linalg.norm(frame, axis=1).max()) for frame in shown) or 1.0
        colors, legend = painter.paint(picked, [frame / radius for frame in shown[:1]], cloud.times)
        diameter = size or float(np.clip(160.0 / np.sqrt(len(kept)), 2.5, 9.0))
        widget = cls(
            frames=b"".join(frame.tobytes() for frame in shown),
            colors=colors.tobytes(),
            scene={
                "count": len(kept),
                "axes": camera.axes,
                "times": cloud.times.tolist(),
                "timed": cloud.timed,
                "sphere": sphere and d <= 3,
                "radius": radius,
                "size": diameter,
                "height": height,
                "caption": describe(cloud, camera, len(kept), sphere, radius),
                "legend": asdict(legend),
                "live": cloud.simulation is not None,
                "history": history,
            },
        )
        widget._sphere = sphere
        widget._follow(cloud, camera, painter, replica, picked[-1], history)
        return widget

    def _follow(self, cloud: Cloud, camera: Camera, painter: Painter, replica: int, latest: Any, history: int) -> None:
        """Keep what later frames of a simulation need."""
        self._cloud = cloud
        self._simulation = cloud.simulation
        self._camera = camera
        self._painter = painter
        self._replica = replica
        self._latest = latest, float(cloud.times[-1])
        self._history: deque[tuple[float, bytes, bytes]] = deque(maxlen=history)
        if self._simulation is not None:
            self._history.append((float(cloud.times[0]), self.frames, self.colors))
            self.on_msg(self._answer)

    def _answer(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Do what the front end asks: step the simulation, or send all frames that are kept."""
        try:
            if content["kind"] == "step":
                self.step(int(content["steps"]))
            elif content["kind"] == "history":
                self._send_history()
        except Exception as error:  # The front end is waiting, and a kernel has nowhere else to show it.
            self.send({"kind": "error", "text": f"{type(error).__name__}: {error}"})

    def step(self, steps: int = 1) -> None:
        """Step the simulation and show where tokens are then."""
        if self._simulation is None:
            raise ValueError("step: this view shows frames, not a Simulation; give view a Simulation to step it")
        self._simulation.step(steps)
        self.update()

    def update(self) -> None:
        """Show where the tokens of the simulation are now, in one more frame; without one there is nothing to do."""
        if self._simulation is None:
            return
        time = float(self._simulation.time)
        x = tokens_of(self._simulation, self._replica)
        check_finite(x, time)
        x = x[self._painter.kept]
        before, earlier = self._latest
        if time <= earlier and self._painter.name == "speed":
            raise ValueError(f"simulation: its time went from {earlier:g} to {time:g}, which leaves no speed")
        frame = self._camera.shoot(x)
        colors, scene = self._history[-1][2], dict(self.scene)
        if self._painter.changes:
            painted, legend = self._painter.paint([before, x], frame[None], np.array([earlier, time]))
            colors, scene["legend"] = painted[-1].tobytes(), asdict(legend)
        farthest = float(np.linalg.norm(frame, axis=1).max())
        if not self._sphere and farthest > scene["radius"]:
            scene["radius"] = farthest
            scene["caption"] = describe(self._cloud, self._camera, len(x), False, farthest)
        self.scene = scene
        self._latest = x, time
        self._history.append((time, frame.tobytes(), colors))
        news = {key: scene[key] for key in ("legend", "radius", "caption")}
        self.send({"kind": "frame", "time": time, **news}, buffers=[frame.tobytes(), colors])

    def _send_history(self) -> None:
        times, frames, colors = zip(*self._history, strict=True)
        self.send({"kind": "history", "times": list(times)}, buffers=[b"".join(frames), b"".join(colors)])

    def to_html(self, path: str | os.PathLike[str], *, title: str = "Tokens") -> Path:
        """Write a page of one file that shows the same, from anywhere, and return its path.

        It fetches nothing: script, style and frames are in it, and its policy forbids the rest. Of a simulation it has
        the frames kept so far.
        """
        scene, frames, colors = dict(self.scene), self.frames, self.colors
        if self._history:
            times, all_frames, all_colors = zip(*self._history, strict=True)
            scene["times"] = list(times)
            frames, colors = b"".join(all_frames), b"".join(all_colors)
        scene["live"] = False
        if _SCRIPT.count(_EXPORT) != 1:
            raise RuntimeError(f"view.js: must have the line {_EXPORT!r} once")
        values = {
            "title": html.escape(title),
            "style": _STYLE,
            "script": _SCRIPT.replace(_EXPORT, _PAGE_SCRIPT),
            "scene": json.dumps(scene).replace("<", "\\u003c"),
            "frames": base64.b64encode(frames).decode(),
            "colors": base64.b64encode(colors).decode(),
        }
        page = re.sub("@(title|style|script|scene|frames|colors)@", lambda found: values[found[1]], _PAGE)
        path = Path(path)
        path.write_text(page, encoding="utf-8")
        return path


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>@title@</title>
<style>
body { margin: 0; padding: 12px; background: Canvas; }
@style@
</style>
<main id="view"></main>
<script type="application/json" id="scene">@scene@</script>
<script type="text/plain" id="frames">@frames@</script>
<script type="text/plain" id="colors">@colors@</script>
<script type="module">
@script@
</script>
</html>
"""

_PAGE_SCRIPT = """const text = (id) => document.getElementById(id).textContent;
const binary = (id) => new DataView(Uint8Array.from(atob(text(id)), (c) => c.charCodeAt(0)).buffer);
const state = { scene: JSON.parse(text("scene")), frames: binary("frames"), colors: binary("colors") };
render({ model: { get: (key) => state[key], on() {}, off() {}, send() {} }, el: document.getElementById("view") });"""
