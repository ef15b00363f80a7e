"""What moves, in words, from the frames of a video: turns, swings, bounces, drifts, a sweep of light, stillness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from captioning import ground
from captioning.lab import picture_lab

Series = npt.NDArray[np.float64]
Kind = Literal["still", "slow turn", "fast turn", "swing", "bounce", "light sweep", "drift", "growth", "scene"]

_SIDE = 96

PHRASES: dict[Kind, str] = {
    "still": "Nothing moves: the film shows it standing still.",
    "slow turn": "In the film it turns slowly on its own axis, showing its sides.",
    "fast turn": "In the film it spins quickly on its own axis, several times round.",
    "swing": "In the film it swings and rocks from side to side.",
    "bounce": "In the film it bounces up and down, hopping off the ground.",
    "light sweep": "In the film it stays in place while a band of light sweeps across it.",
    "drift": "In the film it glides across the picture.",
    "growth": "In the film it grows and shrinks, or the camera closes in.",
    "scene": "The film shows a scene in which things move about.",
}


@dataclass(frozen=True, slots=True)
class Motion:
    """What the decision rests on; lengths are shares of the picture's longer side.

    Attributes:
        change: Mean change between neighbouring frames over what moves at all, Lab units.
        moving: Share of the picture that changes in the course of the film.
        across, down: Range of the subject's centre.
        lean: Range of the subject's tilt, degrees: how far its upper half moves against its lower.
        rigid: How little the subject's area varies, 1 = not at all; what turns shows other sides.
        growth: Largest over smallest height of the subject, less 1.
        sweep: How steadily a brightening travels one way across the subject, 0..1.
        plain: Share of the frames that show a subject before an even background.
        returns: Least change between frames some way apart over the greatest; near 0, it has come round.
    """

    change: float
    moving: float
    across: float
    down: float
    lean: float
    rigid: float
    growth: float
    sweep: float
    plain: float
    returns: float


def describe_motion(frames: Sequence[Image.Image]) -> str:
    """Return one sentence about what moves in `frames`, given in the order of time.

    A single frame is a still.
    """
    if len(frames) < 2:
        return PHRASES["still"]
    return PHRASES[decide(measure(frames))]


def decide(m: Motion) -> Kind:
    """Return the kind of motion that explains the measures."""
    if m.moving < 0.012 or m.change < 1.6:
        return "still"
    if m.plain < 0.6 or (m.moving > 0.8 and m.across > 0.05):
        return "scene"
    if m.sweep > 0.85 and max(m.across, m.down) < 0.02 and m.lean < 2:
        return "light sweep"
    if m.down > 0.06 and m.down > 2 * m.across:
        return "bounce"
    if m.lean > 2 and m.rigid > 0.96 and m.growth < 0.3 and m.across > 0.02:
        return "swing"
    if m.across > 0.2:
        return "drift"
    if m.growth > 0.35 and m.lean < 4 and m.rigid < 0.75:
        return "growth"
    return "fast turn" if m.returns < 0.25 else "slow turn"


def measure(frames: Sequence[Image.Image]) -> Motion:
    """Measure what changes between at least two frames."""
    size = frames[0].size
    stack = np.stack([picture_lab(frame.resize(size) if frame.size != size else frame, _SIDE) for frame in frames])
    active = np.linalg.norm(stack - np.median(stack, axis=0), axis=-1).max(axis=0) > 7
    if not active.any():
        return Motion(0, 0, 0, 0, 0, 1, 0, 0, 1, 1)
    splits = [ground.split(frame) for frame in stack]
    masks = [split.subject for split in splits]
    places = np.array([_place(mask) for mask in masks])
    areas = np.array([mask.sum() for mask in masks])
    apart = _apart(stack[:, active])
    return Motion(
        change=float(apart[0]),
        moving=float(active.mean()),
        across=_range(places[:, 0]) / _SIDE,
        down=_range(places[:, 1]) / _SIDE,
        lean=_range(places[:, 2]),
        rigid=float(1 - areas.std() / areas.mean()),
        growth=float(np.percentile(places[:, 3], 90) / max(np.percentile(places[:, 3], 10), 1) - 1),
        sweep=_sweep(stack[..., 0], masks),
        plain=float(np.mean([split.plain for split in splits])),
        returns=float(apart[2:].min() / apart.max()) if len(apart) > 3 else 1.0,
    )


def _range(values: Series) -> float:
    low, high = np.percentile(values, [4, 96])
    return float(high - low)


def _place(mask: ground.Mask) -> tuple[float, float, float, float]:
    """Return centre x, centre y, tilt in degrees and height of a subject."""
    y, x = np.nonzero(mask)
    top, bottom = np.percentile(y, [1, 99])
    middle = (top + bottom) / 2
    upper, lower = y < middle, y >= middle
    tilt = 0.0
    if upper.any() and lower.any():
        rise = y[lower].mean() - y[upper].mean()
        tilt = float(np.degrees(np.arctan2(x[upper].mean() - x[lower].mean(), max(rise, 1))))
    return float(x.mean()), float(y.mean()), tilt, float(bottom - top + 1)


def _apart(pixels: npt.NDArray[np.float32]) -> Series:
    """Return the mean Lab distance between frames one, two, ... apart, up to half the film."""
    lags = range(1, max(2, len(pixels) // 2 + 1))
    return np.array([np.linalg.norm(pixels[lag:] - pixels[:-lag], axis=-1).mean() for lag in lags], np.float64)


def _sweep(lightness: npt.NDArray[np.float32], masks: Sequence[ground.Mask]) -> float:
    """Return how steadily a brightening travels across the subject, 0..1."""
    body = np.mean(masks, axis=0) > 0.5
    if body.sum() < 50:
        return 0.0
    columns = np.flatnonzero(body.sum(axis=0) > 3)
    weight = body[:, columns].sum(axis=0)
    profile = np.where(body, lightness, 0).sum(axis=1)[:, columns] / weight
    # What a column has above its own darkest moments: a print has none, light that passes has much.
    gain = profile - np.percentile(profile, 20, axis=0)
    lit = gain.max(axis=1) > 8
    if lit.sum() < 4:
        return 0.0
    time = np.arange(len(gain))[lit]
    centre = (gain[lit] ** 2 * columns).sum(axis=1) / (gain[lit] ** 2).sum(axis=1)
    if np.ptp(centre) < 0.3 * len(columns):
        return 0.0
    return float(abs(np.corrcoef(time, centre)[0, 1]))
