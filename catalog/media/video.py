"""`Film`: one video stream, decoded forward or by its key frames, with the true time of every frame."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from catalog.errors import MediaError
from catalog.media.archives import broken, broken_kinds
from catalog.media.limits import MediaLimits
from catalog.media.refs import open_media
from catalog.shown import shown_url

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_USUAL_RATE = 25.0
"""Frames a second of a stream that does not say."""

_SQUEEZED = (0.25, 4.0)
"""Shapes of a pixel that are believed; a header that says others is broken."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One decoded frame.

    Attributes:
        seconds: From the start of the stream, as its time stamp says.
        number: Index in the stream, where every frame before it was decoded.
        frame: As the decoder gives it; `frames.upright` makes a picture of it.
        lasts: Seconds that it is shown, 0 where the stream does not say.
    """

    seconds: float
    number: int | None
    frame: VideoFrame
    lasts: float = 0.0


@contextmanager
def open_film(ref: str, root: Path, limits: MediaLimits, seconds: float) -> Iterator[Film]:
    """Open the first video stream behind a reference, whatever contains it.

    Args:
        ref: As in `open_media`.
        root: Workspace root.
        limits: What is refused, and how much is decoded.
        seconds: Wall clock after which nothing more is decoded.

    Raises:
        MediaError: When it is missing, too large, or holds no video; or what is done with it inside the block
            finds it broken.
    """
    import av

    with open_media(ref, root, limits.max_video_bytes) as file:
        film = None
        try:
            film = Film(file, ref, limits, time.monotonic() + seconds)
            yield film
        except av.FFmpegError as error:  # first: its end of file is an `EOFError`, as a broken archive's
            raise MediaError(f"video {shown_url(ref)!r} cannot be decoded: {error.strerror or error}") from error
        except broken_kinds() as error:
            raise broken(ref, error) from error
        except (ValueError, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            raise MediaError(f"video {shown_url(ref)!r} cannot be decoded: {reason}") from error
        finally:
            if film is not None:
                film.close()


class Film:
    """Decodes one stream on one thread: a job decodes many files at once.

    Attributes:
        rate: Mean frames a second, as the header says.
        length: Seconds, as the header says, or else the packets; 0 where neither does.
        stretch: Width of a pixel over its height.
        ended: Whether decoding came to the natural end of the stream.
        left: Frames that `shots` may still decode.
    """

    def __init__(self, file: BinaryIO, ref: str, limits: MediaLimits, ends: float) -> None:
        self._file, self._ref, self._limits, self._ends = file, ref, limits, ends
        self._container, self._stream = self._opened()
        stream = self._stream
        check_pixels(ref, stream.width, stream.height, limits)
        self.pixels = max(1, stream.width * stream.height)
        self.rate = float(stream.average_rate or stream.guessed_rate or _USUAL_RATE)
        shape = float(stream.sample_aspect_ratio or 1)
        self.stretch = shape if _SQUEEZED[0] <= shape <= _SQUEEZED[1] else 1.0
        self.ended = False
        self.left = limits.max_decoded_frames
        self._start: float | None = None
        self._at_start = True
        self.length = self._length()

    def close(self) -> None:
        """Let go of the decoder; the file stays open."""
        self._container.close()

    @property
    def late(self) -> bool:
        """Whether the wall clock is spent."""
        return time.monotonic() > self._ends

    def rewind(self) -> None:
        """Go to the first frame, also where a stream cannot seek."""
        self._container.close()
        self._container, self._stream = self._opened()
        self._at_start = True

    def seek(self, seconds: float) -> bool:
        """Go to a key frame at or before a moment; tell whether the form can."""
        import av

        base = self._stream.time_base
        if base is None:
            return False
        self._at_start = False
        try:
            self._container.seek(int((seconds + (self._start or 0.0)) / base), stream=self._stream)
        except av.FFmpegError:
            return False
        return True

    def shots(self) -> Iterator[Shot]:
        """Yield every frame from here on until the stream ends or breaks off, or the wall clock or `left` is spent.

        Damaged packets are passed over.
        """
        counted, number = self._at_start, 0
        self._at_start = False
        for frames in self._decoded(self._packets()):
            for frame in frames:
                if self.left <= 0:
                    return
                shot = self._shot(frame, number if counted else None)
                number, self.left = number + 1, self.left - 1
                if shot is not None:
                    yield shot
            if self.late and number:  # a decoder may hold its first frame back
                return
        self.ended = True

    def key_shots(self) -> Iterator[Shot]:
        """Yield the key frames from here on, each decoded by itself; what lies between is read and passed over."""
        self._at_start = False
        # Not by `Stream.discard`: FFmpeg then gives key frames of an mp4 the offsets of other frames, and false times.
        packets = (packet for packet in self._packets() if packet.is_keyframe)
        for frames in self._decoded(packets, alone=True):
            # A key packet may carry two fields; what comes first is the frame.
            for frame in frames[:1]:
                if (shot := self._shot(frame, None)) is not None:
                    yield shot
            if self.late:
                return

    def _opened(self) -> tuple[InputContainer, VideoStream]:
        import av
        from av.stream import Disposition

        self._file.seek(0)
        # No protocol is allowed: a playlist inside the file must not open other files or addresses.
        container = av.open(self._file, mode="r", options={"protocol_whitelist": "none"})
        # A cover picture beside sound is a "video stream" of its own.
        streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
        if not streams:
            container.close()
            raise MediaError(f"{shown_url(self._ref)!r} holds no video stream")
        if getattr(streams[0], "codec_context", None) is None:  # its type says always
            container.close()
            raise MediaError(f"video {shown_url(self._ref)!r} cannot be decoded: its codec is unknown")
        streams[0].codec_context.thread_count = 1
        return container, streams[0]

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        import av

        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError:  # cut off: what came before it stands
                return
            if packet is None:
                return
            if packet.size:  # the empty one at the end flushes the decoder, as `_decoded` does
                yield packet

    def _decoded(self, packets: Iterator[Packet[VideoStream]], alone: bool = False) -> Iterator[list[VideoFrame]]:
        import av

        context = self._stream.codec_context
        for packet in packets:
            try:
                frames = context.decode(packet)
                if alone:
                    frames += context.decode(None)
            except av.FFmpegError:
                frames = []
            if alone:
                context.flush_buffers()
            yield frames
        if not alone:
            try:
                yield context.decode(None)
            except av.FFmpegError:
                return

    def _shot(self, frame: VideoFrame, number: int | None) -> Shot | None:
        if frame.is_corrupt:
            return None
        check_pixels(self._ref, frame.width, frame.height, self._limits)  # may change from frame to frame
        # The decoder names no time base for what it gives out at the end.
        stamp, base = frame.pts if frame.pts is not None else frame.dts, self._stream.time_base
        if stamp is None or base is None:
            return None if number is None else Shot(number / self.rate, number, frame)
        moment = float(stamp * base)
        if self._start is None:
            said = self._stream.start_time
            # The header's start counts where the first frames are damaged, not where frames lie before it.
            self._start = moment if said is None else min(moment, float(said * base))
        return Shot(moment - self._start, number, frame, float((frame.duration or 0) * base))

    def _length(self) -> float:
        stream, base = self._stream, float(self._stream.time_base or 0)
        if stream.duration and stream.duration > 0 and base:
            return stream.duration * base
        if self._container.duration and self._container.duration > 0:
            return self._container.duration / 1_000_000
        count, end = 0, 0.0
        for packet in islice(self._packets(), self._limits.max_packets):
            count += 1
            if packet.pts is not None:
                end = max(end, (packet.pts + (packet.duration or 0) - (stream.start_time or 0)) * base)
        self.rewind()
        return end or count / self.rate


def check_pixels(ref: str, width: int, height: int, limits: MediaLimits) -> None:
    """Refuse frames of too many pixels.

    Raises:
        MediaError: When there are.
    """
    if width * height > limits.max_pixels:
        raise MediaError(
            f"video {shown_url(ref)!r} is {width} x {height} pixels; up to {limits.max_pixels:,} in all would be valid"
        )
