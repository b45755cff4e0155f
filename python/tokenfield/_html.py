"""What notebooks show."""

import base64
import html
from collections.abc import Iterable, Sequence
from pathlib import Path

_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".gif": "image/gif"}


def experiment_html(title: str, experiment: str) -> str:
    """Return a line that unfolds to the text of an experiment."""
    return f"<details><summary>{html.escape(title)}</summary><pre>{html.escape(experiment)}</pre></details>"


def pictures_html(paths: Sequence[Path]) -> str:
    """Return pictures side by side, each a document of its own: names in one do not meet names in another."""
    images = [
        f'<img style="flex:1;min-width:20em;max-width:48em" alt="{html.escape(path.stem)}" '
        f'src="data:{_TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}">'
        for path in paths
    ]
    return f'<div style="display:flex;flex-wrap:wrap;gap:1em">{"".join(images)}</div>'


class Pictures(list[Path]):
    """Paths of pictures, which a notebook shows: those that a browser knows, once each.

    They keep the results alive whose temporary folder they lie in.
    """

    def __init__(self, paths: Iterable[Path], owner: object) -> None:
        super().__init__(paths)
        self._owner = owner

    def _repr_html_(self) -> str:
        shown = [path for path in self if path.suffix in _TYPES and not (path.suffix == ".png" and self._has_svg(path))]
        return pictures_html(shown)

    def _has_svg(self, path: Path) -> bool:
        return path.with_suffix(".svg") in self


def table_html(rows: Sequence[dict[str, object]]) -> str:
    """Return rows of the same keys as a table."""
    if not rows:
        return "<p>no rows</p>"
    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in rows[0])
    body = ["".join(f"<td>{html.escape(_short(value))}</td>" for value in row.values()) for row in rows]
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in body)}</table>"


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple):
        return "[" + ", ".join(_short(item) for item in value) + "]"
    return "" if value is None else str(value)
