"""Sound to transcript from a file or from bytes; a stream comes in by `microphone`."""

from __future__ import annotations

from pathlib import Path

from captioning.speech.base import Transcriber, Transcript
from catalog.media import MediaLimits, read_sound

NOWHERE = Path()


def transcribe_file(transcriber: Transcriber, ref: str, root: Path, limits: MediaLimits | None = None) -> Transcript:
    """Return what is said in a file of any container, or in the sound track of a video.

    Args:
        transcriber: Who hears.
        ref: A media reference as in `open_media`.
        root: Folder that a relative path starts from.
        limits: What is refused.

    Raises:
        MediaError: When the file cannot be decoded as sound.
    """
    return transcriber.transcribe(read_sound(ref, root, limits or MediaLimits()))


def transcribe_bytes(transcriber: Transcriber, data: bytes, limits: MediaLimits | None = None) -> Transcript:
    """Return what is said in the bytes of a file, such as a recording that a page uploads.

    Raises:
        MediaError: When they cannot be decoded as sound.
    """
    return transcriber.transcribe(read_sound(data, NOWHERE, limits or MediaLimits()))
