"""Colours of tokens: where they started, clusters, speed, place in the text, or numbers of the caller."""

from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Doubles = npt.NDArray[np.float64]

NAMES = ("start", "cluster", "speed", "index")
THRESHOLD = 0.99
DECADES = 3

GREY = "#8c8c8c"
# The ten colours of Petroff, arXiv:2107.02270, less the two greys: fit for every form of colour blindness.
CLASSES = ("#3f90da", "#ffa90e", "#bd1f01", "#832db6", "#92dadd", "#e76300", "#a96b59", "#b9ac70")


@dataclass(frozen=True)
class Legend:
    """What colours mean: words, and for a ramp its colours and what its ends stand for."""

    label: str
    stops: tuple[str, ...] = ()
    low: str = ""
    high: str = ""


def oklab(lightness: Any, a: Any, b: Any) -> Bytes:
    """Return colours of OKLab (Ottosson, "A perceptual color space", 2020) as sRGB, 0 to 255, cut to that range."""
    lms = np.stack(
        [
            lightness + 0.3963377774 * a + 0.2158037573 * b,
            lightness - 0.1055613458 * a - 0.0638541728 * b,
            lightness - 0.0894841775 * a - 1.2914855480 * b,
        ],
        axis=-1,
    )
    matrix = [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
    linear = np.clip(lms**3 @ np.array(matrix).T, 0.0, 1.0)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    result: Bytes = np.rint(255.0 * encoded).astype(np.uint8)
    return result


def ramp(values: Any) -> Bytes:
    """Return colours of numbers in [0, 1], from violet through red to yellow, of evenly growing lightness."""
    t = np.clip(np.asarray(values, np.float64), 0.0, 1.0)
    hue = np.deg2rad(280.0 + 155.0 * t)
    return oklab(0.46 + 0.34 * t, 0.16 * np.cos(hue), 0.16 * np.sin(hue))


def place(x: Any) -> Bytes:
    """Return colours of points of the unit ball: two coordinates are hue and chroma, the third is lightness."""
    x = np.asarray(x, np.float64)
    third = x[..., 2] if x.shape[-1] > 2 else np.zeros(x.shape[:-1])
    return oklab(0.67 + 0.14 * third, 0.12 * x[..., 0], 0.12 * x[..., 1])


def classes(labels: npt.NDArray[Any]) -> Bytes:
    """Return the colour of each label, from 0 on; negative ones are grey. Colours come again after eight."""
    palette = np.array([list(bytes.fromhex(color[1:])) for color in (*CLASSES, GREY)], np.uint8)
    colors: Bytes = palette[np.where(labels < 0, len(CLASSES), labels % len(CLASSES))]
    return colors


def components(x: Any, threshold: float = THRESHOLD) -> npt.NDArray[np.int64]:
    """Return the connected components of the graph that links i and j with <theta_i, theta_j> >= threshold.

    theta = x / |x|; x has shape (n, d), the result shape (n,): 0 for the largest component, 1 for the next, and -1 for
    tokens alone. A window over one coordinate spares far pairs; 10^5 tokens take seconds.
    """
    x = np.asarray(x)
    theta = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-30)
    # Linked tokens are within `reach` in every coordinate: in the order of one of them, a window has them all.
    reach = np.sqrt(2.0 - 2.0 * threshold) * (1.0 + 1e-5)
    coordinate = theta[:, theta.var(axis=0).argmax()]
    order = np.argsort(coordinate)
    theta, coordinate = theta[order], coordinate[order]
    labels = np.full(len(x), -1, np.int64)

    def linked(block: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return the tokens without a label that may be near those of a block in order, and which are near which."""
        window = slice(*np.searchsorted(coordinate, coordinate[block[[0, -1]]] + [-reach, reach]))
        free = window.start + np.flatnonzero(labels[window] < 0)
        return free, theta[free] @ theta[block].T >= threshold

    number = 0
    for first in range(len(x)):
        if labels[first] >= 0:
            continue
        seeds = first + np.flatnonzero(labels[first : first + 64] < 0)
        free, near = linked(seeds)
        alone = seeds[near.sum(axis=0) == 1]
        labels[alone] = number + np.arange(len(alone))
        number += len(alone)
        edge = np.array([first]) if labels[first] < 0 else seeds[:0]
        labels[edge] = number
        number += len(edge)
        while len(edge):
            block, edge = edge[:64], edge[64:]
            free, near = linked(block)
            found = free[near.any(axis=1)]
            labels[found] = labels[first]
            edge = np.sort(np.concatenate([edge, found]))
    sizes = np.bincount(labels, minlength=number)
    rank = np.empty(number, np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(number)
    result = np.empty(len(x), np.int64)
    result[order] = np.where(sizes[labels] > 1, rank[labels], -1)
    return result


def inherit(labels: npt.NDArray[np.int64], before: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return clusters by the labels that most of their tokens had before, the largest first, so that colours stay."""
    result = np.full_like(labels, -1)
    taken: set[int] = set()
    fresh = (label for label in count() if label not in before)
    for label in range(labels.max() + 1):
        members = labels == label
        had = np.bincount(before[members & (before >= 0)])
        known = [int(old) for old in np.argsort(-had, kind="stable") if had[old] and old not in taken]
        new = known[0] if known else next(fresh)
        taken.add(new)
        result[members] = new
    return result


def speeds(frames: Any, times: Doubles) -> Doubles:
    """Return |x(t_{k+1}) - x(t_k)| / (t_{k+1} - t_k), of shape (s, n); the last frame has that of the one before."""
    gaps = np.diff(times)
    moved = [
        np.linalg.norm(np.asarray(frames[k + 1], np.float64) - frames[k], axis=-1) / gap for k, gap in enumerate(gaps)
    ]
    return np.stack([*moved, moved[-1]])


class Painter:
    """Colours of tokens: `color` is one of NAMES or an array of shape (n,); `kept` are the tokens that are shown."""

    def __init__(self, color: Any, kept: npt.NDArray[np.int64], n: int) -> None:
        self.kept = kept
        self.n = n
        self.fastest: float | None = None
        self.labels: npt.NDArray[np.int64] | None = None
        self.values: npt.NDArray[Any] | None = None
        if isinstance(color, str):
            if color not in NAMES:
                raise ValueError(
                    f"color: expected one of {', '.join(NAMES)} or an array of shape ({n},), got {color!r}"
                )
            self.name = color
            return
        values = np.asarray(color)
        if values.dtype.kind not in "biuf":
            raise TypeError(f"color: expected one of {', '.join(NAMES)} or an array of {n} numbers, got {values.dtype}")
        if values.shape != (n,):
            raise ValueError(f"color: expected shape ({n},), one number for each token, got {values.shape}")
        if not np.isfinite(values).all():
            raise ValueError(f"color: must be finite, got {values[~np.isfinite(values)][0]} among its {n} numbers")
        self.name = "numbers" if values.dtype.kind == "f" else "classes"
        if self.name == "classes":
            _, places = np.unique(np.maximum(values.astype(np.int64), -1), return_inverse=True)
            values = places - int((values < 0).any())
        self.values = values[kept].astype(np.float64 if self.name == "numbers" else np.int64)

    @property
    def changes(self) -> bool:
        """Whether each frame of a growing history has colours of its own."""
        return self.name in ("speed", "cluster")

    def paint(self, frames: Any, shown: Any, times: Doubles) -> tuple[Bytes, Legend]:
        """Return sRGB of shape (1, n, 3), or (s, n, 3) where it changes from frame to frame, and what it means.

        frames are the tokens that are shown, (s, n, d), and `shown` the same in the picture's coordinates, within the
        unit ball.
        """
        match self.name:
            case "start":
                return place(shown[0])[None], Legend("colour: place at the first frame")
            case "index":
                colors = ramp(self.kept / max(self.n - 1, 1))[None]
                return colors, _scale("colour: place in the text", "0", f"{self.n - 1:,}")
            case "cluster":
                labels = components(frames[-1])
                if self.labels is not None:
                    labels = inherit(labels, self.labels)
                self.labels = labels
                found, alone = len(np.unique(labels[labels >= 0])), int((labels < 0).sum())
                label = f"colour: {_plural(found, 'cluster')} at overlap {THRESHOLD:g}"
                return classes(labels)[None], Legend(
                    label + (f", {_plural(alone, 'token')} alone in grey" if alone else "")
                )
            case "speed":
                return (
                    self._speed(speeds(frames, times)) if len(times) > 1 else self._speed(np.zeros((1, len(self.kept))))
                )
            case "numbers":
                assert self.values is not None
                low, high = float(self.values.min()), float(self.values.max())
                share = (self.values - low) / (high - low) if high > low else np.full(len(self.values), 0.5)
                return ramp(share)[None], _scale("colour", f"{low:.4g}", f"{high:.4g}")
            case _:
                assert self.values is not None
                return classes(self.values)[None], Legend(
                    f"colour: {_plural(len(np.unique(self.values)), 'class', 'classes')}"
                )

    def _speed(self, values: Doubles) -> tuple[Bytes, Legend]:
        """Colour speeds by their logarithm, three decades below the fastest, which the first that move set for good."""
        self.fastest = self.fastest or float(values.max())
        if not self.fastest:
            return ramp(values), Legend("colour: speed; nothing has moved yet")
        share = 1.0 + np.log10(np.maximum(values / self.fastest, 10.0**-DECADES)) / DECADES
        low = self.fastest * 10.0**-DECADES
        return ramp(share), _scale("colour: speed, logarithmic", f"{low:.2g}", f"{self.fastest:.2g}")


def _scale(label: str, low: str, high: str) -> Legend:
    stops = tuple("#" + bytes(color).hex() for color in ramp(np.linspace(0.0, 1.0, 9)))
    return Legend(label, stops, low, high)


def _plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
