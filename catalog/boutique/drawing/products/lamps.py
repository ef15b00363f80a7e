"""Table lamps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from catalog.boutique.drawing.colour import linear
from catalog.boutique.drawing.curves import ellipse
from catalog.boutique.drawing.forms import Lathe, flat
from catalog.boutique.drawing.look import Look
from catalog.boutique.drawing.stage import Stage, plain


def lamp(stage: Stage, look: Look) -> None:
    """Draw a lit table lamp: slim, drum, globe or pyramid."""
    a, b, c = look.sizes(3, 0.08)
    shade, foot = {
        "tall": (
            Lathe(((0.12, 0.085 * a), (0.40, 0.155 * b)), tilt=0.15, sharp=True),
            Lathe(((0.36, 0.012), (0.79, 0.012), (0.83, 0.03), (0.845, 0.10 * c), (0.86, 0.105 * c))),
        ),
        "wide": (
            Lathe(((0.38, 0.275 * a), (0.60, 0.31 * a)), tilt=0.16, sharp=True),
            Lathe(((0.56, 0.02), (0.64, 0.03), (0.74, 0.105 * b), (0.82, 0.10), (0.86, 0.07))),
        ),
        "round": (
            Lathe(((0.24, 0.085), (0.27, 0.13), (0.40, 0.225 * a), (0.53, 0.17), (0.565, 0.11)), tilt=0.16),
            Lathe(((0.53, 0.018), (0.60, 0.025), (0.72, 0.105 * b), (0.82, 0.085), (0.86, 0.055))),
        ),
        "angular": (
            Lathe(((0.24, 0.075 * a), (0.54, 0.24 * b)), tilt=0.15, facets=6, sharp=True),
            Lathe(((0.50, 0.03), (0.56, 0.03), (0.86, 0.115 * c)), facets=6, sharp=True),
        ),
    }[look.silhouette]
    base = plain(look.trim, "brass" if look.seed % 3 == 0 else "wood" if look.seed % 3 == 1 else "ceramic")
    stage.lathe(foot, base)
    low, wide = shade.profile[-1]
    under = ellipse(shade.cx, low, wide, wide * shade.tilt)
    stage.flat(under, plain(linear("#ffe3b0"), "paper"), dim=0.8)
    cloth = replace(look.body, finish="glow").spanning(shade.profile[0][0], low)
    form = replace(shade, phase=stage.phase).form(stage.px)
    h = form.alpha.shape[0]
    row = np.linspace(-1, 1, h, dtype=np.float32)[:, None]
    glow = (0.86 + 0.3 * np.exp(-((row - 0.1) ** 2) * 1.8)) * (0.8 + 0.28 * form.normal[2])
    stage.lay(form, cloth, dim=glow.astype(np.float32))
    y, r = shade.profile[0]
    hole = flat(stage.px, ellipse(shade.cx, y, r * 0.9, r * 0.9 * shade.tilt))
    stage.lay(hole, plain(linear("#ffedc9"), "paper"), dim=1.15)
