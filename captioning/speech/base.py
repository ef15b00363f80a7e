"""The speech seam: samples to a transcript, and below it the bare model that guards never trust."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
"""Samples a second everywhere in this folder."""

Floats = NDArray[np.float32]
Reason = Literal["silence", "noise", "music", "no speech", "uncertain"]
REASONS: tuple[str, ...] = get_args(Reason)
"""Why nothing was heard: too quiet; sound without a voice; steady notes; a voice and no words in it; words that
the model is not sure of, or that it is known to invent."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word with its start and end in seconds, and how likely the model finds it."""

    text: str
    start: float
    end: float
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in some sound, or why nothing was heard.

    Attributes:
        text: The words, or None when nothing was heard.
        language: ISO code such as `en`; None when nothing was heard.
        words: With their times, ascending.
        seconds: Length of the sound.
        reason: Why there is no text.
        language_probability: How sure the model is of the language; None where it was set.
        detail: What a guard objected to, with its figure.
    """

    text: str | None
    language: str | None = None
    words: tuple[Word, ...] = ()
    seconds: float = 0.0
    reason: Reason | None = None
    language_probability: float | None = None
    detail: str | None = None


class Transcriber(Protocol):
    """Turns samples into a transcript; silence, noise and music give none.

    `name` is the readable name of the artifact (`transcripts/<name>`), `model` and `settings_sha` the
    provenance: what changes its words changes one of them.
    """

    name: str
    model: str
    settings_sha: str

    def transcribe(self, samples: Floats) -> Transcript:
        """Return the transcript of mono samples at 16 kHz, shape (n,).

        Raises:
            ServiceError: When the model behind it is unreachable.
            ConfigError: When its weights are not there.
        """


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of words as a model gives it, with what it says about itself.

    Attributes:
        text: What it claims to have heard.
        start: Seconds from the start of the samples.
        end: Seconds.
        words: With times, where the model gives them.
        no_speech: Probability that nobody speaks.
        logprob: Mean log probability of its tokens.
        compression: Size of the text over its gzip size; loops reach 2.4 and more.
    """

    text: str
    start: float
    end: float
    words: tuple[Word, ...] = ()
    no_speech: float = 0.0
    logprob: float = 0.0
    compression: float = 1.0


@dataclass(frozen=True, slots=True)
class Heard:
    """All that a model claims about a stretch of sound of up to half a minute."""

    segments: tuple[Segment, ...]
    language: str | None = None
    language_probability: float | None = None


class SpeechModel(Protocol):
    """A bare model, which may invent words; only `GuardedTranscriber` calls it, and only where there is a voice.

    `model` and `settings_sha` are provenance, as in `Transcriber`.
    """

    model: str
    settings_sha: str

    def hear(self, samples: Floats, language: str | None = None) -> Heard:
        """Return what it claims to hear in mono samples at 16 kHz, shape (n,), up to 30 s.

        Args:
            samples: The sound.
            language: ISO code of the language spoken; None lets the model find out.
        """
