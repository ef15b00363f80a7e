"""`pixels`: captions read from the pixels themselves, with no model, no weights and no network."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from types import ModuleType

from pydantic import BaseModel, ConfigDict, Field

from captioning import colours, ground, hull, lab, light, motion, pattern, scene, sentence, shape, texture, vocabulary
from captioning.base import Clip, Picture, Words
from catalog.workspace import content_key


class PixelsConfig(BaseModel):
    """How closely `pixels` looks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    side: int = Field(192, ge=64, le=1024)
    """Longer side, in pixels, at which a picture is read; changes captions."""


class PixelsCaptioner:
    """A `Captioner` (and `VideoCaptioner`): named colours, pattern, silhouette, light and layout; what moves.

    About 30 ms a picture on one core. The same bytes always give the same words.
    """

    name = "pixels"

    def __init__(self, config: PixelsConfig | None = None) -> None:
        self.config = config or PixelsConfig()
        self.model = f"pixels-{vocabulary.VERSION}"
        self.prompt_sha = content_key(vocabulary.VERSION, self.config.model_dump(), [_source(m) for m in _RULES])

    def caption(self, pictures: Sequence[Picture]) -> list[Words]:
        """Return the words of each picture, in order."""
        return [self._read(picture) for picture in pictures]

    def caption_video(self, clip: Clip) -> Words:
        """Say what moves, from frames in the order of time."""
        return Words(motion.describe_motion([frame.image for frame in clip.frames]))

    def _read(self, picture: Picture) -> Words:
        if min(picture.image.size) < 8:
            return Words(None, f"too small: {picture.image.width} by {picture.image.height} pixels")
        pixels = lab.picture_lab(picture.image, self.config.side)
        found = ground.split(pixels)
        if _is_object(found):
            return Words(sentence.describe_object(picture.image, pixels, found))
        return Words(scene.describe_scene(pixels))


def _is_object(found: ground.Ground) -> bool:
    """Tell a product shot from a poster on an even ground: what fills a frame raggedly is a scene."""
    return found.plain and (bool(found.subject.mean() < 0.42) or hull.solidity(found.subject) > 0.8)


_RULES = (lab, ground, hull, colours, pattern, texture, shape, light, sentence, scene, motion, vocabulary)


def _source(module: ModuleType) -> str:
    """Return the module's text: a changed rule is a changed captioner, whether or not a version was raised."""
    return inspect.getsource(module)
