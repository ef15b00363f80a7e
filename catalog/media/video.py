"""Frames of a video, evenly spaced over its length."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from catalog.errors import DataError, MediaError
from catalog.media.limits import MediaLimits
from catalog.media.refs import checked_size, media_path

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_TURNS = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}
"""Counter-clockwise degrees of a frame's display matrix, as Pillow turns."""

_SEEK_SECONDS = 5.0
"""From this gap on a seek to a key frame is cheaper than decoding what lies between."""

_USUAL_RATE = 25.0
"""Frames a second of a stream that does not say."""


def video_frames(ref: str, root: Path, limits: MediaLimits, count: int) -> list[tuple[float, Image.Image]]:
    """Return up to `count` frames as (seconds from the start, upright RGB picture), ascending.

    The frames are those shown at the middles of `count` equal parts of the length. A clip of fewer
    frames, one cut off, or a budget that runs out gives fewer; each frame comes once.

    Args:
        ref: An http(s) URL fetched before, an absolute path, or a path relative to `root`.
        root: Workspace root.
        limits: What is refused, and how much is decoded.
        count: At least 1.

    Raises:
        DataError: When `count` is less than 1.
        MediaError: When the file is missing, too large, holds no video, or not one frame can be decoded.
    """
    if count < 1:
        raise DataError(f"{count} frames of {ref!r}: at least 1 would be valid")
    import av

    path = media_path(ref, root)
    try:
        checked_size(path, ref, limits.max_video_bytes)
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise MediaError(f"{ref!r} holds no video stream")
            stream = container.streams.video[0]
            _check_pixels(ref, stream.width, stream.height, limits)
            length = _length(container, stream, limits)
            wanted = [(part + 0.5) / count * length for part in range(count)]
            frames = []
            for time, frame in _shown_at(_Clip(container, stream, limits), wanted):
                _check_pixels(ref, frame.width, frame.height, limits)  # may change from frame to frame
                frames.append((time, _upright(frame)))
    except (av.FFmpegError, ValueError, OSError) as error:
        raise MediaError(f"video {ref!r} cannot be decoded: {error}") from error
    if not frames:
        raise MediaError(f"video {ref!r}: not one frame could be decoded")
    return frames


class _Clip:
    """Decodes one stream forward within a budget; knows the time of each frame from the start of the clip."""

    def __init__(self, container: InputContainer, stream: VideoStream, limits: MediaLimits) -> None:
        self._container, self._stream = container, stream
        self._start = float((stream.start_time or 0) * (stream.time_base or 0))
        self._rate = float(stream.average_rate or _USUAL_RATE)
        self._budget = limits.max_decoded_frames
        self._seekable = True
        self.position = 0.0

    def frames(self) -> Iterator[tuple[float, VideoFrame]]:
        """Yield time and frame until the clip ends, breaks off, or the budget is spent."""
        import av

        decoded = self._container.decode(self._stream)
        for number in range(self._budget):
            self._budget -= 1
            try:
                frame = next(decoded, None)
            except av.FFmpegError:  # a clip that is cut off: what came before it stands
                return
            if frame is None:
                return
            if not frame.is_corrupt:
                self.position = number / self._rate if frame.time is None else frame.time - self._start
                yield self.position, frame

    def seek(self, time: float) -> None:
        """Go to the last key frame before `time`, where the form knows its key frames."""
        if self._seekable and self._stream.time_base is not None:
            self._container.seek(int((time + self._start) / self._stream.time_base), stream=self._stream)

    def landed(self, time: float, left: float) -> None:
        """Note where a seek led; one that leads back (an animated GIF) is the last."""
        self._seekable = self._seekable and time >= left


def _shown_at(clip: _Clip, wanted: list[float]) -> Iterator[tuple[float, VideoFrame]]:
    """Yield the frame shown at each wanted moment, ascending, each frame once."""
    given = -1.0
    frames = clip.frames()
    shown: tuple[float, VideoFrame] | None = None
    coming = next(frames, None)
    for moment in wanted:
        if coming is not None and moment - coming[0] > _SEEK_SECONDS:
            left = coming[0]
            clip.seek(moment)
            frames = clip.frames()
            coming = next(frames, None)
            if coming is not None:
                clip.landed(coming[0], left)
        while coming is not None and (coming[0] <= moment or shown is None):
            shown, coming = coming, next(frames, None)
        if shown is not None and shown[0] > given:
            given = shown[0]
            yield shown


def _length(container: InputContainer, stream: VideoStream, limits: MediaLimits) -> float:
    """Return the length in seconds, from the header or, where it is silent, from the packets."""
    base = float(stream.time_base or 0)
    if stream.duration and base:
        return stream.duration * base
    if container.duration:
        return container.duration / 1_000_000
    packets = 0
    end = 0.0
    for packet in islice(container.demux(stream), limits.max_packets):
        packets += packet.size > 0
        if packet.pts is not None:
            end = max(end, (packet.pts + (packet.duration or 0) - (stream.start_time or 0)) * base)
    container.seek(0)
    return end or packets / float(stream.average_rate or _USUAL_RATE)


def _check_pixels(ref: str, width: int, height: int, limits: MediaLimits) -> None:
    if width * height > limits.max_pixels:
        raise MediaError(
            f"video {ref!r} is {width} x {height} pixels; up to {limits.max_pixels:,} in all would be valid"
        )


def _upright(frame: VideoFrame) -> Image.Image:
    """Return the frame as RGB, turned as its display matrix says (phones film sideways)."""
    picture: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
    turn = _TURNS.get(frame.rotation % 360)
    return picture if turn is None else picture.transpose(turn)
