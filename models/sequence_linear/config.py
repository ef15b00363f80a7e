"""Settings of `SequenceLinear`."""

from __future__ import annotations

from pydantic import Field

from models.bounds import Regularisation, Weight
from models.history_model import HistoryConfig


class SequenceLinearConfig(HistoryConfig):
    """Settings of `SequenceLinear`; with validation data, the first three kinds are only where the search starts."""

    regularisation: Regularisation = 200.0
    """lambda, added to the diagonal of the item matrix."""

    weight: Weight = 30.0
    """What two items of like content count beside shoppers who took both, for a role that `weights` does not name."""

    weights: dict[str, Weight] = Field(default_factory=dict)
    """The same by role, e.g. `{"text": 60.0, "picture": 20.0}`; 0 leaves a role out."""

    sequence: Weight = 2.0
    """What two items taken one right after the other count beside two merely taken by the same shopper."""

    reach: float = Field(2.0, gt=0)
    """How far along a history closeness is felt, in items: `(1 + distance / reach) ** -1.5`."""

    activity_power: float = Field(0.5, ge=0, le=2)
    """A shopper of n items counts `n ** -activity_power`: the busiest do not decide alone; 0 counts all alike."""

    max_trials: int = Field(24, ge=1)
    """Most settings that the search solves and validates; 1 takes the settings above as they are."""

    max_items: int = Field(20_000, ge=1)
    """Largest catalogue: the solution is a dense matrix, and solving it takes time as its cube."""
