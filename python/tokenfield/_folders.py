"""Folders of results that nobody asked to keep."""

import os
import shutil
import tempfile
import weakref
from pathlib import Path


class TemporaryFolder:
    """A folder that lives as long as this object."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="tokenfield-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def new_folder(out: str | os.PathLike[str] | None) -> tuple[Path, TemporaryFolder | None]:
    """Return the folder out, or a temporary one and what it lives with."""
    if out is not None:
        return Path(out).expanduser(), None
    owner = TemporaryFolder()
    return owner.path / "results", owner
