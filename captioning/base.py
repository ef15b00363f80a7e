"""The captioning seam: pictures, and videos as timed frames with what was heard, to words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from PIL import Image

from batch.base import Usage


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded RGB picture to caption; `frame_time` in seconds when it is a video frame."""

    item_id: str
    media: str
    image: Image.Image
    frame_time: float | None = None


@dataclass(frozen=True, slots=True)
class Clip:
    """The sampled frames of one video, and the truth about their times.

    Attributes:
        item_id: The item it belongs to.
        media: Its reference.
        frames: Ascending by `frame_time`, seconds from the start.
        numbers: Index of each frame in the source stream; where a stream does not count its frames, the true
            time times `rate`, rounded.
        seconds: Length of the video.
        rate: Mean frames a second of the source.
        heard: Transcript of the sound track, when there is one.
    """

    item_id: str
    media: str
    frames: tuple[Picture, ...]
    numbers: tuple[int, ...]
    seconds: float
    rate: float
    heard: str | None = None

    @property
    def times(self) -> tuple[float, ...]:
        """Seconds from the start of each frame; of one that names none, its number over the rate."""
        return tuple(
            number / self.rate if frame.frame_time is None else frame.frame_time
            for frame, number in zip(self.frames, self.numbers, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Moment:
    """What a video shows at one of its sampled frames, `seconds` from its start."""

    seconds: float
    shows: str


@dataclass(frozen=True, slots=True)
class Words:
    """What a captioner read: one text, or the reason there is none (a counted failure).

    A failure reads `reason: detail`; the part before the first colon is what failures are counted by.

    Attributes:
        text: The words.
        failure: Why there are none.
        retryable: Whether the same picture may succeed later.
        usage: Tokens it cost, failed or not.
        faults: What the checks found in a text that was kept all the same, by the same short reasons.
        moments: Of a video, what is seen when; `captioning.moments.read_moments` makes them of a model's answer.
    """

    text: str | None
    failure: str | None = None
    retryable: bool = False
    usage: Usage | None = None
    faults: tuple[str, ...] = ()
    moments: tuple[Moment, ...] = ()


class Captioner(Protocol):
    """Reads words from pictures, never from the item's own metadata.

    `name` is the readable name of the artifact (`captions/<name>`), `model` and `prompt_sha` the
    provenance stamped on every caption. The job may call it from several threads at once.
    """

    name: str

    @property
    def model(self) -> str:
        """Which model, as it stands in the provenance."""

    @property
    def prompt_sha(self) -> str:
        """Hash of the prompt or rule set."""

    def caption(self, pictures: Sequence[Picture]) -> list[Words]:
        """Return one `Words` a picture, in order.

        Raises:
            ServiceError: When the model behind it is unreachable; nothing was captioned.
        """


@runtime_checkable
class ScopedCaptioner(Protocol):
    """A captioner whose words depend on whose picture it is; the same bytes of two items are read twice."""

    def scope(self, item_id: str) -> str:
        """Return what an item's words depend on besides the picture; it becomes part of the content key."""


@runtime_checkable
class VideoCaptioner(Protocol):
    """A captioner that also reads what moves; others are shown a frame of every scene."""

    def caption_video(self, clip: Clip) -> Words:
        """Return the words of one video.

        Raises:
            ServiceError: When the model behind it is unreachable.
        """
