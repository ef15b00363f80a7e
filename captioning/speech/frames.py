"""What tells a voice from everything else, measured every 10 ms.

Sources: P. Boersma, Accurate short-term analysis of the fundamental frequency (1993), for the autocorrelation
divided by that of the window; steadiness of partials as in E. Scheirer and M. Slaney, Construction and evaluation
of a robust multifeature speech/music discriminator (1997), which asks how much a spectrum changes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from captioning.speech.base import RATE, Floats

HOP = 160
"""Samples from one frame to the next: 10 ms."""

_WINDOW, _BINS = 640, 2_048
"""40 ms hold three periods of a deep voice; padded, so that lags do not wrap."""
_FINE = 1_024
"""64 ms resolve the partials of a note."""
_LATER = 8
"""Frames between the two spectra that are compared: longer than a window's half, shorter than a note."""
_BANDS = np.geomspace(200, 5_000, 10)
"""Edges in Hz of the bands whose levels are the shape of a spectrum."""
_DEPTH = 30.0
"""dB below its loudest band beyond which a band does not count: it holds the background only."""
_BLOCK = 2_000
"""Frames worked on at once, to bound memory."""
_LOWEST, _HIGHEST = 70.0, 2_000.0
"""Pitches looked for; higher than any voice, so that a whistle is not taken for its own undertone."""
_QUIET = 1e-12

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Frames:
    """One value a frame, shape (t,) each.

    Attributes:
        level: Root mean square in dB of full scale.
        harmonicity: Height of the autocorrelation at the pitch, about 0.25 in noise and 1 in a pure tone.
        pitch: Hz.
        balance: dB of 300-3400 Hz over 40-300 Hz: a voice has formants, a rumble or a kick drum has none.
        spread: Share of the 100-3400 Hz bins that carry the sound: low in a plain sine.
        steadiness: Correlation of the fine spectrum with that 80 ms later: 1 in a held note, near 0 in a voice.
        drift: Semitones that the pitch moves in 30 ms.
        change: dB by which the shape of the spectrum, in nine bands, changes in 80 ms: a voice moves its mouth,
            a string does not.
    """

    level: Array
    harmonicity: Array
    pitch: Array
    balance: Array
    spread: Array
    steadiness: Array
    drift: Array
    change: Array


def measure(samples: Floats) -> Frames:
    """Return the frames of mono samples at 16 kHz, shape (n,): n // 160 + 1 of them."""
    count = len(samples) // HOP + 1
    # Windows are centred on their frame; what lies outside is silence.
    padded = np.concatenate(
        [np.zeros(_FINE // 2, np.float32), samples, np.zeros(_FINE + (_LATER + 1) * HOP, np.float32)]
    )
    parts = [_block(padded, start, min(start + _BLOCK, count)) for start in range(0, count, _BLOCK)]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    moved = np.abs(np.log2(joined["pitch"][3:] / joined["pitch"][:-3])) * 12
    joined["drift"] = np.pad(moved, (1, 2), mode="edge") if len(moved) else np.full(count, 12, np.float32)
    joined["change"] = _change(joined.pop("bands"))
    return Frames(**{field.name: joined[field.name].astype(np.float32) for field in fields(Frames)})


def _block(padded: Floats, start: int, stop: int) -> dict[str, Array]:
    """Measure frames start..stop; the windows of later frames are in `padded` as well."""
    inset = (_FINE - _WINDOW) // 2
    windows = sliding_window_view(padded, _WINDOW)[start * HOP + inset :: HOP][: stop - start]  # (t, 640)
    power = np.square(np.abs(np.fft.rfft(windows * _hann(_WINDOW), _BINS, axis=1)))
    hertz = np.fft.rfftfreq(_BINS, 1 / RATE)
    harmonicity, pitch = _pitch(power, hertz)
    voice = power[:, (hertz >= 100) & (hertz <= 3_400)]
    low, mid = (hertz >= 40) & (hertz < 300), (hertz >= 300) & (hertz <= 3_400)
    return {
        "level": _decibels(np.mean(np.square(windows), axis=1)),
        "harmonicity": harmonicity,
        "pitch": pitch,
        "balance": _decibels(power[:, mid].sum(axis=1)) - _decibels(power[:, low].sum(axis=1)),
        "spread": np.square(voice.sum(axis=1)) / (np.square(voice).sum(axis=1) * voice.shape[1] + _QUIET**2),
        "steadiness": _steadiness(padded, start, stop),
        "bands": np.stack(
            [
                power[:, (hertz >= low_edge) & (hertz < high_edge)].mean(axis=1)
                for low_edge, high_edge in pairwise(_BANDS)
            ],
            axis=1,
        ),
    }


def _pitch(power: Array, hertz: Array) -> tuple[Array, Array]:
    """Return harmonicity and pitch from power spectra (t, bins)."""
    # Formants are flattened, or they would be taken for the pitch; the exponent leaves noise its low weight.
    flat = power / (running_mean(power, 65) + _QUIET) ** 0.7
    flat = flat * ((hertz >= 80) & (hertz <= 3_400))
    lags = np.arange(int(RATE / _HIGHEST), int(RATE / _LOWEST) + 2)
    window = np.fft.irfft(np.square(np.abs(np.fft.rfft(_hann(_WINDOW), _BINS))))
    own = np.fft.irfft(flat, axis=1)
    curve = own[:, lags] / np.maximum(own[:, :1], 1e-20) * (window[0] / window[lags])  # (t, lags)
    inner = curve[:, 1:-1]
    peaks = (inner >= curve[:, :-2]) & (inner > curve[:, 2:])
    top = np.where(peaks, inner, 0).max(axis=1)
    # The shortest period that explains nearly all: the others are its multiples.
    first = np.argmax(peaks & (inner >= 0.9 * top[:, None]), axis=1) + 1
    rows = np.arange(len(curve))
    left, here, right = curve[rows, first - 1], curve[rows, first], curve[rows, first + 1]
    bend = left - 2 * here + right
    shift = np.where(bend < 0, 0.5 * (left - right) / np.where(bend < 0, bend, -1), 0)  # top of the parabola
    return np.where(top > 0, here, 0), RATE / (lags[first] + np.clip(shift, -0.5, 0.5))


def _steadiness(padded: Floats, start: int, stop: int) -> Array:
    windows = sliding_window_view(padded, _FINE)[start * HOP :: HOP][: stop - start + _LATER]
    size = np.sqrt(np.abs(np.fft.rfft(windows * _hann(_FINE), axis=1)))  # the root keeps loud partials from ruling
    fine = size - running_mean(size, 17)
    hertz = np.fft.rfftfreq(_FINE, 1 / RATE)
    fine = fine[:, (hertz >= 200) & (hertz <= 4_000)]
    now, later = fine[: stop - start], fine[_LATER:]
    scale = np.sqrt(np.square(now).sum(axis=1) * np.square(later).sum(axis=1))
    steadiness: Array = (now * later).sum(axis=1) / np.maximum(scale, 1e-9)
    return steadiness


def _change(bands: Array) -> Array:
    """Return how far the shape of the spectrum moves, from the power of its bands (t, 9)."""
    if len(bands) <= _LATER:
        return np.zeros(len(bands), np.float32)
    shape = _decibels(running_mean(bands.T, 3).T)
    shape = np.maximum(shape, shape.max(axis=1, keepdims=True) - _DEPTH)
    shape = shape - shape.mean(axis=1, keepdims=True)
    moved = np.sqrt(np.square(shape[_LATER:] - shape[:-_LATER]).mean(axis=1))
    return np.pad(moved, (_LATER // 2, _LATER - _LATER // 2), mode="edge")


def _hann(count: int) -> Array:
    return np.hanning(count).astype(np.float32)


def _decibels(power: Array) -> Array:
    decibels: Array = 10 * np.log10(power + _QUIET)
    return decibels


def running_mean(values: NDArray[Any], width: int, beyond: Literal["reflect", "constant"] = "reflect") -> NDArray[Any]:
    """Return the mean of the `width` values around each along the last axis; beyond the ends, mirrored or zero."""
    from scipy.ndimage import uniform_filter1d

    mean: NDArray[Any] = uniform_filter1d(values, width, axis=-1, mode=beyond)
    return mean
