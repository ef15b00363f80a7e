"""What `vitrine train fusion` builds, and how it is fitted."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from embedding.training_config import TrainingConfig

Together = Literal["shopper", "session"]


class FusionConfig(TrainingConfig):
    """How vectors of several roles become one; everything but `device` changes the vectors."""

    roles: dict[str, str] = Field(default_factory=dict)
    """Space by role, any number, e.g. `{text = "text-minilm", picture = "picture-clip", video = "video-clip"}`. Empty:
    the text and the caption space in use, and every space `picture-...`, `video...` and `speech...` of the store."""
    together: Together = "shopper"
    """Two items belong together when one shopper took both, or took both in one `session`."""
    dim: int = Field(128, ge=8, le=4096)
    """Width of a fused vector; each role begins with an equal share of it."""
    queries: int = Field(2, ge=1, le=64)
    """Learned queries that look at the roles' vectors."""
    heads: int = Field(4, ge=1, le=64)
    """Heads of the cross-attention; divides `dim`."""
    layers: int = Field(1, ge=1, le=12)
    """Blocks of cross-attention and feed-forward."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Of the transformer's own part, in training."""
    modality_dropout: float = Field(0.1, ge=0, lt=1)
    """Chance that a role of an item is hidden in a step; one is always left."""
    query_weight: float = Field(0.5, ge=0, le=100)
    """What pseudo queries (an item's own vectors, some roles hidden) count beside pairs of items."""
    temperature: float = Field(0.1, ge=1e-3, le=100)
    """What cosines are divided by in the loss."""
    popularity: float = Field(1.0, ge=0, le=1)
    """How much of the log of an item's frequency is taken off its score in the loss; 1 is the whole correction."""
    learning_rate: float = Field(3e-4, gt=0, le=1)
    """Of Adam."""
    pull: float = Field(1e-3, ge=0, le=1)
    """Share of the way back to where they began (the mean of the roles' cosines) that weights go after each step."""
    batch_size: int = Field(256, ge=2)
    """Pairs in one step; the others' items are the negatives."""
    epochs: int = Field(16, ge=1)
    """Most rounds through the pairs; the best one on held-out shoppers is kept."""
    patience: int = Field(4, ge=1)
    """Rounds without a better one before it stops."""
    held_out: float = Field(0.1, gt=0, lt=1)
    """Share of the shoppers (or sessions) held out of the pairs to stop by."""
    device: str = "cpu"
    """A torch device."""

    @model_validator(mode="after")
    def _divided(self) -> Self:
        if self.dim % self.heads:
            raise ValueError(f"heads is {self.heads}, which does not divide dim {self.dim}")
        return self
