"""Generated sounds, for tests and for measuring false alarms: noise, hum, machines, music; and a voice that babbles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from captioning.speech.base import RATE, Floats

Wave = NDArray[np.float64]
Maker = Callable[[np.random.Generator, int], Wave]
"""A generator and a number of samples give a wave of any level."""


def coloured(slope: float) -> Maker:
    """Return noise whose power falls with frequency to the power `slope`: 0 white, 1 pink, 2 brown, -1 blue."""

    def make(rng: np.random.Generator, count: int) -> Wave:
        spectrum = np.fft.rfft(rng.standard_normal(count))
        hertz = np.fft.rfftfreq(count, 1 / RATE)
        return np.fft.irfft(spectrum * np.maximum(hertz, 20.0) ** (-slope / 2), count)

    return make


def hum(rng: np.random.Generator, count: int) -> Wave:
    """Return mains hum: 50 or 60 Hz with its overtones."""
    base = float(rng.choice([50.0, 60.0]))
    time = np.arange(count) / RATE
    return sum((rng.uniform(0.1, 1.0) / k * np.sin(2 * np.pi * base * k * time) for k in range(1, 9)), np.zeros(count))


def clicks(rng: np.random.Generator, count: int) -> Wave:
    """Return clicks at random moments: a keyboard, a bad contact."""
    wave = 0.001 * rng.standard_normal(count)
    for at in rng.integers(0, max(1, count - 80), size=max(1, count // 3000)):
        wave[at : at + 80] += rng.uniform(0.3, 1.0) * rng.standard_normal(80) * np.exp(-np.arange(80) / 15)
    return wave


def engine(rng: np.random.Generator, count: int) -> Wave:
    """Return the rumble of an engine: firing pulses at a slowly wandering rate, and noise."""
    wander = np.cumsum(rng.standard_normal(count)) / np.sqrt(count)
    rate = rng.uniform(28, 70) * (1 + 0.1 * wander)
    phase = 2 * np.pi * np.cumsum(rate) / RATE
    firing = sum((np.sin(k * phase + rng.uniform(0, 6)) / k for k in range(1, 12)), np.zeros(count))
    return firing + 0.5 * _levelled(coloured(1.5)(rng, count))


def speech_shaped(rng: np.random.Generator, count: int) -> Wave:
    """Return noise with the spectrum of speech and a level that moves at 4 Hz: a far crowd, without a voice."""
    time = np.arange(count) / RATE
    swell = sum((np.sin(2 * np.pi * f * time + rng.uniform(0, 6)) for f in rng.uniform(2, 8, 5)), np.zeros(count))
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    shape = 1 / (1 + (hertz / 500) ** 2) * np.minimum(1, hertz / 150)
    return np.fft.irfft(spectrum * shape, count) * np.exp(0.5 * swell)


def chord(rng: np.random.Generator, count: int) -> Wave:
    """Return a held chord of plain sines."""
    time = np.arange(count) / RATE
    root = rng.uniform(110, 330)
    return sum((np.sin(2 * np.pi * root * ratio * time) for ratio in (1, 1.26, 1.5)), np.zeros(count))


def whistle(rng: np.random.Generator, count: int) -> Wave:
    """Return the beeps of a telephone or a card terminal."""
    time = np.arange(count) / RATE
    tone = np.sin(2 * np.pi * rng.uniform(350, 1000) * time) + np.sin(2 * np.pi * rng.uniform(400, 1400) * time)
    return tone * ((time * rng.uniform(0.5, 3)) % 1 < 0.5)


def siren(rng: np.random.Generator, count: int) -> Wave:
    """Return a siren that sweeps up and down."""
    time = np.arange(count) / RATE
    hertz = 800 + 400 * np.sin(2 * np.pi * rng.uniform(0.2, 1.0) * time)
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    return np.sin(phase) + 0.3 * np.sin(2 * phase) + 0.2 * np.sin(3 * phase)


def drums(rng: np.random.Generator, count: int) -> Wave:
    """Return a drum loop: kick, snare and hi-hat in eighths."""
    step = int(RATE * 60 / rng.uniform(80, 140) / 2)
    wave = np.zeros(count + RATE)
    ring = np.arange(RATE // 3) / RATE
    for beat, at in enumerate(range(0, count, step)):
        hat = rng.standard_normal(len(ring)) * np.exp(-ring / 0.03) * 0.2
        hat = np.diff(hat, prepend=0.0)
        if beat % 4 == 0:
            hat = hat + np.sin(2 * np.pi * (50 * ring + 6 * (1 - np.exp(-ring / 0.05)))) * np.exp(-ring / 0.1)
        if beat % 4 == 2:
            drum = 0.6 * np.sin(2 * np.pi * 185 * ring) + rng.standard_normal(len(ring))
            hat = hat + drum * np.exp(-ring / 0.07) * 0.5
        wave[at : at + len(ring)] += hat
    return wave[:count]


def tune(voices: int, overtones: int, vibrato: float = 0.0, per_second: float = 4.0) -> Maker:
    """Return music of notes from a scale, with attack and decay: an arpeggio, a melody over chords.

    Args:
        voices: Notes at the same time.
        overtones: Partials of a note; one is a plain sine.
        vibrato: Depth as a share of the pitch, at about 5.5 Hz.
        per_second: Notes a second.
    """

    def make(rng: np.random.Generator, count: int) -> Wave:
        wave = np.zeros(count + 2 * RATE)
        scale = rng.uniform(100, 220) * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16]) / 12)
        step = int(RATE / (per_second * rng.uniform(0.8, 1.25)))
        time = np.arange(int(step * 1.3)) / RATE
        colour = rng.uniform(0.5, 1.6)
        shape = np.minimum(1, time / 0.01) * np.exp(-time / rng.uniform(0.2, 0.8)) * np.minimum(1, time[::-1] / 0.02)
        for at in range(0, count, step):
            for base in rng.choice(scale, voices, replace=False):
                bend = base * (1 + vibrato * np.sin(2 * np.pi * 5.5 * time))
                phase = 2 * np.pi * np.cumsum(bend) / RATE
                parts = (np.sin(k * phase) / k**colour for k in range(1, overtones + 1) if k * base < 7500)
                wave[at : at + len(time)] += sum(parts, np.zeros(len(time))) * shape
        return wave[:count]

    return make


def reverberant(make: Maker) -> Maker:
    """Return the same sound in a hall that rings for about a second."""

    def echo(rng: np.random.Generator, count: int) -> Wave:
        from scipy.signal import fftconvolve

        tail = rng.standard_normal(RATE) * np.exp(-np.arange(RATE) / (0.2 * RATE))
        tail[0] = 3.0
        wave: Wave = fftconvolve(make(rng, count), tail)[:count]
        return wave

    return echo


def bark(rng: np.random.Generator, count: int) -> Wave:
    """Return a dog: falling harmonic bursts of a fifth of a second."""
    wave = np.zeros(count + RATE)
    time = np.arange(int(0.22 * RATE)) / RATE
    for at in range(RATE // 8, count, int(0.9 * RATE)):
        phase = 2 * np.pi * np.cumsum(rng.uniform(400, 550) * np.exp(-3 * time)) / RATE
        wave[at : at + len(time)] += sum((np.sin(k * phase) / k for k in range(1, 6)), 0 * time) * np.hanning(len(time))
    return wave[:count]


def band(rng: np.random.Generator, count: int) -> Wave:
    """Return a whole band: bass, chords, a melody and drums."""
    parts: Sequence[Wave] = [
        tune(3, 8, per_second=1.0)(rng, count),
        tune(1, 6, per_second=4.0)(rng, count),
        drums(rng, count),
    ]
    return sum((_levelled(part) for part in parts), np.zeros(count))


_VOWELS = (
    (730, 1090, 2440),
    (270, 2290, 3010),
    (300, 870, 2240),
    (530, 1840, 2480),
    (570, 840, 2410),
    (660, 1720, 2410),
)
"""First three formants in Hz of six English vowels. Source: Peterson and Barney (1952)."""


def babble(rng: np.random.Generator, count: int) -> Wave:
    """Return somebody who babbles: pulses of a gliding pitch through moving formants, hisses between the syllables."""
    from scipy.signal import lfilter

    wave = np.zeros(count + RATE)
    at = RATE // 10
    while at < count:
        size = int(RATE * rng.uniform(0.16, 0.3))
        first, last = (np.array(_VOWELS[each], float) for each in rng.choice(len(_VOWELS), 2, replace=False))
        pitch = rng.uniform(105, 160) * np.geomspace(rng.uniform(1.0, 1.2), rng.uniform(0.8, 0.95), size)
        pulse = np.diff(np.floor(np.cumsum(pitch) / RATE), prepend=0.0)
        spoken = np.zeros(size)
        step = RATE // 100
        state = [np.zeros(2) for _ in range(3)]
        for start in range(0, size, step):  # a formant is a resonance of two poles
            part = pulse[start : start + step]
            for k, formant in enumerate(first + (last - first) * start / size):
                radius = np.exp(-np.pi * (60 + 40 * k) / RATE)
                poles = [1, -2 * radius * np.cos(2 * np.pi * formant / RATE), radius**2]
                part, state[k] = lfilter([sum(poles)], poles, part, zi=state[k])
            spoken[start : start + step] = part
        wave[at : at + size] += _levelled(spoken) * np.hanning(size)
        at += size
        hiss = int(RATE * rng.uniform(0.05, 0.12))
        wave[at : at + hiss] += 0.15 * np.diff(rng.standard_normal(hiss), prepend=0.0) * np.hanning(hiss)
        at += hiss + int(RATE * rng.choice([0.02, 0.05, 0.25]))
    return wave[:count]


NOISES: dict[str, Maker] = {
    "white noise": coloured(0.0),
    "pink noise": coloured(1.0),
    "brown noise": coloured(2.0),
    "blue noise": coloured(-1.0),
    "mains hum": hum,
    "clicks": clicks,
    "engine": engine,
    "speech-shaped noise": speech_shaped,
}
MUSIC: dict[str, Maker] = {
    "held chord": chord,
    "beeps": whistle,
    "siren": siren,
    "drum loop": drums,
    "sine melody": tune(1, 1),
    "arpeggio": tune(1, 8, per_second=8.0),
    "melody": tune(1, 10),
    "slow melody": tune(1, 10, per_second=2.0),
    "chords": tune(3, 8, per_second=2.0),
    "melody with vibrato": tune(1, 10, vibrato=0.01, per_second=2.0),
    "band": band,
}


def silence(count: int) -> Floats:
    """Return digital silence."""
    return np.zeros(count, np.float32)


def dither(rng: np.random.Generator, count: int) -> Floats:
    """Return what a 16-bit recorder leaves of silence: the last bit, at random."""
    return (rng.integers(-1, 2, count) / 32_768).astype(np.float32)


def at_level(wave: NDArray[Any], decibels: float) -> Floats:
    """Return the wave with this root mean square, in dB of full scale; peaks are clipped at 1."""
    return np.clip(_levelled(wave) * 10 ** (decibels / 20), -1, 1).astype(np.float32)


def unspoken(
    seconds: float = 5.0, levels: Sequence[float] = (-50.0, -30.0, -15.0), seed: int = 0
) -> Iterator[tuple[str, str, Floats]]:
    """Yield kind (`silence`, `noise`, `music`), name and samples of every sound at every level."""
    count = int(seconds * RATE)
    rng = np.random.default_rng(seed)
    yield "silence", "silence", silence(count)
    yield "silence", "dither", dither(rng, count)
    for kind, makers in (("noise", NOISES), ("music", MUSIC)):
        for name, make in makers.items():
            for level in levels:
                yield kind, name, at_level(make(rng, count), level)


def _levelled(wave: NDArray[Any]) -> Wave:
    level: Wave = wave / max(float(np.sqrt(np.mean(np.square(wave)))), 1e-12)
    return level
