"""How Sphinx builds this site: docs/build."""

import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

import tokenfield  # noqa: E402
from figures import page_of_view  # noqa: E402
from tokenfield._widget import View  # noqa: E402

project = "Tokenfield"
author = "The Tokenfield authors"
copyright = author
version = release = tokenfield.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_gallery.gen_gallery", "keys", "mathml", "playground"]
exclude_patterns = ["_build", "_ext", ".venv", "gallery", "pictures", "requirements.txt", "**/.pytest_cache"]
suppress_warnings = ["config.cache"]

myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3

smartquotes = False

html_theme = "furo"
html_title = "Tokenfield"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["playground.js"]
html_math_renderer = "mathml"
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "monokai"

autodoc_member_order = "groupwise"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
maximum_signature_line_length = 100

sphinx_gallery_conf = {
    "examples_dirs": ["gallery"],
    "gallery_dirs": ["auto_gallery"],
    "capture_repr": ("_repr_html_",),
    "within_subsection_order": "figures.order",
    "reset_modules": ("matplotlib", "figures.style"),
    "reset_modules_order": "before",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    # That page would ask other servers for scripts.
    "write_computation_times": False,
    "thumbnail_size": (400, 280),
}


def plain_docstring(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Keep docstrings as they are written, plain text with `code`, where reStructuredText would see markup."""
    for index, line in enumerate(lines):
        parts = re.split(r"(`[^`]+`)", line)
        escaped = [
            f"`{part}`" if place % 2 else re.sub(r"([\\*|_])", r"\\\1", part) for place, part in enumerate(parts)
        ]
        lines[index] = "".join(escaped)


def outside_links(app: Any, docname: str, source: list[str]) -> None:
    """Write paths of the repository as code where a page links to what is not part of this site."""
    source[0] = re.sub(r"(?<!!)\[([^\]]+)\]\(\.\./(?:assets|src|tests)[^)]*\)", r"`\1`", source[0])


def setup(app: Any) -> None:
    """Connect the above; views show in the gallery as they do in a notebook."""
    View._repr_html_ = page_of_view
    app.connect("autodoc-process-docstring", plain_docstring)
    app.connect("source-read", outside_links)
