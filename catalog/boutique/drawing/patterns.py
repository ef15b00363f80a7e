"""Patterns: for every point of a cloth or glaze, how much of each accent colour lies on it.

Coordinates are in picture widths; a pattern is an endless plane, so a body may turn under it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catalog.boutique.drawing.colour import Rgb
from catalog.boutique.drawing.forms import Field

Cover = tuple[Field, Field]
"""Coverage of the first and the second accent, each (h, w) in 0..1."""


@dataclass(frozen=True, slots=True)
class Print:
    """A pattern with its colours.

    Attributes:
        pattern: One of `PATTERNS`.
        ground, first, second: Linear colours of the ground and the two accents.
        scale: Size of the motif; 1 repeats about every 0.1 picture widths.
        angle: Turn of the pattern in degrees.
        seed: Places the motifs.
        span: Texture `t` at which an ombre begins and ends.
        shift: Where the cloth was cut, in picture widths along and down.
    """

    pattern: str
    ground: Rgb
    first: Rgb
    second: Rgb
    scale: float = 1.0
    angle: float = 0.0
    seed: int = 0
    span: tuple[float, float] = (0.2, 0.85)
    shift: tuple[float, float] = (0.0, 0.0)


def colours(cloth: Print, s: Field, t: Field, px: int) -> npt.NDArray[np.float32]:
    """Return the albedo (h, w, 3), linear, of a print at texture coordinates `s`, `t` (h, w)."""
    a = math.radians(cloth.angle)
    unit = 0.1 * cloth.scale
    along, down = s - (0.5 + cloth.shift[0]), t - (0.5 + cloth.shift[1])
    u = (along * math.cos(a) + down * math.sin(a)) / unit
    v = (down * math.cos(a) - along * math.sin(a)) / unit
    soft = 1.1 / (px * unit)
    ground = np.array(cloth.ground, np.float32)
    if cloth.pattern == "ombre":
        begin, end = cloth.span
        w = np.clip((t - begin) / (end - begin), 0, 1)
        w = w * w * (3 - 2 * w)
        blend: npt.NDArray[np.float32] = ground + (np.array(cloth.first, np.float32) - ground) * w[..., None]
        return blend.astype(np.float32)
    first, second = PATTERNS[cloth.pattern](
        u.astype(np.float32, copy=False), v.astype(np.float32, copy=False), soft, cloth.seed
    )
    out = ground + (np.array(cloth.first, np.float32) - ground) * first[..., None]
    both: npt.NDArray[np.float32] = out + (np.array(cloth.second, np.float32) - out) * second[..., None]
    return both


def _inside(distance: npt.NDArray[np.floating], soft: float) -> Field:
    """Return 1 where `distance` is negative, 0 where positive, smooth over `soft`."""
    inside: Field = np.clip(np.float32(0.5) - distance / np.float32(2 * soft), 0, 1)
    return inside


def _none(u: Field) -> Field:
    return np.zeros(u.shape, np.float32)


def _plain(u: Field, v: Field, soft: float, seed: int) -> Cover:
    return _none(u), _none(u)


def _stripes(u: Field, v: Field, soft: float, seed: int) -> Cover:
    """Even bands; some seeds add a thin second line."""
    place = v - np.floor(v)
    band = _inside(np.abs(place - 0.5) - 0.25, soft)
    if seed % 3:
        return band, _none(u)
    line = _inside(np.minimum(place, 1 - place) - 0.045, soft)
    return band, line


def _dots(u: Field, v: Field, soft: float, seed: int) -> Cover:
    """Staggered round dots, evenly spaced."""
    row = np.floor(v / 0.72)
    x = u / 0.83 + 0.5 * (row % 2)
    dx = (x - np.floor(x) - 0.5) * 0.83
    dy = (v / 0.72 - row - 0.5) * 0.72
    return _inside(np.sqrt(dx * dx + dy * dy) - 0.235, soft), _none(u)


def _checks(u: Field, v: Field, soft: float, seed: int) -> Cover:
    """Gingham: two crossing bands, full colour where both meet."""

    def bands(w: Field) -> Field:
        place = w / 0.9 - np.floor(w / 0.9)
        return _inside(np.abs(place - 0.5) - 0.25, soft)

    across, down = bands(u), bands(v)
    both = across * down
    return np.clip(0.5 * (across + down) + 0.1 * both, 0, 1), _none(u)


def _zigzag(u: Field, v: Field, soft: float, seed: int) -> Cover:
    """Chevrons."""
    tooth = np.abs(u / 0.8 - np.floor(u / 0.8) - 0.5) * 0.8
    place = v * 1.1 - tooth * 1.1
    place = place - np.floor(place)
    return _inside(np.abs(place - 0.5) - 0.24, soft * 1.4), _none(u)


def _table(seed: int, width: int) -> npt.NDArray[np.float32]:
    """Return random numbers (64, 64, width) that cells look up, so that a motif stays in its place."""
    return np.random.default_rng([seed, 77]).random((64, 64, width), dtype=np.float32)


_Cells = npt.NDArray[np.int32]


def _cells(u: Field, v: Field, size: float, shift: float) -> tuple[Field, Field, _Cells, _Cells]:
    """Return where a point lies in its cell (-0.5..0.5) and the cell's row and column in the table."""
    row = np.floor(v / size + shift)
    x = u / size + shift + 0.5 * (row % 2)
    column = np.floor(x)
    return (
        x - column - 0.5, v / size + shift - row - 0.5,
        row.astype(np.int32) & 63, column.astype(np.int32) & 63,
    )  # fmt: skip


def _floral(u: Field, v: Field, soft: float, seed: int) -> Cover:
    """Five-petalled flowers with a centre and two leaves, large and small."""
    petals, hearts = _none(u), _none(u)
    for layer, (size, shift, reach) in enumerate(((1.25, 0.0, 0.36), (1.25, 0.5, 0.2))):
        dx, dy, row, column = _cells(u, v, size, shift)
        chance = _table(seed + layer, 4)[row, column]
        room = 0.46 - reach if layer else 0.08
        dx = dx - (chance[..., 0] - 0.5) * room
        dy = dy - (chance[..., 1] - 0.5) * room
        reach_here = reach * (0.85 + 0.3 * chance[..., 3])
        distance = np.sqrt(dx * dx + dy * dy)
        angle = np.arctan2(dy, dx) + chance[..., 2] * 6.3
        edge = reach_here * (0.62 + 0.38 * np.abs(np.cos(2.5 * angle)) ** 0.7)
        own = _inside(distance - edge, soft / size * 1.3)
        petals = np.maximum(petals, own)
        heart = _inside(distance - reach_here * 0.27, soft / size)
        if layer == 0:
            along = np.cos(angle * 1.0 - 0.63)
            leaf = _inside(np.abs(distance - reach_here * 1.12) - 0.07, soft) * _inside(0.93 - np.abs(along), 0.03)
            heart = np.maximum(heart, leaf * (1 - own))
        hearts = np.maximum(hearts * (1 - own), heart)
    return petals, hearts


def _terrazzo(u: Field, v: Field, soft: float, seed: int) -> Cover:
    """Angular chips of two colours and many sizes."""
    first, second = _none(u), _none(u)
    for layer, (size, shift, reach) in enumerate(((0.72, 0.0, 0.33), (0.72, 0.5, 0.17), (0.5, 0.31, 0.13))):
        dx, dy, row, column = _cells(u, v, size, shift)
        chance = _table(seed + 10 + layer, 6)[row, column]
        dx = dx - (chance[..., 0] - 0.5) * 0.3
        dy = dy - (chance[..., 1] - 0.5) * 0.3
        turn = chance[..., 2] * 6.3
        x = dx * np.cos(turn) + dy * np.sin(turn)
        y = (dy * np.cos(turn) - dx * np.sin(turn)) * (1.1 + 0.9 * chance[..., 3])
        chip = np.maximum(np.maximum(np.abs(x) + y * 0.4, -y * 1.1), x * 0.5 + y)
        here = _inside(chip - reach * (0.55 + 0.55 * chance[..., 4]), soft / size)
        one = chance[..., 5] < 0.55
        first = np.maximum(first, here * one)
        second = np.maximum(second, here * ~one)
    return first, second


PATTERNS: dict[str, Callable[[Field, Field, float, int], Cover]] = {
    "plain": _plain,
    "stripes": _stripes,
    "dots": _dots,
    "checks": _checks,
    "floral": _floral,
    "zigzag": _zigzag,
    "terrazzo": _terrazzo,
}
"""How each pattern covers the plane; `ombre` is a blend over the whole body and is handled apart."""
