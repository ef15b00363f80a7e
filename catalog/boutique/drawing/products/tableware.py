"""Mugs, teapots and bottles."""

from __future__ import annotations

import numpy as np

from catalog.boutique.drawing.curves import arch, ribbon, smooth
from catalog.boutique.drawing.forms import Lathe
from catalog.boutique.drawing.look import Look
from catalog.boutique.drawing.stage import Paint, Stage, plain


def _handle(
    stage: Stage, cx: float, points: list[tuple[float, float]], width: float, paint: Paint, sharp: bool
) -> None:
    """Lay a handle whose `points` are (distance from the axis, y); it turns with the body."""
    turn = float(np.cos(stage.phase))
    path = np.array([(cx + d * turn, y) for d, y in points])
    stage.tube(path if sharp else smooth(path, closed=False), width, paint)


def mug(stage: Stage, look: Look) -> None:
    """Draw a mug: latte, cup, belly or straight and faceted."""
    a, b, c = look.sizes(3, 0.07)
    cx = 0.46
    shape = {
        "tall": Lathe(((0.30, 0.175 * a), (0.50, 0.165 * a), (0.84, 0.135 * b), (0.86, 0.125 * b)), cx),
        "wide": Lathe(((0.54, 0.275 * a), (0.68, 0.265 * a), (0.80, 0.20 * b), (0.86, 0.13 * c)), cx, tilt=0.2),
        "round": Lathe(((0.45, 0.165 * a), (0.52, 0.19), (0.66, 0.235 * b), (0.80, 0.19), (0.86, 0.14 * c)), cx),
        "angular": Lathe(((0.44, 0.21 * a), (0.86, 0.21 * a * b)), cx, facets=10, sharp=True),
    }[look.silhouette]
    top = shape.profile[0][0]
    body = look.body.spanning(top, 0.86)
    high, low = top + 0.16 * (0.86 - top), top + 0.72 * (0.86 - top)
    r_high, r_low = float(shape.radius(high)) * 0.96, float(shape.radius(low)) * 0.96
    out = r_high + 0.115 * c
    sharp = look.silhouette == "angular"
    if sharp:
        bend = [(out - 0.02, high), (out, high + 0.02), (out, low - 0.02), (out - 0.02, low)]
        points = [(r_high, high), *bend, (r_low, low)]
    else:
        bend = [(out - 0.02, high), (out, (high + low) / 2 - 0.02), (out - 0.05, low - 0.03)]
        points = [(r_high, high + 0.01), *bend, (r_low, low)]
    front = np.sin(stage.phase) > 0.02
    if not front:
        _handle(stage, cx, points, 0.042, body.solid(), sharp)
    stage.lathe(shape, body)
    stage.mouth(shape, body, lip=0.014)
    if front:
        _handle(stage, cx, points, 0.042, body.solid(), sharp)


def teapot(stage: Stage, look: Look) -> None:
    """Draw a teapot: tall, low, globe or faceted, with lid, spout and handle."""
    a, b, c = look.sizes(3, 0.06)
    shape = {
        "tall": Lathe(((0.36, 0.085), (0.39, 0.10), (0.60, 0.165 * a), (0.78, 0.17 * b), (0.86, 0.13))),
        "wide": Lathe(((0.60, 0.11), (0.62, 0.14), (0.72, 0.275 * a), (0.79, 0.27), (0.86, 0.18 * b)), tilt=0.18),
        "round": Lathe(((0.49, 0.09), (0.51, 0.11), (0.66, 0.215 * a), (0.78, 0.185), (0.86, 0.12 * b))),
        "angular": Lathe(((0.46, 0.11 * a), (0.56, 0.21 * b), (0.74, 0.21 * b), (0.86, 0.14)), facets=8, sharp=True),
    }[look.silhouette]
    top, neck = shape.profile[0]
    body = look.body.spanning(top - 0.06, 0.86)
    tall = 0.86 - top
    turn = float(np.cos(stage.phase))
    mid = top + 0.42 * tall
    reach = float(shape.radius(mid))

    def spout() -> None:
        d = [reach * 0.86, reach + 0.05, reach + 0.085, reach + 0.135 * c]
        y = [mid + 0.22 * tall, mid + 0.06 * tall, mid - 0.18 * tall, top - 0.005]
        path = smooth(np.array([(0.5 - di * turn, yi) for di, yi in zip(d, y, strict=True)]), closed=False)
        width = np.linspace(0.085, 0.034, len(path))
        stage.soft(ribbon(path, width), body.solid(), 0.026)

    def handle() -> None:
        sharp = look.silhouette == "angular"
        high, low = top + 0.12 * tall, top + 0.72 * tall
        inner_high, inner_low = float(shape.radius(high)) * 0.93, float(shape.radius(low)) * 0.95
        out = max(inner_high, inner_low) + 0.12
        points = (
            [(inner_high, high), (out, high), (out, low), (inner_low, low)]
            if sharp
            else [(inner_high, high), (out - 0.03, high - 0.02), (out, (high + low) / 2 - 0.02), (inner_low, low)]
        )
        _handle(stage, 0.5, points, 0.034, body.solid(), sharp)

    sine = np.sin(stage.phase)
    (handle if sine <= 0.02 else spout)()
    if abs(sine) <= 0.02:
        spout()
    stage.lathe(shape, body)
    dome = ((top - 0.055, 0.03), (top - 0.045, neck * 0.55), (top - 0.005, neck * 1.04), (top + 0.008, neck * 1.06))
    stage.lathe(Lathe(dome, tilt=0.2), body, shadow=0.3)
    knob = ((top - 0.105, 0.008), (top - 0.095, 0.024), (top - 0.075, 0.026), (top - 0.052, 0.012))
    stage.lathe(Lathe(knob, tilt=0.2), plain(look.trim, "wood"))
    if abs(sine) > 0.02:
        (handle if sine > 0 else spout)()


def bottle(stage: Stage, look: Look) -> None:
    """Draw a drinking bottle: slim, flask, bulb or faceted, with a cap."""
    a, b, c = look.sizes(3, 0.07)
    shape = {
        "tall": Lathe(
            ((0.25, 0.06), (0.28, 0.075), (0.35, 0.11 * a), (0.40, 0.115 * a), (0.83, 0.115 * a), (0.86, 0.105 * a))
        ),
        "wide": Lathe(
            ((0.49, 0.09), (0.51, 0.11), (0.58, 0.235 * a), (0.63, 0.25 * a), (0.82, 0.25 * a), (0.86, 0.23 * a))
        ),
        "round": Lathe(((0.36, 0.06), (0.40, 0.065), (0.47, 0.13), (0.66, 0.215 * b), (0.80, 0.185), (0.86, 0.13 * c))),
        "angular": Lathe(((0.32, 0.075), (0.38, 0.075), (0.46, 0.17 * a), (0.86, 0.17 * a)), facets=8, sharp=True),
    }[look.silhouette]
    top, neck = shape.profile[0]
    body = look.body.spanning(top, 0.86)
    stage.lathe(shape, body)
    cap = Lathe(((top - 0.085, neck * 0.96), (top - 0.07, neck * 1.06), (top + 0.012, neck * 1.08)))
    stage.lathe(cap, plain(look.trim, "wood" if look.seed % 2 else "rubber"), shadow=0.35)
    loop = arch([(neck * 0.6, top - 0.08), (neck * 0.5, top - 0.125), (0, top - 0.14)])
    stage.tube(loop, 0.014, plain(look.dark, "rubber"))
