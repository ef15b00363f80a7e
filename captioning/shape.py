"""The silhouette of a subject in words: proportions, outline, profile, holes and feet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from captioning.ground import Mask
from captioning.hull import solidity

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shape:
    """A silhouette measured, and in words.

    Attributes:
        proportion: "tall and slim", "tall", "evenly proportioned", "wide", "long and low".
        outline: "rounded", "boxy", "tapered", "angular", "irregular".
        details: Further phrases, e.g. "narrow neck", "a hole through it", "standing on legs".
        size: Share of the picture it covers.
        count: Separate parts.
    """

    proportion: str
    outline: str
    details: tuple[str, ...]
    size: float
    count: int


def read_shape(subject: Mask) -> Shape:
    """Return the silhouette of `subject` (h, w) in words."""
    labels, _ = ndimage.label(subject, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())[1:]
    big = np.flatnonzero(sizes >= 0.2 * sizes.max()) + 1
    main = labels == int(sizes.argmax()) + 1
    rows, columns = np.flatnonzero(main.any(axis=1)), np.flatnonzero(main.any(axis=0))
    body = main[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    h, w = body.shape
    filled = ndimage.binary_fill_holes(body)
    box_fill = filled.sum() / (h * w)
    widths = filled.sum(axis=1) / w
    details = (*_profile(widths), *_outline_details(body, filled), *_symmetry(filled))
    return Shape(
        _proportion(w / h),
        _outline(float(box_fill), solidity(filled), widths, filled),
        details,
        float(subject.mean()),
        len(big),
    )


def _proportion(ratio: float) -> str:
    if ratio < 0.45:
        return "tall and slim"
    if ratio < 0.8:
        return "tall"
    if ratio <= 1.25:
        return "evenly proportioned"
    return "wide" if ratio <= 2.2 else "long and low"


def _outline(box_fill: float, convex: float, widths: Floats, body: Mask) -> str:
    if convex < 0.72:
        return "branching" if convex < 0.55 else "irregular"
    if box_fill > 0.9:
        return "boxy"
    top, bottom = widths[: max(1, len(widths) // 6)].mean(), widths[-max(1, len(widths) // 6) :].mean()
    if convex > 0.9 and abs(top - bottom) > 0.35:
        return "tapered"
    corners = _corner_share(body)
    if 0.7 < box_fill <= 0.86 and corners < 0.2 and convex > 0.9:
        return "rounded"
    if box_fill > 0.8:
        return "boxy with soft corners"
    return "curved" if convex > 0.82 else "irregular"


def _corner_share(body: Mask) -> float:
    """Return how full the four corner eighths of the bounding box are, 0..1."""
    h, w = max(1, body.shape[0] // 8), max(1, body.shape[1] // 8)
    return float(np.mean([body[:h, :w].mean(), body[:h, -w:].mean(), body[-h:, :w].mean(), body[-h:, -w:].mean()]))


def _profile(widths: Floats) -> tuple[str, ...]:
    """Say how the width runs from top to bottom, in fifths."""
    fifths = np.array([part.mean() for part in np.array_split(widths, 5)])
    top, upper, middle, lower, base = fifths
    said = []
    if top < 0.45 * fifths.max() and upper < 0.75 * fifths.max() and max(lower, middle) == fifths.max():
        said.append("a narrow neck above a full body")
    elif middle < 0.72 * min(max(top, upper), max(lower, base)):
        said.append("pinched in the middle")
    elif middle > 1.3 * max(top, base):
        said.append("swelling in the middle")
    elif base > 1.45 * top and base > 1.15 * middle:
        said.append("flaring towards the base")
    elif top > 1.45 * base and top > 1.15 * middle:
        said.append("wide at the top and narrowing downwards")
    elif fifths.min() > 0.85 * fifths.max():
        said.append("straight-sided")
    if base > 1.5 * lower and lower < 0.5 * fifths.max():
        said.append("on a foot")
    return tuple(said)


def _outline_details(body: Mask, filled: Mask) -> tuple[str, ...]:
    said = []
    labels, count = ndimage.label(filled & ~body)
    if count:
        sizes = ndimage.sum_labels(np.ones_like(labels), labels, np.arange(1, count + 1))
        large = np.flatnonzero(sizes > 0.012 * filled.sum()) + 1
        if len(large) == 1:
            y, x = ndimage.center_of_mass(labels == large[0])
            h, w = body.shape
            if x < 0.28 * w or x > 0.72 * w:
                said.append(f"a loop handle on the {'left' if x < w / 2 else 'right'}")
            elif y < 0.35 * h:
                said.append("an open handle at the top")
            else:
                said.append("an opening through it")
        elif len(large) > 1:
            said.append("several openings")
    runs = _runs(body[int(0.88 * len(body)) : max(int(0.96 * len(body)), int(0.88 * len(body)) + 1)])
    if runs >= 2:
        said.append("standing on legs" if runs > 2 else "two legs below")
    return tuple(said)


def _runs(rows: Mask) -> int:
    """Return the usual number of separate stretches in `rows`."""
    starts = np.diff(np.pad(rows, ((0, 0), (1, 0))).astype(np.int8), axis=1) == 1
    return int(np.median(starts.sum(axis=1)))


def _symmetry(body: Mask) -> tuple[str, ...]:
    mirrored = body[:, ::-1]
    return ("symmetric",) if (body & mirrored).sum() / (body | mirrored).sum() > 0.94 else ()
