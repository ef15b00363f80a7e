"""The stage: products are laid on it piece by piece, then set in a softly lit studio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from catalog.boutique.drawing.colour import Rgb, encode, mix
from catalog.boutique.drawing.curves import Pairs, ellipse, ribbon
from catalog.boutique.drawing.forms import Field, Form, Lathe, flat, inflated
from catalog.boutique.drawing.light import FINISHES, shade
from catalog.boutique.drawing.patterns import Print, colours

Stance = Literal["standing", "lying"]
"""Standing on a floor, or lying on (hanging before) a plain ground."""

Pixels = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Paint:
    """A print on a finish."""

    cloth: Print
    finish: str

    def solid(self, colour: Rgb | None = None) -> Paint:
        """Return the same finish without a pattern."""
        return replace(self, cloth=replace(self.cloth, pattern="plain", ground=colour or self.cloth.ground))

    def scaled(self, scale: float) -> Paint:
        """Return the print with its motif `scale` times as large."""
        return replace(self, cloth=replace(self.cloth, scale=self.cloth.scale * scale))

    def turned(self, degrees: float) -> Paint:
        """Return the print turned by `degrees`."""
        return replace(self, cloth=replace(self.cloth, angle=self.cloth.angle + degrees))

    def cut(self, along: float, down: float) -> Paint:
        """Return the print cut from another place of the cloth, so that seams show."""
        return replace(self, cloth=replace(self.cloth, shift=(along, down)))

    def spanning(self, top: float, bottom: float) -> Paint:
        """Return the print with its ombre running from `top` to `bottom`."""
        return replace(self, cloth=replace(self.cloth, span=(top, bottom)))


def plain(colour: Rgb, finish: str) -> Paint:
    """Return one colour on a finish."""
    return Paint(Print("plain", colour, colour, colour), finish)


class Stage:
    """A transparent canvas of linear, premultiplied light.

    Args:
        px: Side of the canvas in pixels.
        phase: Turn of lathe bodies in radians.
    """

    def __init__(self, px: int, phase: float = 0.0) -> None:
        self.px = px
        self.phase = phase
        self.light: Pixels = np.zeros((px, px, 3), np.float32)
        self.alpha: Field = np.zeros((px, px), np.float32)

    def lay(self, form: Form, paint: Paint, *, shadow: float = 0.0, dim: float | Field = 1.0) -> None:
        """Put a form on top.

        Args:
            form: What to lay.
            paint: Its surface.
            shadow: Strength in 0..1 of the soft shadow it throws on what lies under it.
            dim: Light that reaches it, one or (h, w).
        """
        if shadow:
            self._throw(form, shadow)
        finish = FINISHES[paint.finish]
        light = shade(form, colours(paint.cloth, form.s, form.t, self.px), finish)
        light = light * (dim[..., None] if isinstance(dim, np.ndarray) else np.float32(dim))
        cover = form.alpha * np.float32(1 - finish.clear) if finish.clear else form.alpha
        window = form.window
        keep = (1 - cover)[..., None]
        if finish.clear:
            gleam = np.maximum(light - 0.75, 0) * form.alpha[..., None] * finish.clear
            self.light[window] = self.light[window] * keep + light * cover[..., None] + gleam
        else:
            self.light[window] = self.light[window] * keep + light * cover[..., None]
        self.alpha[window] = 1 - (1 - self.alpha[window]) * (1 - cover)

    def _throw(self, form: Form, strength: float) -> None:
        """Darken what lies under a form, a little to the lower right."""
        pad = max(3, int(0.03 * self.px))
        reach = 0.012 * self.px
        dark = ndimage.gaussian_filter(np.pad(form.alpha, pad), reach * 0.8)
        top, left = form.top - pad + round(reach * 0.8), form.left - pad + round(reach * 0.6)
        h, w = dark.shape
        y0, x0, y1, x1 = max(top, 0), max(left, 0), min(top + h, self.px), min(left + w, self.px)
        if y1 <= y0 or x1 <= x0:
            return
        cut = dark[y0 - top : y1 - top, x0 - left : x1 - left]
        self.light[y0:y1, x0:x1] *= (1 - np.float32(strength) * cut)[..., None]

    def flat(
        self, outline: Pairs, paint: Paint, *, holes: Sequence[Pairs] = (), shadow: float = 0.0, dim: float = 1.0,
        lean: tuple[float, float] = (0.0, 0.0),
    ) -> None:  # fmt: skip
        """Lay a plane."""
        self.lay(flat(self.px, outline, holes=holes, lean=lean), paint, shadow=shadow, dim=dim)

    def soft(
        self, outline: Pairs, paint: Paint, radius: float, *, height: float = 1.0, holes: Sequence[Pairs] = (),
        shadow: float = 0.0, dim: float = 1.0, lean: tuple[float, float] = (0.0, 0.0), crease: float = 0.3,
    ) -> None:  # fmt: skip
        """Lay a body with edges rounded by `radius`; `crease` darkens its edges."""
        form = inflated(self.px, outline, radius, height=height, holes=holes, lean=lean)
        self.lay(form, paint, shadow=shadow, dim=np.float32(dim) * (1 - np.float32(crease) * (1 - form.normal[2])))

    def tube(
        self, path: Pairs, width: float, paint: Paint, *, shadow: float = 0.0, dim: float = 1.0, height: float = 1.0
    ) -> None:
        """Lay a round cord, handle or leg along an open path."""
        self.soft(ribbon(path, width), paint, width / 2, shadow=shadow, dim=dim, height=height)

    def lathe(self, lathe: Lathe, paint: Paint, *, shadow: float = 0.0, dim: float = 1.0) -> None:
        """Lay a turned body."""
        self.lay(replace(lathe, phase=lathe.phase + self.phase).form(self.px), paint, shadow=shadow, dim=dim)

    def mouth(self, lathe: Lathe, paint: Paint, *, lip: float = 0.012, inner: Rgb | None = None) -> None:
        """Open a turned body at its top: a lip and a dark inside."""
        y, r = lathe.profile[0]
        body = paint.solid()
        self.flat(ellipse(lathe.cx, y, r, r * lathe.tilt), body, lean=(-0.1, -0.55))
        deep = inner or mix(body.cloth.ground, (0.02, 0.02, 0.02), 0.35)
        hollow = ellipse(lathe.cx, y + lip * 0.15, r - lip, (r - lip) * lathe.tilt)
        form = flat(self.px, hollow, lean=(-0.35, 0.2))
        h = form.alpha.shape[0]
        fall = np.linspace(0.42, 0.8, h, dtype=np.float32)[:, None] * np.ones_like(form.alpha)
        self.lay(form, replace(plain(deep, body.finish), finish="paper"), dim=fall)

    def seam(self, path: Pairs, colour: Rgb, *, dash: float = 0.012, width: float = 0.0035) -> None:
        """Sew a line of stitches along a path."""
        p = np.asarray(path, float)
        run = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(p, axis=0).T))])
        for begin in np.arange(0, run[-1] - dash * 0.6, dash * 1.7):
            at = np.array([begin, begin + dash * 0.5, begin + dash])
            stitch = np.column_stack([np.interp(at, run, p[:, 0]), np.interp(at, run, p[:, 1])])
            self.flat(ribbon(stitch, width), plain(colour, "cotton"), lean=(-0.2, -0.3))


@dataclass(frozen=True, slots=True)
class Studio:
    """The room a product is photographed in.

    Attributes:
        wall, floor: Linear colours, light and quiet.
        ground: Height of the floor line where a standing product touches it.
    """

    wall: Rgb
    floor: Rgb
    ground: float = 0.86

    def backdrop(self, px: int, stance: Stance) -> Pixels:
        """Return the empty room (px, px, 3), linear."""
        axis = (np.arange(px, dtype=np.float32) + 0.5) / px
        y, x = axis[:, None], axis[None, :]
        wall, floor = (np.array(c, np.float32) for c in (self.wall, self.floor))
        glow = 1.06 - 0.42 * ((x - 0.36) ** 2 + (y - 0.34) ** 2)
        if stance == "lying":
            return (wall * glow[..., None]).astype(np.float32)
        bend = np.clip((y - 0.60) / 0.16, 0, 1) * np.ones_like(x)
        bend = bend * bend * (3 - 2 * bend)
        base = wall + (floor - wall) * bend[..., None]
        return (base * glow[..., None]).astype(np.float32)

    def shadow(self, alpha: Field, stance: Stance) -> Field:
        """Return how dark each pixel (px, px) is under a product of coverage `alpha`."""
        px = len(alpha)
        step = 4
        small = ndimage.zoom(alpha, 1 / step, order=1, grid_mode=True, mode="grid-constant")
        n = len(small)
        if stance == "lying":
            near = ndimage.shift(ndimage.gaussian_filter(small, 0.008 * n), (0.012 * n, 0.008 * n), order=1)
            far = ndimage.shift(ndimage.gaussian_filter(small, 0.028 * n), (0.034 * n, 0.024 * n), order=1)
            dark = 0.30 * near + 0.30 * far
        else:
            dark = self._floor_shadow(small)
        size = (px, px)
        return np.asarray(Image.fromarray(dark.astype(np.float32)).resize(size, Image.Resampling.BICUBIC))

    def _floor_shadow(self, small: Field) -> Field:
        """Lay the silhouette down on the floor, sheared away from the light, and darken the contact."""
        n = len(small)
        rows = np.flatnonzero(small.max(axis=1) > 0.3)
        foot = float(rows[-1]) if len(rows) else self.ground * n
        squash, shear = 0.16, 0.42
        # Output (y, x) reads the silhouette at a height 1/squash times as far above the foot.
        matrix = np.array([[1 / squash, 0], [shear / squash, 1]])
        offset = (foot - foot / squash, -shear * foot / squash)
        lay = ndimage.affine_transform(small, matrix, offset, order=1)
        cast = ndimage.gaussian_filter(lay, (0.008 * n, 0.02 * n))
        contact = np.zeros_like(small)
        low = small[max(0, int(foot - 0.035 * n)) : int(foot) + 1].max(axis=0) if len(rows) else small[0]
        band = max(1, int(0.012 * n))
        contact[max(0, int(foot) - band) : int(foot) + band] = low
        contact = ndimage.gaussian_filter(contact, (0.010 * n, 0.014 * n))
        return np.clip(0.36 * cast + 0.62 * contact, 0, 0.85).astype(np.float32)


def photograph(
    light: Pixels, alpha: Field, studio: Studio, stance: Stance, size: int, *, backdrop: Pixels | None = None,
    shade_of: Field | None = None,
) -> Image.Image:  # fmt: skip
    """Set a product into the room and return a picture of `size` by `size` pixels.

    Args:
        light: Premultiplied linear light, (px, px, 3).
        alpha: Coverage, (px, px).
        studio: The room.
        stance: How the product stands in it.
        size: Side of the picture; px is a multiple of it.
        backdrop: The empty room, when it was drawn before.
        shade_of: Coverage that throws the shadow, when it is not `alpha`.
    """
    room = studio.backdrop(len(alpha), stance) if backdrop is None else backdrop
    dark = studio.shadow(alpha if shade_of is None else shade_of, stance)
    whole = room * (1 - dark)[..., None] * (1 - alpha)[..., None] + light
    factor = len(alpha) // size
    total = np.zeros((size, size, 3), np.float32)
    for dy in range(factor):
        for dx in range(factor):
            total += whole[dy::factor, dx::factor]
    return Image.fromarray(encode(total / np.float32(factor * factor)))
