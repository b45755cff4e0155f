"""Tables of a folder, as arrays."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def columns(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of a comma-separated file: float64 of numbers (empty: nan), bool, or text."""
    with open(path, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return {name: _column([row[index] for row in rows]) for index, name in enumerate(header)}


def _column(entries: list[str]) -> npt.NDArray[Any]:
    if entries and all(entry in ("true", "false") for entry in entries):
        return np.array([entry == "true" for entry in entries])
    try:
        if not any(entries):
            raise ValueError
        return np.array([float(entry) if entry else np.nan for entry in entries])
    except ValueError:
        return np.array(entries, dtype=object)


def numbers(path: Path) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Return header and rows of a comma-separated file of numbers alone."""
    with open(path, newline="", encoding="utf-8") as file:
        header = next(csv.reader(file))
        rows = np.loadtxt(file, delimiter=",", ndmin=2)
    return header, rows.reshape(-1, len(header))
