"""Handbags and backpacks."""

from __future__ import annotations

import numpy as np

from catalog.boutique.drawing.colour import Rgb, linear, mix
from catalog.boutique.drawing.curves import Points, arch, box, ellipse, mirrored, ribbon, rounded, smooth
from catalog.boutique.drawing.look import Look
from catalog.boutique.drawing.stage import Paint, Stage, plain


def handbag(stage: Stage, look: Look) -> None:
    """Draw a handbag: tote, baguette, round or trapeze."""
    {"tall": _tote, "wide": _baguette, "round": _circle, "angular": _trapeze}[look.silhouette](stage, look)


def _brass() -> Paint:
    return plain(linear("#d9b26a"), "brass")


def _thread(look: Look) -> Rgb:
    return mix(look.trim, (0.9, 0.85, 0.75), 0.5)


def _stud(stage: Stage, x: float, y: float, r: float, shadow: float = 0.0) -> None:
    stage.soft(ellipse(x, y, r, r), _brass(), r, shadow=shadow)


def _clasp(stage: Stage, y: float) -> None:
    stage.soft(box(0.472, y - 0.018, 0.528, y + 0.018, 0.01), _brass(), 0.012, shadow=0.5)


def _tote(stage: Stage, look: Look) -> None:
    a, b, c = look.sizes(3, 0.06)
    top, rim, foot, grip = 0.40, 0.205 * a, 0.185 * b, 0.115 * c
    strap = plain(look.trim, "leather")
    handle = arch([(grip, 0.47), (grip * 0.9, 0.24), (0, 0.135)])
    stage.tube(np.add(handle, (0.014, -0.008)), 0.02, strap, dim=0.6)
    lining = plain(mix(look.body.cloth.ground, (0, 0, 0), 0.72), "paper")
    stage.flat(ellipse(0.5, top, rim * 0.98, 0.03), lining)
    bottom = [(0.5 - foot - 0.01, 0.83), (0.5 - foot + 0.015, 0.862)]
    side = smooth([(0.5 - rim, top), (0.5 - rim * 1.02, 0.6), *bottom], closed=False)
    front = mirrored(np.vstack([[(0.5, top + 0.022), (0.5 - rim * 0.6, top + 0.016)], side]))
    stage.soft(front, look.body.spanning(top, 0.86), 0.07, height=0.8)
    stage.soft(mirrored([(0.5, 0.795), (0.5 - foot * 1.06, 0.785), *bottom]), strap, 0.05, height=0.7)
    stage.tube(handle, 0.021, strap, shadow=0.35)
    for x in (0.5 - grip, 0.5 + grip):
        stage.soft(ribbon([(x, 0.44), (x, 0.53)], 0.034), strap, 0.01, shadow=0.3)
        _stud(stage, x, 0.515, 0.008)


def _baguette(stage: Stage, look: Look) -> None:
    a, b, c = look.sizes(3, 0.06)
    w, top, low = 0.345 * a, 0.565, 0.855
    cloth = look.body.spanning(top, low)
    stage.tube(arch([(w * 0.86, 0.59), (w * 0.72, 0.44), (0, 0.375 * c)]), 0.026, plain(look.trim, "leather"))
    body = [(0.5 - w, top), (0.5 + w, top), (0.5 + w * 1.03, low), (0.5 - w * 1.03, low)]
    stage.soft(rounded(body, 0.075 * b), cloth, 0.07, height=0.85)
    edge = top + 0.155
    flap = [(0.5 - w, top - 0.006), (0.5 + w, top - 0.006), (0.5 + w * 0.97, edge), (0.5 - w * 0.97, edge)]
    stage.soft(rounded(flap, 0.06), cloth.cut(0.03, 0.04), 0.03, height=0.7, shadow=0.65, crease=0.45)
    line = arch([(w * 0.93, top + 0.06), (w * 0.90, top + 0.13), (w * 0.8, top + 0.142)])
    stage.seam(line, _thread(look))
    _clasp(stage, edge)


def _circle(stage: Stage, look: Look) -> None:
    a, b, _ = look.sizes(3, 0.05)
    r, cy = 0.238 * a, 0.86 - 0.238 * a
    strap = plain(look.trim, "leather")
    stage.tube(arch([(r * 0.72, cy - r * 0.6), (r * 0.62, 0.27), (0, 0.17 * b)]), 0.022, strap)
    stage.soft(ellipse(0.5, cy, r, r), strap, 0.03)
    front = ellipse(0.5, cy, r * 0.93, r * 0.93)
    stage.soft(front, look.body.spanning(cy - r, cy + r), 0.10, height=0.6, shadow=0.3)
    stage.seam(ellipse(0.5, cy, r * 0.87, r * 0.87), _thread(look))
    stage.soft(ribbon([(0.5, cy - r * 0.98), (0.5, cy - r * 0.62)], 0.05), strap, 0.012, shadow=0.4)
    _stud(stage, 0.5, cy - r * 0.68, 0.014)


def _trapeze(stage: Stage, look: Look) -> None:
    a, b, c = look.sizes(3, 0.06)
    w0, w1, top, low = 0.19 * a, 0.285 * b, 0.46, 0.858
    strap, cloth = plain(look.trim, "leather"), look.body.spanning(top, low)
    handle = [(0.39, top + 0.02), (0.415, 0.295 * c), (0.585, 0.295 * c), (0.61, top + 0.02)]
    stage.tube(handle, 0.026, strap)
    for side in (-1, 1):
        fold = [(w0 * 0.95, top + 0.02), (w1, low - 0.005), (w1 + 0.035, low - 0.045), (w0 + 0.02, top + 0.05)]
        gusset = np.array([(0.5 + side * x, y) for x, y in fold])
        stage.flat(gusset, strap, dim=0.75, lean=(side * 0.6, 0))
    body = rounded([(0.5 - w0, top), (0.5 + w0, top), (0.5 + w1, low), (0.5 - w1, low)], 0.012)
    stage.soft(body, cloth, 0.025, height=0.7)
    flap = mirrored([(0.5, top - 0.006), (0.494 - w0, top - 0.006), (0.5 - w0 * 1.13, top + 0.10), (0.5, top + 0.21)])
    stage.soft(flap, strap if look.seed % 2 else cloth.cut(0.03, 0.04), 0.02, height=0.6, shadow=0.6)
    _clasp(stage, top + 0.185)


def backpack(stage: Stage, look: Look) -> None:
    """Draw a backpack from the front: roll-top, broad, domed or boxy."""
    a, b, _ = look.sizes(3, 0.05)
    w, top, corner = {
        "tall": (0.185 * a, 0.20, 0.05),
        "wide": (0.315 * a, 0.42, 0.09),
        "round": (0.235 * a, 0.32, 0.20),
        "angular": (0.235 * a, 0.34, 0.012),
    }[look.silhouette]
    low, deep = 0.86, 0.014 if look.silhouette == "angular" else 0.085
    tall, strap, cloth = low - top, plain(look.trim, "leather"), look.body.spanning(top, low)
    for side in (-1, 1):
        loop = [(w * 0.45, top + 0.05), (w + 0.012, top + 0.2 * tall), (w + 0.026, 0.70), (w * 0.8, 0.835)]
        stage.tube(smooth(np.array(loop) * (side, 1) + (0.5, 0), closed=False), 0.034, strap, dim=0.7)
    stage.tube(arch([(0.06, top + 0.02), (0.05, top - 0.05)]), 0.022, strap)
    body = [(0.5 - w * 0.93, top), (0.5 + w * 0.93, top), (0.5 + w, low), (0.5 - w, low)]
    stage.soft(rounded(body, corner), cloth, deep, height=0.85)
    if look.silhouette == "tall":
        _roll(stage, w, top, tall, cloth, strap)
    else:
        _zip(stage, look, w, top, tall)
    _pocket(stage, w * 0.76 * b, top + 0.5 * tall, low - 0.035, min(corner, 0.055), cloth, strap)


def _roll(stage: Stage, w: float, top: float, tall: float, cloth: Paint, strap: Paint) -> None:
    """Lay the rolled top and the two straps that hold it."""
    roll = box(0.5 - w * 0.97, top - 0.012, 0.5 + w * 0.97, top + 0.085, 0.04)
    stage.soft(roll, cloth.cut(0.03, 0.05), 0.045, shadow=0.6, crease=0.45)
    for x in (0.5 - w * 0.5, 0.5 + w * 0.5):
        stage.soft(ribbon([(x, top - 0.015), (x, top + 0.34 * tall)], 0.026), strap, 0.008, shadow=0.35)
        _stud(stage, x, top + 0.27 * tall, 0.012, shadow=0.3)


def _zip(stage: Stage, look: Look, w: float, top: float, tall: float) -> None:
    half = [(w * 0.86, top + 0.36 * tall), (w * 0.80, top + 0.14 * tall), (0.0, top + 0.085 * tall)]
    line: Points = arch(half)
    if look.silhouette == "angular":
        line = np.array([(0.5 - x, y) for x, y in half] + [(0.5 + x, y) for x, y in half[-2::-1]])
    stage.tube(line, 0.012, plain(look.dark, "rubber"))
    x, y = line[int(len(line) * 0.7)]
    stage.soft(ribbon([(x, y), (x + 0.004, y + 0.045)], 0.014), _brass(), 0.006, shadow=0.4)


def _pocket(stage: Stage, w: float, top: float, low: float, corner: float, cloth: Paint, strap: Paint) -> None:
    """Sew on the front pocket with its strap."""
    shape = [(0.5 - w, top), (0.5 + w, top), (0.5 + w * 1.03, low), (0.5 - w * 1.03, low)]
    deep = 0.014 if corner < 0.02 else 0.04
    stage.soft(rounded(shape, corner), cloth.cut(0.031, 0.043), deep, height=0.75, shadow=0.6, crease=0.45)
    stage.soft(ribbon([(0.5 - w, top + 0.035), (0.5 + w, top + 0.035)], 0.045), strap, 0.012, shadow=0.35)
    _stud(stage, 0.5, top + 0.036, 0.016, shadow=0.4)
