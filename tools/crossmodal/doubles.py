"""Senses for tests: eyes that know colours alone, ears that hear what they are told, and a toy shop that has both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor

from captioning.speech.base import Floats, Reason, Transcript
from captioning.speech.base import Floats as Samples
from catalog.ids import IdMap
from catalog.media import MediaLimits, open_picture
from catalog.vectors import EmbeddingTable
from embedding.base import ImageEmbedder, Picture, unit
from embedding.picture_job import picture_space
from indexes.flat import FlatIndex
from tools.crossmodal.config import CrossModalConfig
from tools.crossmodal.senses import Sense, Senses
from tools.doubles import toy_shop
from tools.shop import Shop

SIDE = 16
_BINS = 4


class ColourEyes(ImageEmbedder):
    """Pictures as histograms of colour, words as the colours they name; nothing needs a model.

    A picture without any colour but its ground's, and words that name none, point at the first bin.
    """

    name = "eyes"
    model = "double/colour-eyes"
    dim = _BINS**3

    def prepare(self, picture: Picture) -> Floats:
        """Return (3, 16, 16) float32 from 0 to 1."""
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        small = np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.NEAREST), np.float32) / 255
        return np.ascontiguousarray(small.transpose(2, 0, 1))

    def embed_prepared(self, pixels: Sequence[Floats]) -> Floats:
        """Return (n, 64) float32, rows of length 1: how much of each colour the middle of the picture shows."""
        rows = np.zeros((len(pixels), self.dim), np.float32)
        for row, picture in zip(rows, pixels, strict=True):
            edge = SIDE // 4
            for colour in picture[:, edge:-edge, edge:-edge].reshape(3, -1).T:
                row[_bin(colour)] += 1
        return unit(rows, self.name)

    def embed_texts(self, texts: Sequence[str]) -> Floats:
        """Return (n, 64) float32, rows of length 1."""
        rows = np.zeros((len(texts), self.dim), np.float32)
        for row, text in zip(rows, texts, strict=True):
            named = [word for word in text.lower().split() if word in ImageColor.colormap]
            for word in named:
                row[_bin(np.array(ImageColor.getrgb(word)[:3], np.float32) / np.float32(255))] += 1
            row[0] += not named
        return unit(rows, self.name)


class ToldTranscriber:
    """Hears the same in every sound, or nothing.

    Args:
        text: What it hears; None: nothing.
        reason: Why nothing.
    """

    name = "told"
    model = "double/told"
    settings_sha = "0" * 64

    def __init__(self, text: str | None, reason: Reason = "silence") -> None:
        self.text, self.reason = text, reason

    def transcribe(self, samples: Samples) -> Transcript:
        """Return what it was told."""
        seconds = len(samples) / 16_000
        if self.text is None:
            return Transcript(None, seconds=seconds, reason=self.reason)
        return Transcript(self.text, "en", seconds=seconds)


def seeing_toy_shop(
    folder: Path, *, hears: str | None = "a blue mug", recommender: bool = False, config: CrossModalConfig | None = None
) -> Shop:
    """Open the toy shop with the space `picture-eyes` over its pictures: discs, each in its item's first colour.

    Args:
        folder: As `toy_shop`.
        hears: What every voice says; None: nothing is heard.
        recommender: As `toy_shop`.
        config: Limits and weights of queries with media.
    """
    shop = toy_shop(folder, recommender=recommender, pictures=True)
    eyes = ColourEyes()
    pictures = [open_picture(item.images[0], folder, MediaLimits()) for item in shop.catalog]
    ids = IdMap([item.item_id for item in shop.catalog])
    table = EmbeddingTable(ids, eyes.embed_images(pictures), picture_space(eyes.name))
    senses = Senses(
        config=config or CrossModalConfig(),
        pictures=Sense(lambda: eyes),
        transcriber=Sense(lambda: ToldTranscriber(hears)),
    )
    return replace(
        shop, further={table.space: table}, indexes={**shop.indexes, table.space: FlatIndex.build(table)}, senses=senses
    )


def _bin(colour: Floats) -> int:
    level = np.minimum((colour * _BINS).astype(np.int64), _BINS - 1)
    return int(level[0] * _BINS**2 + level[1] * _BINS + level[2])
