"""`sample_clip`: the frames of a video that tell most, a few of every scene, within a budget.

A short video is decoded once to see where it cuts; of a long one only key frames are. Frames are then spread over
the scenes by their length, and where the frame in the middle of its stretch is blank or blurred a better one nearby
takes its place. The same bytes give the same frames.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from itertools import pairwise
from pathlib import Path

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import MediaError
from catalog.media.frames import shown_size, upright
from catalog.media.limits import MediaLimits
from catalog.media.looks import Look, Looker, cuts
from catalog.media.video import Film, Shot, open_film

_WHOLE_PIXELS = 400_000_000
"""A video of no more pixels in all its frames is looked at whole: up to a second or two of one core."""
_KEPT_PIXELS = 24_000_000
"""One of no more is kept decoded while it is looked at, so that nothing is decoded twice."""
_LOOKS = 480
"""Glances at most at a video that is decoded whole, and half as many key frames."""
_SEEK_SECONDS = 4.0
"""From this gap on a seek to a key frame is cheaper than decoding what lies between."""
_NEAR_SECONDS = 0.5
"""How far a sharper frame may lie away."""
_BLURRED, _GOOD = 0.5, 0.7
"""A frame below the first share of the sharpest nearby is given up for one of at least the second."""
_CLOSE = 1e-4
"""Seconds by which time stamps of one frame may differ through rounding."""


class FrameBudget(BaseModel):
    """How much of a video is shown to a captioner, and how much is spent on choosing it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frames: int = Field(12, ge=1, le=512)
    """Frames sampled from a video at most; changes the captions of videos."""
    pixels: int = Field(12_000_000, ge=4096)
    """Pixels of all these frames together; larger frames are made smaller. Changes the captions of videos."""
    seconds: float = Field(14_400.0, gt=0)
    """What comes later in a video is not looked at. Changes the captions of videos."""
    decode_seconds: float = Field(60.0, gt=0)
    """Wall clock spent on one video; the frames found by then stand, at least one."""


@dataclass(frozen=True, slots=True)
class SampledVideo:
    """Frames of a video, and the truth about them.

    Attributes:
        frames: Seconds from the start and upright RGB picture, ascending, all of one size.
        numbers: Index of each in the stream; where it was not counted, its time times `rate`, rounded.
        seconds: Length of the video.
        rate: Mean frames a second.
        scene_starts: Seconds at which each scene that shows anything begins, ascending; the first is 0.
    """

    frames: tuple[tuple[float, Image.Image], ...]
    numbers: tuple[int, ...]
    seconds: float
    rate: float
    scene_starts: tuple[float, ...]


def sample_clip(ref: str, root: Path, limits: MediaLimits, budget: FrameBudget | None = None) -> SampledVideo:
    """Return the frames of a video that tell most.

    A video of fewer frames than the budget gives each of them once. One that is cut off or damaged gives what there
    is.

    Args:
        ref: As in `open_media`: a file, a member of an archive, or an http(s) URL fetched before.
        root: Workspace root.
        limits: What is refused, and how many frames are decoded to look at the video.
        budget: Frames, pixels and seconds.

    Raises:
        MediaError: When it is missing, too large, holds no video, or not one frame can be decoded.
    """
    budget = budget or FrameBudget()
    with open_film(ref, root, limits, budget.decode_seconds) as film:
        seen = _survey(film, limits, budget)
        if not seen.looks:
            raise MediaError(f"video {ref!r}: not one frame could be decoded")
        scenes = _scenes(seen)
        wanted = _wanted(seen, scenes, budget.frames)
        shots = list(_fetched(film, wanted, seen))
        if not shots:
            raise MediaError(f"video {ref!r}: none of the frames chosen could be decoded again")
        size = shown_size(shots[0].frame, film.stretch, budget.pixels / len(shots))
        return SampledVideo(
            tuple((shot.seconds, upright(shot.frame, size)) for shot in shots),
            _numbers(shots, seen.rate),
            seen.seconds,
            seen.rate,
            tuple(start for start, _ in scenes),
        )


@dataclass(frozen=True, slots=True)
class _Survey:
    """What looking at a video gave.

    `end` bounds what is sampled: the video's end, or that of what was looked at.
    """

    looks: tuple[Look, ...]
    seconds: float
    end: float
    rate: float
    keys: bool


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A frame to fetch: that of a look, or else the one shown at a moment."""

    seconds: float
    look: Look | None


def _survey(film: Film, limits: MediaLimits, budget: FrameBudget) -> _Survey:
    said = film.length
    pixels = said * film.rate * film.pixels
    if pixels > _WHOLE_PIXELS:
        survey = _by_keys(film, limits, budget)
        if len(survey.looks) >= 2 * budget.frames or (survey.looks and said * film.rate > limits.max_decoded_frames):
            return survey
        film.rewind()
    return _whole(film, limits, budget, keep=pixels <= _KEPT_PIXELS)


def _whole(film: Film, limits: MediaLimits, budget: FrameBudget, *, keep: bool) -> _Survey:
    looker, looks = Looker(), list[Look]()
    apart = min(film.length, budget.seconds) / _LOOKS
    count, end, following, enough = 0, 0.0, 0.0, False
    for shot in film.shots():
        if shot.seconds > budget.seconds:
            enough = True
            break
        count += 1
        lasts = float((shot.frame.duration or 0) * (shot.frame.time_base or 0)) or 1 / film.rate
        end = max(end, shot.seconds + min(lasts, max(10 / film.rate, 10.0)))
        # Time stamps that go back, as where two streams were joined, would put frames out of order.
        if not looks or (shot.seconds >= following - _CLOSE and shot.seconds > looks[-1].seconds):
            looks.append(looker.look(shot, keep=keep and count * film.pixels <= 2 * _KEPT_PIXELS))
            following = shot.seconds + apart
        if count >= limits.max_decoded_frames:
            enough = True
            break
    if film.ended or not enough:  # what was decoded is the truth about the length, whatever the header says
        counted = count / end if end else film.rate
        rate = film.rate if abs(counted - film.rate) <= 0.02 * film.rate else counted
        return _Survey(tuple(looks), end, end, rate, keys=False)
    return _Survey(tuple(looks), max(film.length, end), min(end, budget.seconds), film.rate, keys=False)


def _by_keys(film: Film, limits: MediaLimits, budget: FrameBudget) -> _Survey:
    looker, looks = Looker(), list[Look]()
    until = min(film.length, budget.seconds)
    apart = until / (_LOOKS // 2)
    seeks, tries = apart > _SEEK_SECONDS, 0
    film.rewind()
    while not film.late:
        jumped = False
        for shot in film.key_shots():
            tries += 1
            if shot.seconds > budget.seconds or tries > limits.max_decoded_frames:
                break
            if looks and shot.seconds <= looks[-1].seconds:
                continue  # a seek led to a key frame seen before: read on to the next
            if not looks or shot.seconds >= looks[-1].seconds + apart - _CLOSE or seeks:
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
    return _Survey(tuple(looks), seconds, min(seconds, budget.seconds), film.rate, keys=True)


def _scenes(seen: _Survey) -> list[tuple[float, float]]:
    """Return start and end of every scene that shows anything; where none does, of all."""
    starts = [0.0, *cuts(seen.looks)[1:]]
    scenes = [(a, b) for a, b in zip(starts, [*starts[1:], max(seen.end, starts[-1])], strict=True)]
    times = [look.seconds for look in seen.looks]

    def shows(scene: tuple[float, float]) -> bool:
        return any(not look.blank for look in _within(seen.looks, times, *scene))

    return [scene for scene in scenes if shows(scene)] or scenes


def _wanted(seen: _Survey, scenes: Sequence[tuple[float, float]], count: int) -> list[_Wanted]:
    """Return the frames to fetch, ascending, each once."""
    times = [look.seconds for look in seen.looks]
    wanted: dict[float, _Wanted] = {}
    for (start, end), share in zip(scenes, shares([end - start for start, end in scenes], count), strict=True):
        for part in range(share):
            low = start + (end - start) * part / share
            high = start + (end - start) * (part + 1) / share
            moment = (low + high) / 2
            there = _within(seen.looks, times, low, high)
            if there:
                look = best_look(there, moment)
            elif seen.keys:  # no key frame lies in this stretch
                wanted[moment] = _Wanted(moment, None)
                continue
            else:
                look = seen.looks[max(0, bisect_right(times, moment + _CLOSE) - 1)]
            wanted[look.seconds] = _Wanted(look.seconds, look)
    return [wanted[seconds] for seconds in sorted(wanted)]


def shares(lengths: Sequence[float], count: int) -> list[int]:
    """Return how many of `count` frames each scene gets: one, and more by its length; the longest where they run out.

    Example:
        >>> shares([6.0, 3.0, 1.0], 5)
        [3, 1, 1]
        >>> shares([6.0, 3.0, 1.0], 2)
        [1, 1, 0]
    """
    longest = sorted(range(len(lengths)), key=lambda at: (-lengths[at], at))[:count]
    given = [0] * len(lengths)
    stretches = [(-lengths[at], at) for at in longest]
    for at in longest:
        given[at] = 1
    heapify(stretches)
    for _ in range(count - len(longest)):
        at = stretches[0][1]
        given[at] += 1
        heapreplace(stretches, (-lengths[at] / given[at], at))
    return given


def best_look(looks: Sequence[Look], moment: float) -> Look:
    """Return the look shown at a moment, or a better one of these where that one is blank or blurred."""
    shown = max((look for look in looks if look.seconds <= moment + _CLOSE), default=looks[0], key=lambda k: k.seconds)
    near = [look for look in looks if abs(look.seconds - moment) <= _NEAR_SECONDS] or [shown]
    if all(look.blank for look in near):
        near = list(looks)
    best = max(look.sharpness for look in near)
    if shown.sharpness >= _BLURRED * best:
        return shown
    good = [look for look in near if look.sharpness >= _GOOD * best]
    return min(good, key=lambda look: (abs(look.seconds - moment), look.seconds))


def _within(looks: Sequence[Look], times: Sequence[float], low: float, high: float) -> Sequence[Look]:
    """Return the looks of [low, high)."""
    return looks[bisect_right(times, low - _CLOSE) : bisect_right(times, high - _CLOSE)]


def _fetched(film: Film, wanted: Sequence[_Wanted], seen: _Survey) -> list[Shot]:
    """Return the wanted frames, ascending, each once; fewer where the wall clock is spent or the file is damaged."""
    kept = [want.look.shot for want in wanted if want.look is not None and want.look.shot is not None]
    if len(kept) == len(wanted):
        return kept
    return _keys(film, wanted) if seen.keys else _forward(film, wanted)


def _forward(film: Film, wanted: Sequence[_Wanted]) -> list[Shot]:
    found: list[Shot] = []
    film.rewind()
    seekable, position = True, 0.0
    shots = film.shots()
    held: Shot | None = None
    for want in wanted:
        if seekable and want.seconds - position > _SEEK_SECONDS:
            seekable, held = film.seek(want.seconds), None
            shots = film.shots()
            first = next(shots, None)
            if first is None or first.seconds > want.seconds + _CLOSE:
                film.rewind()
                shots, seekable = film.shots(), False
            else:
                held, seekable = first, seekable and first.seconds > position
        while held is None or held.seconds < want.seconds - _CLOSE:
            coming = next(shots, None)
            if coming is None:
                return found
            held = coming
            position = held.seconds
        if not found or held.seconds > found[-1].seconds:
            found.append(_counted(held, want.look))
    return found


def _keys(film: Film, wanted: Sequence[_Wanted]) -> list[Shot]:
    """Fetch key frames by seeks; a moment between two of them by decoding from the one before."""
    found: list[Shot] = []
    for want in wanted:
        if not film.seek(want.seconds + _CLOSE):
            film.rewind()
        shown: Shot | None = None
        for shot in film.shots() if want.look is None else film.key_shots():
            if shown is not None and shot.seconds > want.seconds + _CLOSE:
                break
            shown = shot
            if want.look is not None and shot.seconds >= want.seconds - _CLOSE:
                break
        if shown is not None and (not found or shown.seconds > found[-1].seconds):
            found.append(shown)
        if film.late and found:
            break
    return found


def _counted(shot: Shot, look: Look | None) -> Shot:
    return shot if look is None else Shot(shot.seconds, look.number, shot.frame)


def _numbers(shots: Sequence[Shot], rate: float) -> tuple[int, ...]:
    return tuple(round(shot.seconds * rate) if shot.number is None else shot.number for shot in shots)
