"""What of a picture is the subject, and what stands behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from captioning.lab import Lab, cells

Mask = npt.NDArray[np.bool_]

_EVEN = 7.0
"""A border pixel within this Lab distance of the fitted surface belongs to the background."""


@dataclass(frozen=True, eq=False)
class Ground:
    """The split of a picture.

    Attributes:
        subject: (h, w) bool; all true when nothing stands out from an even background.
        surface: The part of the subject that is surely not background: its edge and what shows through left out.
        plain: Whether there is an even background with a subject on it.
        background: Lab of the background (median), or None.
        fall: How much the background's lightness changes across the picture, L* units.
    """

    subject: Mask
    surface: Mask
    plain: bool
    background: Lab | None
    fall: float


def split(lab: Lab) -> Ground:
    """Fit a smooth surface to the border of the picture; the subject is what departs from it."""
    h, w, _ = lab.shape
    ring = _ring(h, w)
    surface, even = _surface(lab, ring)
    everything = np.ones((h, w), np.bool_)
    whole = Ground(everything, everything, False, None, 0.0)
    if even < 0.7:
        return whole
    away = _distance(lab, surface)
    subject = _subject(lab, surface, away)
    if not 0.01 < subject.mean() < 0.75 or subject[ring].mean() > 0.4 or _parts(subject) > 6:
        return whole
    behind = np.median(lab[~subject], axis=0).astype(np.float32)
    low, high = np.percentile(surface[..., 0], [2, 98])
    return Ground(subject, _surely(subject, away), True, behind, float(high - low))


def _parts(subject: Mask) -> int:
    """Count the separate parts; lettering and scenes on an even ground fall into many."""
    return len(_sizes(subject)[1])


def _sizes(subject: Mask) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return numbered parts (h, w) and the numbers of those that are no crumbs beside the largest."""
    found, _ = ndimage.label(subject, np.ones((3, 3)))
    labels = found.astype(np.intp)
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    return labels, np.flatnonzero(areas > max(0.05 * areas.max(), 12))


def _surely(subject: Mask, away: npt.NDArray[np.float32]) -> Mask:
    inner = ndimage.binary_erosion(subject, iterations=2)
    # Deep inside, what looks like the background belongs to the subject: a white stripe before a white wall.
    clear = inner & ((away > 7) | ndimage.binary_erosion(subject, iterations=6))
    for candidate, enough in ((clear, 0.6), (inner, 0.3)):
        if candidate.sum() > enough * subject.sum():
            return candidate
    return subject


def _ring(h: int, w: int) -> Mask:
    width = max(2, round(0.03 * max(h, w)))
    ring = np.ones((h, w), np.bool_)
    ring[width:-width, width:-width] = False
    return ring


def _surface(lab: Lab, ring: Mask) -> tuple[Lab, float]:
    """Return the quadratic surface through the border (h, w, 3) and the share of the border that lies on it."""
    h, w, _ = lab.shape
    y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
    basis = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1).astype(np.float32)
    terms, values = basis[ring], lab[ring]
    # The commonest colour of the border starts the fit, so that a subject that touches it does not bend the surface.
    cell, counts = cells(values, 6)
    start = np.median(values[cell == counts.argmax()], axis=0)
    on = np.linalg.norm(values - start, axis=1) < 3 * _EVEN
    for _ in range(4):
        if on.sum() < 40:
            return np.broadcast_to(start, lab.shape).astype(np.float32), 0.0
        weights = np.linalg.lstsq(terms[on], values[on], rcond=None)[0]
        on = np.linalg.norm(values - terms @ weights, axis=1) < _EVEN
    fitted = basis @ weights
    # Far from the border the quadratic may run away: it stays within what the border shows.
    margin = np.array([3, 1.5, 1.5], np.float32)
    bounded = np.clip(fitted, values[on].min(axis=0) - margin, values[on].max(axis=0) + margin)
    return bounded.astype(np.float32), float(on.mean())


def _distance(lab: Lab, surface: Lab) -> npt.NDArray[np.float32]:
    away = lab - surface
    far: npt.NDArray[np.float32] = np.sqrt((0.8 * away[..., 0]) ** 2 + away[..., 1] ** 2 + away[..., 2] ** 2)
    return far


def _subject(lab: Lab, surface: Lab, distance: npt.NDArray[np.float32]) -> Mask:
    """Return the pixels that depart from the background, shadows left out, small holes filled."""
    away = lab - surface
    noise = float(np.percentile(distance[_ring(*distance.shape)], 60))
    low = max(3.2, 2.5 * noise)
    high = max(6.5, 2 * low)
    lightness = ndimage.gaussian_filter(lab[..., 0], 0.8)
    steep = ndimage.gaussian_gradient_magnitude(lab[..., 0], 0.9)
    shadow = (
        (lightness - surface[..., 0] < 0)
        & (away[..., 0] > -26)
        & (np.hypot(away[..., 1], away[..., 2]) < 4.5)
        & (steep < 2.2)
    )
    found: Mask = (distance > low) & ~shadow
    labels, count = ndimage.label(found, np.ones((3, 3)))
    if not count:
        return found
    strong = ndimage.maximum(distance, labels, np.arange(1, count + 1)) > high
    sizes = ndimage.sum_labels(found, labels, np.arange(1, count + 1))
    keep = strong & (sizes >= max(0.05 * sizes.max(), 12))
    body: Mask = np.isin(labels, np.flatnonzero(keep) + 1)
    body = ndimage.binary_closing(np.pad(body, 3), iterations=2)[3:-3, 3:-3]
    return _fill(body, distance < low)


def _fill(body: Mask, like_background: Mask) -> Mask:
    """Fill the holes of `body`, except large ones through which the background shows."""
    filled = ndimage.binary_fill_holes(body)
    labels, _ = ndimage.label(filled & ~body)
    for at, piece in enumerate(ndimage.find_objects(labels), start=1):
        hole = labels[piece] == at
        if hole.sum() > 0.006 * filled.sum() and like_background[piece][hole].mean() > 0.75:
            filled[piece][hole] = False
    labels, kept = _sizes(ndimage.binary_opening(filled, iterations=1))
    opened: Mask = np.isin(labels, kept)
    return opened
