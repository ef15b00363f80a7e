"""How the `catalogue` captioner learns and what it dares to say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from catalog.media import MediaLimits
from embedding.opening import MOST_THREADS


class CatalogueConfig(BaseModel):
    """How the heads are trained and which of their values are said; everything but `device` changes captions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: float = Field(0.7, gt=0, lt=1)
    """Share of what is said that must be right, field by field, on items that model and heads had not seen; values
    below the confidence that reaches it are not said. Less says more."""
    support: int = Field(10, ge=2)
    """Items that must state a value before it is learned."""
    most_values: int = Field(100, ge=2)
    """A field with more values than this names items; it does not sort them."""
    coverage: float = Field(0.1, gt=0, le=1)
    """Share of the items that must state a field before it is learned."""
    penalty: tuple[Annotated[float, Field(gt=0)], ...] = Field((0.01, 0.1), min_length=1)
    """Pulls of the heads' weights towards nothing, as shares of the items; the one that is right more often on items
    that were not seen is taken."""
    most_items: int = Field(20_000, ge=100)
    """Items that one set of heads learns from at most, drawn at random."""
    images_per_item: int = Field(2, ge=1)
    """Pictures of one item that the heads learn from, in the catalogue's order."""
    pixels: Literal["always", "silent", "never"] = "always"
    """Whether the words of `pixels` (shape, light, colours as they are) stand after those of the heads: in every
    caption, only where the heads have nothing to say, or in none."""
    device: str = "cpu"
    """A torch device for the picture towers."""
    batch_size: int = Field(64, ge=1)
    """Pictures in one forward pass."""
    threads: int = Field(1, ge=1, le=MOST_THREADS)
    """Torch threads of a forward pass."""
    media: MediaLimits = MediaLimits()
    """Bounds on what is decoded."""
