"""What a glance at a frame tells, and where a film cuts: small histograms and how sharp the frame is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.media.video import Shot

Planes = NDArray[np.uint8]

SIDE = 96
"""Longer side, in pixels, at which a frame is looked at."""

_CUT_SHARE = 0.35
"""Share of the pixels that change their colour class at a cut."""
_CUT_CHANGE = 9.0
"""Mean change of a pixel at a cut, of 255."""
_OUTSTANDS = 3.0
"""How much more than its neighbours a cut changes: a film that moves fast all the time has none."""
_AROUND = 4
"""Neighbours on either side that are asked."""
_SHORTEST = 0.4
"""Seconds of the shortest scene; a flash of light is none."""
_BLANK = 4.0
"""Standard deviation of the luma, of 255, below which a frame shows nothing."""


@dataclass(frozen=True, slots=True)
class Look:
    """One glance.

    Attributes:
        seconds: From the start.
        number: Index in the stream, where it was counted.
        share: Pixels that changed their colour class since the look before, 0 to 1.
        change: Mean change of a pixel since the look before, of 255.
        sharpness: Variance of the Laplacian of the luma, 0 for a blank frame.
        shot: The frame itself, where it was kept.
    """

    seconds: float
    number: int | None
    share: float
    change: float
    sharpness: float
    shot: Shot | None = None

    @property
    def blank(self) -> bool:
        """Whether it shows one even tone: black, white, a fade."""
        return self.sharpness == 0.0


class Looker:
    """Looks at frames in the order of time."""

    def __init__(self) -> None:
        from av.video.reformatter import VideoReformatter

        self._scaler = VideoReformatter()  # keeps its tables from frame to frame
        self._planes: Planes | None = None
        self._classes: NDArray[np.float32] | None = None

    def look(self, shot: Shot, *, keep: bool) -> Look:
        """Glance at a frame."""
        planes = self._small(shot)
        classes = _histogram(planes)
        share = change = 0.0
        if self._planes is not None and self._classes is not None:
            share = float(np.abs(classes - self._classes).sum() / 2)
            if planes.shape == self._planes.shape:
                change = float(np.abs(planes.astype(np.int16) - self._planes).mean())
            else:
                share = change = 255.0  # another size is another scene
        self._planes, self._classes = planes, classes
        return Look(shot.seconds, shot.number, share, change, _sharpness(planes[0]), shot if keep else None)

    def _small(self, shot: Shot) -> Planes:
        frame = shot.frame
        scale = SIDE / max(frame.width, frame.height)
        width, height = (max(4, round(side * scale)) for side in (frame.width, frame.height))
        small = self._scaler.reformat(frame, width, height, "yuv444p", interpolation="AREA")
        return np.asarray(small.to_ndarray(), np.uint8)  # (3, h, w)


def cuts(looks: Sequence[Look]) -> list[float]:
    """Return the moments at which a new scene begins, the first look's among them, ascending."""
    if not looks:
        return []
    starts = [looks[0].seconds]
    change = np.array([look.change for look in looks])
    for at, look in enumerate(looks[1:], start=1):
        if look.share < _CUT_SHARE or look.change < _CUT_CHANGE:
            continue
        around = np.concatenate([change[max(1, at - _AROUND) : at], change[at + 1 : at + 1 + _AROUND]])
        usual = float(np.median(around)) if len(around) else 0.0
        # Looks seconds apart, as those of key frames are, differ all the time: there the classes alone decide.
        dense = looks[-1].seconds - looks[0].seconds <= 0.5 * len(looks)
        if (not dense or look.change >= _OUTSTANDS * usual) and look.seconds - starts[-1] >= _SHORTEST:
            starts.append(look.seconds)
    return starts


def _histogram(planes: Planes) -> NDArray[np.float32]:
    """Return the shares of 16 tones and of 8 x 8 colours, half each."""
    size = planes[0].size
    tones = np.bincount((planes[0] >> 4).ravel(), minlength=16)
    # Colour lies close to the middle: a class is 16 wide, and the ends take the rest.
    classes = np.clip((planes[1:].astype(np.int16) - 64) >> 4, 0, 7)
    colours = np.bincount((8 * classes[0] + classes[1]).ravel(), minlength=64)
    shares: NDArray[np.float32] = np.concatenate([tones, colours]).astype(np.float32) / (2 * size)
    return shares


def _sharpness(luma: Planes) -> float:
    light = luma.astype(np.float32)
    if light.std() < _BLANK:
        return 0.0
    inner = light[1:-1, 1:-1]
    edges = light[:-2, 1:-1] + light[2:, 1:-1] + light[1:-1, :-2] + light[1:-1, 2:] - 4 * inner
    return max(float(edges.var()), 1e-6)
