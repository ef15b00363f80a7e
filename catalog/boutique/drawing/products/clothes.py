"""Dresses, sweaters and scarves, hanging before a plain wall."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from catalog.boutique.drawing.colour import linear, mix
from catalog.boutique.drawing.curves import ellipse, mirrored, ribbon, rounded, smooth, turned
from catalog.boutique.drawing.forms import folded, inflated
from catalog.boutique.drawing.look import Look
from catalog.boutique.drawing.stage import Paint, Stage, plain


def _hanger(stage: Stage, y: float, half: float) -> None:
    wood, wire = plain(linear("#b98a5a"), "wood"), plain(linear("#b9b9b5"), "steel")
    hook = smooth([(0.5, y), (0.5, y - 0.05), (0.522, y - 0.075), (0.5, y - 0.1), (0.478, y - 0.08)], closed=False)
    stage.tube(hook, 0.009, wire)
    stage.tube(smooth([(0.5 - half, y + 0.06), (0.5 - half * 0.4, y + 0.018), (0.5, y), (0.5 + half * 0.4, y + 0.018), (0.5 + half, y + 0.06)], closed=False), 0.022, wood)


def dress(stage: Stage, look: Look) -> None:
    """Draw a dress on a hanger: column, full skirt, bubble or shift."""
    a, b, c = look.sizes(3, 0.05)
    shoulder, waist, hip, hem, low, waist_y = {
        "tall": (0.105, 0.088 * a, 0.108, 0.125 * b, 0.945, 0.39),
        "wide": (0.115, 0.085 * a, 0.20, 0.355 * b, 0.80, 0.385),
        "round": (0.12, 0.105 * a, 0.255 * b, 0.155, 0.80, 0.40),
        "angular": (0.125, 0.155 * a, 0.185, 0.245 * b, 0.79, 0.40),
    }[look.silhouette]
    _hanger(stage, 0.145, 0.125)
    neck, neck_y = 0.062, 0.235 * (1 + (c - 1) * 0.5)
    bodice = [(0.5 - neck, 0.168), (0.5 - shoulder, 0.175), (0.5 - shoulder * 1.02, 0.24), (0.5 - shoulder * 1.08, 0.30), (0.5 - waist, waist_y)]
    if look.silhouette == "round":
        skirt = [(0.5 - waist * 1.25, waist_y + 0.05), (0.5 - hip, 0.58), (0.5 - hip * 0.98, 0.68), (0.5 - hem, low)]
    elif look.silhouette == "angular":
        skirt = [(0.5 - (waist + hem) / 2, (waist_y + low) / 2), (0.5 - hem, low)]
    else:
        skirt = [(0.5 - waist * 1.08, waist_y + 0.04), (0.5 - hip, (waist_y + low) / 2), (0.5 - hem, low)]
    side = [*bodice, *skirt]
    left = np.array(side) if look.silhouette == "angular" else smooth(side, closed=False)
    dip = 0.012 if look.silhouette == "angular" else 0.03
    neckline = [(0.5, neck_y), (0.5 - neck * 0.6, neck_y - 0.02)]
    outline = mirrored(np.vstack([neckline, left, [(0.5 - hem * 0.5, low + dip * 0.8), (0.5, low + dip)]]))
    cloth = look.body.spanning(0.2, low)
    behind = mirrored([(0.5, 0.19), (0.5 - neck, 0.165), (0.5 - neck * 0.7, neck_y), (0.5, neck_y + 0.01)])
    stage.flat(behind, cloth.solid(mix(look.body.cloth.ground, (0, 0, 0), 0.6)))
    depth = {"tall": 0.28, "wide": 0.62, "round": 0.5, "angular": 0.16}[look.silhouette]
    form = inflated(stage.px, outline, 0.06, height=0.8)
    stage.lay(folded(form, top=waist_y - 0.02, amplitude=depth, folds=4.5 + hem * 14, spread=hem / waist, seed=look.seed), cloth)
    if look.silhouette != "angular":
        stage.soft(ribbon([(0.5 - waist * 1.03, waist_y), (0.5, waist_y + 0.008), (0.5 + waist * 1.03, waist_y)], 0.024), plain(look.trim, look.body.finish), 0.012, shadow=0.3)
    else:
        stage.soft(rounded([(0.5 + 0.05, 0.53), (0.5 + 0.13, 0.53), (0.5 + 0.13, 0.60), (0.5 + 0.05, 0.60)], 0.008), look.body, 0.01, shadow=0.35)


def sweater(stage: Stage, look: Look) -> None:
    """Draw a sweater laid out: tunic with a high collar, boxy, balloon-sleeved or straight with a V."""
    a, b, c = look.sizes(3, 0.05)
    w, top, low, cuff, drop, puff = {
        "tall": (0.155 * a, 0.19, 0.90, (0.265, 0.72), 0.06, 0.062),
        "wide": (0.235 * a, 0.29, 0.72, (0.43, 0.60), 0.035, 0.075),
        "round": (0.195 * a, 0.26, 0.76, (0.305, 0.70), 0.075, 0.12),
        "angular": (0.195 * a, 0.25, 0.79, (0.34, 0.735), 0.03, 0.07),
    }[look.silhouette]
    body, rib = look.body.spanning(top, low), _rib(look)
    for side in (-1, 1):
        shoulder = np.array([0.5 + side * w * 0.62, top + drop + 0.068])
        wrist = np.array([0.5 + side * cuff[0] * b, cuff[1]])
        bend = (shoulder + wrist) / 2 + np.array([side * (0.075 if look.silhouette == "round" else 0.02), -0.015])
        arm = smooth([shoulder, bend, wrist], closed=False)
        t = np.linspace(0, 1, len(arm))
        width = (0.145 - 0.035 * t) * c + (puff - 0.06) * np.sin(np.pi * t)
        if look.silhouette == "angular":
            width = np.linspace(0.15, 0.115, len(arm))
        stage.soft(ribbon(arm, width), body.turned(side * 28), 0.055, height=0.9)
        end = wrist + (wrist - arm[-6]) / max(float(np.hypot(*(wrist - arm[-6]))), 1e-9) * 0.045
        stage.soft(ribbon([wrist - (end - wrist) * 0.2, end], 0.085), rib, 0.03, shadow=0.2)
    neck = 0.072
    sharp = look.silhouette == "angular"
    left = [(0.5 - neck, top), (0.5 - w * 0.88, top + drop), (0.5 - w, top + drop + 0.13), (0.5 - w * 1.0, low - 0.05)]
    dip = 0.15 if sharp else 0.045
    outline = mirrored(np.vstack([[(0.5, top + dip)], [] if sharp else [(0.5 - neck * 0.7, top + dip * 0.7)], smooth(left, closed=False) if not sharp else left, [(0.5, low - 0.05)]]) if not sharp else np.array([(0.5, top + dip), *left, (0.5, low - 0.05)]))
    behind = ellipse(0.5, top + 0.008, neck, 0.03) if not sharp else np.array([(0.5 - neck, top), (0.5 + neck, top), (0.5, top + dip)])
    stage.flat(behind, plain(mix(look.body.cloth.ground, (0, 0, 0), 0.6), "wool"))
    hem = rounded([(0.5 - w * 0.97, low - 0.065), (0.5 + w * 0.97, low - 0.065), (0.5 + w * 0.93, low), (0.5 - w * 0.93, low)], 0.012)
    stage.soft(hem, rib, 0.03)
    form = inflated(stage.px, outline, 0.065, height=0.9)
    stage.lay(folded(form, top=top + 0.2, amplitude=0.1, folds=3.5, spread=1.05, seed=look.seed), body, shadow=0.35)
    _collar(stage, look, top, neck, dip, rib)


def _rib(look: Look) -> Paint:
    return replace(plain(mix(look.body.cloth.ground, look.trim, 0.25 if look.seed % 2 else 0.0), "knit"))


def _collar(stage: Stage, look: Look, top: float, neck: float, dip: float, rib: Paint) -> None:
    if look.silhouette == "tall":
        roll = rounded([(0.5 - neck * 1.02, top - 0.075), (0.5 + neck * 1.02, top - 0.075), (0.5 + neck * 1.1, top + 0.03), (0.5 - neck * 1.1, top + 0.03)], 0.03)
        stage.soft(roll, rib, 0.04, shadow=0.3)
    elif look.silhouette == "angular":
        stage.tube([(0.5 - neck, top), (0.5, top + dip), (0.5 + neck, top)], 0.03, rib, shadow=0.25)
    else:
        line = smooth([(0.5 - neck, top), (0.5 - neck * 0.7, top + dip * 0.72), (0.5, top + dip), (0.5 + neck * 0.7, top + dip * 0.72), (0.5 + neck, top)], closed=False)
        stage.tube(line, 0.032, rib, shadow=0.25)


def _fringe(stage: Stage, start: tuple[float, float], stop: tuple[float, float], drop: tuple[float, float], look: Look) -> None:
    thread = plain(mix(look.body.cloth.ground, look.trim, 0.35), "wool")
    a, b = np.array(start), np.array(stop)
    for k in np.linspace(0.03, 0.97, max(4, int(np.hypot(*(b - a)) / 0.015))):
        root = a + (b - a) * k
        sway = np.array([0.005 * np.sin(k * 57 + look.seed), 0])
        stage.flat(ribbon([root, root + np.array(drop) * 0.5 + sway, root + np.array(drop)], 0.006), thread, lean=(-0.2, -0.1))


def scarf(stage: Stage, look: Look) -> None:
    """Draw a scarf: hanging, spread as a shawl, a loop, or folded to a triangle."""
    {"tall": _hanging, "wide": _shawl, "round": _loop, "angular": _bandana}[look.silhouette](stage, look)


def _hanging(stage: Stage, look: Look) -> None:
    a, b, _ = look.sizes(3, 0.06)
    w = 0.125 * a
    peg = plain(linear("#b98a5a"), "wood")
    cloth = look.body.spanning(0.16, 0.86)
    for x, low, dim in ((0.535, 0.78 * b, 0.86), (0.455, 0.85, 1.0)):
        left, right = x - w / 2, x + w / 2
        side = smooth([(0.5 - 0.045, 0.16), (left + 0.012, 0.30), (left, 0.55), (left, low)], closed=False)
        far = smooth([(right, low), (right, 0.55), (right - 0.012, 0.30), (0.5 + 0.045, 0.16)], closed=False)
        _fringe(stage, (left, low - 0.004), (right, low - 0.004), (0, 0.055), look)
        form = inflated(stage.px, np.vstack([side, far]), 0.04)
        stage.lay(folded(form, top=0.16, amplitude=0.45, folds=7, spread=1.0, seed=look.seed + int(x * 99), cx=x), cloth, shadow=0.5, dim=dim)
    stage.soft(ellipse(0.5, 0.155, 0.03, 0.03), peg, 0.028, shadow=0.5)


def _shawl(stage: Stage, look: Look) -> None:
    a, b, _ = look.sizes(3, 0.05)
    w, top, low = 0.39 * a, 0.35, 0.66 * b
    swag = smooth([(0.5 - w, top), (0.5 - w * 0.5, top + 0.035), (0.5, top + 0.05), (0.5 + w * 0.5, top + 0.035), (0.5 + w, top)], closed=False)
    base = smooth([(0.5 + w * 0.97, low), (0.5 + w * 0.5, low + 0.03), (0.5, low + 0.045), (0.5 - w * 0.5, low + 0.03), (0.5 - w * 0.97, low)], closed=False)
    for start, stop in zip(base[:-4:4], base[4::4], strict=False):
        _fringe(stage, (float(stop[0]), float(stop[1]) - 0.006), (float(start[0]), float(start[1]) - 0.006), (0, 0.05), look)
    form = inflated(stage.px, np.vstack([swag, base]), 0.035)
    stage.lay(folded(form, top=top - 0.05, amplitude=0.4, folds=15, spread=1.0, seed=look.seed), look.body.spanning(top, low))
    for side in (-1, 1):
        stage.soft(ellipse(0.5 + side * w * 0.97, top + 0.008, 0.022, 0.022), plain(linear("#b98a5a"), "wood"), 0.02, shadow=0.5)


def _loop(stage: Stage, look: Look) -> None:
    a, b, _ = look.sizes(3, 0.05)
    cloth = look.body.spanning(0.2, 0.82)
    angle = np.radians(np.linspace(0, 360, 100))
    for k in range(6):
        rx, top, low = (0.325 - 0.031 * k) * a, 0.235 + 0.016 * k, (0.83 - 0.068 * k) * b
        sway = 0.006 * np.sin(3 * angle + k * 1.7 + look.seed)
        path = np.column_stack([0.5 + (rx + sway) * np.cos(angle), (top + low) / 2 + (low - top) / 2 * np.sin(angle)])
        width = 0.062 + 0.026 * np.sin(angle)
        stage.soft(ribbon(path, width), cloth.cut(0.027 * k, 0.019 * k), 0.036, height=0.85, shadow=0.55, crease=0.45)


def _bandana(stage: Stage, look: Look) -> None:
    a, b, _ = look.sizes(3, 0.05)
    w = 0.37 * a
    cloth = look.body.spanning(0.3, 0.78)
    under = np.array([(0.5 - w, 0.315), (0.5 + w, 0.30), (0.5 + 0.035, 0.80 * b)])
    stage.soft(under, cloth.turned(24).cut(0.03, 0.04), 0.012, dim=0.8)
    over = turned(np.array([(0.5 - w, 0.30), (0.5 + w, 0.30), (0.5 - 0.012, 0.765 * b)]), look.seed % 5 - 2)
    form = inflated(stage.px, over, 0.014)
    stage.lay(folded(form, top=0.34, amplitude=0.16, folds=5, spread=0.4, seed=look.seed), cloth, shadow=0.4)
    edge = 0.5 + (over - over.mean(0)) * 0.93 + over.mean(0) - 0.5
    stage.flat(ribbon(np.vstack([edge, edge[:1]]), 0.007), plain(look.trim, "cotton"))
