"""Notebooks, lying a little askew."""

from __future__ import annotations

import numpy as np

from catalog.boutique.drawing.colour import linear, mix
from catalog.boutique.drawing.curves import Points, box, ribbon, turned
from catalog.boutique.drawing.look import Look
from catalog.boutique.drawing.stage import Stage, plain


def notebook(stage: Stage, look: Look) -> None:
    """Draw a notebook: slim, landscape, with round corners, or square with metal corners."""
    a, b, _ = look.sizes(3, 0.04)
    w, h, corner = {
        "tall": (0.38 * a, 0.72 * b, 0.018),
        "wide": (0.72 * a, 0.44 * b, 0.018),
        "round": (0.54 * a, 0.60 * b, 0.15),
        "angular": (0.57 * a, 0.57 * a, 0.002),
    }[look.silhouette]
    turn = (look.seed % 9 - 4) * 2.0

    def sheet(inset: float, dx: float, dy: float) -> Points:
        x, y = w / 2 - inset, h / 2 - inset
        return turned(box(0.5 - x + dx, 0.5 - y + dy, 0.5 + x + dx, 0.5 + y + dy, corner), turn)

    def edge(x: float) -> float:
        """Return how far a rounded corner draws the upper edge in at a distance `x` from the side."""
        gap = max(corner - x, 0.0)
        return 0.82 * (corner - float(np.sqrt(corner**2 - gap**2)))

    cover = look.body.turned(-turn).spanning(0.5 - h / 2, 0.5 + h / 2)
    shade = mix(look.body.cloth.ground, (0, 0, 0), 0.5)
    mark = turned(ribbon([(0.5 - w * 0.2, 0.5 + h * 0.4), (0.5 - w * 0.2, 0.5 + h / 2 + 0.055)], 0.016), turn)
    stage.flat(mark, plain(look.trim, "silk"))
    stage.soft(sheet(0, 0.016, 0.020), cover.solid(shade), 0.006)
    for k in range(4):
        tone = 0.93 - 0.06 * (k % 2)
        page = plain(mix((0, 0, 0), linear("#f6f1e6"), tone), "paper")
        stage.flat(sheet(0.006, 0.013 - 0.003 * k, 0.017 - 0.004 * k), page)
    stage.soft(sheet(0, 0, 0), cover, 0.010, height=0.6, shadow=0.35)
    fold, rest = 0.5 - w / 2 + 0.045, h / 2 - 0.002 - edge(0.045)
    spine = turned(ribbon([(fold, 0.5 - rest), (fold, 0.5 + rest)], 0.005), turn)
    stage.flat(spine, cover.solid(shade))
    if look.silhouette == "angular":
        _corners(stage, w, h, turn)
    reach = h / 2 + 0.001 - edge(w * 0.14)
    band = [(0.5 + w * 0.36, 0.5 - reach), (0.5 + w * 0.36, 0.5 + reach)]
    stage.soft(turned(ribbon(band, 0.017), turn), plain(look.dark, "nylon"), 0.008, shadow=0.4)
    if look.seed % 3 == 0:
        x, y = 0.5 - w * 0.06, 0.5 - h * 0.2
        label = turned(box(x - 0.085, y - 0.035, x + 0.085, y + 0.035, 0.006), turn)
        stage.soft(label, plain(linear("#f3ecdc"), "paper"), 0.004, shadow=0.3)
        for dy, half in ((-0.009, 0.055), (0.012, 0.035)):
            stage.flat(turned(ribbon([(x - half, y + dy), (x + half, y + dy)], 0.004), turn), plain(look.dark, "paper"))


def _corners(stage: Stage, w: float, h: float, turn: float) -> None:
    brass, side = plain(linear("#d9b26a"), "brass"), 0.055
    for sx in (-1, 1):
        for sy in (-1, 1):
            x, y = 0.5 + sx * w / 2, 0.5 + sy * h / 2
            stage.soft(turned([(x, y), (x - sx * side, y), (x, y - sy * side)], turn), brass, 0.008, shadow=0.3)
