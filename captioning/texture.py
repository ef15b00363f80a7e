"""Measures of a surface: contrast, edge directions, repeats, and the marks that stand on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from captioning.ground import Mask
from captioning.hull import solidity
from captioning.lab import Lab

Floats = npt.NDArray[np.float64]
_MOST_MARKS = 16


@dataclass(frozen=True, slots=True)
class Directions:
    """Which way edges run.

    Attributes:
        two: Concentration on one axis, 0..1; stripes.
        axis: Direction across those stripes in degrees, 0 = vertical stripes, 90 = horizontal.
        four: Concentration on two axes at right angles, 0..1; checks.
        four_axis: Direction of one of the two, degrees, 0..90.
        core: Share of the edges within 12 degrees of `axis`: stripes lie on it, chevrons to either side.
    """

    two: float
    axis: float
    four: float
    four_axis: float
    core: float


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands on the ground colour.

    Attributes:
        count: Separate marks.
        roundness: Median of how well a mark fills the disc of its bounding box, 1 = a disc; marks that
            the edge cuts do not count.
        convexity: Share of their convex hulls such marks fill: chips and dots high, flowers lower.
        evenness: How alike their sizes are, 1 = all alike.
        hues: Distinct colours among them.
        width: Usual stroke width in pixels.
        cover: Share of the surface they cover.
    """

    count: int = 0
    roundness: float = 0.0
    convexity: float = 0.0
    evenness: float = 0.0
    hues: int = 0
    width: float = 0.0
    cover: float = 0.0


def smooth(lab: Lab, mask: Mask, sigma: float) -> Lab:
    """Return a Gaussian blur that sees only the pixels of `mask`, worked out on a coarser grid."""
    step = max(1, int(sigma // 4))
    weight = mask.astype(np.float32)
    layers = np.stack([weight, *(np.where(mask, lab[..., c], 0) for c in range(3))])
    h, w = (-(-n // step) * step for n in mask.shape)
    padded = np.pad(layers, ((0, 0), (0, h - mask.shape[0]), (0, w - mask.shape[1])))
    coarse = padded.reshape(4, h // step, step, w // step, step).mean(axis=(2, 4))
    blurred = ndimage.gaussian_filter(coarse, (0, sigma / step, sigma / step), truncate=3)
    ratio = blurred[1:] / np.maximum(blurred[0], 1e-3)
    y, x = ((np.arange(n) + 0.5) / step - 0.5 for n in mask.shape)
    grid = np.meshgrid(y, x, indexing="ij")
    return np.stack([ndimage.map_coordinates(layer, grid, order=1, mode="nearest") for layer in ratio], axis=-1)


def edge_tensor(detail: Lab) -> npt.NDArray[np.float32]:
    """Return the structure tensor of a colour picture as (h, w, 2): strength cos and sin of the doubled angle.

    Source: Di Zenzo, "A note on the gradient of a multi-image", 1986.
    """
    xx = np.zeros(detail.shape[:2], np.float32)
    yy, xy = xx.copy(), xx.copy()
    for c in range(3):
        gx = ndimage.gaussian_filter(detail[..., c], 1.0, order=(0, 1))
        gy = ndimage.gaussian_filter(detail[..., c], 1.0, order=(1, 0))
        xx += gx * gx
        yy += gy * gy
        xy += gx * gy
    return np.stack([xx - yy, 2 * xy], axis=-1)


def directions(tensor: npt.NDArray[np.float32], inner: Mask) -> Directions:
    """Return how edges concentrate on directions.

    Source: mean resultant lengths of doubled and quadrupled angles (Mardia, Jupp, "Directional Statistics").
    """
    chosen = tensor[inner]
    weight = np.sqrt(np.hypot(chosen[:, 0], chosen[:, 1]))
    weight = np.where(weight > 0.35 * np.percentile(weight, 95), weight, 0)
    angle = np.arctan2(chosen[:, 1], chosen[:, 0])
    total = max(float(weight.sum()), 1e-6)
    one = (weight * np.exp(1j * angle)).sum() / total
    both = (weight * np.exp(2j * angle)).sum() / total
    near = np.cos(angle - np.angle(one)) > np.cos(np.radians(24))
    return Directions(
        float(abs(one)),
        float(np.degrees(np.angle(one)) / 2 % 180),
        float(abs(both)),
        float(np.degrees(np.angle(both)) / 4 % 90),
        float(weight[near].sum() / total),
    )


class Repeats:
    """The autocorrelation of a surface's detail over the pixels of a mask."""

    def __init__(self, detail: Lab, inner: Mask) -> None:
        points = detail[inner] - detail[inner].mean(axis=0)
        # Along the strongest colour difference: the ink against the ground.
        _, axes = np.linalg.eigh(points.T @ points)
        ink = np.zeros(inner.shape, np.float32)
        ink[inner] = points @ axes[:, -1]
        shape = (2 * inner.shape[0], 2 * inner.shape[1])
        shared = np.fft.fftshift(np.fft.irfft2(np.abs(np.fft.rfft2(inner.astype(np.float32), shape)) ** 2, shape))
        value = np.fft.fftshift(np.fft.irfft2(np.abs(np.fft.rfft2(ink, shape)) ** 2, shape))
        self._alike = np.where(shared > 0.12 * shared.max(), value / np.maximum(shared, 1), -1.0)
        self._alike /= max(float(self._alike.max()), 1e-9)
        self._extent = inner.shape

    def along(self, degrees: float, times: float) -> float:
        """Return the height of the first repeat along a direction, -1 when it does not come `times` times."""
        h, w = self._alike.shape
        reach = np.hypot(self._extent[0] * np.sin(np.radians(degrees)), self._extent[1] * np.cos(np.radians(degrees)))
        lag = np.arange(1, max(4, reach / times))
        y, x = h // 2 + lag * np.sin(np.radians(degrees)), w // 2 + lag * np.cos(np.radians(degrees))
        line = ndimage.map_coordinates(self._alike, [y, x], order=1, mode="nearest")
        rising = np.diff(line) > 0
        if not rising.any():
            return -1.0
        valley = int(rising.argmax())
        return float(line[valley:].max()) if line[valley] < 0.3 else -1.0


def marks(lab: Lab, detail: Lab, inner: Mask) -> Marks:
    """Return what stands on the ground colour of a surface."""
    middle = np.median(detail[inner], axis=0)
    away = np.linalg.norm((detail - middle) * np.array([0.8, 1, 1], np.float32), axis=-1)
    marked = (away > max(6.0, float(np.percentile(away[inner], 95)) * 0.45)) & inner
    if marked.sum() > 0.5 * inner.sum():
        marked = inner & ~marked
    labels, count = ndimage.label(marked)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    kept = np.flatnonzero(areas >= 6) + 1
    if not len(kept):
        return Marks()
    kept = kept[np.argsort(-areas[kept - 1], kind="stable")][: 3 * _MOST_MARKS]
    boxes = ndimage.find_objects(labels)
    size = areas[kept - 1].astype(np.float64)
    spans = np.array([[s.stop - s.start for s in boxes[k - 1]] for k in kept], np.float64)
    # A disc fills pi/4 of its bounding box, and the box is square.
    fill = np.minimum(size / (np.pi / 4 * spans.prod(axis=1)), 1.2)
    roundness = np.minimum(fill, 1 / np.maximum(fill, 1e-3)) * spans.min(axis=1) / spans.max(axis=1)
    # A mark the edge cuts has lost its shape; the smallest are crumbs.
    core = ndimage.binary_erosion(np.pad(inner, 1), np.ones((3, 3), np.bool_))[1:-1, 1:-1]
    rim = inner & ~core & marked
    free = ~np.isin(kept, np.unique(labels[rim]))
    if free.sum() < 2:
        free[:] = True
    whole = size[free][: max(2, 3 * int(free.sum()) // 4)]
    convex = [solidity(labels[boxes[k - 1]] == k) for k in kept[free][:_MOST_MARKS] if areas[k - 1] >= 12]
    means = np.stack([ndimage.mean(lab[..., c], labels, kept) for c in range(3)], axis=1).astype(np.float64)
    thick = ndimage.distance_transform_edt(np.pad(marked, 1))[1:-1, 1:-1]
    ridge = np.sort(thick[marked & (thick >= ndimage.maximum_filter(thick, 3))])
    return Marks(
        count=len(kept),
        roundness=float(np.median(roundness[free])),
        convexity=float(np.median(convex)) if convex else 0.0,
        evenness=max(0.0, 1 - float(np.std(np.sqrt(whole)) / np.mean(np.sqrt(whole)))),
        hues=_distinct(means, size),
        width=2 * float(ridge[np.searchsorted(np.cumsum(ridge**2), 0.5 * (ridge**2).sum())]),
        cover=float(marked.sum() / inner.sum()),
    )


def _distinct(means: Floats, areas: Floats) -> int:
    """Count colours among marks that differ clearly, each with a tenth of the marked area."""
    groups: list[tuple[Floats, float]] = []
    for mean, area in zip(means, areas, strict=True):
        for at, (centre, sum_) in enumerate(groups):
            if np.linalg.norm((centre - mean) * [0.5, 1, 1]) < 16:
                groups[at] = (centre, sum_ + float(area))
                break
        else:
            groups.append((mean, float(area)))
    return sum(area > 0.1 * areas.sum() for _, area in groups)


def slope(base: Lab, inner: Mask) -> float:
    """Return how far the smooth colour moves steadily from one end of the surface to the other, Lab units; else 0.

    Lightness counts little, since light falls off on every round body.
    """
    y, x = np.nonzero(inner)
    points = base[inner] * np.array([0.5, 1, 1], np.float32)
    terms = np.stack([np.ones_like(x), x, y], axis=1).astype(np.float32)
    on = np.ones(len(points), np.bool_)
    for _ in range(3):
        # Caps, handles and trims drop out of the fit.
        weights = np.linalg.lstsq(terms[on], points[on], rcond=None)[0]
        off = np.linalg.norm(points - terms @ weights, axis=1)
        on = off <= max(6.0, 2 * float(np.median(off)))
    fitted = terms[on] @ weights
    spread = float(((points[on] - points[on].mean(axis=0)) ** 2).sum())
    if on.mean() < 0.6 or spread <= 0 or 1 - float((off[on] ** 2).sum()) / spread < 0.65:
        return 0.0
    main = weights[1:][np.abs(weights[1:]).sum(axis=1).argmax()]
    low, high = np.percentile(fitted @ (main / max(float(np.linalg.norm(main)), 1e-6)), [3, 97])
    return float(high - low)
