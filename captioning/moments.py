"""What a video says at which moment: key frames of scenes, a model's own moments, the words of its sound."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import polars as pl

from captioning.base import Moment, Picture
from captioning.speech.base import Transcript
from catalog.plain_text import one_line

ROW = pl.Struct({"text": pl.String, "model": pl.String, "prompt_sha": pl.String, "frame_time": pl.Float64})
"""One row of the caption artifact, without what all rows of a medium share."""

MAX_MOMENTS = 64
"""Moments of one answer that are read."""
MAX_CHARS = 300
"""Characters of one moment that are kept."""
_CLOCK = re.compile(r"\s*(?:(\d{1,2}):)?(\d{1,3}):(\d{1,2}(?:\.\d+)?)\s*")
_SECONDS = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:s|sec|secs|seconds?)?\s*", re.IGNORECASE)


def key_frames(frames: Sequence[Picture], scene_starts: Sequence[float]) -> list[Picture]:
    """Return the middle one of the frames of every scene that has any, ascending.

    Args:
        frames: Sampled frames with their times, ascending.
        scene_starts: Seconds, ascending.
    """
    scenes: dict[int, list[Picture]] = {}
    for frame in frames:
        scenes.setdefault(bisect_right(scene_starts, (frame.frame_time or 0.0) + 1e-6), []).append(frame)
    return [there[len(there) // 2] for _, there in sorted(scenes.items())]


def read_moments(value: object, times: Sequence[float], seconds: float) -> tuple[Moment, ...]:
    """Return the moments of a model's answer at the frames they were seen in, ascending, one a frame.

    Args:
        value: A list of `{"seconds": ..., "shows": ...}` as JSON gives it; `seconds` may be a number or a clock such
            as "1:07". What is of another form is passed over.
        times: True times of the frames that were shown, ascending; a moment moves to the nearest.
        seconds: Length of the video; a moment that lies a frame's gap or more beyond its end was made up.
    """
    if not isinstance(value, list) or not times:
        return ()
    gap = max((b - a for a, b in pairwise(times)), default=1.0)
    said: dict[float, list[str]] = {}
    for entry in value[:MAX_MOMENTS]:
        if not isinstance(entry, Mapping) or not isinstance(shows := entry.get("shows"), str):
            continue
        moment, text = _seconds(entry.get("seconds")), " ".join(one_line(shows).split())[:MAX_CHARS].strip()
        if moment is None or not text or not 0 <= moment < max(seconds, times[-1]) + max(gap, 1.0):
            continue
        there = said.setdefault(min(times, key=lambda time: (abs(time - moment), time)), [])
        if text not in there:
            there.append(text)
    return tuple(Moment(time, " ".join(_ended(text) for text in said[time])) for time in sorted(said))


def heard_row(transcript: Transcript, model: str, settings_sha: str) -> dict[str, Any] | None:
    """Return the row of what was heard, at the time of its first word; None when nothing was."""
    text = " ".join(one_line(transcript.text or "").split())
    if not text:
        return None
    start = transcript.words[0].start if transcript.words else 0.0
    quoted = text.replace('"', "'")
    return row(f'heard: "{quoted}"', model, settings_sha, start)


def row(text: str, model: str, prompt_sha: str, frame_time: float | None = None) -> dict[str, Any]:
    """Return one `ROW`."""
    return {"text": text, "model": model, "prompt_sha": prompt_sha, "frame_time": frame_time}


def in_order(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows in the order of time, what speaks of the whole first."""
    return sorted(rows, key=lambda each: -1.0 if each["frame_time"] is None else each["frame_time"])


def _seconds(value: object) -> float | None:
    if isinstance(value, str):
        if (clock := _CLOCK.fullmatch(value)) is not None:
            return 3600 * int(clock[1] or 0) + 60 * int(clock[2]) + float(clock[3])
        plain = _SECONDS.fullmatch(value)
        return float(plain[1]) if plain is not None else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:  # an integer of hundreds of digits
        return None
    return seconds if math.isfinite(seconds) else None


def _ended(text: str) -> str:
    return text if text[-1] in ".!?。！？…" else f"{text}."
