"""Vases and plant pots."""

from __future__ import annotations

import numpy as np

from catalog.boutique.drawing.colour import linear, mix
from catalog.boutique.drawing.curves import ribbon
from catalog.boutique.drawing.forms import Lathe
from catalog.boutique.drawing.look import Look
from catalog.boutique.drawing.stage import Stage, plain


def vase(stage: Stage, look: Look) -> None:
    """Draw a vase: bottle, bowl, globe or faceted cone."""
    a, b, c = look.sizes(3, 0.10)
    shape = {
        "tall": Lathe(
            ((0.14, 0.062), (0.19, 0.05), (0.34, 0.052 * a), (0.56, 0.135 * b), (0.72, 0.128 * c), (0.86, 0.085))
        ),
        "wide": Lathe(((0.50, 0.20 * b), (0.53, 0.175), (0.64, 0.305 * a), (0.74, 0.29), (0.86, 0.15 * c)), tilt=0.2),
        "round": Lathe(
            ((0.34, 0.085 * a), (0.38, 0.066), (0.43, 0.12), (0.62, 0.245 * b), (0.78, 0.19), (0.86, 0.10 * c))
        ),
        "angular": Lathe(
            ((0.26, 0.15 * a), (0.34, 0.10 * b), (0.42, 0.10 * b), (0.60, 0.215 * c), (0.86, 0.12)),
            facets=10,
            sharp=True,
        ),
    }[look.silhouette]
    body = look.body.spanning(shape.profile[0][0], 0.86)
    stage.lathe(shape, body)
    stage.mouth(shape, body)


def pot(stage: Stage, look: Look) -> None:
    """Draw a plant pot with a small plant."""
    a, b, c = look.sizes(3, 0.08)
    shape = {
        "tall": Lathe(((0.36, 0.165 * a), (0.385, 0.165 * a), (0.40, 0.15), (0.86, 0.125 * b))),
        "wide": Lathe(
            ((0.58, 0.315 * a), (0.605, 0.315 * a), (0.62, 0.30), (0.78, 0.25 * b), (0.86, 0.17 * c)), tilt=0.2
        ),
        "round": Lathe(((0.45, 0.145), (0.48, 0.155 * a), (0.65, 0.245 * b), (0.78, 0.20), (0.86, 0.13 * c))),
        "angular": Lathe(
            ((0.44, 0.235 * a), (0.52, 0.235 * a), (0.52, 0.215 * a), (0.86, 0.14 * b)), facets=8, sharp=True
        ),
    }[look.silhouette]
    body = look.body.spanning(shape.profile[0][0], 0.86)
    stage.lathe(shape, body)
    stage.mouth(shape, body, lip=0.016, inner=linear("#4a3a2e"))
    _leaves(stage, look, shape)


def _leaves(stage: Stage, look: Look, shape: Lathe) -> None:
    """Plant a rosette of leaves; those at the back first."""
    rng = np.random.default_rng([look.seed, 9])
    y, r = shape.profile[0]
    green = mix(linear("#5f8a55"), linear("#3f6b52"), float(rng.random()))
    long = min(0.24, y - 0.16)
    count = int(rng.integers(9, 13))
    turns = np.arange(count) * 2.4 + rng.uniform(0, 6.28)
    facing = (turns - stage.phase).tolist()
    leaves = sorted((float(np.cos(turn)), float(np.sin(turn)), k) for k, turn in enumerate(facing))
    reach = rng.uniform(0.7, 1.1, count)
    for depth, side, k in leaves:
        t = np.linspace(0, 1, 16)
        x = shape.cx + side * (r * 0.25 * t + 0.75 * long * reach[k] * t**1.6)
        rise = y - long * (0.95 - 0.35 * abs(side)) * reach[k] * np.sin(t * (1.45 + 0.3 * abs(side)))
        width = 0.062 * reach[k] * np.sin(np.pi * (t * 0.94 + 0.05)) ** 0.8
        path = np.column_stack([x, rise - 0.012 * depth])
        shade = mix(green, linear("#1d3a2a"), 0.35 - 0.3 * depth)
        stage.soft(ribbon(path, width), plain(shade, "nylon"), 0.02, height=0.8, shadow=0.25)
