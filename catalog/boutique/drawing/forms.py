"""Forms: an outline on the pixel grid with a surface normal and texture coordinates at every pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.interpolate import PchipInterpolator

from catalog.boutique.drawing.curves import Pairs, Points, ellipse

Field = npt.NDArray[np.float32]

OVERSAMPLE = 2
"""Outlines are filled at this many times the canvas and averaged down, so that edges are smooth."""


@dataclass(frozen=True, eq=False)
class Form:
    """One piece of a product over a window of the canvas.

    Attributes:
        top, left: Window corner in pixels.
        alpha: (h, w) coverage in 0..1.
        normal: Three (h, w) fields: right, down, towards the eye.
        s, t: (h, w) texture coordinates in picture widths.
    """

    top: int
    left: int
    alpha: Field
    normal: tuple[Field, Field, Field]
    s: Field
    t: Field

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the canvas."""
        h, w = self.alpha.shape
        return slice(self.top, self.top + h), slice(self.left, self.left + w)


@dataclass(frozen=True, slots=True)
class _Fill:
    top: int
    left: int
    alpha: Field
    x: Field
    y: Field


def _fill(px: int, outline: Pairs, holes: Sequence[Pairs] = ()) -> _Fill:
    points = np.asarray(outline, float)
    low = np.clip(np.floor(points.min(0) * px).astype(int) - 1, 0, px - 1)
    high = np.clip(np.ceil(points.max(0) * px).astype(int) + 2, low + 1, px)
    w, h = (int(v) for v in high - low)
    image = Image.new("L", (w * OVERSAMPLE, h * OVERSAMPLE), 0)
    draw = ImageDraw.Draw(image)
    for shape, value in [(points, 255), *((np.asarray(hole, float), 0) for hole in holes)]:
        local = (shape * px - low) * OVERSAMPLE - 0.5
        draw.polygon([(float(x), float(y)) for x, y in local], fill=value)
    alpha = np.asarray(image.reduce(OVERSAMPLE), np.float32) / np.float32(255)
    x: Field = ((np.arange(w) + low[0] + 0.5) / px).astype(np.float32)[None, :]
    y: Field = ((np.arange(h) + low[1] + 0.5) / px).astype(np.float32)[:, None]
    return _Fill(int(low[1]), int(low[0]), alpha, np.broadcast_to(x, (h, w)), np.broadcast_to(y, (h, w)))


def _unit(nx: Field, ny: Field, nz: Field) -> tuple[Field, Field, Field]:
    length = np.sqrt(nx * nx + ny * ny + nz * nz)
    return nx / length, ny / length, nz / length


def flat(px: int, outline: Pairs, *, holes: Sequence[Pairs] = (), lean: tuple[float, float] = (0.0, 0.0)) -> Form:
    """Return a plane; `lean` tips its normal to the right and down."""
    fill = _fill(px, outline, holes)
    one = np.ones_like(fill.alpha)
    normal = _unit(one * lean[0], one * lean[1], one)
    return Form(fill.top, fill.left, fill.alpha, normal, fill.x, fill.y)


def inflated(
    px: int,
    outline: Pairs,
    radius: float,
    *,
    height: float = 1.0,
    holes: Sequence[Pairs] = (),
    lean: tuple[float, float] = (0.0, 0.0),
) -> Form:
    """Return a soft body: it rises from the edge like a quarter circle of `radius`, then is flat."""
    fill = _fill(px, outline, holes)
    h, w = fill.alpha.shape
    step = int(np.clip(radius * px / 7, 1, 4))
    coarse = np.pad(fill.alpha[::step, ::step] > 0.5, 1)
    depth = ndimage.distance_transform_edt(coarse) * step / px
    rise = np.sqrt(1 - (1 - np.minimum(depth / radius, 1)) ** 2) * radius * height
    rise = ndimage.gaussian_filter(rise, 1.1)[1:-1, 1:-1]
    slope = px / step
    dy = _enlarge(np.gradient(rise, axis=0) * slope if rise.shape[0] > 1 else rise * 0, h, w, step)
    dx = _enlarge(np.gradient(rise, axis=1) * slope if rise.shape[1] > 1 else rise * 0, h, w, step)
    normal = _unit(lean[0] - dx, lean[1] - dy, np.ones_like(dx))
    return Form(fill.top, fill.left, fill.alpha, normal, fill.x, fill.y)


def folded(
    form: Form, *, top: float, amplitude: float, folds: float, spread: float, seed: int, cx: float = 0.5
) -> Form:
    """Return cloth that falls in folds below `top`.

    Args:
        form: The cloth.
        top: Height where the folds begin.
        amplitude: Steepness of a fold.
        folds: Folds across a picture's width at the hem.
        spread: How much wider the hem is than the top; folds fan out by it.
        seed: Places the folds.
        cx: Axis they fan out from.
    """
    h = len(form.alpha)
    px_y = np.linspace(0, 1, h, dtype=np.float32)[:, None]
    begin = float(form.t.min())
    span = max(float(form.t.max()) - begin, 1e-6)
    depth = np.clip((begin + px_y * span - top) / max(begin + span - top, 1e-6), 0, 1)
    fan = (form.s - cx) / (1 / max(spread, 1e-3) + (1 - 1 / max(spread, 1e-3)) * depth)
    a, b, c = np.random.default_rng([seed, 21]).uniform(0, 6.28, 3)
    turn = 2 * np.pi * folds
    wave = np.cos(turn * fan + a) + 0.5 * np.cos(turn * 0.53 * fan + b) + 0.25 * np.cos(turn * 1.9 * fan + c)
    nx, ny, nz = form.normal
    tipped = nx / nz - amplitude * np.sqrt(depth) * wave
    normal = _unit(tipped.astype(np.float32), (ny / nz).astype(np.float32), np.ones_like(nz))
    sway = 0.012 * amplitude * np.sqrt(depth) * np.sin(turn * fan + a)
    return replace(form, normal=normal, s=(form.s + sway).astype(np.float32))


def _enlarge(coarse: npt.NDArray[np.float64], h: int, w: int, step: int) -> Field:
    if step == 1:
        return coarse.astype(np.float32)
    image = Image.fromarray(coarse.astype(np.float32))
    big = image.resize((coarse.shape[1] * step, coarse.shape[0] * step), Image.Resampling.BILINEAR)
    return np.asarray(big, np.float32)[:h, :w]


@dataclass(frozen=True, slots=True)
class Lathe:
    """A body turned on a lathe, seen a little from above.

    Attributes:
        profile: (height y, radius) from top to bottom.
        cx: Axis.
        tilt: Height of a rim's ellipse over its width.
        phase: Turn of the body in radians.
        facets: Number of flat sides, 0 for none.
        sharp: Straight lines between profile points instead of a smooth curve.
    """

    profile: tuple[tuple[float, float], ...]
    cx: float = 0.5
    tilt: float = 0.16
    phase: float = 0.0
    facets: int = 0
    sharp: bool = False

    def radius(self, y: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the radius at heights `y`."""
        ys, rs = np.asarray(self.profile, float).T
        at = np.clip(np.asarray(y, float), ys[0], ys[-1])
        result: npt.NDArray[np.float64] = np.interp(at, ys, rs) if self.sharp else PchipInterpolator(ys, rs)(at)
        return result

    def outline(self) -> Points:
        """Return the silhouette."""
        top, bottom = self.profile[0][0], self.profile[-1][0]
        y = np.linspace(top, bottom, 160)
        r = self.radius(y)
        left = np.column_stack([self.cx - r, y])
        under = ellipse(self.cx, bottom, float(r[-1]), float(r[-1]) * self.tilt, start=180, stop=0)
        over = ellipse(self.cx, top, float(r[0]), float(r[0]) * self.tilt, start=0, stop=-180)
        return np.vstack([left, under, left[::-1] * (-1, 1) + (2 * self.cx, 0), over])

    def form(self, px: int) -> Form:
        """Return the body; texture wraps around the axis."""
        fill = _fill(px, self.outline())
        rows = fill.y[:, :1].astype(float)
        r = self.radius(rows)
        slope = np.gradient(r[:, 0])[:, None] * px if len(r) > 1 else r * 0
        slope = ndimage.gaussian_filter1d(slope, 0.006 * px, axis=0)
        u = np.clip((fill.x - self.cx) / np.maximum(r, 1e-6), -1, 1)
        cosine = np.sqrt(1 - u * u)
        angle = np.arcsin(u)
        girth = max(radius for _, radius in self.profile)
        s = (angle + self.phase) * girth
        t = fill.y - self.tilt * r * cosine
        facing = angle
        if self.facets:
            side = 2 * np.pi / self.facets
            facing = (np.floor((angle + self.phase) / side) + 0.5) * side - self.phase
            facing = 0.85 * facing + 0.15 * angle
        normal = _unit(*(f.astype(np.float32) for f in np.broadcast_arrays(np.sin(facing), -slope, np.cos(facing))))
        return Form(fill.top, fill.left, fill.alpha, normal, s.astype(np.float32), t.astype(np.float32))
