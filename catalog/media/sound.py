"""The sound of any file, as mono samples: recordings, and the sound tracks of videos."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from catalog.errors import MediaError
from catalog.media.limits import MediaLimits
from catalog.media.refs import open_media
from catalog.shown import shown_url

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler
    from av.container import InputContainer

SPEECH_RATE = 16_000
"""Samples a second that speech models read."""

Samples = NDArray[np.float32]


def read_sound(
    source: str | bytes,
    root: Path,
    limits: MediaLimits,
    rate: int = SPEECH_RATE,
    seconds: float | None = None,
) -> Samples:
    """Return the first sound track of a file: the mean of its channels, resampled.

    A file that breaks off gives what came before the break.

    Args:
        source: A media reference as in `open_media`, or the bytes of a file; any container and codec of FFmpeg.
        root: Workspace root, against which a relative path is read.
        limits: What is refused unread, and after how many seconds.
        rate: Samples a second of the result.
        seconds: Read this much from the start only. None: all of it.

    Returns:
        float32 in [-1, 1], shape (n,).

    Raises:
        MediaError: When it is missing, too large or too long, holds no sound, or not one sample can be decoded.
    """
    import av

    name = repr(shown_url(source)) if isinstance(source, str) else f"sound of {len(source):,} bytes"
    with _opened(source, root, limits) as file:
        try:
            # No protocol is allowed: a playlist inside the file must not open other files or addresses.
            with av.open(file, mode="r", options={"protocol_whitelist": "none"}) as container:
                return _decoded(container, name, limits, rate, seconds)
        except (av.FFmpegError, ValueError, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            raise MediaError(f"{name} cannot be decoded as sound: {reason}") from error


class Resampler:
    """Brings a stream of samples to another rate, part by part, without seams.

    Args:
        rate: Samples a second of what comes in.
        to: Samples a second of what goes out.
    """

    def __init__(self, rate: int, to: int = SPEECH_RATE) -> None:
        self._rate, self._to = rate, to
        self._resampler: AudioResampler | None = None

    def push(self, samples: Samples) -> Samples:
        """Return what a part, float32 of shape (n,), adds to the result; a few ms stay behind."""
        if self._rate == self._to or not len(samples):
            return samples
        import av

        if self._resampler is None:
            self._resampler = av.AudioResampler(format="fltp", layout="mono", rate=self._to)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None], np.float32), "fltp", "mono")
        frame.sample_rate = self._rate
        return _joined(self._resampler, frame)

    def flush(self) -> Samples:
        """Return what stayed behind; the stream is over."""
        resampler, self._resampler = self._resampler, None
        return np.zeros(0, np.float32) if resampler is None else _joined(resampler, None)


def _joined(resampler: AudioResampler, frame: AudioFrame | None) -> Samples:
    return np.concatenate([np.zeros(0, np.float32), *(_mean(each) for each in resampler.resample(frame))])


def _opened(source: str | bytes, root: Path, limits: MediaLimits) -> BinaryIO:
    if isinstance(source, str):
        return open_media(source, root, limits.max_sound_bytes)
    if not source:
        raise MediaError("sound of 0 bytes is empty")
    if len(source) > limits.max_sound_bytes:
        raise MediaError(f"sound of {len(source):,} bytes; up to {limits.max_sound_bytes:,} would be valid")
    return io.BytesIO(source)


def _decoded(container: InputContainer, name: str, limits: MediaLimits, rate: int, seconds: float | None) -> Samples:
    if not container.streams.audio:
        raise MediaError(f"{name} holds no sound track")
    most = int(limits.max_sound_seconds * rate)
    wanted = most + 1 if seconds is None else max(1, int(seconds * rate))
    parts: list[Samples] = []
    count = 0
    for part in _mono(container, rate):
        parts.append(part)
        count += len(part)
        if count >= wanted:
            break
    if seconds is None and count > most:
        raise MediaError(f"{name} lasts longer than {limits.max_sound_seconds:g} s; up to that would be valid")
    if not count:
        raise MediaError(f"{name}: not one sample of its sound could be decoded")
    # Samples of a broken float file may be anything.
    sound = np.nan_to_num(np.concatenate(parts)[:wanted], nan=0.0, posinf=1.0, neginf=-1.0)
    return np.clip(sound, -1.0, 1.0, out=sound)


def _mono(container: InputContainer, rate: int) -> Iterator[Samples]:
    """Yield resampled parts until the track ends or breaks off."""
    import av

    resampler: AudioResampler | None = None
    kept: tuple[str, str, int] | None = None
    frames = container.decode(container.streams.audio[0])
    while True:
        try:
            frame = next(frames, None)
        except av.FFmpegError:
            frame = None  # cut off: what came before it stands
        form = None if frame is None else (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != kept and resampler is not None:
            yield from (_mean(each) for each in resampler.resample(None))
            resampler = None
        if frame is None or form is None:
            return
        if resampler is None:
            # Channels are averaged below: FFmpeg's own mixdown of floats does not keep within [-1, 1].
            resampler, kept = av.AudioResampler(format="flt", layout=frame.layout.name, rate=rate), form
        yield from (_mean(each) for each in resampler.resample(frame))


def _mean(frame: AudioFrame) -> Samples:
    # One plane for all channels: PyAV reads memory that is not there from the ninth plane on.
    mean: Samples = frame.to_ndarray().reshape(-1, frame.layout.nb_channels).mean(axis=1, dtype=np.float32)  # (n,)
    return mean
