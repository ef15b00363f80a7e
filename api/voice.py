"""Voices in requests: decoded within the limits, heard by the shop's speech model, with how sure it is of the words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, Field

from agent.base import Spoken
from api.problems import ApiProblem
from captioning.speech.base import Transcript
from catalog.errors import ConfigError, MediaError, NotBuiltError
from catalog.media import read_sound
from tools.crossmodal.media import data_bytes
from tools.crossmodal.senses import Senses


class TranscriptOut(BaseModel):
    """What was heard of a spoken message."""

    text: str | None = Field(description="The words; null when none could be made out.")
    language: str | None = None
    confidence: float | None = Field(None, description="How likely the model finds its words, 0 to 1; null: unknown.")
    certain: bool = Field(description="Whether it was answered; otherwise the answer asks whether it is right.")
    reason: str | None = Field(None, description="Why there are no words.", examples=["silence"])


@dataclass(frozen=True)
class Hearing:
    """A transcript with how sure the model is of it.

    Attributes:
        confidence: Mean probability of its words; None where the model gives none.
        certain: Whether there are words, nothing was objected to, and they are likely enough.
    """

    transcript: Transcript
    confidence: float | None
    certain: bool

    @property
    def spoken(self) -> Spoken:
        """What a conversation is told of it."""
        found = self.transcript
        return Spoken(found.text, self.certain, self.confidence, found.language, found.reason)


def hear(senses: Senses, sound: bytes, field: str, least: float) -> Hearing:
    """Return what is said in the bytes of a sound file, or of a film.

    Args:
        senses: The speech model and the limits.
        sound: Any container and codec of FFmpeg.
        field: Which field of the request it came in.
        least: Confidence below which words are asked back about.

    Raises:
        ApiProblem: 501 without a speech model, 422 when it is no sound, too large or too long.
        ToolUnavailable: When too many are being heard already.
    """
    try:
        transcriber = senses.transcriber.get()
    except (NotBuiltError, ConfigError) as error:
        raise ApiProblem(501, f"{field}: {error}", field=field) from error
    try:
        with senses.turn():
            found = transcriber.transcribe(read_sound(sound, Path(), senses.config.limits()))
    except MediaError as error:
        raise ApiProblem(422, f"{field}: {error}", field=field) from error
    likely = [word.probability for word in found.words if word.probability is not None]
    confidence = round(sum(likely) / len(likely), 4) if likely else None
    sure = found.text is not None and found.detail is None and (confidence is None or confidence >= least)
    return Hearing(found, confidence, sure)


def sound_of(url: str, senses: Senses, field: str) -> bytes:
    """Return the bytes of a voice given as a data URL.

    Raises:
        ApiProblem: 422 when it is none, or too large.
    """
    try:
        # Browsers record sound into WebM, which many of them name video.
        return data_bytes(url, ("audio", "video"), senses.config.limits().max_sound_bytes)
    except MediaError as error:
        raise ApiProblem(422, f"{field}: {error}", field=field) from error


def with_words(typed: str, spoken: Spoken) -> str:
    """Return a message of what was typed and what was heard."""
    return " ".join(filter(None, (typed.strip(), spoken.text)))


def transcript_out(spoken: Spoken | None) -> TranscriptOut | None:
    """Return what was heard in the wire's form; None where nothing was spoken."""
    if spoken is None:
        return None
    return TranscriptOut(
        text=spoken.text,
        language=spoken.language,
        confidence=spoken.confidence,
        certain=spoken.certain,
        reason=spoken.reason,
    )
