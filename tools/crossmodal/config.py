"""The settings of queries by picture, film and voice."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from catalog.media import FrameBudget, MediaLimits

Modality = Literal["keyword", "text", "caption", "picture", "video", "fused"]
"""How an item can answer: by words it shares, by its text's meaning, by what captions say of its media, by its
pictures, by its film, or by all of them in one vector."""


class CrossModalConfig(BaseModel):
    """What a query of several media may hold, and how much each way to answer it counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: dict[Modality, float] = Field(default_factory=dict)
    """How much a way counts when they are united, 1 where left out and 0 for never, e.g. `{caption = 0.5}`. Changes
    results."""
    unite: Literal["scores", "ranks"] = "scores"
    """How the ways are united: by `scores`, each brought to one scale (1 the best, 0 the usual item), or by reciprocal
    `ranks`. Changes results."""
    words_see: bool = False
    """Whether words alone are looked for in the pictures too, by the text side of the picture-text model. Beside a
    picture or a film they always are. Changes results."""
    max_picture_bytes: int = Field(20_000_000, gt=0)
    """A larger picture is refused unread."""
    max_pixels: int = Field(50_000_000, gt=0)
    """A picture or frame of more pixels (width x height) is refused before it is decoded."""
    max_video_bytes: int = Field(200_000_000, gt=0)
    """A larger film is refused unread."""
    max_voice_bytes: int = Field(50_000_000, gt=0)
    """A larger recording is refused unread."""
    max_voice_seconds: float = Field(60.0, gt=0)
    """A longer recording is refused."""
    decode_seconds: float = Field(20.0, gt=0)
    """Wall clock spent on decoding one film; the frames found by then stand."""
    at_once: int = Field(2, ge=1)
    """Queries with media that are read at the same time; others wait."""
    wait_seconds: float = Field(20.0, ge=0)
    """How long one waits before it is told to come back."""

    def limits(self) -> MediaLimits:
        """Return what decoders refuse."""
        return MediaLimits(
            max_picture_bytes=self.max_picture_bytes,
            max_pixels=self.max_pixels,
            max_video_bytes=self.max_video_bytes,
            max_sound_bytes=self.max_voice_bytes,
            max_sound_seconds=self.max_voice_seconds,
        )

    def budget(self, frames: int) -> FrameBudget:
        """Return how many frames of a film are looked at, and for how long."""
        return FrameBudget(frames=frames, decode_seconds=self.decode_seconds)
