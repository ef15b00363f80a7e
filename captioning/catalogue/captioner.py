"""`catalogue`: what the shop's other items teach about a picture, in the shop's own words."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from captioning.base import Clip, Picture, Words
from captioning.catalogue import fields, wording
from captioning.catalogue.config import CatalogueConfig
from captioning.catalogue.places import CATALOGUE
from captioning.catalogue.towers import Towers
from captioning.catalogue.trained import Trained, load_trained
from captioning.pixels import PixelsCaptioner
from catalog.vectors import Floats
from catalog.workspace import Workspace, content_key

_FRAMES = 8
"""Frames of a film that are looked at, evenly over its length."""


class CatalogueCaptioner:
    """A `Captioner` (and `VideoCaptioner`) by `encoders/clip`, its siblings and `encoders/catalogue`.

    A picture of an item is read only by a model and heads that saw neither the item nor its variants; any other picture
    by the model and the heads of the whole catalogue. Opens at the first picture; calls from several threads queue.

    Args:
        root: The store.
        config: As the heads were trained with; `pixels` says whether its words follow.
    """

    name = "catalogue"

    def __init__(self, root: Path | str, config: CatalogueConfig | None = None) -> None:
        self.config = config or CatalogueConfig()
        self._root, self._lock = Path(root), threading.Lock()
        self._pixels = PixelsCaptioner()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._root, self.config)

    @property
    def model(self) -> str:
        """Which models and heads.

        Raises:
            NotBuiltError: When they were never trained.
        """
        return f"{CATALOGUE} {self._trained.key[:12]}"

    @property
    def prompt_sha(self) -> str:
        """Hash of the wording, and of what `pixels` adds."""
        added = None if self.config.pixels == "never" else self._pixels.prompt_sha
        return content_key([_source(module) for module in (wording, fields)], self.config.pixels, added)

    def scope(self, item_id: str) -> str:
        """Return what of the captioner an item's captions depend on besides the picture: who may read it."""
        return str(self._trained.scope(item_id))

    def caption(self, pictures: Sequence[Picture]) -> list[Words]:
        """Return the words of each picture, in order.

        Raises:
            NotBuiltError: When a model or the heads were never trained.
            DataError: When they are damaged.
        """
        said = self._read(pictures)
        return [self._words(words, picture) for words, picture in zip(said, pictures, strict=True)]

    def caption_video(self, clip: Clip) -> Words:
        """Say what a film shows, by the mean of several frames, and what moves."""
        at = np.unique(np.linspace(0, len(clip.frames) - 1, _FRAMES).round().astype(int))
        said = self._say(clip.item_id, [clip.frames[int(each)] for each in at])
        if self.config.pixels == "never":
            return _told(said)
        return _told(f"{said} {self._pixels.caption_video(clip).text or ''}".strip())

    def _words(self, said: str, picture: Picture) -> Words:
        if self.config.pixels == "never" or (said and self.config.pixels == "silent"):
            return _told(said)
        seen = self._pixels.caption([picture])[0]
        return seen if not said else Words(f"{said} {seen.text or ''}".strip())

    def _read(self, pictures: Sequence[Picture]) -> list[str]:
        """Return what the heads say of each picture; those of one model are shown to it together."""
        scopes = [self._trained.scope(picture.item_id) for picture in pictures]
        said = [""] * len(pictures)
        for fold in dict.fromkeys(scopes):
            rows = [row for row, scope in enumerate(scopes) if scope == fold]
            likely = self._likely(fold, [pictures[row] for row in rows])
            for at, row in enumerate(rows):
                said[row] = self._sentence(fold, [each[at] for each in likely])
        return said

    def _say(self, item_id: str, frames: Sequence[Picture]) -> str:
        fold = self._trained.scope(item_id)
        return self._sentence(fold, [each.mean(0) for each in self._likely(fold, frames)])

    def _likely(self, fold: int, pictures: Sequence[Picture]) -> list[Floats]:
        heads = self._trained.speakers[fold].heads
        pixels = [self._towers.prepare(picture.image) for picture in pictures]
        with self._lock:
            features = self._towers.features(fold, pixels)
        return heads.probabilities(features)

    def _sentence(self, fold: int, likely: Sequence[Floats]) -> str:
        speaker = self._trained.speakers[fold]
        return wording.sentence(wording.guesses(speaker.heads.fields, likely, speaker.least))

    @cached_property
    def _trained(self) -> Trained:
        return load_trained(Workspace(self._root))

    @cached_property
    def _towers(self) -> Towers:
        return Towers(Workspace(self._root), self.config)


def _told(said: str) -> Words:
    return Words(said) if said else Words(None, "unsure: no value is certain enough")


def _source(module: ModuleType) -> str:
    """Return the module's text: a changed wording is a changed captioner."""
    return inspect.getsource(module)
