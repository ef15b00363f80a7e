"""`sample_clip`: the frames of a video that tell most, a few of every scene, within a budget.

A short video is decoded once to see where it cuts; of a long one only key frames are. Frames are then spread over
the scenes by their length, and where the frame in the middle of its stretch is blank or blurred a better one nearby
takes its place. The same bytes give the same frames.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from pathlib import Path

from PIL import Image

from catalog.errors import MediaError
from catalog.media.frames import shown_size, upright
from catalog.media.limits import MediaLimits
from catalog.media.looks import Look, cuts
from catalog.media.survey import CLOSE, SEEK_SECONDS, FrameBudget, Survey, survey
from catalog.media.video import Film, Shot, open_film
from catalog.shown import shown_url

_NEAR_SECONDS = 0.5
"""How far a sharper frame may lie away."""
_BLURRED, _GOOD = 0.5, 0.7
"""A frame below the first share of the sharpest nearby is given up for one of at least the second."""

Stretch = tuple[float, float]
"""Start and end in seconds; the end is not part of it."""


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
        seen = survey(film, limits, budget)
        if not seen.looks:
            raise MediaError(f"video {shown_url(ref)!r}: not one frame could be decoded")
        scenes = _scenes(seen)
        wanted = _wanted(seen, scenes, budget.frames)
        shots = _fetched(film, wanted, seen, limits.max_decoded_frames)
        if not shots:
            raise MediaError(f"video {shown_url(ref)!r}: none of the frames chosen could be decoded again")
        size = shown_size(shots[0].frame, film.stretch, budget.pixels / len(shots))
        return SampledVideo(
            tuple((shot.seconds, upright(shot.frame, size)) for shot in shots),
            _numbers(shots, seen.rate),
            seen.seconds,
            seen.rate,
            tuple(start for start, _ in scenes),
        )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A frame to fetch: that of a look, or else the one shown at a moment."""

    seconds: float
    look: Look | None


def _scenes(seen: Survey) -> list[Stretch]:
    """Return start and end of every scene that shows anything; where none does, of all."""
    starts = [0.0, *cuts(seen.looks)[1:]]
    scenes = [(a, b) for a, b in zip(starts, [*starts[1:], max(seen.end, starts[-1])], strict=True)]
    times = [look.seconds for look in seen.looks]

    def shows(scene: Stretch) -> bool:
        return any(not look.blank for look in _within(seen.looks, times, *scene))

    return [scene for scene in scenes if shows(scene)] or scenes


def _wanted(seen: Survey, scenes: Sequence[Stretch], count: int) -> list[_Wanted]:
    """Return the frames to fetch, ascending, each once."""
    times = [look.seconds for look in seen.looks]
    starts = [start for start, _ in scenes]
    wanted: dict[float, _Wanted] = {}
    for low, high in stretches(scenes, count):
        moment = (low + high) / 2
        there = _within(seen.looks, times, low, high)
        if seen.keys and not there:
            wanted[moment] = _Wanted(moment, None)
            continue
        if seen.keys:
            shown = min(there, key=lambda look: (abs(look.seconds - moment), look.seconds))
        else:
            at = bisect_right(times, moment + CLOSE) - 1
            start = starts[max(0, bisect_right(starts, moment + CLOSE) - 1)]
            # Of a scene that begins with damage nothing is shown yet: its first frame, not the scene before.
            shown = seen.looks[at] if at >= 0 and times[at] >= start - CLOSE else (there or seen.looks)[0]
        look = best_look(shown, there, moment)
        wanted[look.seconds] = _Wanted(look.seconds, look)
    return [wanted[seconds] for seconds in sorted(wanted)]


def stretches(scenes: Sequence[Stretch], count: int) -> list[Stretch]:
    """Return the stretches of which a frame each is shown, `count` of them, ascending.

    Every scene has one, and more by its length. Where there are more scenes than frames, all of them together are
    cut into equal lengths, and of each the scene that takes most of it is shown.

    Example:
        >>> stretches([(0.0, 6.0), (6.0, 9.0)], 3)
        [(0.0, 3.0), (3.0, 6.0), (6.0, 9.0)]
        >>> stretches([(0.0, 1.0), (1.0, 5.0), (5.0, 7.0), (7.0, 10.0)], 2)
        [(1.0, 5.0), (7.0, 10.0)]
    """
    lengths = [end - start for start, end in scenes]
    if len(scenes) <= count:
        return [
            (start + length * part / share, start + length * (part + 1) / share)
            for (start, _), length, share in zip(scenes, lengths, shares(lengths, count), strict=True)
            for part in range(share)
        ]
    each, before = sum(lengths) / count, 0.0
    best: dict[int, Stretch] = {}
    for (start, _), length in zip(scenes, lengths, strict=True):
        for part in range(int(before // each), min(count, int((before + length) // each) + 1)):
            low, high = max(before, part * each), min(before + length, (part + 1) * each)
            kept = best.get(part, (0.0, 0.0))
            if part not in best or high - low > kept[1] - kept[0] + CLOSE:
                best[part] = (start + low - before, start + high - before)
        before += length
    return [best[part] for part in sorted(best)]


def shares(lengths: Sequence[float], count: int) -> list[int]:
    """Return how many of `count` frames each scene gets: one, and more by its length.

    Example:
        >>> shares([6.0, 3.0, 1.0], 5)
        [3, 1, 1]
    """
    given = [1] * len(lengths)
    waiting = [(-length, at) for at, length in enumerate(lengths)]
    heapify(waiting)
    for _ in range(count - len(lengths)):
        at = waiting[0][1]
        given[at] += 1
        heapreplace(waiting, (-lengths[at] / given[at], at))
    return given


def best_look(shown: Look, others: Sequence[Look], moment: float) -> Look:
    """Return the look shown at a moment, or a better one of the others where that one is blank or blurred."""
    near = [shown, *(look for look in others if abs(look.seconds - moment) <= _NEAR_SECONDS)]
    if all(look.blank for look in near):
        near += others
    best = max(look.sharpness for look in near)
    if shown.sharpness >= _BLURRED * best:
        return shown
    good = [look for look in near if look.sharpness >= _GOOD * best]
    return min(good, key=lambda look: (abs(look.seconds - moment), look.seconds))


def _within(looks: Sequence[Look], times: Sequence[float], low: float, high: float) -> Sequence[Look]:
    """Return the looks of [low, high)."""
    return looks[bisect_right(times, low - CLOSE) : bisect_right(times, high - CLOSE)]


def _fetched(film: Film, wanted: Sequence[_Wanted], seen: Survey, most: int) -> list[Shot]:
    """Return the wanted frames, ascending, each once; fewer where a budget is spent or the file is damaged."""
    kept = [want.look.shot for want in wanted if want.look is not None and want.look.shot is not None]
    if len(kept) == len(wanted):
        return kept
    film.rewind()
    film.left = most
    return _keys(film, wanted, [look.seconds for look in seen.looks]) if seen.keys else _forward(film, wanted)


def _forward(film: Film, wanted: Sequence[_Wanted]) -> list[Shot]:
    found: list[Shot] = []
    seekable, position = True, 0.0
    shots = film.shots()
    held: Shot | None = None
    for want in wanted:
        if seekable and want.seconds - position > SEEK_SECONDS:
            seekable, held = film.seek(want.seconds), None
            shots = film.shots()
            first = next(shots, None)
            if first is None or first.seconds > want.seconds + CLOSE:
                film.rewind()
                shots, seekable = film.shots(), False
            else:  # one that leads back (an animated GIF) is the last
                held, seekable = first, seekable and first.seconds > position
        while held is None or held.seconds < want.seconds - CLOSE:
            coming = next(shots, None)
            if coming is None:
                return found
            held = coming
            position = held.seconds
        if not found or held.seconds > found[-1].seconds:
            found.append(held if want.look is None else Shot(held.seconds, want.look.number, held.frame))
    return found


def _keys(film: Film, wanted: Sequence[_Wanted], keys: Sequence[float]) -> list[Shot]:
    """Fetch key frames by seeks; the frame shown between two of them by decoding from the one before."""
    found: list[Shot] = []
    shots: Iterator[Shot] = iter(())
    held: tuple[Shot, Shot | None] | None = None  # a frame between key frames, and the one after it
    for want in wanted:
        if film.late and found:
            break
        if want.look is None and held is not None and not _between(keys, held[0].seconds, want.seconds):
            held = _shown(shots, want.seconds, held[1], held[0])
        else:
            if not film.seek(want.seconds + CLOSE):
                film.rewind()
            shots = film.shots() if want.look is None else film.key_shots()
            # Key frames are decoded by themselves: none is needed after the one that is wanted.
            held = _shown(shots, want.seconds, None, None, exact=want.look is not None)
        if held is not None and (not found or held[0].seconds > found[-1].seconds):
            found.append(held[0])
        held = None if want.look is not None else held
    return found


def _shown(
    shots: Iterator[Shot], moment: float, coming: Shot | None, shown: Shot | None, *, exact: bool = False
) -> tuple[Shot, Shot | None] | None:
    """Return the last frame up to a moment and the one after it, or the first of all where that is later."""
    while coming is None or coming.seconds <= moment + CLOSE or shown is None:
        shown, coming = coming or shown, next(shots, None)
        if coming is None:
            break
        if exact and coming.seconds >= moment - CLOSE:
            return coming, None
    return (shown, coming) if shown is not None else None


def _between(keys: Sequence[float], low: float, high: float) -> bool:
    return bisect_right(keys, high + CLOSE) > bisect_right(keys, low + CLOSE)


def _numbers(shots: Sequence[Shot], rate: float) -> tuple[int, ...]:
    return tuple(round(shot.seconds * rate) if shot.number is None else shot.number for shot in shots)
