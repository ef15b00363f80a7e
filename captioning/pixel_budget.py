"""How large a picture is shown to a model: whole squares of its patches, within a budget of pixels."""

from __future__ import annotations

import math

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, model_validator

from catalog.errors import MediaError

MAX_RATIO = 200
"""Longer side over shorter, beyond which Qwen-VL refuses a picture."""
FACTOR = 32
"""Side of a square where the model's is unknown: patches of 16 pixels merged two by two, as Qwen3-VL has."""


class VisionConfig(BaseModel):
    """What every model behind a captioner can be told about what it is shown; all of it changes captions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("mllm", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Name of the artifact, `captions/<name>`."""
    max_pixels: int = Field(512 * 512, ge=28 * 28)
    """A picture is scaled down to at most this many pixels; changes captions."""
    min_pixels: int = Field(56 * 56, ge=28 * 28)
    """A picture is scaled up to at least this many pixels; changes captions."""
    max_frames: int = Field(12, ge=1)
    """Frames of a video that are shown, evenly chosen among those sampled; changes captions of videos."""
    frame_pixels: int = Field(320 * 320, ge=28 * 28)
    """A frame of a video is scaled down to at most this many pixels; changes captions of videos."""

    @model_validator(mode="after")
    def _budgets(self) -> VisionConfig:
        if self.min_pixels > min(self.max_pixels, self.frame_pixels):
            raise ValueError("min_pixels is more than max_pixels or frame_pixels")
        return self


def smart_resize(width: int, height: int, factor: int, min_pixels: int, max_pixels: int) -> tuple[int, int]:
    """Return width and height as multiples of `factor`, within the budget, the shape nearly kept.

    Raises:
        MediaError: When one side is more than 200 times the other.

    Source:
        `smart_resize` of qwen-vl-utils, here without torch, which a client of a server can do without.

    Example:
        >>> smart_resize(1000, 500, 28, 3136, 100_000)
        (420, 196)
    """
    if max(width, height) / min(width, height) > MAX_RATIO:
        raise MediaError(f"{width} by {height} pixels; a side at most {MAX_RATIO} times the other would be valid")
    wide, high = (max(factor, round(side / factor) * factor) for side in (width, height))
    if wide * high > max_pixels:
        shrink = math.sqrt(width * height / max_pixels)
        wide, high = (max(factor, math.floor(side / shrink / factor) * factor) for side in (width, height))
    elif wide * high < min_pixels:
        grow = math.sqrt(min_pixels / (width * height))
        wide, high = (math.ceil(side * grow / factor) * factor for side in (width, height))
    return wide, high


def within_budget(image: Image.Image, factor: int, min_pixels: int, max_pixels: int) -> Image.Image:
    """Return the picture in RGB at the size `smart_resize` gives it.

    Raises:
        MediaError: As `smart_resize`.
    """
    size = smart_resize(image.width, image.height, factor, min_pixels, max_pixels)
    image = image.convert("RGB")
    return image if image.size == size else image.resize(size, Image.Resampling.BICUBIC)
