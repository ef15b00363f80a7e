"""Which pattern a surface carries: stripes, checks, dots, zigzag, florals, terrazzo, a gradient, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from captioning.ground import Mask
from captioning.lab import Lab

Floats = npt.NDArray[np.float32]
Kind = Literal[
    "solid", "gradient", "textured", "horizontal stripes", "vertical stripes", "diagonal stripes",
    "checks", "zigzag", "dots", "floral", "terrazzo", "mottled", "all-over print", "print",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measures:
    """What the decision rests on.

    Attributes:
        contrast: Root mean square of the fine detail, Lab units.
        cover: Share of the surface whose neighbourhood has detail; a single logo covers little.
        two: Concentration of edge directions on one axis, 0..1; stripes.
        four: Concentration on two axes at right angles, 0..1; checks.
        axis: Direction across the stripes in degrees, 0 = vertical stripes, 90 = horizontal.
        four_axis: Direction of one of the two axes, degrees, 0..90.
        repeat, repeat_four: How well the surface repeats along `axis`, and along both of the two axes,
            -1..1. Folds and seams have directions as well, but do not repeat.
        marks: Separate marks on the surface.
        roundness: Median of how well a mark fills its circle, 1 = a disc.
        evenness: How alike the marks' sizes are, 1 = all alike.
        hues: Distinct colours among the marks.
        mark_size: Median diameter of a mark as a share of the subject's smaller side.
        slope: How much the colour changes from one end to the other without detail, Lab units.
    """

    contrast: float
    cover: float
    two: float
    four: float
    axis: float
    four_axis: float
    repeat: float
    repeat_four: float
    marks: int
    roundness: float
    evenness: float
    hues: int
    mark_size: float
    slope: float


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern and how large it is drawn ("fine", "broad" or "")."""

    kind: Kind
    scale: Literal["fine", "", "broad"]
    measures: Measures


REPEATS = 0.33
"""Autocorrelation from which a surface repeats."""


def read_pattern(lab: Lab, subject: Mask, surface: Mask | None = None) -> Pattern:
    """Return the pattern of the subject's surface.

    Args:
        lab: A picture (h, w, 3).
        subject: Its subject (h, w).
        surface: The part of the subject that is surely not background; None: worked out from the subject.
    """
    rows, columns = np.flatnonzero(subject.any(axis=1)), np.flatnonzero(subject.any(axis=0))
    if len(rows) < 12 or len(columns) < 12:
        return Pattern("solid", "", Measures(*[0.0] * 8, 0, 0.0, 0.0, 0, 0.0, 0.0))
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    measures = _measure(lab[window], subject[window], None if surface is None else surface[window])
    kind = _decide(measures)
    scale: Literal["fine", "", "broad"] = ""
    if kind in ("dots", "checks", "floral", "terrazzo", "horizontal stripes", "vertical stripes", "diagonal stripes"):
        scale = "fine" if measures.mark_size < 0.045 else "broad" if measures.mark_size > 0.13 else ""
    return Pattern(kind, scale, measures)


def _decide(m: Measures) -> Kind:
    if m.contrast < 4.2 or m.cover < 0.22:
        if m.slope > 17:
            return "gradient"
        if m.contrast >= 5.5 and m.cover >= 0.05:
            return "print"
        return "textured" if m.contrast > 2.6 and m.cover > 0.3 else "solid"
    repeats = REPEATS if m.contrast > 6.5 else REPEATS + 0.12
    if m.two > 0.5 and m.repeat > repeats:
        tilt = m.axis % 180
        if tilt < 25 or tilt > 155:
            return "vertical stripes"
        return "horizontal stripes" if 65 < tilt < 115 else "diagonal stripes"
    straight = not 25 < m.four_axis < 65
    if not straight and m.four > 0.34 and m.two < 0.5 and max(m.repeat, m.repeat_four) > repeats:
        return "zigzag"
    if straight and m.two < 0.45 and ((m.four > 0.42 and m.repeat_four > repeats) or (m.four > 0.2 and m.repeat_four > 0.6)):
        return "checks"
    if m.marks >= 6 and m.evenness > 0.6 and (m.roundness > 0.88 or (m.roundness > 0.78 and m.hues == 1)):
        return "dots"
    # Folds, seams and creases have directions and edges too, but little contrast and no repeat.
    if m.contrast < 9 or m.cover < 0.85:
        return "print" if m.contrast >= 13 else "textured"
    if m.marks >= 8 and m.hues >= 2 and m.two < 0.35:
        if m.roundness > 0.62:
            return "floral"
        if m.repeat < 0.3 and m.evenness > 0.4:
            return "terrazzo"
    return "mottled" if m.marks >= 12 and m.two < 0.35 else "all-over print"


def _measure(lab: Lab, subject: Mask, surface: Mask | None) -> Measures:
    side = min(subject.shape)
    inner = ndimage.binary_erosion(subject, iterations=max(2, round(0.03 * side)), border_value=False)
    if surface is not None and (inner & surface).sum() > 0.5 * inner.sum():
        inner &= surface
    if inner.sum() < 80:
        inner = ndimage.binary_erosion(subject, iterations=1)
    if inner.sum() < 30:
        inner = subject
    base = _blur(lab, subject, 0.16 * side)
    detail = lab - base
    energy = (detail**2).sum(axis=-1)
    contrast = float(np.sqrt(energy[inner].mean()))
    local = ndimage.uniform_filter(np.where(inner, energy, 0), max(5, round(0.12 * side)))
    weight = ndimage.uniform_filter(inner.astype(np.float32), max(5, round(0.12 * side)))
    cover = float((np.sqrt(local / np.maximum(weight, 1e-3)) > 4.5)[inner].mean())
    two, axis, four, four_axis = _directions(detail, inner)
    repeat = _Repeats(detail, inner)
    alike = repeat.along(axis)
    alike_four = min(repeat.along(four_axis, 1.7), repeat.along(four_axis + 90, 1.7))
    marks, roundness, evenness, hues, size = _marks(lab, detail, inner, side)
    slope = _slope(base, inner)
    return Measures(
        contrast, cover, two, four, axis, four_axis, alike, alike_four, marks, roundness, evenness, hues, size, slope
    )


def _blur(lab: Lab, mask: Mask, sigma: float) -> Lab:
    """Gaussian blur that sees only the pixels of `mask`."""
    weight = np.maximum(ndimage.gaussian_filter(mask.astype(np.float32), sigma), 1e-3)
    parts = [ndimage.gaussian_filter(np.where(mask, lab[..., c], 0), sigma) / weight for c in range(3)]
    return np.stack(parts, axis=-1)


def _directions(detail: Lab, inner: Mask) -> tuple[float, float, float, float]:
    """Return concentration and direction of edges on one axis, then on two at right angles.

    Source: the structure tensor of a colour picture (Di Zenzo, 1986); means of doubled and
    quadrupled angles (Mardia, Directional Statistics).
    """
    xx = np.zeros(inner.shape, np.float32)
    yy, xy = xx.copy(), xx.copy()
    for c in range(3):
        gx = ndimage.gaussian_filter(detail[..., c], 1.0, order=(0, 1))
        gy = ndimage.gaussian_filter(detail[..., c], 1.0, order=(1, 0))
        xx += gx * gx
        yy += gy * gy
        xy += gx * gy
    strength = np.hypot(xx - yy, 2 * xy)[inner]
    doubled = np.arctan2(2 * xy, xx - yy)[inner]
    weight = np.sqrt(strength)
    weight = np.where(weight > 0.35 * np.percentile(weight, 95), weight, 0)
    total = max(float(weight.sum()), 1e-6)
    one = (weight * np.exp(1j * doubled)).sum() / total
    both = (weight * np.exp(2j * doubled)).sum() / total
    return (
        float(abs(one)), float(np.degrees(np.angle(one)) / 2 % 180),
        float(abs(both)), float(np.degrees(np.angle(both)) / 4 % 90),
    )  # fmt: skip


class _Repeats:
    """The autocorrelation of a surface's detail, over the pixels of a mask."""

    def __init__(self, detail: Lab, inner: Mask) -> None:
        points = detail[inner]
        points = points - points.mean(axis=0)
        # Along the strongest colour difference: the ink against the ground.
        _, directions = np.linalg.eigh(points.T @ points)
        ink = np.zeros(inner.shape, np.float32)
        ink[inner] = points @ directions[:, -1]
        # Folds vary from place to place, a print is as strong everywhere.
        ink /= np.sqrt(_blur((ink**2)[..., None].repeat(3, -1), inner, 0.1 * min(inner.shape))[..., 0]) + 1.0
        ink[~inner] = 0
        shape = (2 * inner.shape[0], 2 * inner.shape[1])
        power = np.abs(np.fft.rfft2(ink, shape)) ** 2
        overlap = np.abs(np.fft.rfft2(inner.astype(np.float32), shape)) ** 2
        shared = np.fft.fftshift(np.fft.irfft2(overlap, shape))
        value = np.fft.fftshift(np.fft.irfft2(power, shape))
        self._alike = np.where(shared > 0.12 * shared.max(), value / np.maximum(shared, 1), -1.0)
        self._alike /= max(float(self._alike.max()), 1e-9)
        self._extent = inner.shape

    def along(self, degrees: float, times: float = 2.6) -> float:
        """Return the height of the first repeat along a direction, -1 when it does not come `times` times."""
        h, w = self._alike.shape
        # By default nearly three repeats fit along the direction: two trouser legs are no stripes.
        reach = np.hypot(self._extent[0] * np.sin(np.radians(degrees)), self._extent[1] * np.cos(np.radians(degrees)))
        lag = np.arange(1, max(4, reach / times))
        y, x = h // 2 + lag * np.sin(np.radians(degrees)), w // 2 + lag * np.cos(np.radians(degrees))
        line = ndimage.map_coordinates(self._alike, [y, x], order=1, mode="nearest")
        valley = int(np.argmax(np.diff(line) > 0)) if (np.diff(line) > 0).any() else len(line) - 1
        return float(line[valley:].max()) if valley < len(line) - 1 and line[valley] < 0.3 else -1.0


def _marks(lab: Lab, detail: Lab, inner: Mask, side: int) -> tuple[int, float, float, int, float]:
    """Return count, roundness, evenness, hues and relative size of the marks that stand on the ground colour."""
    ground = np.median(lab[inner], axis=0)
    away = np.linalg.norm((detail - np.median(detail[inner], axis=0)) * np.array([0.8, 1, 1], np.float32), axis=-1)
    threshold = max(6.0, float(np.percentile(away[inner], 95)) * 0.45)
    marked = (away > threshold) & inner
    if marked.sum() > 0.5 * inner.sum():
        marked = inner & ~marked
    labels, count = ndimage.label(marked)
    if not count:
        return 0, 0.0, 0.0, 0, 0.0
    index = np.arange(1, count + 1)
    areas = ndimage.sum_labels(marked, labels, index)
    kept = index[areas >= 5]
    if not len(kept):
        return 0, 0.0, 0.0, 0, 0.0
    areas = areas[kept - 1]
    boxes = [ndimage.find_objects(labels)[i - 1] for i in kept]
    spans = np.array([[b[0].stop - b[0].start, b[1].stop - b[1].start] for b in boxes], np.float32)
    # A disc fills pi/4 of its bounding box and the box is square.
    fill = np.minimum(areas / (np.pi / 4 * spans.prod(axis=1)), 1.2)
    round_ = np.minimum(fill, 1 / np.maximum(fill, 1e-3)) * spans.min(axis=1) / spans.max(axis=1)
    weight = np.argsort(areas)[len(areas) // 4 :]
    evenness = 1 - float(np.std(np.sqrt(areas[weight])) / np.mean(np.sqrt(areas[weight])))
    means = np.stack([ndimage.mean(lab[..., c], labels, kept) for c in range(3)], axis=1)
    hues = _distinct(means, areas, ground)
    # The stroke's width, rather than the component's span, so that stripes and checks have a size too.
    thick = ndimage.distance_transform_edt(np.pad(marked, 1))[1:-1, 1:-1]
    ridge = np.sort(thick[marked & (thick >= ndimage.maximum_filter(thick, 3))])
    size = 2 * float(ridge[np.searchsorted(np.cumsum(ridge**2), 0.5 * (ridge**2).sum())]) / side
    return len(kept), float(np.median(round_)), max(evenness, 0.0), hues, size


def _distinct(means: npt.NDArray[np.float64], areas: npt.NDArray[np.float64], ground: Lab) -> int:
    """Count colours among marks that differ clearly, each with a tenth of the marked area."""
    groups: list[tuple[npt.NDArray[np.float64], float]] = []
    for at in np.argsort(-areas):
        for g, (centre, area) in enumerate(groups):
            if np.linalg.norm((centre - means[at]) * [0.5, 1, 1]) < 16:
                groups[g] = (centre, area + float(areas[at]))
                break
        else:
            groups.append((means[at], float(areas[at])))
    return sum(area > 0.1 * areas.sum() for _, area in groups)


def _slope(base: Lab, inner: Mask) -> float:
    """Return how far the smooth colour moves from one end of the surface to the other, where it does so steadily."""
    y, x = np.nonzero(inner)
    points = base[inner] * np.array([0.55, 1, 1], np.float32)
    terms = np.stack([np.ones_like(x), x, y], axis=1).astype(np.float32)
    weights, *_ = np.linalg.lstsq(terms, points, rcond=None)
    fitted = terms @ weights
    spread = float(((points - points.mean(axis=0)) ** 2).sum())
    if spread <= 0 or 1 - float(((points - fitted) ** 2).sum()) / spread < 0.7:
        return 0.0
    ends = np.percentile(fitted @ (weights[1:].sum(axis=0) / max(float(np.linalg.norm(weights[1:].sum(axis=0))), 1e-6)), [4, 96])
    return float(ends[1] - ends[0])
