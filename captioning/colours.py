"""Named dominant colours of a set of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from captioning.lab import Lab, cells, chroma, to_lab
from captioning.vocabulary import COLOURS

_SAMPLE = 4000


@dataclass(frozen=True, slots=True)
class Colour:
    """A named colour, the share of the pixels that have it, and its mean Lab."""

    name: str
    share: float
    lab: tuple[float, float, float]


@lru_cache(maxsize=1)
def _names() -> tuple[tuple[str, ...], Lab]:
    pairs = [(name, value) for name, values in COLOURS.items() for value in values.split()]
    codes = np.array([[int(value[i : i + 2], 16) for i in (1, 3, 5)] for _, value in pairs], np.uint8)
    return tuple(name for name, _ in pairs), _naming_space(to_lab(codes))


def _naming_space(lab: Lab) -> Lab:
    """Stretch what is nearly grey, and the dark: a faint hue decides the name of a muted colour."""
    out = np.array(lab, np.float32)
    c = np.maximum(chroma(out), 1e-6)
    seen = c * (1 + np.clip((45 - out[..., 0]) / 45, 0, 1))
    out[..., 1:] *= (22 * np.log1p(seen / 7) / c)[..., None]
    return out


def name_of(lab: npt.ArrayLike) -> str:
    """Return the name of one Lab colour.

    The distance takes lightness and colour apart (HyAB), which names large differences better than
    the Euclidean one. Source: Abasi, Tehran, Fairchild, "Distance metrics for very large color
    differences", 2020.
    """
    names, centres = _names()
    away = centres - _naming_space(np.asarray(lab, np.float32))
    distance = 0.7 * np.abs(away[:, 0]) + np.hypot(away[:, 1], away[:, 2])
    return names[int(distance.argmin())]


def palette(pixels: Lab, clusters: int = 7) -> list[Colour]:
    """Return the named colours of `pixels` (n, 3), largest share first; shares sum to 1.

    Shades of one surface (the same hue, lighter and darker) count as one colour, named by its commonest shade.
    """
    step = max(1, len(pixels) // _SAMPLE)
    sample = pixels[::step]
    centres, shares = _cluster(sample, clusters)
    groups = _join_shades(centres, shares)
    found: dict[str, Colour] = {}
    for group in groups:
        # The commonest shade names the group; highlights and shadows do not pull the name away.
        weight = shares[group]
        centre = (centres[group] * weight[:, None]).sum(axis=0) / weight.sum()
        main = centres[group][weight.argmax()]
        name = name_of(0.6 * main + 0.4 * centre)
        share = float(weight.sum())
        before = found.get(name)
        kept = before.lab if before and before.share >= share else tuple(float(v) for v in centre)
        found[name] = Colour(name, share + (before.share if before else 0.0), (kept[0], kept[1], kept[2]))
    return sorted(found.values(), key=lambda c: (-c.share, c.name))


def _cluster(sample: Lab, clusters: int) -> tuple[Lab, npt.NDArray[np.float32]]:
    """Return up to `clusters` centres (k, 3) and their shares (k,); k-means from the fullest cells, no chance."""
    scale = np.array([0.7, 1, 1], np.float32)
    points = sample * scale
    cell, counts = cells(points, 9)
    sums = np.stack([np.bincount(cell, points[:, c], len(counts)) for c in range(3)], axis=1)
    means = sums / counts[:, None]
    # Start from full cells far from those chosen already.
    chosen: list[int] = []
    away = np.full(len(counts), 50.0)
    for _ in range(min(clusters, len(counts))):
        best = int((np.sqrt(counts) * np.minimum(away, 50)).argmax())
        if away[best] < 9 and chosen:
            break
        chosen.append(best)
        away = np.minimum(away, np.linalg.norm(means - means[best], axis=1))
    centres = means[chosen]
    for _ in range(8):
        # Lloyd's steps over the cells, not the pixels: a few hundred points instead of thousands.
        nearest = ((means[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
        weight = np.bincount(nearest, counts, len(centres))
        full = weight > 0
        centres = np.stack([np.bincount(nearest, means[:, c] * counts, len(centres)) for c in range(3)], axis=1)
        centres = centres[full] / weight[full, None]
    nearest = ((means[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
    shares = np.bincount(nearest, counts, len(centres)) / counts.sum()
    return (centres / scale).astype(np.float32), shares.astype(np.float32)


def _join_shades(centres: Lab, shares: npt.NDArray[np.float32]) -> list[npt.NDArray[np.int64]]:
    """Group clusters that are light and shadow of one colour, starting from the largest."""
    left = list(np.argsort(-shares, kind="stable"))
    groups = []
    while left:
        seed = left.pop(0)
        group = [seed]
        for other in list(left):
            if _same_surface(centres[seed], centres[other]):
                group.append(other)
                left.remove(other)
        groups.append(np.array(group, np.int64))
    return groups


def _same_surface(one: Lab, other: Lab) -> bool:
    """Whether two colours could be one surface in different light: chroma moves along with lightness."""
    dark, light = (one, other) if one[0] <= other[0] else (other, one)
    if light[0] - dark[0] > 24:
        return False
    # A surface in half the light keeps its hue and has about its chroma scaled like its lightness.
    expected = light[1:] * ((dark[0] + 12) / (light[0] + 12))
    return bool(min(np.hypot(*(dark[1:] - expected)), np.hypot(*(dark[1:] - light[1:]))) < 7.5)
