"""`SpeechConfig`: every setting of speech, and who transcribes by it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from captioning.speech.base import Transcriber
from captioning.speech.guards import GuardConfig, GuardedTranscriber
from captioning.speech.job import SpeechJobConfig
from captioning.speech.microphone import MicrophoneConfig
from captioning.speech.voice import VoiceConfig
from captioning.speech.whisper_transcriber import WhisperConfig, WhisperModel, find_checkpoint
from catalog.errors import ConfigError

NONE = "none: no speech model is configured (speech.transcriber)"


class SpeechConfig(BaseModel):
    """Who turns speech into words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    transcriber: Literal["none", "whisper"] = "none"
    """`none` says so wherever speech is asked for; `whisper` is openai-whisper, whose weights you place yourself."""
    language: str | None = None
    """ISO code of what is spoken, such as `en`; None lets the model find out. Changes transcripts."""
    whisper: WhisperConfig = WhisperConfig()
    """Which Whisper, and how it hears."""
    voice: VoiceConfig = VoiceConfig()
    """What counts as a voice; in front of every model."""
    guards: GuardConfig = GuardConfig()
    """When words of a model are not believed."""
    microphone: MicrophoneConfig = MicrophoneConfig()
    """How a stream is cut into utterances."""
    job: SpeechJobConfig = SpeechJobConfig()
    """Which recordings are transcribed, and how the batch job runs."""


def make_transcriber(config: SpeechConfig, *, load: bool = False) -> Transcriber:
    """Return the transcriber that the settings choose.

    Args:
        config: Who transcribes, and how.
        load: Whether its weights are loaded at once, so that damaged ones are told of before any work; else at first
            use.

    Raises:
        ConfigError: When they choose none, or the library or the weights are not there or no good.
    """
    if config.transcriber == "none":
        raise ConfigError(
            "no speech model is configured: set speech.transcriber to 'whisper' and speech.whisper.model to the path "
            "of a .pt checkpoint of openai-whisper"
        )
    model = WhisperModel(config.whisper)
    if load:
        model.load()
    return GuardedTranscriber(model, "whisper", config.voice, config.guards, config.language)


def speech_label(config: SpeechConfig) -> str:
    """Return who transcribes, in words for people; what is missing is said, not raised."""
    if config.transcriber == "none":
        return NONE
    try:
        return f"whisper {find_checkpoint(config.whisper)[0].stem}"
    except ConfigError as error:
        return f"none: {error}"
