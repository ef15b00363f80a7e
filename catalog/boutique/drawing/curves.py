"""Outlines in unit coordinates: x to the right, y down, the picture is the unit square."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
Pairs = Sequence[tuple[float, float]] | Points


def smooth(points: Pairs, *, closed: bool = True, per: int = 14) -> Points:
    """Return a Catmull-Rom curve through `points`, `per` samples a span."""
    p = np.asarray(points, float)
    ring = np.vstack([p[-1], p, p[:2]]) if closed else np.vstack([p[:1], p, p[-1:]])
    before, start, end, after = ring[:-3, None], ring[1:-2, None], ring[2:-1, None], ring[3:, None]
    t = np.linspace(0, 1, per, endpoint=False)[None, :, None]
    curve = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    flat = curve.reshape(-1, 2)
    return flat if closed else np.vstack([flat, p[-1:]])


def rounded(points: Pairs, radius: float, *, per: int = 8) -> Points:
    """Return the polygon with every corner rounded by `radius` (less where a side is short)."""
    p = np.asarray(points, float)
    t = np.linspace(0, 1, per)[:, None]
    corners = []
    for before, here, after in zip(np.roll(p, 1, 0), p, np.roll(p, -1, 0), strict=True):
        into, out = before - here, after - here
        a = here + into * min(0.5, radius / max(float(np.hypot(*into)), 1e-9))
        b = here + out * min(0.5, radius / max(float(np.hypot(*out)), 1e-9))
        corners.append((1 - t) ** 2 * a + 2 * t * (1 - t) * here + t**2 * b)
    return np.vstack(corners)


def box(x0: float, y0: float, x1: float, y1: float, radius: float = 0.0) -> Points:
    """Return a rectangle with corners rounded by `radius`."""
    corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    return rounded(corners, radius) if radius else corners


def arch(left: Pairs) -> Points:
    """Return an open curve through (distance from the axis x = 0.5, y), from the left end to the axis and back."""
    half = np.asarray(left, float)
    points = np.vstack([half * (-1, 1), half[-2 if half[-1, 0] == 0 else -1 :: -1]])
    return smooth(np.add(points, (0.5, 0)), closed=False)


def mirrored(left: Pairs) -> Points:
    """Return the closed outline whose left half, from top to bottom, is `left`; the axis is x = 0.5."""
    half = np.asarray(left, float)
    return np.vstack([half, half[::-1] * (-1, 1) + (1, 0)])


def ellipse(cx: float, cy: float, rx: float, ry: float, *, start: float = 0, stop: float = 360) -> Points:
    """Return the arc from `start` to `stop` degrees, clockwise from the right."""
    angle = np.radians(np.linspace(start, stop, 80))
    return np.column_stack([cx + rx * np.cos(angle), cy + ry * np.sin(angle)])


def ribbon(path: Pairs, width: float | npt.NDArray[np.float64]) -> Points:
    """Return the outline of a stroke of `width` (one, or one a point) along an open `path`."""
    p = np.asarray(path, float)
    along = np.gradient(p, axis=0)
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    across = np.column_stack([-along[:, 1], along[:, 0]]) * (np.broadcast_to(width, len(p)) / 2)[:, None]
    return np.vstack([p + across, (p - across)[::-1]])


def turned(points: Pairs, degrees: float, about: tuple[float, float] = (0.5, 0.5)) -> Points:
    """Return the points rotated clockwise on the picture."""
    a = np.radians(degrees)
    matrix = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    result: Points = (np.asarray(points, float) - about) @ matrix + about
    return result
