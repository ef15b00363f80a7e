"""Sweaters, laid out."""

from __future__ import annotations

import numpy as np

from catalog.boutique.drawing.colour import mix
from catalog.boutique.drawing.curves import Points, arch, box, ellipse, mirrored, ribbon, smooth
from catalog.boutique.drawing.forms import folded, inflated
from catalog.boutique.drawing.look import Look
from catalog.boutique.drawing.stage import Paint, Stage, plain

_NECK = 0.072


def sweater(stage: Stage, look: Look) -> None:
    """Draw a sweater: tunic with a high collar, boxy, balloon-sleeved or straight with a V."""
    a, b, c = look.sizes(3, 0.05)
    w, top, low, wrist, drop, puff = {
        "tall": (0.155 * a, 0.19, 0.90, (0.265, 0.72), 0.06, 0.002),
        "wide": (0.235 * a, 0.29, 0.72, (0.39, 0.61), 0.035, 0.015),
        "round": (0.195 * a, 0.26, 0.76, (0.305, 0.70), 0.075, 0.06),
        "angular": (0.195 * a, 0.25, 0.79, (0.34, 0.735), 0.03, 0.0),
    }[look.silhouette]
    body = look.body.spanning(top, low)
    rib = plain(mix(look.body.cloth.ground, look.trim, 0.25 if look.seed % 2 else 0.0), "knit")
    for side in (-1, 1):
        shoulder = np.array([0.5 + side * w * 0.62, top + drop + 0.068])
        _sleeve(stage, look, side, shoulder, np.array([0.5 + side * wrist[0] * b, wrist[1]]), (c, puff), body, rib)
    sharp = look.silhouette == "angular"
    dip = 0.15 if sharp else 0.045
    side_line = [(_NECK, top), (w * 0.88, top + drop), (w, top + drop + 0.13), (w, low - 0.05)]
    start = [(0, top + dip)] if sharp else [(0, top + dip), (_NECK * 0.7, top + dip * 0.7)]
    left = np.vstack([start, side_line if sharp else smooth(side_line, closed=False), [(0, low - 0.05)]])
    v_neck = [(0.5 - _NECK, top), (0.5 + _NECK, top), (0.5, top + dip)]
    lining = plain(mix(look.body.cloth.ground, (0, 0, 0), 0.6), "wool")
    stage.flat(v_neck if sharp else ellipse(0.5, top + 0.008, _NECK, 0.03), lining)
    stage.soft(box(0.5 - w * 0.95, low - 0.065, 0.5 + w * 0.95, low, 0.012), rib, 0.03)
    form = inflated(stage.px, mirrored(left * (-1, 1) + (0.5, 0)), 0.065, height=0.9)
    stage.lay(folded(form, top=top + 0.2, amplitude=0.1, folds=3.5, spread=1.05, seed=look.seed), body, shadow=0.35)
    _collar(stage, look, top, dip, rib)


def _sleeve(
    stage: Stage, look: Look, side: int, shoulder: Points, wrist: Points, size: tuple[float, float],
    body: Paint, rib: Paint,
) -> None:  # fmt: skip
    """Lay a sleeve of (thickness, puff) from shoulder to wrist, with its cuff."""
    out = 0.075 if look.silhouette == "round" else 0.02
    arm = smooth(np.stack([shoulder, (shoulder + wrist) / 2 + (side * out, -0.015), wrist]), closed=False)
    t = np.linspace(0, 1, len(arm))
    width = (0.145 - 0.035 * t) * size[0] + size[1] * np.sin(np.pi * t)
    stage.soft(ribbon(arm, width), body.turned(side * 28), 0.055, height=0.9)
    along = (wrist - arm[-6]) / max(float(np.hypot(*(wrist - arm[-6]))), 1e-9) * 0.045
    stage.soft(ribbon(np.stack([wrist - along * 0.2, wrist + along]), 0.085), rib, 0.03, shadow=0.2)


def _collar(stage: Stage, look: Look, top: float, dip: float, rib: Paint) -> None:
    if look.silhouette == "tall":
        stage.soft(box(0.5 - _NECK * 1.06, top - 0.075, 0.5 + _NECK * 1.06, top + 0.03, 0.03), rib, 0.04, shadow=0.3)
    elif look.silhouette == "angular":
        stage.tube([(0.5 - _NECK, top), (0.5, top + dip), (0.5 + _NECK, top)], 0.03, rib, shadow=0.25)
    else:
        line = arch([(_NECK, top), (_NECK * 0.7, top + dip * 0.72), (0, top + dip)])
        stage.tube(line, 0.032, rib, shadow=0.25)
