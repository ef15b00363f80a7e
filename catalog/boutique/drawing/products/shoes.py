"""Sneakers, seen from the side."""

from __future__ import annotations

import numpy as np

from catalog.boutique.drawing.colour import linear, mix
from catalog.boutique.drawing.curves import Points, box, ellipse, ribbon, rounded, smooth
from catalog.boutique.drawing.look import Look
from catalog.boutique.drawing.stage import Stage, plain

_UPPER: dict[str, tuple[list[tuple[float, float]], int, int]] = {
    "tall": ([(0.225, 0.80), (0.20, 0.745), (0.235, 0.68), (0.335, 0.635), (0.415, 0.575), (0.475, 0.46), (0.51, 0.325),
              (0.60, 0.345), (0.70, 0.322), (0.725, 0.45), (0.735, 0.60), (0.755, 0.72), (0.745, 0.80)], 3, 6),
    "wide": ([(0.095, 0.80), (0.085, 0.755), (0.14, 0.705), (0.27, 0.675), (0.36, 0.645), (0.46, 0.585), (0.555, 0.525),
              (0.64, 0.575), (0.73, 0.58), (0.815, 0.53), (0.845, 0.555), (0.865, 0.68), (0.87, 0.80)], 4, 6),
    "round": ([(0.155, 0.80), (0.135, 0.735), (0.165, 0.655), (0.25, 0.60), (0.35, 0.575), (0.44, 0.545), (0.51, 0.505),
               (0.60, 0.575), (0.70, 0.585), (0.785, 0.53), (0.82, 0.55), (0.84, 0.68), (0.835, 0.80)], 4, 6),
    "angular": ([(0.12, 0.77), (0.12, 0.71), (0.19, 0.655), (0.36, 0.615), (0.53, 0.475),
                 (0.65, 0.545), (0.74, 0.545), (0.83, 0.455), (0.865, 0.475), (0.86, 0.64), (0.885, 0.77)], 3, 4),
}  # fmt: skip
"""Outline of the upper from the toe over the instep to the heel, and where the throat begins and ends."""


def sneaker(stage: Stage, look: Look) -> None:
    """Draw a sneaker: high-top, runner, rounded slip-on or angular with a deep sole."""
    a, b, _ = look.sizes(3, 0.03)
    outline, first, last = _UPPER[look.silhouette]
    points = np.array(outline)
    points[:, 0] = 0.5 + (points[:, 0] - 0.5) * a
    sharp = look.silhouette == "angular"
    upper = rounded(points, 0.02) if sharp else smooth(points)
    body = look.body.spanning(float(points[:, 1].min()), 0.8).scaled(0.8)
    x0, x1 = float(points[:, 0].min()), float(points[:, 0].max())
    _lining(stage, points, look, last)
    stage.soft(upper, body, 0.075, height=0.85)
    _toe_and_heel(stage, look, points, x0, x1)
    if look.silhouette == "round":
        gore = smooth([(0.495, 0.53), (0.54, 0.535), (0.575, 0.62), (0.545, 0.655), (0.51, 0.62)])
        stage.soft(gore, plain(look.dark, "canvas"), 0.012, height=0.5, shadow=0.3)
    else:
        _laces(stage, look, points[first : last + 1])
    _sole(stage, look, x0, x1, b)


def _lining(stage: Stage, points: Points, look: Look, last: int) -> None:
    """Show the far side of the opening, from the end of the throat to the top of the heel."""
    heel = last + 1 + int(np.argmin(points[last + 1 :, 1]))
    a, b = points[last], points[heel]
    far = smooth(np.stack([a, (a + b) / 2, b]) + np.array([(0.005, 0.012), (0, 0.012), (-0.01, 0.006)]), closed=False)
    low = np.stack([b, a]) + np.array([0, 0.12])
    stage.soft(np.vstack([far, low]), plain(mix(look.trim, (0.03, 0.03, 0.03), 0.45), "cotton"), 0.02)


def _toe_and_heel(stage: Stage, look: Look, points: Points, x0: float, x1: float) -> None:
    top = float(points[-3][1]) + 0.01
    back = [(x1 - 0.075, top + 0.03), (x1 - 0.03, top - 0.01), (x1 - 0.012, 0.70), (x1 - 0.012, 0.80)]
    stage.soft(smooth([*back, (x1 - 0.13, 0.80), (x1 - 0.10, 0.70)]), plain(look.trim, "leather"), 0.03, shadow=0.3)
    if look.silhouette in ("tall", "angular"):
        tip = [(x0 + 0.012, 0.80), (x0 + 0.008, 0.735), (x0 + 0.05, 0.69), (x0 + 0.10, 0.68)]
        cap = smooth([*tip, (x0 + 0.145, 0.74), (x0 + 0.155, 0.80)])
        stage.soft(cap, plain(linear("#efe9dd"), "rubber"), 0.045, shadow=0.3)
    else:
        line = smooth([(x0 + 0.16, 0.795), (x0 + 0.14, 0.73), (x0 + 0.17, 0.655)], closed=False)
        stage.seam(line, mix(look.trim, (0.9, 0.88, 0.8), 0.4))


def _laces(stage: Stage, look: Look, throat: Points) -> None:
    """Lay the tongue, eyelets and laces down the throat of the shoe."""
    t = np.linspace(0, 1, len(throat))
    way = np.linspace(-0.02, 1.06, 12)
    edge = throat[-1] - throat[0]
    tongue = np.column_stack([np.interp(way, t, throat[:, k]) for k in (0, 1)])
    tongue[-1] = throat[-1] + edge * 0.06
    stage.tube(np.add(tongue, (0.006, 0.008)), 0.046, plain(look.trim, "canvas"), shadow=0.3, height=0.5)
    cord = plain(linear("#f3efe6"), "cotton")
    across = np.array([-edge[1], edge[0]]) / float(np.hypot(*edge))
    for share in np.linspace(0.06, 0.9, 6 if look.silhouette == "tall" else 5):
        place = np.array([float(np.interp(share, t, throat[:, k])) for k in (0, 1)])
        stage.tube(np.stack([place - across * 0.012, place + across * 0.07 + edge * 0.03]), 0.013, cord, shadow=0.5)
        x, y = place + across * 0.073 + edge * 0.03
        stage.soft(ellipse(float(x), float(y), 0.008, 0.008), plain(look.dark, "rubber"), 0.006)


def _sole(stage: Stage, look: Look, x0: float, x1: float, b: float) -> None:
    white, line = plain(linear("#f2eee5"), "rubber"), plain(look.trim, "rubber")
    toe, heel = x0 - 0.012, x1 + 0.012
    if look.silhouette == "angular":
        upper = [(toe, 0.755), (0.42, 0.765), (heel, 0.735), (heel + 0.012, 0.835), (heel - 0.05, 0.865)]
        lower = [(0.60, 0.86), (0.52, 0.845), (0.38, 0.865), (toe + 0.02, 0.862)]
        stage.soft(rounded([*upper, *lower], 0.012), white, 0.022, shadow=0.4)
        stage.flat(ribbon([(toe + 0.01, 0.80), (0.42, 0.808), (heel, 0.785)], 0.012), line)
    elif look.silhouette == "wide":
        upper = [(toe - 0.01, 0.775), (0.25, 0.80), (0.5, 0.785), (0.72, 0.765), (heel + 0.012, 0.735)]
        lower = [(heel + 0.02, 0.82), (heel - 0.04, 0.862), (0.5, 0.866), (toe + 0.05, 0.862), (toe - 0.005, 0.82)]
        stage.soft(smooth([*upper, *lower]), white, 0.03, shadow=0.4)
    else:
        stage.soft(box(toe, 0.785, heel, 0.863, 0.028 * b), white, 0.018, shadow=0.4)
        stage.flat(ribbon([(toe + 0.012, 0.806), (heel - 0.012, 0.806)], 0.008), line)
    tread = plain(mix(look.dark, (0.2, 0.15, 0.1), 0.4), "rubber")
    stage.flat(ribbon([(toe + 0.03, 0.86), (heel - 0.03, 0.86)], 0.009), tread, dim=0.8)
