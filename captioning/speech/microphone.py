"""A stream of sound to utterances: cut where the speaker pauses, each transcribed as it ends."""

from __future__ import annotations

import queue
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from captioning.speech.base import RATE, Floats, Transcriber, Transcript
from captioning.speech.frames import HOP, measure
from captioning.speech.voice import VoiceConfig, voiced_frames
from catalog.errors import ConfigError, DataError
from catalog.media import Resampler

Chunk: TypeAlias = bytes | NDArray[Any]
"""A part of a stream: bytes of 16-bit little-endian PCM, or integers or floats of shape (n,) or (n, channels)."""

_STEP = RATE // 5
"""Samples between two looks at the stream: 200 ms."""
_LOOK = RATE
"""Samples looked at while waiting for a voice: a second holds a syllable at least."""
_ONSET_FRAMES = 8
"""Voiced frames in that second from which somebody speaks: 80 ms."""


class MicrophoneConfig(BaseModel):
    """How a stream is cut into utterances."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pause_seconds: float = Field(0.8, gt=0)
    """A pause this long ends an utterance."""
    longest_seconds: float = Field(25.0, gt=1)
    """An utterance this long is ended without a pause."""
    lead_seconds: float = Field(0.4, ge=0)
    """Sound kept from before the first voice of an utterance, for its first consonant."""
    partial_seconds: float | None = Field(None, gt=0)
    """Give words of an unfinished utterance this often. None: finished ones only."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """What was said between two pauses; `start` and `end` are seconds of the stream.

    `partial` says that the speaker is not done: the words will come again, and may change.
    """

    start: float
    end: float
    transcript: Transcript
    partial: bool = False


def listen(
    chunks: Iterable[Chunk],
    transcriber: Transcriber,
    *,
    rate: int,
    channels: int = 1,
    config: MicrophoneConfig | None = None,
    voice: VoiceConfig | None = None,
) -> Iterator[Utterance]:
    """Yield each utterance of a stream as it ends.

    Args:
        chunks: Parts of the stream, of any length.
        transcriber: Who hears. What it takes for no speech comes with its reason and without a text.
        rate: Samples a second of the stream.
        channels: Of chunks given as bytes, interleaved.
        config: Where utterances end.
        voice: What counts as a voice.

    Raises:
        DataError: On a chunk that is no sound.
    """
    stream = SpeechStream(transcriber, rate=rate, channels=channels, config=config, voice=voice)
    for chunk in chunks:
        yield from stream.feed(chunk)
    yield from stream.close()


class SpeechStream:
    """Takes a stream in pieces, as a web page sends it; the arguments are those of `listen`."""

    def __init__(
        self,
        transcriber: Transcriber,
        *,
        rate: int,
        channels: int = 1,
        config: MicrophoneConfig | None = None,
        voice: VoiceConfig | None = None,
    ) -> None:
        if rate < 1 or channels < 1:
            raise DataError(f"a stream of rate={rate!r} and channels={channels!r}: 1 or more would be valid")
        self._transcriber, self._channels = transcriber, channels
        self._config, self._voice = config or MicrophoneConfig(), voice or VoiceConfig()
        self._resampler = Resampler(rate, RATE)
        self._rest = b""
        self._sound: Floats = np.zeros(0, np.float32)
        self._before = 0
        """Samples of the stream that lie before `_sound`."""
        self._looked = 0
        self._speaking = False
        self._told = 0

    def feed(self, chunk: Chunk) -> Iterator[Utterance]:
        """Yield the utterances that end within a further chunk.

        Raises:
            DataError: When it is no sound.
        """
        return self._heard(self._resampler.push(self._floats(chunk)))

    def close(self) -> Iterator[Utterance]:
        """Yield what is left at the end of the stream."""
        yield from self._heard(self._resampler.flush())
        if self._speaking or len(self._voiced(self._sound[-_LOOK:])) >= _ONSET_FRAMES:
            yield self._utterance()

    def _heard(self, samples: Floats) -> Iterator[Utterance]:
        self._sound = np.concatenate([self._sound, samples])
        while len(self._sound) - self._looked >= _STEP:
            self._looked += _STEP
            yield from self._look()

    def _look(self) -> Iterator[Utterance]:
        """Look at the stream up to `_looked`."""
        if not self._speaking:
            lead = int(self._config.lead_seconds * RATE)
            start = max(0, self._looked - _LOOK)
            voiced = self._voiced(self._sound[start : self._looked])
            if len(voiced) >= _ONSET_FRAMES:
                self._drop(start + int(voiced[0]) * HOP - lead)
                self._speaking, self._told = True, self._looked
            else:
                self._drop(self._looked - _LOOK - lead)
            return
        pause = self._sound[max(0, self._looked - int(self._config.pause_seconds * RATE)) : self._looked]
        long = self._looked >= self._config.longest_seconds * RATE
        if long or len(self._voiced(pause)) <= 1:
            yield self._utterance(self._looked)
            return
        often = self._config.partial_seconds
        if often is not None and self._looked - self._told >= often * RATE:
            self._told = self._looked
            yield self._words(self._looked, partial=True)

    def _utterance(self, end: int | None = None) -> Utterance:
        """End the utterance, and forget its sound."""
        end = len(self._sound) if end is None else end
        utterance = self._words(end, partial=False)
        self._speaking = False
        self._drop(end)
        return utterance

    def _words(self, end: int, *, partial: bool) -> Utterance:
        start, stop = self._before / RATE, (self._before + end) / RATE
        return Utterance(start, stop, self._transcriber.transcribe(self._sound[:end]), partial)

    def _drop(self, count: int) -> None:
        count = min(max(count, 0), len(self._sound))
        self._sound, self._before = self._sound[count:], self._before + count
        self._looked = max(0, self._looked - count)

    def _voiced(self, samples: Floats) -> NDArray[np.int64]:
        """Return the numbers of the frames with a voice."""
        if np.abs(samples).max(initial=0.0) < 10 ** (self._voice.quietest_dbfs / 20):
            return np.zeros(0, np.int64)  # the usual case, and free
        return np.flatnonzero(voiced_frames(measure(samples), self._voice))

    def _floats(self, chunk: Chunk) -> Floats:
        if isinstance(chunk, bytes | bytearray | memoryview):
            data = self._rest + bytes(chunk)
            whole = len(data) // (2 * self._channels) * 2 * self._channels
            self._rest = data[whole:]  # a chunk may end within a sample
            array: NDArray[Any] = np.frombuffer(data[:whole], "<i2").reshape(-1, self._channels)
        else:
            array = np.asarray(chunk)
        if array.ndim not in (1, 2) or array.dtype.kind not in "fi":
            raise DataError(
                f"a chunk of {array.dtype} and shape {array.shape}: integers or floats of shape (n,) or (n, channels), "
                "or bytes of 16-bit PCM, would be valid"
            )
        scale = float(np.iinfo(array.dtype).max) + 1 if array.dtype.kind == "i" else 1.0
        floats = np.nan_to_num(array.astype(np.float32) / np.float32(scale))
        mono: Floats = floats if floats.ndim == 1 else floats.mean(axis=1, dtype=np.float32)
        return np.clip(mono, -1.0, 1.0)


def microphone_chunks(rate: int = RATE, device: int | str | None = None) -> Iterator[Chunk]:
    """Yield chunks of a microphone of this machine until the caller stops.

    Raises:
        ConfigError: When the library sounddevice, or a microphone, is not there.
    """
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise ConfigError(
            "listening to a microphone of this machine needs the library sounddevice and PortAudio: "
            "pip install sounddevice"
        ) from error
    waiting: queue.Queue[bytes] = queue.Queue(maxsize=600)

    def take(data: Any, _frames: int, _time: Any, _status: Any) -> None:
        if not waiting.full():  # a listener that lags loses sound rather than memory
            waiting.put_nowait(bytes(data))

    try:
        with sounddevice.RawInputStream(
            samplerate=rate, channels=1, dtype="int16", blocksize=rate // 10, device=device, callback=take
        ):
            while True:
                yield waiting.get()
    except sounddevice.PortAudioError as error:
        raise ConfigError(f"the microphone {device!r} cannot be opened: {error}") from error
