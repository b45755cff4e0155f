"""Formulas as MathML, which browsers draw by themselves: no script, no font and no request to another server."""

import re
import unicodedata

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def _mathml(formula: str, display: str) -> str:
    # Browsers draw a letter of mathbb by its own character only.
    def letter(match: re.Match[str]) -> str:
        names = f"DOUBLE-STRUCK CAPITAL {match[1]}", f"MATHEMATICAL DOUBLE-STRUCK CAPITAL {match[1]}"
        return unicodedata.lookup(names[0] if match[1] in "CHNPQRZ" else names[1])

    return convert(re.sub(r"\\mathbb\s*\{?([A-Z])\}?", letter, formula), display=display)


def _inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(_mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def _display(self: HTML5Translator, node: nodes.math_block) -> None:
    # Lines of one formula are those of "aligned", which MathML has as a table.
    formula = node.astext().strip()
    if r"\\" in formula and r"\begin" not in formula:
        formula = rf"\begin{{aligned}}{formula}\end{{aligned}}"
    self.body.append(f'<div class="math">{_mathml(formula, "block")}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer "mathml" for html_math_renderer."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
