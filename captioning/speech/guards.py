"""`GuardedTranscriber`: a model hears only where there is a voice, and its words are judged before they count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from captioning.speech.base import RATE, Floats, Heard, Reason, Segment, SpeechModel, Transcript
from captioning.speech.inventions import is_invention, plain
from captioning.speech.voice import Span, VoiceConfig, find_voice
from catalog.workspace import content_key

WINDOW_SECONDS = 28.0
"""Longest sound given to a model at once: Whisper hears 30 s."""


class GuardConfig(BaseModel):
    """When words of a model are not believed; changes transcripts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    checks: Literal["refuse", "report"] = "refuse"
    """`report` lets doubtful words pass and says what is wrong with them; for trying a model out. Where there is no
    voice no model is asked in either case."""
    most_no_speech: float = Field(0.6, ge=0, le=1)
    """Words are dropped when the model itself finds silence this likely, unless it is sure of the words."""
    least_logprob: float = Field(-1.0, le=0)
    """Mean log probability of a token below which words are dropped."""
    most_compression: float = Field(2.4, gt=0)
    """Text size over its gzip size above which words are a loop."""
    most_repeats: int = Field(4, ge=1)
    """The same words this often in a row and more are a loop."""
    most_words_per_second: float = Field(8.0, gt=0)
    """Nobody speaks faster for long."""
    weak_evidence: float = Field(0.5, ge=0, le=1)
    """Below this evidence of a voice, sentences that models are known to invent are dropped, and words of which the
    model is only half as unsure."""
    gap_seconds: float = Field(2.0, ge=0)
    """Stretches of voice closer than this are heard together."""


@dataclass(frozen=True, slots=True)
class _Doubt:
    reason: Reason
    detail: str


class GuardedTranscriber:
    """The `Transcriber` around every model.

    Args:
        model: What hears.
        name: Name of the artifact.
        voice: What counts as a voice.
        guards: When words are not believed.
        language: ISO code of what is spoken; None lets the model find out.
    """

    def __init__(
        self,
        model: SpeechModel,
        name: str,
        voice: VoiceConfig | None = None,
        guards: GuardConfig | None = None,
        language: str | None = None,
    ) -> None:
        self._hears = model
        self._voice = voice or VoiceConfig()
        self._guards = guards or GuardConfig()
        self._language = language
        self.name = name
        self.model = model.model
        self.settings_sha = content_key(
            "speech", model.settings_sha, self._voice.model_dump(), self._guards.model_dump(), language
        )

    def transcribe(self, samples: Floats) -> Transcript:
        """Return the transcript of mono samples at 16 kHz, shape (n,); `reason` says why there is none.

        Raises:
            ServiceError: When the model behind it is unreachable.
            ConfigError: When its weights are not there.
        """
        seconds = len(samples) / RATE
        voice = find_voice(samples, self._voice)
        if not voice.spans:
            return Transcript(None, seconds=seconds, reason=voice.reason)
        language, probability = self._language, None
        claims: list[tuple[Segment, float]] = []
        windows = list(_windows(voice.spans, samples, self._guards.gap_seconds))
        # The longest stretch tells the language best; it then holds for all.
        for start, end in sorted(windows, key=lambda window: window[0] - window[1]):
            heard = self._hears.hear(samples[int(start * RATE) : int(end * RATE)], language)
            if language is None:
                language, probability = heard.language, heard.language_probability
            claims += _placed(heard, start, seconds, voice.spans)
        claims.sort(key=lambda claim: claim[0].start)
        return self._judged(claims, language, probability, seconds)

    def _judged(
        self, claims: list[tuple[Segment, float]], language: str | None, probability: float | None, seconds: float
    ) -> Transcript:
        doubts = [doubt for segment, evidence in claims if (doubt := self._doubt(segment, evidence))]
        strict = self._guards.checks == "refuse"
        kept = [segment for segment, evidence in claims if not (strict and self._doubt(segment, evidence))]
        text = " ".join(segment.text.strip() for segment in kept if segment.text.strip())
        if loop := _loop(text, self._guards.most_repeats):
            doubts.append(_Doubt("uncertain", loop))
            text = "" if strict else text
        detail = doubts[0].detail if doubts else None
        if not plain(text):
            reasons = Counter(doubt.reason for doubt in doubts)
            reason = reasons.most_common(1)[0][0] if reasons else "no speech"
            return Transcript(None, seconds=seconds, reason=reason, detail=detail)
        words = tuple(sorted((word for segment in kept for word in segment.words), key=lambda word: word.start))
        return Transcript(text, language, words, seconds, None, probability, detail)

    def _doubt(self, segment: Segment, evidence: float) -> _Doubt | None:
        """Return why the words of a segment are not believed, or None."""
        limits = self._guards
        said = f"{segment.text.strip()[:60]!r} at {segment.start:.1f} s"
        if not plain(segment.text):
            return _Doubt("no speech", f"no words at {segment.start:.1f} s")
        if segment.no_speech > limits.most_no_speech and segment.logprob < limits.least_logprob:
            return _Doubt("no speech", f"{said}: the model finds silence {segment.no_speech:.0%} likely")
        least = limits.least_logprob * (0.5 if evidence < limits.weak_evidence else 1.0)
        if segment.logprob < least:
            return _Doubt("uncertain", f"{said}: log probability {segment.logprob:.2f}, below {least:g}")
        if segment.compression > limits.most_compression:
            return _Doubt("uncertain", f"{said}: a loop, it compresses {segment.compression:.1f} times")
        if loop := _loop(segment.text, limits.most_repeats):
            return _Doubt("uncertain", f"{said}: {loop}")
        pace = len(segment.text.split()) / max(segment.end - segment.start, 1.0)
        if pace > limits.most_words_per_second:
            return _Doubt("uncertain", f"{said}: {pace:.0f} words a second")
        if evidence < limits.weak_evidence and is_invention(segment.text):
            return _Doubt("uncertain", f"{said}: models invent this, and a voice is hardly there ({evidence:.2f})")
        return None


def _windows(spans: tuple[Span, ...], samples: Floats, gap: float) -> Iterator[tuple[float, float]]:
    """Yield stretches of at most `WINDOW_SECONDS` that cover the spans; near ones share a window."""
    start, end = spans[0].start, spans[0].end
    for span in [*spans[1:], None]:
        if span is not None and span.start - end <= gap and span.end - start <= WINDOW_SECONDS:
            end = span.end
            continue
        while end - start > WINDOW_SECONDS:
            cut = _quietest(samples, start + 0.7 * WINDOW_SECONDS, start + WINDOW_SECONDS)
            yield start, cut
            start = cut
        yield start, end
        if span is not None:
            start, end = span.start, span.end


def _quietest(samples: Floats, start: float, end: float) -> float:
    """Return the middle of the quietest 200 ms between two moments: there a cut hurts no word."""
    size = RATE // 5
    part = np.square(samples[int(start * RATE) : int(end * RATE)])
    sums = np.convolve(part[: len(part) // 160 * 160].reshape(-1, 160).sum(axis=1), np.ones(size // 160), "valid")
    return start + (int(np.argmin(sums)) * 160 + size / 2) / RATE


def _placed(heard: Heard, start: float, seconds: float, spans: tuple[Span, ...]) -> Iterator[tuple[Segment, float]]:
    """Yield segments at their place in the whole sound, each with the evidence of a voice there."""

    def at(time: float) -> float:
        return round(min(max(start + time, 0.0), seconds), 3)

    for segment in heard.segments:
        first, last = at(segment.start), at(segment.end)
        words = tuple(replace(word, start=at(word.start), end=at(word.end)) for word in segment.words)
        evidence = max((span.evidence for span in spans if span.start < last and first < span.end), default=0.0)
        yield replace(segment, start=first, end=last, words=words), evidence


def _loop(text: str, most: int) -> str | None:
    """Return what runs in a loop, or None: one to eight words, more than `most` times in a row."""
    words = plain(text).split()
    for size in range(1, 9):
        same = 0
        for at in range(size, len(words)):
            same = same + 1 if words[at] == words[at - size] else 0
            if same >= size * most:
                return f"{' '.join(words[at - size + 1 : at + 1])[:40]!r} runs in a loop"
    return None
