"""Where somebody speaks: a classical voice detector that needs no weights, and decides before any model hears.

A voice is harmonic, moves in pitch and in spectrum, and has formants. Noise is not harmonic; notes hold their
pitch and their partials; hum and engines have no formants. A whisper, which has no pitch, is taken for noise,
and singing without instruments for a voice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from captioning.speech.base import RATE, Floats, Reason
from captioning.speech.frames import HOP, Frames, measure, running_mean

_SECOND = RATE // HOP
"""Frames a second."""
_MUSIC_FRAMES = 2 * _SECOND
"""What decides whether a moment is music: a few notes, a few syllables."""
_SPOKEN_CHANGE, _CHANGE_WIDTH = 4.4, 1.6
"""dB of change from which a spectrum moves as speech does, and how far below it is rigid."""

Mask = NDArray[np.bool_]


class VoiceConfig(BaseModel):
    """What counts as a voice; changes transcripts. The defaults stand midway between speech and all else."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quietest_dbfs: float = Field(-60.0, le=0)
    """Frames below this level, in dB of full scale, are silence."""
    least_harmonicity: float = Field(0.5, ge=0, le=1)
    """Autocorrelation at the pitch from which a frame is voiced: noise stays below 0.4."""
    lowest_pitch: float = Field(70.0, gt=0)
    """Hz."""
    highest_pitch: float = Field(450.0, gt=0)
    """Hz; higher tones are whistles, beeps and sirens."""
    least_balance_db: float = -15.0
    """Least level of 300-3400 Hz against what lies below it: less is a rumble or a drum."""
    least_spread: float = Field(0.028, ge=0)
    """Least share of the band that carries a stretch of voice: less is a plain tone."""
    most_music: float = Field(0.8, ge=0)
    """Steadiness of partials plus share of held pitch from which two seconds are music: speech stays below 0.6."""
    least_movement_db: float = Field(1.5, ge=0)
    """Least spread of the level over a stretch: machines run evenly, syllables do not."""
    least_voiced_seconds: float = Field(0.12, ge=0)
    """Voice that a stretch must hold: a short "yes" has twice as much."""
    join_seconds: float = Field(0.6, ge=0)
    """Pauses up to this length do not end a stretch."""
    pad_seconds: float = Field(0.25, ge=0)
    """Added at both ends of a stretch, for consonants without a voice."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch in which somebody speaks, in seconds; `evidence` from 0, barely, to 1, beyond doubt."""

    start: float
    end: float
    evidence: float


@dataclass(frozen=True, slots=True)
class Voice:
    """The stretches of voice in some sound, ascending and apart; where there is none, what there is instead."""

    spans: tuple[Span, ...]
    reason: Reason | None = None


def find_voice(samples: Floats, config: VoiceConfig | None = None) -> Voice:
    """Return where somebody speaks in mono samples at 16 kHz, shape (n,)."""
    config = config or VoiceConfig()
    frames = measure(samples)
    sounding = frames.level > config.quietest_dbfs
    tonal = sounding & (frames.harmonicity > config.least_harmonicity)
    music = musicality(frames, tonal)
    voiced = voiced_frames(frames, config) & (music < config.most_music)
    length = len(samples) / RATE
    spans: list[Span] = []
    for first, last in _stretches(voiced, int(config.join_seconds * _SECOND)):
        evidence = _evidence(frames, voiced, slice(first, last + 1), music, config)
        if evidence is None:
            continue
        start = max(0.0, first / _SECOND - config.pad_seconds)
        end = min(length, last / _SECOND + config.pad_seconds)
        if spans and start <= spans[-1].end:
            spans[-1] = Span(spans[-1].start, end, max(evidence, spans[-1].evidence))
        else:
            spans.append(Span(start, end, evidence))
    return Voice(tuple(spans)) if spans else Voice((), _instead(frames, sounding, tonal, music, config))


def voiced_frames(frames: Frames, config: VoiceConfig) -> Mask:
    """Return which frames sound like a voice each by itself, shape (t,)."""
    voiced: Mask = (
        (frames.level > config.quietest_dbfs)
        & (frames.harmonicity > config.least_harmonicity)
        & (frames.pitch >= config.lowest_pitch)
        & (frames.pitch <= config.highest_pitch)
        & (frames.balance > config.least_balance_db)
    )
    return voiced


def musicality(frames: Frames, tonal: Mask) -> NDArray[np.float64]:
    """Return how musical the tonal frames of the surrounding two seconds are, shape (t,).

    The sum of three: the mean steadiness of their partials, the share that holds its pitch within a tenth of a
    semitone for 30 ms, and, against vibrato and glides, up to 1 for a spectrum that keeps its shape. It is 0.2
    to 0.6 in speech and 0.9 to 3 in music.
    """
    held = _mean(np.clip(frames.steadiness, 0, 1) + (frames.drift < 0.1), tonal, _MUSIC_FRAMES)
    rigid = np.clip((_SPOKEN_CHANGE - _mean(frames.change, tonal, _MUSIC_FRAMES)) / _CHANGE_WIDTH, 0, 1)
    # Noise over a voice flattens its spectrum as well; where tones are not clean, rigidity says nothing.
    clean = np.clip((_mean(frames.harmonicity, tonal, _MUSIC_FRAMES) - 0.75) / 0.15, 0, 1)
    near = held + rigid * clean
    # Amid music a voice has to differ from it more.
    amid = np.clip((_mean(near, tonal, 5 * _MUSIC_FRAMES) - 0.7) / 0.3, 0, 1)
    return np.where(tonal | (near > 0), near + 0.2 * amid, 0.0)


def _mean(values: NDArray[np.floating], where: Mask, width: int) -> NDArray[np.float64]:
    """Return the mean of the values that count among the `width` around each; 0 where none counts."""
    share = running_mean(where.astype(np.float64), width, "constant")
    total = running_mean(np.where(where, values, 0.0).astype(np.float64), width, "constant")
    return np.where(share > 1e-9, total / np.maximum(share, 1e-9), 0.0)


def _stretches(voiced: Mask, join: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last frame of each run of voice whose pauses are not longer than `join`."""
    at = np.flatnonzero(voiced)
    if len(at):
        for run in np.split(at, np.flatnonzero(np.diff(at) > join + 1) + 1):
            yield int(run[0]), int(run[-1])


def _evidence(
    frames: Frames, voiced: Mask, here: slice, music: NDArray[np.float64], config: VoiceConfig
) -> float | None:
    """Return how surely a stretch is speech, or None when it is none."""
    own = voiced[here]
    seconds = float(own.sum()) / _SECOND
    spread = float(np.median(frames.spread[here][own]))
    # The level is looked at a little beyond the stretch, as a single syllable rises from what is around it.
    around = frames.level[max(0, here.start - 15) : here.stop + 15]
    movement = float(around[around > config.quietest_dbfs].std())
    steady = float(music[here][own].mean())
    if seconds < config.least_voiced_seconds or spread < config.least_spread or movement < config.least_movement_db:
        return None
    margins = (seconds / 0.5, (config.most_music - steady) / 0.3, movement / (2 * config.least_movement_db))
    return float(np.clip(min(margins), 0.0, 1.0))


def _instead(frames: Frames, sounding: Mask, tonal: Mask, music: NDArray[np.float64], config: VoiceConfig) -> Reason:
    """Return what a sound without a voice is."""
    if sounding.mean() < 0.01:
        return "silence"
    notes = tonal & (music >= config.most_music)
    tones = tonal & (frames.pitch > config.highest_pitch)
    if (notes | tones).sum() > 0.3 * sounding.sum() or _beat(frames) > 0.65:
        return "music"
    return "noise"


def _beat(frames: Frames) -> float:
    """Return how regularly the sound sets in, at 60 to 300 a minute: near 1 in a drum loop, near 0 in noise."""
    rise = np.maximum(np.diff(running_mean(np.maximum(frames.level, -80.0), 3)), 0)
    rise = rise - rise.mean()
    if len(rise) < 3 * _SECOND or rise.std() < 0.5:
        return 0.0
    size = 1 << (2 * len(rise) - 1).bit_length()
    curve = np.fft.irfft(np.square(np.abs(np.fft.rfft(rise, size))))
    lags = slice(_SECOND // 5, _SECOND)
    return float((curve[lags] / curve[0]).max())
