"""`MediaLimits`: how much of a picture, video or sound is opened at all."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class MediaLimits(BaseModel):
    """Ceilings that keep one hostile or broken file from taking the machine with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_picture_bytes: int = Field(30_000_000, gt=0)
    """A larger picture file is refused unread."""

    max_pixels: int = Field(50_000_000, gt=0)
    """A picture or frame of more pixels (width x height) is refused before it is decoded."""

    max_video_bytes: int = Field(1_000_000_000, gt=0)
    """A larger video file is refused unread."""

    max_decoded_frames: int = Field(2_000, gt=0)
    """Frames decoded from one video at most to look at it, and as many again to fetch those that are wanted."""

    max_packets: int = Field(1_000_000, gt=0)
    """Packets looked at to learn a video's length where its header does not say."""

    max_sound_bytes: int = Field(1_000_000_000, gt=0)
    """A larger file, a video among them, is refused where its sound is read."""

    max_sound_seconds: float = Field(7_200.0, gt=0)
    """Longer sound is refused; an hour at 16 kHz takes 230 MB of memory."""
