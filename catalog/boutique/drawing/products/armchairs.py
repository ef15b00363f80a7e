"""Armchairs, seen from the front."""

from __future__ import annotations

import numpy as np

from catalog.boutique.drawing.curves import Points, box, ribbon, rounded, smooth
from catalog.boutique.drawing.look import Look
from catalog.boutique.drawing.stage import Paint, Stage, plain


def armchair(stage: Stage, look: Look) -> None:
    """Draw an armchair: wing chair, love seat, tub or cube."""
    a, b, c = look.sizes(3, 0.05)
    wide, top, seat, arm_top, soft = {
        "tall": (0.44 * a, 0.14, 0.60, 0.49, 0.07),
        "wide": (0.80 * a, 0.42, 0.63, 0.52, 0.06),
        "round": (0.60 * a, 0.31, 0.61, 0.50, 0.12),
        "angular": (0.58 * a, 0.31, 0.60, 0.44, 0.012),
    }[look.silhouette]
    x0, x1 = 0.5 - wide / 2, 0.5 + wide / 2
    arm = (0.10 if look.silhouette == "angular" else 0.085) * b
    cloth = look.body.spanning(top, 0.78)
    for x, splay in ((x0 + 0.05, -0.02), (x1 - 0.05, 0.02)):
        leg = ribbon([(x, 0.74), (x + splay, 0.862)], np.array([0.034, 0.02]))
        stage.soft(leg, plain(look.trim, "wood"), 0.016)
    stage.soft(_back(look.silhouette, x0, top, wide, soft), cloth, max(soft, 0.03), height=0.9)
    if look.silhouette == "tall":
        _wings(stage, x0, top, cloth)
    front = box(x0 + 0.015, seat + 0.05, x1 - 0.015, 0.775, min(soft, 0.04))
    stage.soft(front, cloth.cut(0.0, 0.033), 0.03, height=0.6, dim=0.82)
    pads = np.linspace(x0 + arm * 0.85, x1 - arm * 0.85, 3 if look.silhouette == "wide" else 2)
    for k, (near, far) in enumerate(zip(pads[:-1].tolist(), pads[1:].tolist(), strict=True)):
        pad = box(near + 0.003, seat, far - 0.003, seat + 0.095 * c, max(soft * 0.6, 0.02))
        stage.soft(pad, cloth.cut(0.04 * k + 0.02, 0.021), 0.04, height=0.9, shadow=0.75, dim=1.05, crease=0.45)
    for outer, way in ((x0 - 0.012, 1), (x1 + 0.012, -1)):
        _arm(stage, look.silhouette, outer, outer + way * arm, arm_top, soft, cloth)


def _back(silhouette: str, x0: float, top: float, wide: float, soft: float) -> Points:
    if silhouette == "round":
        half = [(0.5, top), (0.5 - wide * 0.27, top + 0.025), (x0 + 0.02, 0.44), (x0 + 0.01, 0.62), (0.5, 0.66)]
    elif silhouette == "tall":
        wing = [(x0 + 0.09, top + 0.005), (x0 + 0.02, top + 0.05), (x0, 0.40), (x0 + 0.02, 0.62)]
        half = [(0.5, top - 0.01), *wing, (0.5, 0.63)]
    else:
        return box(x0 + 0.03, top, 1 - x0 - 0.03, 0.68, soft * 1.2)
    ring = np.vstack([half, (np.array(half[-2:0:-1]) * (-1, 1)) + (1, 0)])
    return smooth(ring)


def _wings(stage: Stage, x0: float, top: float, cloth: Paint) -> None:
    inner = [(x0 + 0.012, top + 0.05), (x0 + 0.06, top + 0.06), (x0 + 0.065, 0.32), (x0 + 0.075, 0.52)]
    wing = smooth([(x0 - 0.012, 0.50), (x0 - 0.012, 0.30), *inner])
    for shape in (wing, wing * (-1, 1) + (1, 0)):
        stage.soft(shape, cloth.cut(0.031, 0.047), 0.035, shadow=0.6, crease=0.5)


def _arm(
    stage: Stage, silhouette: str, outer: float, inner: float, top: float, soft: float, cloth: Paint
) -> None:  # fmt: skip
    mid, thick = (outer + inner) / 2, abs(outer - inner)
    if silhouette == "round":
        shape = smooth([(outer, 0.56), (mid, top), (inner, 0.55), (inner, 0.74), (mid, 0.78), (outer, 0.72)])
    else:
        corners = [(outer, top), (inner, top), (inner, 0.78), (outer, 0.78)]
        shape = rounded(corners, min(thick * 0.45, max(soft, 0.014)))
    radius = 0.022 if silhouette == "angular" else thick * 0.5
    stage.soft(shape, cloth.cut(0.037, 0.052), radius, shadow=0.7, crease=0.5)
