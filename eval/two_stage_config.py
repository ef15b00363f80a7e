"""Settings of the row `two_stage`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.ranker import RankerConfig

Holdout = Literal["random", "last"]


class TwoStageConfig(BaseModel):
    """Retrievers, the rows held out for the ranker, and the ranker; all change results."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    retrievers: tuple[str, ...] = Field(("sequence_tower", "sequence_linear", "ease", "als", "freedom"), min_length=1)
    """Models of the first stage, by name; without the features a model needs it is left out."""

    overrides: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    """Settings of retrievers by name."""

    depth: int = Field(200, ge=1)
    """Best items of each retriever that become candidates."""

    pool: int = Field(300, ge=2)
    """Candidates a shopper has at most: the best of the union by the mean standard score."""

    holdout: Holdout = "random"
    """Which train rows teach the ranker: a tenth of each shopper's at random (one of fewer than ten), or the last one.
    What the protocol holds out is the one to take."""

    folds: int = Field(3, ge=1)
    """Held-out parts, each with retrievers of its own; `last` has one, whatever stands here."""

    ranker: RankerConfig = RankerConfig(trees=150, leaves=15, learning_rate=0.05, min_leaf_rows=50, feature_share=0.5)
    """Of LambdaRank."""

    rankers: int = Field(3, ge=1)
    """Rankers of different seeds whose scores are added."""

    share: float = Field(1.0, ge=0)
    """Weight of the rankers beside the best retriever without validation."""

    shares: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0)
    """Weights of the ranker beside the best retriever that validation chooses from; 0 is always among them."""

    max_items: int = Field(20_000, ge=1)
    """Largest catalogue: how close items stand is held in two dense matrices."""

    max_groups: int = Field(20_000, ge=1)
    """Shoppers that teach the ranker, drawn at random beyond that."""
