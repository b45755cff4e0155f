"""Laws of the literature, predicted and measured side by side."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import _native
from ._equation import Device
from ._folders import new_folder
from ._html import pictures_html, table_html
from ._progress import Progress, warn
from ._runs import Precision


class Laws(Sequence[dict[str, Any]]):
    """Rows of laws: paper, law, place, quantity, what is predicted and what was measured, and whether the two agree."""

    def __init__(self, path: Path, rows: list[dict[str, Any]], owner: object | None = None) -> None:
        self.path = path
        self.rows = rows
        self._owner = owner

    def __getitem__(self, index: Any) -> Any:
        return self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def hold(self) -> bool:
        """Whether all rows hold."""
        return all(row["holds"] for row in self.rows)

    def to_pandas(self) -> Any:
        """Return the rows as a DataFrame. Needs pandas."""
        import pandas

        return pandas.DataFrame(self.rows)

    def __repr__(self) -> str:
        return f"Laws({len(self)} rows, {sum(not row['holds'] for row in self.rows)} of which do not hold)"

    def _repr_html_(self) -> str:
        return pictures_html(sorted(self.path.glob("*/*/law.svg"))) + table_html(self.rows)


def laws() -> list[dict[str, Any]]:
    """Return all laws that are known: paper (a short name), title, authors, arxiv, law, what it says, its certainty."""
    return _native.laws()


def papers(
    *names: str,
    full: bool = False,
    device: Device = "cpu",
    precision: Precision = "double",
    out: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> Laws:
    """Run the experiments of papers, by the names that `laws` lists, or of single laws, as "paper/law"; or of all.

    full takes the sizes that were published instead of the smallest that show the law. Laws that lie in the folder out
    are not computed again.
    """
    known = laws()
    slugs = {law["paper"] for law in known} | {f"{law['paper']}/{law['law']}" for law in known}
    for name in names:
        if name not in slugs:
            papers_known = ", ".join(dict.fromkeys(law["paper"] for law in known))
            raise ValueError(f"names: no paper or law {name!r}; known papers are {papers_known}")
    chosen = [law for law in known if not names or {law["paper"], f"{law['paper']}/{law['law']}"} & set(names)]
    folder, owner = new_folder(out)
    rows: list[dict[str, Any]] = []
    for law in chosen:
        bar = Progress(progress)
        cells, steps = (bar.cells, bar.steps) if progress else (None, None)
        place = folder / law["paper"] / law["law"]
        try:
            rows += _native.try_law(law["paper"], law["law"], full, place, device, precision, cells, steps, warn)
        finally:
            bar.end()
    return Laws(folder, rows, owner)
