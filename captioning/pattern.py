"""Which pattern a surface carries: stripes, checks, dots, zigzag, flowers, chips, a gradient, or none.

The surface is read through a handful of windows that vote, so that a belt, a pocket or a spout does
not speak for the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

from captioning.ground import Mask
from captioning.lab import Lab
from captioning.texture import Directions, Marks, Repeats, directions, edge_tensor, marks, slope, smooth

Kind = Literal[
    "solid", "gradient", "textured", "horizontal stripes", "vertical stripes", "diagonal stripes",
    "checks", "zigzag", "dots", "floral", "terrazzo", "mottled", "print",
]  # fmt: skip
Scale = Literal["fine", "", "broad"]

_QUIET = ("solid", "textured")
_REGULAR: tuple[Kind, ...] = ("horizontal stripes", "vertical stripes", "diagonal stripes", "checks", "zigzag", "dots")
_ENOUGH = 0.45
"""Share of windows that must show something for the surface to count as patterned."""
_WINDOWS = 6
_REPEATS = 0.33
"""Autocorrelation from which a surface repeats; folds and seams have directions too, but do not repeat."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one window shows; `contrast` is the root mean square of its detail, Lab units."""

    contrast: float
    directions: Directions
    repeat: float
    repeat_four: float
    marks: Marks
    side: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern, how large it is drawn, and the readings it was decided on."""

    kind: Kind
    scale: Scale
    slope: float
    readings: tuple[tuple[Kind, Reading], ...]


def read_pattern(lab: Lab, surface: Mask) -> Pattern:
    """Return the pattern of a surface.

    Args:
        lab: A picture (h, w, 3), cut close around the subject.
        surface: The pixels (h, w) that belong to the subject for sure.
    """
    side = min(surface.shape)
    if surface.sum() < 200 or side < 16:
        return Pattern("solid", "", 0.0, ())
    base = smooth(lab, surface, 0.14 * side)
    detail = np.where(surface[..., None], lab - base, 0).astype(np.float32)
    tensor = edge_tensor(detail)
    inner = ndimage.binary_erosion(surface, iterations=2)
    ramp = slope(base, inner if inner.sum() > 100 else surface)
    readings = []
    for window in _windows(inner):
        if inner[window].sum() < 100:
            continue
        reading = _read(lab[window], detail[window], tensor[window], inner[window])
        readings.append((_decide(reading), reading))
    if readings and _loud(readings) < _ENOUGH * len(readings):
        # A motif larger than a window shows only from a step back; folds and legs are fainter.
        whole = _read(lab, detail, tensor, inner)
        if whole.contrast > 15 and (kind := _decide(whole)) in _REGULAR:
            return Pattern(kind, "broad", ramp, ((kind, whole),))
    return _vote(tuple(readings), ramp, side)


def _loud(readings: list[tuple[Kind, Reading]]) -> int:
    return sum(kind not in _QUIET for kind, _ in readings)


def _windows(inner: Mask) -> list[tuple[slice, slice]]:
    """Return up to six square windows with the most surface in them, spread over it."""
    h, w = inner.shape
    size = int(np.clip(0.4 * np.sqrt(h * w), 40, 96))
    if min(h, w) <= size:
        size = min(h, w)
    rows = np.unique(np.linspace(0, h - size, 5).astype(int))
    columns = np.unique(np.linspace(0, w - size, 5).astype(int))
    found = [(float(inner[y : y + size, x : x + size].mean()), int(y), int(x)) for y in rows for x in columns]
    found.sort(key=lambda place: (-place[0], place[1], place[2]))
    chosen: list[tuple[int, int]] = []
    for share, y, x in found:
        apart = all(abs(y - v) + abs(x - u) >= size // 2 for v, u in chosen)
        if (share > 0.55 and apart) or not chosen:
            chosen.append((y, x))
    return [np.s_[y : y + size, x : x + size] for y, x in chosen[:_WINDOWS]]


def _read(lab: Lab, detail: Lab, tensor: Lab, inner: Mask) -> Reading:
    contrast = float(np.sqrt((detail[inner] ** 2).sum(axis=-1).mean()))
    found = directions(tensor, inner)
    repeats = Repeats(detail, inner)
    four = min(repeats.along(found.four_axis, 1.6), repeats.along(found.four_axis + 90, 1.6))
    return Reading(
        contrast, found, repeats.along(found.axis, 2.2), four, marks(lab, detail, inner), min(inner.shape)
    )  # fmt: skip


def _decide(r: Reading) -> Kind:
    way, on = r.directions, r.marks
    if r.contrast < 4.0:
        return "textured" if r.contrast > 2.6 else "solid"
    repeats = _REPEATS if r.contrast > 6.5 else _REPEATS + 0.12
    if way.two > 0.52 and way.core > 0.4 and r.repeat > repeats:
        if way.axis < 25 or way.axis > 155:
            return "vertical stripes"
        return "horizontal stripes" if 65 < way.axis < 115 else "diagonal stripes"
    if r.contrast < 8:
        return "textured"
    slanted = 25 < way.four_axis < 65 and way.four > 0.3 and way.two < 0.5
    if (slanted and max(r.repeat, r.repeat_four) > repeats) or (
        0.35 < way.two < 0.85 and way.core < 0.3 and on.count < 15
    ):
        return "zigzag"
    if on.count >= 4 and on.evenness > 0.5 and on.roundness > 0.7 and on.convexity > 0.88 and way.four < 0.3:
        return "dots"
    if (
        min(way.four_axis, 90 - way.four_axis) < 25
        and way.two < 0.45
        and ((way.four > 0.3 and r.repeat_four > repeats) or (way.four > 0.2 and r.repeat_four > 0.5))
    ):
        return "checks"
    # A seam, a strap or a shadow: few edges, one way, and they do not come again.
    if on.count < 4 or way.two > 0.5:
        return "textured"
    if on.convexity > 0.77 and on.count >= 5 and on.cover < 0.34:
        return "terrazzo"
    return "floral" if on.cover > 0.12 or on.convexity < 0.6 else "mottled"


def _vote(readings: tuple[tuple[Kind, Reading], ...], ramp: float, side: int) -> Pattern:
    votes: dict[Kind, int] = {}
    for kind, _ in readings:
        votes[kind] = votes.get(kind, 0) + 1
    loud = {kind: count for kind, count in votes.items() if kind not in _QUIET}
    share = sum(loud.values()) / max(len(readings), 1)
    regular = sum(loud.get(kind, 0) for kind in _REGULAR) / max(len(readings), 1)
    if ramp > 17 and share < 0.7 and regular < 0.35:
        return Pattern("gradient", "", ramp, readings)
    if share < _ENOUGH:
        strongest = max((r.contrast for kind, r in readings if kind in loud), default=0.0)
        if share > 0.2 and strongest > 14:
            return Pattern("print", "", ramp, readings)
        quiet: Kind = "textured" if votes.get("textured", 0) > 0.6 * len(readings) else "solid"
        return Pattern(quiet, "", ramp, readings)
    best = max(loud, key=lambda kind: (loud[kind], kind))
    relative = float(np.median([r.marks.width for kind, r in readings if kind == best])) / side
    scale: Scale = "fine" if relative < 0.035 else "broad" if relative > 0.1 else ""
    return Pattern(best, "" if best == "mottled" else scale, ramp, readings)
