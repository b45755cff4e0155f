"""Progress on a terminal or in a notebook, and warnings."""

import sys
import warnings
from typing import Any


class Progress:
    """A bar of tqdm if it is there, else a line of its own; nothing where nobody looks."""

    def __init__(self, shown: bool) -> None:
        is_terminal = sys.stderr is not None and sys.stderr.isatty()
        self.shown = shown and (is_terminal or "ipykernel" in sys.modules)
        self.label = ""
        self.done = 0
        self.bar: Any = None
        self.written = False

    def steps(self, done: int, total: int) -> None:
        """Show that this many of all steps are done."""
        if not self.shown or total == 0:
            return
        if done < self.done:
            self.end()
        if self.bar is None:
            self.bar = _tqdm(total, self.label)
        if self.bar is not None:
            self.bar.update(done - self.done)
        else:
            print(f"\r{self.label}{done} of {total} steps", end="", file=sys.stderr, flush=True)
            self.written = True
        self.done = done

    def cells(self, first: int, count: int, of: int) -> None:
        """Show that cells of a sweep begin."""
        self.end()
        self.label = f"cell {first + 1} of {of}: " if count == 1 else f"cells {first + 1} to {first + count} of {of}: "

    def end(self) -> None:
        """Leave the bar as it is."""
        if self.bar is not None:
            self.bar.close()
        elif self.written:
            print(file=sys.stderr)
        self.bar, self.done, self.written = None, 0, False


def _tqdm(total: int, label: str) -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm(total=total, unit="step", desc=label.rstrip(": ") or None, delay=0.3)


def warn(sentence: str) -> None:
    """Say what the user must know although a run goes on."""
    warnings.warn(sentence, RuntimeWarning, stacklevel=3)
