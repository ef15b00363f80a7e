"""`Thumbnail`: frame vectors with no model at all: where which colour is, and which way edges run.

It is what films are read with where the store has no picture model yet, and the double of one in tests.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from catalog.errors import ConfigError
from catalog.vectors import Floats
from embedding.base import ImageEmbedder, Picture, unit
from embedding.clip import as_rgb

_SIDE = 48
_COLOUR_CELLS = 6
_EDGE_CELLS = 4
_WAYS = 8
_EDGE_WEIGHT = 4.0
"""Edges are small numbers beside colours; this makes the two weigh about the same."""


class Thumbnail(ImageEmbedder):
    """Mean colour of 6 x 6 cells and edge directions of 4 x 4, after Dalal and Triggs, CVPR 2005."""

    name = "thumbnail"
    model = "thumbnail of 6 x 6 colours and 4 x 4 x 8 edge directions"
    dim = 3 * _COLOUR_CELLS**2 + _WAYS * _EDGE_CELLS**2 + 1

    def prepare(self, picture: Picture) -> Floats:
        """Return a picture at 48 x 48, (3, 48, 48) float32 from 0 to 1."""
        small = as_rgb(picture).resize((_SIDE, _SIDE), Image.Resampling.BOX)
        return np.ascontiguousarray(np.asarray(small, np.float32).transpose(2, 0, 1) / np.float32(255))

    def embed_prepared(self, pixels: Sequence[Floats]) -> Floats:
        """Return (n, d) float32, rows of length 1, of what `prepare` gave."""
        if not len(pixels):
            return np.zeros((0, self.dim), np.float32)
        return unit(np.stack([_described(each) for each in pixels]), self.model)

    def embed_texts(self, texts: Sequence[str]) -> Floats:
        """Refuse: nothing here reads words.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(f"{self.name!r} reads no text ({len(texts)} given); a model of vitrine train clip does")


def _described(picture: Floats) -> Floats:
    colours = picture.reshape(3, _COLOUR_CELLS, _SIDE // _COLOUR_CELLS, _COLOUR_CELLS, -1).mean(axis=(2, 4))
    luma = picture.mean(axis=0)
    down, right = np.gradient(luma)
    strength = np.hypot(down, right)
    way = ((np.arctan2(down, right) % np.pi) / np.pi * _WAYS).astype(int) % _WAYS
    cell = np.arange(_SIDE) // (_SIDE // _EDGE_CELLS)
    place = (cell[:, None] * _EDGE_CELLS + cell[None, :]) * _WAYS + way
    edges = np.bincount(place.ravel(), strength.ravel(), minlength=_WAYS * _EDGE_CELLS**2)
    edges = np.sqrt(edges * _EDGE_CELLS**2 / _SIDE**2)
    # The one at the end keeps an all-black, all-even picture from having no direction.
    return np.concatenate([colours.ravel() - 0.5, _EDGE_WEIGHT * edges / np.sqrt(_WAYS), [0.1]]).astype(np.float32)
