"""Handbags and backpacks."""

from __future__ import annotations

import numpy as np

from catalog.boutique.drawing.colour import linear, mix
from catalog.boutique.drawing.curves import ellipse, mirrored, ribbon, rounded, smooth
from catalog.boutique.drawing.look import Look
from catalog.boutique.drawing.stage import Stage, plain


def handbag(stage: Stage, look: Look) -> None:
    """Draw a handbag: tote, baguette, round or trapeze."""
    {"tall": _tote, "wide": _baguette, "round": _circle, "angular": _trapeze}[look.silhouette](stage, look)


def _clasp(stage: Stage, x: float, y: float) -> None:
    stage.soft(rounded([(x - 0.028, y - 0.018), (x + 0.028, y - 0.018), (x + 0.028, y + 0.018), (x - 0.028, y + 0.018)], 0.01), plain(linear("#d9b26a"), "brass"), 0.012, shadow=0.5)


def _tote(stage: Stage, look: Look) -> None:
    a, b, c = look.sizes(3, 0.06)
    top, w0, w1 = 0.40, 0.205 * a, 0.185 * b
    strap = plain(look.trim, "leather")
    reach = 0.115 * c
    back = smooth([(0.5 - reach, 0.47), (0.5 - reach * 0.9, 0.24), (0.5, 0.135), (0.5 + reach * 0.9, 0.24), (0.5 + reach, 0.47)], closed=False)
    stage.tube(back + (0.014, -0.008), 0.02, strap, dim=0.6)
    inside = ellipse(0.5, top, w0 * 0.98, 0.03)
    stage.flat(inside, plain(mix(look.body.cloth.ground, (0, 0, 0), 0.72), "paper"))
    body = mirrored(np.vstack([[(0.5, top + 0.022), (0.5 - w0 * 0.6, top + 0.016)], smooth([(0.5 - w0, top), (0.5 - w0 * 1.02, 0.6), (0.5 - w1 - 0.01, 0.83), (0.5 - w1 + 0.015, 0.862)], closed=False)]))
    stage.soft(body, look.body.spanning(top, 0.86), 0.07, height=0.8)
    base = mirrored([(0.5, 0.795), (0.5 - w1 * 1.06, 0.785), (0.5 - w1 - 0.01, 0.83), (0.5 - w1 + 0.015, 0.862)])
    stage.soft(base, strap, 0.05, height=0.7)
    stage.tube(back, 0.021, strap, shadow=0.35)
    for side in (-1, 1):
        tab = ribbon([(0.5 + side * reach, 0.44), (0.5 + side * reach, 0.53)], 0.034)
        stage.soft(tab, strap, 0.01, shadow=0.3)
        stage.soft(ellipse(0.5 + side * reach, 0.515, 0.008, 0.008), plain(linear("#d9b26a"), "brass"), 0.008)


def _baguette(stage: Stage, look: Look) -> None:
    a, b, c = look.sizes(3, 0.06)
    w, top, low = 0.345 * a, 0.565, 0.855
    strap = plain(look.trim, "leather")
    handle = smooth([(0.5 - w * 0.86, 0.59), (0.5 - w * 0.72, 0.44), (0.5, 0.375 * c), (0.5 + w * 0.72, 0.44), (0.5 + w * 0.86, 0.59)], closed=False)
    stage.tube(handle, 0.026, strap)
    body = rounded([(0.5 - w, top), (0.5 + w, top), (0.5 + w * 1.03, low), (0.5 - w * 1.03, low)], 0.075 * b)
    stage.soft(body, look.body.spanning(top, low), 0.07, height=0.85)
    flap = rounded([(0.5 - w, top - 0.006), (0.5 + w, top - 0.006), (0.5 + w * 0.97, top + 0.155), (0.5 - w * 0.97, top + 0.155)], 0.06)
    stage.soft(flap, look.body.spanning(top, low).cut(0.03, 0.04), 0.03, height=0.7, shadow=0.65, crease=0.45)
    line = smooth([(0.5 - w * 0.93, top + 0.06), (0.5 - w * 0.90, top + 0.13), (0.5 - w * 0.8, top + 0.142), (0.5 + w * 0.8, top + 0.142), (0.5 + w * 0.90, top + 0.13), (0.5 + w * 0.93, top + 0.06)], closed=False)
    stage.seam(line, mix(look.trim, (0.9, 0.85, 0.75), 0.5))
    _clasp(stage, 0.5, top + 0.155)


def _circle(stage: Stage, look: Look) -> None:
    a, b, _ = look.sizes(3, 0.05)
    r, cy = 0.238 * a, 0.86 - 0.238 * a
    strap = plain(look.trim, "leather")
    handle = smooth([(0.5 - r * 0.72, cy - r * 0.6), (0.5 - r * 0.62, 0.27), (0.5, 0.17 * b), (0.5 + r * 0.62, 0.27), (0.5 + r * 0.72, cy - r * 0.6)], closed=False)
    stage.tube(handle, 0.022, strap)
    stage.soft(ellipse(0.5, cy, r, r), strap, 0.03)
    stage.soft(ellipse(0.5, cy, r * 0.93, r * 0.93), look.body.spanning(cy - r, cy + r), 0.10, height=0.6, shadow=0.3)
    angle = np.radians(np.linspace(0, 360, 120))
    ring = np.column_stack([0.5 + r * 0.87 * np.cos(angle), cy + r * 0.87 * np.sin(angle)])
    stage.seam(ring, mix(look.trim, (0.9, 0.85, 0.75), 0.5))
    stage.soft(ribbon([(0.5, cy - r * 0.98), (0.5, cy - r * 0.62)], 0.05), strap, 0.012, shadow=0.4)
    stage.soft(ellipse(0.5, cy - r * 0.68, 0.014, 0.014), plain(linear("#d9b26a"), "brass"), 0.012)


def _trapeze(stage: Stage, look: Look) -> None:
    a, b, c = look.sizes(3, 0.06)
    w0, w1, top, low = 0.19 * a, 0.285 * b, 0.46, 0.858
    strap = plain(look.trim, "leather")
    handle = np.array([(0.5 - 0.11, top + 0.02), (0.5 - 0.085, 0.295 * c), (0.5 + 0.085, 0.295 * c), (0.5 + 0.11, top + 0.02)])
    stage.tube(handle, 0.026, strap)
    for side in (-1, 1):
        gusset = [(0.5 + side * w0 * 0.95, top + 0.02), (0.5 + side * w1, low - 0.005), (0.5 + side * (w1 + 0.035), low - 0.045), (0.5 + side * (w0 + 0.02), top + 0.05)]
        stage.flat(gusset, strap, dim=0.75, lean=(side * 0.6, 0))
    body = rounded([(0.5 - w0, top), (0.5 + w0, top), (0.5 + w1, low), (0.5 - w1, low)], 0.012)
    stage.soft(body, look.body.spanning(top, low), 0.025, height=0.7)
    flap = rounded([(0.5 - w0 - 0.006, top - 0.006), (0.5 + w0 + 0.006, top - 0.006), (0.5 + w0 * 1.13, top + 0.10), (0.5, top + 0.21), (0.5 - w0 * 1.13, top + 0.10)], 0.012)
    stage.soft(flap, strap if look.seed % 2 else look.body.spanning(top, low), 0.02, height=0.6, shadow=0.55)
    _clasp(stage, 0.5, top + 0.185)


def backpack(stage: Stage, look: Look) -> None:
    """Draw a backpack from the front: roll-top, broad, domed or boxy."""
    a, b, c = look.sizes(3, 0.05)
    w, top, corner = {
        "tall": (0.185 * a, 0.20, 0.05),
        "wide": (0.315 * a, 0.42, 0.09),
        "round": (0.235 * a, 0.32, 0.20),
        "angular": (0.235 * a, 0.34, 0.012),
    }[look.silhouette]
    low, tall = 0.86, 0.86 - top
    strap, metal = plain(look.trim, "leather"), plain(linear("#d9b26a"), "brass")
    for side in (-1, 1):
        loop = smooth([(0.5 + side * w * 0.45, top + 0.05), (0.5 + side * (w + 0.012), top + 0.2 * tall), (0.5 + side * (w + 0.026), 0.70), (0.5 + side * w * 0.8, 0.835)], closed=False)
        stage.tube(loop, 0.034, strap, dim=0.7)
    grip = smooth([(0.5 - 0.06, top + 0.02), (0.5 - 0.05, top - 0.05), (0.5 + 0.05, top - 0.05), (0.5 + 0.06, top + 0.02)], closed=False)
    stage.tube(grip, 0.022, strap)
    body = rounded([(0.5 - w * 0.93, top), (0.5 + w * 0.93, top), (0.5 + w, low), (0.5 - w, low)], corner)
    cloth = look.body.spanning(top, low)
    stage.soft(body, cloth, 0.02 if look.silhouette == "angular" else 0.085, height=0.85)
    if look.silhouette == "tall":
        roll = rounded([(0.5 - w * 0.97, top - 0.012), (0.5 + w * 0.97, top - 0.012), (0.5 + w * 0.97, top + 0.085), (0.5 - w * 0.97, top + 0.085)], 0.04)
        stage.soft(roll, cloth.cut(0.03, 0.05), 0.045, shadow=0.6, crease=0.45)
        for side in (-1, 1):
            stage.soft(ribbon([(0.5 + side * w * 0.5, top - 0.015), (0.5 + side * w * 0.5, top + 0.34 * tall)], 0.026), strap, 0.008, shadow=0.35)
            stage.soft(ellipse(0.5 + side * w * 0.5, top + 0.27 * tall, 0.015, 0.012), metal, 0.01, shadow=0.3)
    else:
        arc = [(0.5 - w * 0.86, top + 0.36 * tall), (0.5 - w * 0.80, top + 0.14 * tall), (0.5, top + 0.085 * tall), (0.5 + w * 0.80, top + 0.14 * tall), (0.5 + w * 0.86, top + 0.36 * tall)]
        zip_line = np.array(arc) if look.silhouette == "angular" else smooth(arc, closed=False)
        stage.tube(zip_line, 0.012, plain(look.dark, "rubber"))
        end = zip_line[int(len(zip_line) * 0.7)]
        stage.soft(ribbon([end, (end[0] + 0.004, end[1] + 0.045)], 0.014), metal, 0.006, shadow=0.4)
    pocket_top = top + (0.50 + 0.04 * (c - 1)) * tall
    pw = w * 0.76 * b
    pocket = rounded([(0.5 - pw, pocket_top), (0.5 + pw, pocket_top), (0.5 + pw * 1.03, low - 0.035), (0.5 - pw * 1.03, low - 0.035)], min(corner, 0.055))
    stage.soft(pocket, cloth.cut(0.031, 0.043), 0.014 if look.silhouette == "angular" else 0.04, height=0.75, shadow=0.6, crease=0.45)
    stage.soft(ribbon([(0.5 - pw, pocket_top + 0.035), (0.5 + pw, pocket_top + 0.035)], 0.045), strap, 0.012, shadow=0.35)
    stage.soft(ellipse(0.5, pocket_top + 0.036, 0.016, 0.016), metal, 0.014, shadow=0.4)
