"""Cushions, rugs and armchairs."""

from __future__ import annotations

import numpy as np

from catalog.boutique.drawing.colour import mix
from catalog.boutique.drawing.curves import Points, ellipse, ribbon, rounded, smooth, turned
from catalog.boutique.drawing.look import Look
from catalog.boutique.drawing.stage import Stage, plain


def _pillow(cx: float, cy: float, w: float, h: float, pinch: float) -> Points:
    """Return a stuffed rectangle: pointed corners, sides drawn in by `pinch`."""
    x0, x1, y0, y1 = cx - w / 2, cx + w / 2, cy - h / 2, cy + h / 2
    corner = 0.022
    points = [
        (x0, y0 + corner), (x0 + corner, y0), (cx, y0 + pinch), (x1 - corner, y0), (x1, y0 + corner),
        (x1 - pinch, cy), (x1, y1 - corner), (x1 - corner, y1), (cx, y1 - pinch), (x0 + corner, y1),
        (x0, y1 - corner), (x0 + pinch, cy),
    ]  # fmt: skip
    return smooth(points)


def cushion(stage: Stage, look: Look) -> None:
    """Draw a cushion with piping: upright, lumbar, round with a button, or square with a border."""
    a, b, _ = look.sizes(3, 0.05)
    piping = plain(look.trim, "cotton")
    if look.silhouette == "round":
        disc = ellipse(0.5, 0.56, 0.30 * a, 0.295 * a)
        stage.soft(disc, look.body, 0.24, height=0.62)
        stage.tube(disc, 0.016, piping)
        stage.soft(ellipse(0.5, 0.56, 0.05, 0.05), plain(mix(look.body.cloth.ground, (0, 0, 0), 0.55), look.body.finish), 0.05, height=0.1)
        stage.soft(ellipse(0.5, 0.56, 0.026, 0.026), piping, 0.024, shadow=0.5)
        return
    if look.silhouette == "angular":
        side = 0.56 * a
        edge = rounded([(0.5 - side / 2, 0.86 - side), (0.5 + side / 2, 0.86 - side), (0.5 + side / 2, 0.86), (0.5 - side / 2, 0.86)], 0.008)
        stage.soft(edge, plain(look.trim, look.body.finish), 0.012, height=0.5)
        stage.soft(_pillow(0.5, 0.86 - side / 2, side - 0.07, side - 0.07, 0.004), look.body, 0.16, height=0.6, shadow=0.35)
        return
    w, h = (0.40 * a, 0.62 * b) if look.silhouette == "tall" else (0.70 * a, 0.38 * b)
    edge = _pillow(0.5, 0.865 - h / 2, w, h, 0.022)
    stage.soft(edge, look.body, 0.17, height=0.72)
    stage.tube(np.vstack([edge, edge[:1]]), 0.012, piping)


def rug(stage: Stage, look: Look) -> None:
    """Draw a rug from above: runner, broad, round or eight-sided, with a border or a fringe."""
    a, b, _ = look.sizes(3, 0.05)
    body = look.body.scaled(1.15)
    turn = (look.seed % 7 - 3) * 1.5
    if look.silhouette in ("round", "angular"):
        disc = ellipse(0.5, 0.5, 0.37 * a, 0.37 * a) if look.silhouette == "round" else _octagon(0.40 * a, turn)
        inner = 0.5 + (disc - 0.5) * 0.9
        stage.soft(disc, plain(look.trim, body.finish), 0.014)
        stage.soft(inner, body.spanning(0.15, 0.85), 0.012, height=0.5)
        return
    w, h = (0.32 * a, 0.78 * b) if look.silhouette == "tall" else (0.80 * a, 0.48 * b)
    x0, x1, y0, y1 = 0.5 - w / 2, 0.5 + w / 2, 0.5 - h / 2, 0.5 + h / 2
    thread = plain(mix(look.trim, (0.75, 0.7, 0.6), 0.6), "cotton")
    long_ends = [(y0, -1), (y1, 1)] if look.silhouette == "tall" else [(x0, -1), (x1, 1)]
    for edge, way in long_ends:
        for k in np.linspace(0.015, 0.985, int((w if look.silhouette == "tall" else h) / 0.014)):
            sway = 0.004 * np.sin(k * 91 + look.seed)
            if look.silhouette == "tall":
                strand = [(x0 + k * w, edge), (x0 + k * w + sway, edge + way * 0.034)]
            else:
                strand = [(edge, y0 + k * h), (edge + way * 0.034, y0 + k * h + sway)]
            stage.flat(turned(ribbon(strand, 0.006), turn), thread, lean=(-0.2, -0.2))
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    stage.soft(turned(rounded(corners, 0.008), turn), body.turned(-turn).spanning(y0, y1), 0.014)
    inset = [(x0 + 0.03, y0 + 0.03), (x1 - 0.03, y0 + 0.03), (x1 - 0.03, y1 - 0.03), (x0 + 0.03, y1 - 0.03), (x0 + 0.03, y0 + 0.03)]
    stage.flat(turned(ribbon(np.array(inset), 0.008), turn), plain(look.trim, body.finish))


def _octagon(radius: float, turn: float) -> Points:
    corner = np.radians(np.arange(8) * 45 + 22.5 + turn)
    return np.column_stack([0.5 + radius * np.cos(corner), 0.5 + radius * np.sin(corner)])


def armchair(stage: Stage, look: Look) -> None:
    """Draw an armchair from the front: wing chair, love seat, tub or cube."""
    a, b, c = look.sizes(3, 0.05)
    wide, top, seat, arm_top, soft = {
        "tall": (0.44 * a, 0.14, 0.60, 0.49, 0.07),
        "wide": (0.80 * a, 0.42, 0.63, 0.52, 0.06),
        "round": (0.60 * a, 0.31, 0.61, 0.50, 0.12),
        "angular": (0.58 * a, 0.31, 0.60, 0.44, 0.012),
    }[look.silhouette]
    x0, x1 = 0.5 - wide / 2, 0.5 + wide / 2
    arm = (0.085 if look.silhouette != "angular" else 0.10) * b
    leg = plain(look.trim, "wood")
    for x, splay in ((x0 + 0.05, -0.02), (x1 - 0.05, 0.02)):
        stage.soft(ribbon([(x, 0.74), (x + splay, 0.862)], np.array([0.034, 0.02])), leg, 0.016)
    cloth = look.body.spanning(top, 0.78)
    if look.silhouette == "round":
        back = smooth([(x0 + 0.01, 0.62), (x0 + 0.02, 0.44), (0.5 - wide * 0.27, top + 0.025), (0.5, top), (0.5 + wide * 0.27, top + 0.025), (x1 - 0.02, 0.44), (x1 - 0.01, 0.62), (0.5, 0.66)])
    elif look.silhouette == "tall":
        back = smooth([(x0 + 0.02, 0.62), (x0 + 0.0, 0.40), (x0 + 0.02, top + 0.05), (x0 + 0.09, top + 0.005), (0.5, top - 0.01), (x1 - 0.09, top + 0.005), (x1 - 0.02, top + 0.05), (x1, 0.40), (x1 - 0.02, 0.62)])
    else:
        back = rounded([(x0 + 0.03, top), (x1 - 0.03, top), (x1 - 0.03, 0.68), (x0 + 0.03, 0.68)], soft * 1.2)
    stage.soft(back, cloth, max(soft, 0.03), height=0.9)
    if look.silhouette == "tall":
        for left in (True, False):
            wing = [(x0 - 0.012, 0.50), (x0 - 0.012, 0.30), (x0 + 0.012, top + 0.05), (x0 + 0.06, top + 0.06), (x0 + 0.065, 0.32), (x0 + 0.075, 0.52)]
            shape = smooth(wing if left else [(1 - x, y) for x, y in wing])
            stage.soft(shape, cloth.cut(0.031, 0.047), 0.035, shadow=0.6, crease=0.5)
    front = [(x0 + 0.015, seat + 0.05), (x1 - 0.015, seat + 0.05), (x1 - 0.015, 0.775), (x0 + 0.015, 0.775)]
    stage.soft(rounded(front, min(soft, 0.04)), cloth.cut(0.0, 0.033), 0.03, height=0.6, dim=0.82)
    count = 2 if look.silhouette == "wide" else 1
    inner0, inner1 = x0 + arm * 0.85, x1 - arm * 0.85
    for k in range(count):
        near, far = (inner0 + (inner1 - inner0) * (k + d) / count for d in (0, 1))
        pad = [(near + 0.003, seat), (far - 0.003, seat), (far - 0.003, seat + 0.095 * c), (near + 0.003, seat + 0.095 * c)]
        shape = rounded(pad, max(soft * 0.6, 0.02))
        stage.soft(shape, cloth.cut(0.04 * k + 0.02, 0.021), 0.04, height=0.9, shadow=0.75, dim=1.05, crease=0.45)
    for left in (True, False):
        outer = x0 - 0.012 if left else x1 + 0.012
        inner = outer + (arm if left else -arm)
        mid = (outer + inner) / 2
        if look.silhouette == "round":
            shape = smooth([(outer, 0.56), (mid, arm_top), (inner, 0.55), (inner, 0.74), (mid, 0.78), (outer, 0.72)])
        else:
            box = [(outer, arm_top), (inner, arm_top), (inner, 0.78), (outer, 0.78)]
            shape = rounded(box, min(arm * 0.45, max(soft, 0.014)))
        radius = arm * 0.5 if look.silhouette != "angular" else 0.022
        stage.soft(shape, cloth.cut(0.037, 0.052), radius, shadow=0.7, crease=0.5)
