"""Settings of the row `two_stage`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.boosting import lambdarank_parameters

Holdout = Literal["random", "last"]


class TwoStageConfig(BaseModel):
    """Retrievers, the rows held out for the ranker, and the ranker; all change results."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    retrievers: tuple[str, ...] = Field(("sequence_tower", "sequence_linear", "content_linear", "als"), min_length=1)
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

    folds: int = Field(4, ge=1)
    """Held-out parts, each with retrievers of its own; `last` has one, whatever stands here."""

    trees: int = Field(80, ge=1)
    """Boosting rounds of LambdaRank."""

    leaves: int = Field(7, ge=2)
    """Leaves a tree has at most: what is to be learned beside the best retriever is little."""

    learning_rate: float = Field(0.05, gt=0, le=1)
    """Shrinkage of each tree."""

    min_leaf_rows: int = Field(100, ge=1)
    """Rows a leaf must hold."""

    feature_share: float = Field(0.5, gt=0, le=1)
    """Share of the features each tree sees."""

    truncation: int = Field(30, ge=1)
    """Positions from the top at which a pair's order still counts."""

    start: float = Field(0.5, gt=0, le=100)
    """Weight of the best retriever's standard score, from which the trees start."""

    rankers: int = Field(2, ge=1)
    """Rankers of different seeds whose corrections are averaged."""

    share: float = Field(1.0, ge=0)
    """Weight of the correction without validation."""

    shares: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0, 1.5)
    """Weights of the correction that validation chooses from; 0 is always among them."""

    max_items: int = Field(20_000, ge=1)
    """Largest catalogue: how close items stand is held in two dense matrices."""

    max_groups: int = Field(20_000, ge=1)
    """Shoppers a fold that teach the ranker, drawn at random beyond that."""

    def parameters(self) -> dict[str, Any]:
        """Return LightGBM's parameters."""
        return {**lambdarank_parameters(self), "num_threads": 1}
