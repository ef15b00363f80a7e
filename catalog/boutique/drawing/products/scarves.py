"""Scarves: hanging, spread, looped or folded."""

from __future__ import annotations

import numpy as np

from catalog.boutique.drawing.colour import linear, mix
from catalog.boutique.drawing.curves import arch, ellipse, ribbon, smooth, turned
from catalog.boutique.drawing.forms import folded, inflated
from catalog.boutique.drawing.look import Look
from catalog.boutique.drawing.stage import Paint, Stage, plain


def scarf(stage: Stage, look: Look) -> None:
    """Draw a scarf: hanging, spread as a shawl, a loop, or folded to a triangle."""
    {"tall": _hanging, "wide": _shawl, "round": _loop, "angular": _bandana}[look.silhouette](stage, look)


def _peg() -> Paint:
    return plain(linear("#b98a5a"), "wood")


def _fringe(stage: Stage, look: Look, start: tuple[float, float], stop: tuple[float, float], drop: float) -> None:
    thread = plain(mix(look.body.cloth.ground, look.trim, 0.35), "wool")
    a, b = np.array(start), np.array(stop)
    for k in np.linspace(0.03, 0.97, max(4, int(np.hypot(*(b - a)) / 0.015))):
        root = a + (b - a) * k
        sway = 0.005 * np.sin(k * 57 + look.seed)
        strand = root + np.array([(0, 0), (sway, drop * 0.5), (0, drop)])
        stage.flat(ribbon(strand, 0.006), thread, lean=(-0.2, -0.1))


def _hanging(stage: Stage, look: Look) -> None:
    a, b, _ = look.sizes(3, 0.06)
    w = 0.125 * a
    cloth = look.body.spanning(0.16, 0.86)
    for x, low, dim in ((0.535, 0.78 * b, 0.86), (0.455, 0.85, 1.0)):
        left, right = x - w / 2, x + w / 2
        near = smooth([(0.455, 0.16), (left + 0.012, 0.30), (left, 0.55), (left, low)], closed=False)
        far = smooth([(right, low), (right, 0.55), (right - 0.012, 0.30), (0.545, 0.16)], closed=False)
        _fringe(stage, look, (left, low - 0.004), (right, low - 0.004), 0.055)
        form = inflated(stage.px, np.vstack([near, far]), 0.04)
        fall = folded(form, top=0.16, amplitude=0.45, folds=7, spread=1.0, seed=look.seed + int(x * 99), cx=x)
        stage.lay(fall, cloth, shadow=0.5, dim=dim)
    stage.soft(ellipse(0.5, 0.155, 0.03, 0.03), _peg(), 0.028, shadow=0.5)


def _shawl(stage: Stage, look: Look) -> None:
    a, b, _ = look.sizes(3, 0.05)
    w, top, low = 0.39 * a, 0.35, 0.66 * b
    swag = arch([(w, top), (w * 0.5, top + 0.035), (0, top + 0.05)])
    base = arch([(w * 0.97, low), (w * 0.5, low + 0.03), (0, low + 0.045)])
    for (x0, y0), (x1, y1) in zip(base[:-4:4].tolist(), base[4::4].tolist(), strict=False):
        _fringe(stage, look, (x0, y0 - 0.006), (x1, y1 - 0.006), 0.05)
    form = inflated(stage.px, np.vstack([swag, base[::-1]]), 0.035)
    fall = folded(form, top=top - 0.05, amplitude=0.4, folds=15, spread=1.0, seed=look.seed)
    stage.lay(fall, look.body.spanning(top, low))
    for side in (-1, 1):
        stage.soft(ellipse(0.5 + side * w * 0.97, top + 0.008, 0.022, 0.022), _peg(), 0.02, shadow=0.5)


def _loop(stage: Stage, look: Look) -> None:
    a, b, _ = look.sizes(3, 0.05)
    cloth = look.body.spanning(0.2, 0.82)
    angle = np.radians(np.linspace(0, 360, 100))
    for k in range(6):
        rx, top, low = (0.325 - 0.031 * k) * a, 0.235 + 0.016 * k, (0.83 - 0.068 * k) * b
        sway = 0.006 * np.sin(3 * angle + k * 1.7 + look.seed)
        y = (top + low) / 2 + (low - top) / 2 * np.sin(angle)
        path = np.column_stack([0.5 + (rx + sway) * np.cos(angle), y])
        strand = ribbon(path, 0.062 + 0.026 * np.sin(angle))
        stage.soft(strand, cloth.cut(0.027 * k, 0.019 * k), 0.036, height=0.85, shadow=0.55, crease=0.45)


def _bandana(stage: Stage, look: Look) -> None:
    a, b, _ = look.sizes(3, 0.05)
    w = 0.37 * a
    cloth = look.body.spanning(0.3, 0.78)
    under = [(0.5 - w, 0.315), (0.5 + w, 0.30), (0.535, 0.80 * b)]
    stage.soft(under, cloth.turned(24).cut(0.03, 0.04), 0.012, dim=0.8)
    over = turned([(0.5 - w, 0.30), (0.5 + w, 0.30), (0.488, 0.765 * b)], look.seed % 5 - 2)
    fall = folded(inflated(stage.px, over, 0.014), top=0.34, amplitude=0.16, folds=5, spread=0.4, seed=look.seed)
    stage.lay(fall, cloth, shadow=0.4)
    edge = over.mean(0) + (over - over.mean(0)) * 0.93
    stage.flat(ribbon(np.vstack([edge, edge[:1]]), 0.007), plain(look.trim, "cotton"))
