"""Cushions and rugs."""

from __future__ import annotations

import numpy as np

from catalog.boutique.drawing.colour import mix
from catalog.boutique.drawing.curves import Points, box, ellipse, ribbon, smooth, turned
from catalog.boutique.drawing.look import Look
from catalog.boutique.drawing.stage import Stage, plain


def cushion(stage: Stage, look: Look) -> None:
    """Draw a cushion with piping: upright, lumbar, round with a button, or square with a border."""
    a, b, _ = look.sizes(3, 0.05)
    piping = plain(look.trim, "cotton")
    if look.silhouette == "round":
        _button_cushion(stage, look, 0.30 * a)
    elif look.silhouette == "angular":
        side = 0.56 * a
        edge = box(0.5 - side / 2, 0.86 - side, 0.5 + side / 2, 0.86, 0.008)
        stage.soft(edge, plain(look.trim, look.body.finish), 0.012, height=0.5)
        inner = _pillow(0.86 - side / 2, side - 0.07, side - 0.07, 0.004)
        stage.soft(inner, look.body, 0.16, height=0.6, shadow=0.35)
    else:
        w, h = (0.40 * a, 0.62 * b) if look.silhouette == "tall" else (0.70 * a, 0.38 * b)
        edge = _pillow(0.865 - h / 2, w, h, 0.022)
        stage.soft(edge, look.body.spanning(0.865 - h, 0.865), 0.17, height=0.72)
        stage.tube(np.vstack([edge, edge[:1]]), 0.012, piping)


def _button_cushion(stage: Stage, look: Look, r: float) -> None:
    piping, cy = plain(look.trim, "cotton"), 0.855 - r
    disc = ellipse(0.5, cy, r, r * 0.98)
    stage.soft(disc, look.body.spanning(cy - r, cy + r), 0.24, height=0.62)
    stage.tube(disc, 0.016, piping)
    dimple = plain(mix(look.body.cloth.ground, (0, 0, 0), 0.55), look.body.finish)
    stage.soft(ellipse(0.5, cy, 0.05, 0.05), dimple, 0.05, height=0.1)
    stage.soft(ellipse(0.5, cy, 0.026, 0.026), piping, 0.024, shadow=0.5)


def _pillow(cy: float, w: float, h: float, pinch: float) -> Points:
    """Return a stuffed rectangle: pointed corners, sides drawn in by `pinch`."""
    x0, x1, y0, y1, corner = 0.5 - w / 2, 0.5 + w / 2, cy - h / 2, cy + h / 2, 0.022
    points = [
        (x0, y0 + corner), (x0 + corner, y0), (0.5, y0 + pinch), (x1 - corner, y0), (x1, y0 + corner),
        (x1 - pinch, cy), (x1, y1 - corner), (x1 - corner, y1), (0.5, y1 - pinch), (x0 + corner, y1),
        (x0, y1 - corner), (x0 + pinch, cy),
    ]  # fmt: skip
    return smooth(points)


def rug(stage: Stage, look: Look) -> None:
    """Draw a rug from above: runner, broad, round or eight-sided, with a border or a fringe."""
    a, b, _ = look.sizes(3, 0.05)
    turn = (look.seed % 7 - 3) * 1.5
    border = plain(look.trim, look.body.finish)
    body = look.body.scaled(1.15)
    if look.silhouette in ("round", "angular"):
        disc = ellipse(0.5, 0.5, 0.37 * a, 0.37 * a) if look.silhouette == "round" else _octagon(0.40 * a, turn)
        stage.soft(disc, border, 0.014)
        stage.soft(0.5 + (disc - 0.5) * 0.9, body.spanning(0.15, 0.85), 0.012, height=0.5)
        return
    w, h = (0.32 * a, 0.78 * b) if look.silhouette == "tall" else (0.80 * a, 0.48 * b)
    x0, x1, y0, y1 = 0.5 - w / 2, 0.5 + w / 2, 0.5 - h / 2, 0.5 + h / 2
    _fringe(stage, look, w, h, turn)
    stage.soft(turned(box(x0, y0, x1, y1, 0.008), turn), body.turned(-turn).spanning(y0, y1), 0.014)
    inset = box(x0 + 0.03, y0 + 0.03, x1 - 0.03, y1 - 0.03)
    stage.flat(turned(ribbon(np.vstack([inset, inset[:1]]), 0.008), turn), border)


def _fringe(stage: Stage, look: Look, w: float, h: float, turn: float) -> None:
    """Lay the loose warp ends at both short ends."""
    thread = plain(mix(look.trim, (0.75, 0.7, 0.6), 0.6), "cotton")
    upright = h > w
    short, long = min(w, h), max(w, h)
    for way in (-1, 1):
        for k in np.linspace(0.015, 0.985, int(short / 0.014)):
            across, root = (k - 0.5) * short, way * long / 2
            ends = np.array([(across, root), (across + 0.004 * np.sin(k * 91 + look.seed), root + way * 0.034)])
            strand = 0.5 + (ends if upright else ends[:, ::-1])
            stage.flat(turned(ribbon(strand, 0.006), turn), thread, lean=(-0.2, -0.2))


def _octagon(radius: float, turn: float) -> Points:
    corner = np.radians(np.arange(8) * 45 + 22.5 + turn)
    return np.column_stack([0.5 + radius * np.cos(corner), 0.5 + radius * np.sin(corner)])
