"""The embedding seams: texts or pictures to vectors of one named space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PIL import Image

from catalog.vectors import Floats


class TextEmbedder(Protocol):
    """Texts to unit vectors. `name` is short (`minilm`), `model` the provenance, `dim` the width d."""

    name: str
    model: str
    dim: int

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return (n, d) float32, each row of length 1, in the order of `texts`.

        Raises:
            ServiceError: When the model behind it is unreachable.
        """


class ImageEmbedder(Protocol):
    """Pictures and texts to unit vectors of one joint space."""

    name: str
    model: str
    dim: int

    def embed_images(self, images: Sequence[Image.Image]) -> Floats:
        """Return (n, d) float32, rows of length 1."""

    def embed_texts(self, texts: Sequence[str]) -> Floats:
        """Return (n, d) float32, rows of length 1, comparable with the pictures' rows."""
