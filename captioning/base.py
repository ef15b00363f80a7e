"""The captioning seam: pictures (and, later, frames and sound) to words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from PIL import Image


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded RGB picture to caption; `frame_time` in seconds when it is a video frame."""

    item_id: str
    media: str
    image: Image.Image
    frame_time: float | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """What a captioner read: one text, or the reason there is none (a counted failure).

    A failure reads `reason: detail`; the part before the first colon is what failures are counted by.
    """

    text: str | None
    failure: str | None = None
    retryable: bool = False


class Captioner(Protocol):
    """Reads words from pictures, never from the item's own metadata.

    `name` is the readable name of the artifact (`captions/<name>`), `model` and `prompt_sha` the
    provenance stamped on every caption. The job may call it from several threads at once.
    """

    name: str
    model: str
    prompt_sha: str

    def caption(self, pictures: Sequence[Picture]) -> list[Words]:
        """Return one `Words` a picture, in order.

        Raises:
            ServiceError: When the model behind it is unreachable; nothing was captioned.
        """


@runtime_checkable
class VideoCaptioner(Protocol):
    """A captioner that also reads what moves; others are shown the middle frame of a video."""

    def caption_video(self, frames: Sequence[Picture]) -> Words:
        """Return the words of one video, from its frames in order (each with its `frame_time`).

        Raises:
            ServiceError: When the model behind it is unreachable.
        """
