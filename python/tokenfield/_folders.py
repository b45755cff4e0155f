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
        weakref.finalize(self, _remove, self.path, os.getpid())


def _remove(path: Path, owner: int) -> None:
    # A process that was forked has copies of these objects, but not their folders.
    if os.getpid() == owner:
        shutil.rmtree(path, ignore_errors=True)


def new_folder(out: str | os.PathLike[str] | None) -> tuple[Path, TemporaryFolder | None]:
    """Return the folder out, or a temporary one and what it lives with."""
    if out is not None:
        return Path(out).expanduser(), None
    owner = TemporaryFolder()
    return owner.path / "results", owner
