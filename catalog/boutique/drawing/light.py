"""Light on a form: how each finish (ceramic, leather, knit, metal...) answers one studio light.

A Blinn-Phong model with a soft-box reflection for glossy finishes and a bump for textured ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from catalog.boutique.drawing.forms import Field, Form

Grain = Literal["none", "leather", "weave", "knit", "wood", "nap", "speckle", "brushed", "pile"]

KEY = (-0.5015, -0.6018, 0.6218)
"""Unit vector to the studio light: upper left, in front."""

HALF = (-0.2784, -0.3341, 0.9005)
"""Unit vector half way between the light and the eye."""


@dataclass(frozen=True, slots=True)
class Finish:
    """How a surface answers light; every field is a strength in 0..1 unless said."""

    spec: float = 0.05
    gloss: float = 20.0
    """Exponent of the highlight: higher is tighter."""
    window: float = 0.0
    """Reflection of the soft box."""
    rim: float = 0.05
    """Light gathered at grazing angles (velvet, glass)."""
    wrap: float = 0.25
    """How far light creeps past the terminator (soft cloth)."""
    grain: Grain = "none"
    bump: float = 0.0
    metal: bool = False
    clear: float = 0.0
    """Share of what lies behind that shows through."""


FINISHES: dict[str, Finish] = {
    "ceramic": Finish(0.18, 60, 0.75, 0.10, 0.15),
    "porcelain": Finish(0.20, 90, 0.85, 0.12, 0.2),
    "stoneware": Finish(0.05, 12, 0.07, 0.03, 0.2, "speckle", 0.12),
    "concrete": Finish(0.02, 8, 0.0, 0.02, 0.2, "speckle", 0.3),
    "enamel": Finish(0.22, 70, 0.6, 0.08, 0.15),
    "glass": Finish(0.35, 120, 1.0, 0.45, 0.4, clear=0.38),
    "steel": Finish(0.25, 40, 0.25, 0.15, 0.1, "brushed", 0.05),
    "brass": Finish(0.5, 50, 0.3, 0.2, 0.1, "none", 0.0, metal=True),
    "leather": Finish(0.16, 22, 0.10, 0.06, 0.1, "leather", 0.22),
    "suede": Finish(0.02, 6, 0.0, 0.14, 0.3, "nap", 0.2),
    "velvet": Finish(0.04, 8, 0.0, 0.32, 0.1, "nap", 0.12),
    "canvas": Finish(0.02, 8, 0.0, 0.04, 0.3, "weave", 0.22),
    "linen": Finish(0.02, 8, 0.0, 0.05, 0.35, "weave", 0.3),
    "cotton": Finish(0.02, 8, 0.0, 0.05, 0.35, "weave", 0.1),
    "nylon": Finish(0.10, 14, 0.04, 0.06, 0.2, "weave", 0.08),
    "silk": Finish(0.30, 10, 0.06, 0.16, 0.1),
    "wool": Finish(0.01, 6, 0.0, 0.10, 0.4, "nap", 0.22),
    "cashmere": Finish(0.01, 6, 0.0, 0.2, 0.45, "nap", 0.1),
    "knit": Finish(0.01, 6, 0.0, 0.10, 0.4, "knit", 0.5),
    "jute": Finish(0.01, 6, 0.0, 0.04, 0.3, "pile", 0.5),
    "pile": Finish(0.01, 6, 0.0, 0.06, 0.35, "pile", 0.3),
    "wood": Finish(0.08, 24, 0.08, 0.05, 0.2, "wood", 0.1),
    "paper": Finish(0.03, 10, 0.0, 0.03, 0.3, "nap", 0.04),
    "rubber": Finish(0.06, 14, 0.03, 0.05, 0.25),
    "glow": Finish(0.0, 8, 0.0, 0.0, 1.0, "weave", 0.12),
}


@lru_cache(maxsize=1)
def _noise() -> tuple[Field, Field]:
    """Return fine and soft noise tiles (256, 256), zero mean, unit spread, seamless."""
    raw = np.random.default_rng(20250101).standard_normal((256, 256))
    tiles = [ndimage.gaussian_filter(raw, sigma, mode="wrap") for sigma in (0.8, 2.2)]
    fine, soft = (((tile - tile.mean()) / tile.std()).astype(np.float32) for tile in tiles)
    return fine, soft


def _at(tile: Field, s: Field, t: Field, across: float, down: float) -> Field:
    column = np.floor(s * across).astype(np.int32) & 255
    row = np.floor(t * down).astype(np.int32) & 255
    found: Field = tile[row, column]
    return found


def _texture(grain: Grain, s: Field, t: Field) -> Field:
    """Return the brightness of the grain, (h, w), mean about 0, within about -1..1."""
    fine, soft = _noise()
    if grain == "leather":
        relief = _at(soft, s, t, 1100, 1100) * 0.3 + _at(fine, s, t, 700, 700) * 0.15
    elif grain == "weave":
        relief = np.sin(s * 560) * np.sin(t * 560) * 0.5 + _at(fine, s, t, 160, 640) * 0.22
    elif grain == "knit":
        column = s * 38
        slant = np.abs(column - np.floor(column) - 0.5)
        stitch = np.abs(np.sin((t * 46 + slant * 1.1) * np.pi))
        gap = np.minimum(1, (0.5 - slant) * 7) * np.minimum(1, slant * 9 + 0.35)
        relief = stitch**0.6 * gap - 0.62
    elif grain == "wood":
        relief = _at(soft, s, t, 620, 34) * 0.5 + _at(fine, s, t, 900, 60) * 0.2
    elif grain == "brushed":
        relief = _at(fine, s, t, 24, 900)
    elif grain == "pile":
        rows = np.sin(t * 300 + _at(soft, s, t, 300, 300) * 0.6)
        relief = rows * 0.35 + _at(fine, s, t, 420, 420) * 0.3
    elif grain == "speckle":
        relief = _at(fine, s, t, 420, 420) * 0.4
    else:
        relief = _at(fine, s, t, 520, 520) * 0.3 + _at(soft, s, t, 160, 160) * 0.2
    return relief.astype(np.float32, copy=False)


def _band(value: Field, low: float, high: float, soft: float) -> Field:
    """Return 1 inside low..high, falling to 0 over `soft` on both sides."""
    rise = np.clip((value - low) / soft, 0, 1)
    fall = np.clip((high - value) / soft, 0, 1)
    both: Field = rise * fall
    return both


def shade(form: Form, albedo: npt.NDArray[np.float32], finish: Finish) -> npt.NDArray[np.float32]:
    """Return the light (h, w, 3) a form of `albedo` (h, w, 3), linear, sends to the eye."""
    nx, ny, nz = form.normal
    facing = nx * KEY[0] + ny * KEY[1] + nz * KEY[2]
    lit = np.maximum((facing + finish.wrap) / (1 + finish.wrap), 0)
    diffuse = 0.36 - 0.13 * ny + 0.74 * lit
    if finish.grain != "none":
        diffuse = diffuse * (1 + finish.bump * _texture(finish.grain, form.s, form.t))
    half = np.maximum(nx * HALF[0] + ny * HALF[1] + nz * HALF[2], 0)
    shine = finish.spec * half**finish.gloss
    rim = 1 - nz
    shine = shine + finish.rim * rim * rim * (0.55 - 0.45 * ny)
    if finish.window:
        rx, ry = 2 * nz * nx, 2 * nz * ny
        box = _band(rx, -0.86, -0.42, 0.07) * _band(ry, -0.75, 0.45, 0.12)
        strip = _band(rx, 0.74, 0.93, 0.09) * _band(ry, -0.5, 0.6, 0.2)
        shine = shine + finish.window * (0.42 * box + 0.16 * strip)
    if finish.metal:
        sky = 0.5 - 0.5 * np.sin(4.2 * nx + 1.1) * 0.9 - 0.35 * ny
        diffuse, shine = 0.25 + 1.25 * np.clip(sky, 0, 1), shine * 0.8
    light: npt.NDArray[np.float32] = albedo * diffuse[..., None] + shine[..., None]
    return light.astype(np.float32, copy=False)
