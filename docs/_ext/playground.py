"""The directive that shows the experiments of the page, from web/page/presets.json, where they are told once."""

import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parents[2]
PRESETS = ROOT / "web" / "page" / "presets.json"
BUILT = ROOT / "web" / "dist"


class Playground(SphinxDirective):
    """A section for each experiment: picture, what is set up, what one should see, and the paper."""

    def run(self) -> list[nodes.Node]:
        """Return the sections; a picture can be started where the page is built."""
        self.env.note_dependency(str(PRESETS))
        self.env.note_dependency(str(BUILT / "index.html"))
        return [self.section(preset) for preset in json.loads(PRESETS.read_text())]

    def section(self, preset: dict[str, Any]) -> nodes.section:
        """Return the section of one experiment."""
        section = nodes.section(ids=[preset["id"]])
        section += nodes.title("", preset["title"])
        section += nodes.raw("", picture(preset), format="html")
        section += nodes.paragraph("", "", *typeset(preset["says"]))
        section += nodes.paragraph("", "", nodes.strong("", "Seen: "), *typeset(preset["law"]))
        paper = preset["paper"]
        source = nodes.paragraph("", f"{paper['authors']}, ")
        source += nodes.reference("", paper["title"], refuri=f"https://arxiv.org/abs/{paper['arxiv']}")
        source += nodes.Text(f", arXiv:{paper['arxiv']}")
        section += source
        return section


def typeset(text: str) -> list[nodes.Node]:
    """Return a sentence in which what stands behind ^ or _ is above or below the line: x^2, I_k, e^(-t)."""
    found = re.search(r"[\^_](?=[\w(])", text)
    if not found:
        return [nodes.Text(text)] if text else []
    start = found.end()
    if text[start] == "(":
        end = closing(text, start)
        inner, after = text[start + 1 : end], text[end + 1 :]
    else:
        inner = re.match(r"\d+|\w", text[start:])[0]
        after = text[start + len(inner) :]
    shifted = nodes.superscript if found[0] == "^" else nodes.subscript
    return [nodes.Text(text[: found.start()]), shifted("", "", *typeset(inner)), *typeset(after)]


def closing(text: str, start: int) -> int:
    """Return where the parenthesis that opens at `start` is closed."""
    depth = 0
    for at in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return len(text)


def picture(preset: dict[str, Any]) -> str:
    """Return the picture, with a button that puts the running experiment in its place."""
    title = html.escape(preset["title"], quote=True)
    image = f'<img src="presets/{preset["id"]}.png" alt="{title}" width="720" height="450" loading="lazy">'
    if not BUILT.is_dir():
        return f'<figure class="preset">{image}</figure>'
    page = f"page/index.html?embed#{preset['id']}"
    button = f'<button type="button" data-page="{page}" title="{title}" aria-label="Run: {title}">Run</button>'
    return f'<figure class="preset">{image}{button}</figure>'


def copied(app: Sphinx, error: Exception | None) -> None:
    """Put the pictures and the built page beside the pages of this site."""
    if error or app.builder.format != "html":
        return
    shutil.copytree(ROOT / "docs" / "pictures" / "presets", Path(app.outdir) / "presets", dirs_exist_ok=True)
    if BUILT.is_dir():
        shutil.copytree(BUILT, Path(app.outdir) / "page", dirs_exist_ok=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("playground", Playground)
    app.connect("build-finished", copied)
    return {"parallel_read_safe": True}
