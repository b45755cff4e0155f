"""The order of the gallery, and how its figures look."""

import html
import tempfile
from pathlib import Path
from typing import Any

ORDER = [
    "plot_clusters",
    "plot_two_tokens",
    "plot_equiangular",
    "plot_growth_rates",
    "plot_selected_mode",
    "plot_metastability",
    "plot_propagation_of_chaos",
    "plot_two_copies",
    "plot_noise_threshold",
    "plot_antipodes",
    "plot_hemispheres",
    "plot_long_context",
    "plot_sinkhorn",
    "plot_text",
]


def order(filename: str) -> int:
    """Return the place of an example; one that is missing from ORDER is an error."""
    return ORDER.index(filename.removesuffix(".py"))


def style(gallery_conf: dict[str, Any], filename: str) -> None:
    """Set the look of figures before each example."""
    import matplotlib.pyplot as plt
    from cycler import cycler

    plt.rcdefaults()
    plt.rcParams.update(
        {
            "axes.grid": True,
            "axes.prop_cycle": cycler(color=["#0b6e99", "#d1495b", "#3d8b5f", "#9a6b2f", "#6a4c93", "#555555"]),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "errorbar.capsize": 3,
            "figure.constrained_layout.use": True,
            "figure.dpi": 110,
            "figure.figsize": (7, 4.2),
            "grid.alpha": 0.25,
            "legend.frameon": False,
            "lines.markersize": 5,
            "svg.fonttype": "path",
        }
    )


def page_of_view(view: Any) -> str:
    """Return a view of tokens as part of a page: a page of its own in a frame, without kernel and network."""
    with tempfile.TemporaryDirectory() as folder:
        text = view.to_html(Path(folder) / "view.html").read_text()
    return f'<iframe class="view" title="Tokens in motion" loading="lazy" srcdoc="{html.escape(text)}"></iframe>'
