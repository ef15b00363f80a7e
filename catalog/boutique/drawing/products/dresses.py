"""Dresses on a hanger."""

from __future__ import annotations

import numpy as np

from catalog.boutique.drawing.colour import linear, mix
from catalog.boutique.drawing.curves import arch, box, mirrored, ribbon, smooth
from catalog.boutique.drawing.forms import folded, inflated
from catalog.boutique.drawing.look import Look
from catalog.boutique.drawing.stage import Stage, plain


def dress(stage: Stage, look: Look) -> None:
    """Draw a dress on a hanger: column, full skirt, bubble or shift."""
    a, b, c = look.sizes(3, 0.05)
    shoulder, waist, hip, hem, low, waist_y = {
        "tall": (0.105, 0.088 * a, 0.108, 0.125 * b, 0.945, 0.39),
        "wide": (0.115, 0.085 * a, 0.20, 0.355 * b, 0.80, 0.385),
        "round": (0.12, 0.105 * a, 0.255 * b, 0.155, 0.80, 0.40),
        "angular": (0.125, 0.155 * a, 0.185, 0.245 * b, 0.79, 0.40),
    }[look.silhouette]
    straight = look.silhouette == "angular"
    _hanger(stage, 0.145, 0.125)
    bodice = [(shoulder, 0.175), (shoulder * 1.02, 0.24), (shoulder * 1.08, 0.30), (waist, waist_y)]
    skirt = {
        "tall": [(waist * 1.08, waist_y + 0.04), (hip, (waist_y + low) / 2), (hem, low)],
        "wide": [(waist * 1.08, waist_y + 0.04), (hip, (waist_y + low) / 2), (hem, low)],
        "round": [(waist * 1.25, waist_y + 0.05), (hip, 0.58), (hip * 0.98, 0.68), (hem, low)],
        "angular": [((waist + hem) / 2, (waist_y + low) / 2), (hem, low)],
    }[look.silhouette]
    neck, neck_y, dip = 0.062, 0.235 * (1 + (c - 1) * 0.5), 0.012 if straight else 0.03
    side = np.array([(neck, 0.168), *bodice, *skirt])
    left = np.vstack([
        [(0, neck_y), (neck * 0.6, neck_y - 0.02)],
        side if straight else smooth(side, closed=False),
        [(hem * 0.5, low + dip * 0.8), (0, low + dip)],
    ])  # fmt: skip
    cloth = look.body.spanning(0.2, low)
    inside = mirrored([(0.5, 0.19), (0.5 - neck, 0.165), (0.5 - neck * 0.7, neck_y), (0.5, neck_y + 0.01)])
    stage.flat(inside, cloth.solid(mix(look.body.cloth.ground, (0, 0, 0), 0.6)))
    depth = {"tall": 0.28, "wide": 0.62, "round": 0.5, "angular": 0.16}[look.silhouette]
    form = inflated(stage.px, mirrored(left * (-1, 1) + (0.5, 0)), 0.06, height=0.8)
    fall = folded(
        form, top=waist_y - 0.02, amplitude=depth, folds=4.5 + hem * 14, spread=hem / waist, seed=look.seed
    )  # fmt: skip
    stage.lay(fall, cloth)
    if straight:
        stage.soft(box(0.55, 0.53, 0.63, 0.60, 0.008), look.body, 0.01, shadow=0.35)
        return
    belt = ribbon([(0.5 - waist * 1.03, waist_y), (0.5, waist_y + 0.008), (0.5 + waist * 1.03, waist_y)], 0.024)
    stage.soft(belt, plain(look.trim, look.body.finish), 0.012, shadow=0.3)


def _hanger(stage: Stage, y: float, half: float) -> None:
    hook = [(0.5, y), (0.5, y - 0.05), (0.522, y - 0.075), (0.5, y - 0.1), (0.478, y - 0.08)]
    stage.tube(smooth(hook, closed=False), 0.009, plain(linear("#b9b9b5"), "steel"))
    bar = arch([(half, y + 0.06), (half * 0.4, y + 0.018), (0, y)])
    stage.tube(bar, 0.022, plain(linear("#b98a5a"), "wood"))
