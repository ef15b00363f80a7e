"""The embedding seams: texts or pictures to vectors of one named space."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from catalog.errors import ServiceError
from catalog.vectors import Floats
from embedding.tokens import TokenCounter

Picture: TypeAlias = Image.Image | npt.NDArray[Any]
"""PIL of any mode, or an array (h, w, 3), (h, w, 4) or (h, w): uint8, or float from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors, and how much of each text was read.

    Attributes:
        vectors: (n, d) float32, rows of length 1.
        tokens: Tokens the model read, one number a text, its instruction among them; () where nobody counts.
        cut: Whether a text went on beyond what the model reads; () where nobody knows.
        faults: Why a text has no vector, None where it has one (the row of the others is zeros); () where all have.
    """

    vectors: Floats
    tokens: tuple[int, ...] = ()
    cut: tuple[bool, ...] = ()
    faults: tuple[str | None, ...] = ()


class TextEmbedder(Protocol):
    """Texts to unit vectors. `name` is short (`minilm`), `model` the provenance, `dim` the width d.

    A class that inherits from this one need only write `embed`. It loads its model at the first text, is safe to
    call from several threads, and can be sent to another process before that.
    """

    name: str
    model: str
    dim: int

    @abstractmethod
    def embed(self, texts: Sequence[str]) -> Floats:
        """Return (n, d) float32, each row of length 1, in the order of `texts`: what the shop's items say.

        Raises:
            ServiceError: When the model behind it is unreachable.
        """
        raise NotImplementedError

    def embed_queries(self, texts: Sequence[str]) -> Floats:
        """Return (n, d) as `embed` does, for what a shopper asks; some models want an instruction before it."""
        return self.embed(texts)

    def embed_counted(self, texts: Sequence[str]) -> Embedded:
        """Return what `embed` returns, and how much was read."""
        return Embedded(self.embed(texts))

    def counter(self) -> TokenCounter | None:
        """Return what counts tokens as the model does, or None; it loads no model."""
        return None


class ImageEmbedder(Protocol):
    """Pictures and texts to unit vectors of one joint space."""

    name: str
    model: str
    dim: int

    @abstractmethod
    def prepare(self, picture: Picture) -> Floats:
        """Return a picture as the model wants it, (3, h, w) float32; no model is needed, many at once are fine."""
        raise NotImplementedError

    @abstractmethod
    def embed_prepared(self, pixels: Sequence[Floats]) -> Floats:
        """Return (n, d) float32, rows of length 1, of what `prepare` gave."""
        raise NotImplementedError

    @abstractmethod
    def embed_texts(self, texts: Sequence[str]) -> Floats:
        """Return (n, d) float32, rows of length 1, comparable with the pictures' rows."""
        raise NotImplementedError

    def embed_images(self, images: Sequence[Picture]) -> Floats:
        """Return (n, d) float32, rows of length 1."""
        return self.embed_prepared([self.prepare(image) for image in images])


def unit(vectors: npt.NDArray[Any], where: str) -> Floats:
    """Return rows at length 1, (n, d) float32; the one place that normalises what a model gave.

    Raises:
        ServiceError: When a row is zero or not finite; `where` names the model.
    """
    rows = np.asarray(vectors, np.float32)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    if not (np.isfinite(length).all() and (length > 0).all()):
        at = int(np.flatnonzero(~(np.isfinite(length) & (length > 0)).ravel())[0])
        raise ServiceError(f"{where}: a vector that is zero or not finite (row {at} of {len(rows)})")
    return np.ascontiguousarray(rows / length, np.float32)
