"""Settings of `SequenceTower`."""

from __future__ import annotations

from pydantic import Field

from models.bounds import Weight
from models.sequence_linear.config import SequenceLinearConfig


class SequenceTowerConfig(SequenceLinearConfig):
    """Settings of `SequenceTower`: those of the linear part, and the tower's."""

    share: Weight = 0.5
    """Weight of the tower's standardised scores beside the linear ones; with validation data it is chosen there."""

    dim: int = Field(256, ge=1)
    """Width of the tower's tables."""

    feature_dims: int = Field(192, ge=1)
    """Leading directions of each role that the tower reads."""

    id_scale: float = Field(0.3, ge=0, le=1e6)
    """Scale of an item's own rows beside the part its features give; smaller learns more slowly by heart."""

    dropout: float = Field(0.5, gt=0, lt=1)
    """Chance that an item of a history is hidden and must be predicted from the rest, drawn anew each epoch."""

    temperature: float = Field(0.2, ge=1e-6)
    """Where the learned temperature of the softmax over cosines starts."""

    learning_rate: float = Field(1e-3, gt=0, le=10)
    """Of Adam; half of it for the projections of the features."""

    batch_size: int | None = Field(None, ge=1)
    """Histories a step; None takes a fiftieth of the shoppers, between 64 and 512."""

    averaging: float = Field(2.0, ge=0)
    """Epochs over which the kept parameters are a running mean of the trained ones; 0 keeps the last."""

    epochs: int = Field(20, ge=1)
    """Epochs without validation data."""

    max_epochs: int = Field(60, ge=1)
    """Most epochs with it."""

    validate_every: int = Field(3, ge=1)
    """Epochs between validations of the tower."""

    patience: int = Field(2, ge=1)
    """Validations without a better value after which the tower stops."""
