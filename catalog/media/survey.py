"""The first pass over a video: glances at all of a short one, at key frames of a long one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from pydantic import BaseModel, ConfigDict, Field

from catalog.media.limits import MediaLimits
from catalog.media.looks import Look, Looker
from catalog.media.video import Film

SEEK_SECONDS = 4.0
"""From this gap on a seek to a key frame is cheaper than decoding what lies between."""
CLOSE = 1e-4
"""Seconds by which time stamps of one frame may differ through rounding."""

_WHOLE_PIXELS = 400_000_000
"""A video of no more pixels in all its frames is looked at whole: up to a second or two of one core."""
_KEPT_PIXELS = 24_000_000
"""One of no more is kept decoded while it is looked at, so that nothing is decoded twice."""
_LOOKS = 480
"""Glances at most at a video that is decoded whole, and half as many key frames."""


class FrameBudget(BaseModel):
    """How much of a video is shown to a captioner, and how much is spent on choosing it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frames: int = Field(12, ge=1, le=512)
    """Frames sampled from a video at most; changes the captions of videos."""
    pixels: int = Field(6_000_000, ge=4096)
    """Pixels of all these frames together; larger frames are made smaller. Changes the captions of videos."""
    seconds: float = Field(14_400.0, gt=0)
    """What comes later in a video is not looked at. Changes the captions of videos."""
    decode_seconds: float = Field(60.0, gt=0)
    """Wall clock spent on one video; the frames found by then stand, at least one."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What looking at a video gave.

    Attributes:
        looks: Ascending by time.
        seconds: Length of the video.
        end: Bounds what is sampled: the video's end, or that of what was looked at.
        rate: Mean frames a second.
        keys: Whether these are key frames only.
    """

    looks: tuple[Look, ...]
    seconds: float
    end: float
    rate: float
    keys: bool


def survey(film: Film, limits: MediaLimits, budget: FrameBudget) -> Survey:
    """Look at a film: at all of a short one, at key frames of a long one that has enough of them."""
    for _ in range(2):
        said, pixels = film.length, film.length * film.rate * film.pixels
        many = said * film.rate > limits.max_decoded_frames
        if pixels <= _WHOLE_PIXELS and not many:
            break
        found = _by_keys(film, limits, budget)
        if found.seconds < said:  # a header that lies: look again, knowing better
            film.length = found.seconds
        elif len(found.looks) >= 2 * budget.frames or (found.looks and many):
            return found
        else:
            break
    film.rewind()
    return _whole(film, limits, budget, keep=film.length * film.rate * film.pixels <= _KEPT_PIXELS)


def _whole(film: Film, limits: MediaLimits, budget: FrameBudget, *, keep: bool) -> Survey:
    looker, looks = Looker(), list[Look]()
    apart = min(film.length, budget.seconds) / _LOOKS
    film.left = limits.max_decoded_frames
    count, end, following, enough = 0, 0.0, 0.0, False
    for shot in film.shots():
        if shot.seconds > budget.seconds:
            enough = True
            break
        count += 1
        end = max(end, shot.seconds + min(shot.lasts or 1 / film.rate, max(10 / film.rate, 10.0)))
        # Time stamps that go back, as where two streams were joined, would put frames out of order.
        if not looks or (shot.seconds >= following - CLOSE and shot.seconds > looks[-1].seconds):
            looks.append(looker.look(shot, keep=keep and count * film.pixels <= 2 * _KEPT_PIXELS))
            following = shot.seconds + apart
    if film.ended or not (
        enough or film.late or film.left <= 0
    ):  # what was decoded is the truth about the length, whatever the header says
        counted = count / end if end else film.rate
        rate = film.rate if abs(counted - film.rate) <= 0.02 * film.rate else counted
        return Survey(tuple(looks), end, end, rate, keys=False)
    return Survey(tuple(looks), max(film.length, end), min(end, budget.seconds), film.rate, keys=False)


def _by_keys(film: Film, limits: MediaLimits, budget: FrameBudget) -> Survey:
    looker, looks = Looker(), list[Look]()
    until = min(film.length, budget.seconds)
    apart = until / (_LOOKS // 2)
    seeks, tries = apart > SEEK_SECONDS, 0
    film.rewind()
    while not film.late:
        jumped = False
        for shot in film.key_shots():
            tries += 1
            if shot.seconds > budget.seconds or tries > limits.max_decoded_frames:
                break
            if looks and shot.seconds <= looks[-1].seconds:
                continue  # a seek led to a key frame seen before: read on to the next
            if not looks or shot.seconds >= looks[-1].seconds + apart - CLOSE or seeks:
                looks.append(looker.look(shot, keep=False))
                if seeks:
                    seeks = jumped = film.seek(shot.seconds + apart)
                    if jumped:
                        break
        if not jumped:
            break
    end = looks[-1].seconds if looks else 0.0
    gaps = [b.seconds - a.seconds for a, b in pairwise(looks)]
    # Beyond the last key frame lies at most about one more gap; a header that says much more is not believed.
    usual = max([*gaps, 10.0])
    seconds = film.length if film.length - end <= 3 * usual or end >= budget.seconds - usual else end + 1 / film.rate
    return Survey(tuple(looks), seconds, min(seconds, budget.seconds), film.rate, keys=True)
