"""What a scoreboard is asked to do."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from eval.metrics import parse_selecting

Positive = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]


class ScoreboardConfig(BaseModel):
    """Options of `vitrine eval captions`; every one but `resamples` and `max_items` changes results."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str = "ndcg@20"
    """What is bought, one of what a user took; chosen by on validation, ranked by on test."""
    weights: tuple[Positive, ...] = Field((0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0), min_length=1)
    """Kernel weights tried for every contender and every control alike; validation chooses."""
    regularisations: tuple[Positive, ...] = Field((20.0, 50.0, 100.0, 200.0, 400.0, 800.0), min_length=1)
    """Values of lambda tried without content; what validation chooses there is everybody's."""
    deals: int = Field(3, ge=1, le=100)
    """Times the controls are drawn; a user's value is the mean over them."""
    cold_share: float = Field(0.2, gt=0, lt=1)
    """Share of the items taken by anybody that are held out for the cold part, half to choose by and half to judge by,
    unless the protocol is `temporal`, whose own unseen items are judged."""
    seed: int = Field(0, ge=0, le=2**31 - 1)
    """Of the controls, the held-out items and the intervals."""
    resamples: int = Field(2000, ge=100)
    """Bootstrap resamples behind each interval."""
    max_items: int = Field(20_000, ge=1)
    """Largest catalogue: the solution is a dense matrix of items."""
    check: str | None = None
    """A recommender that is trained in full on every contender, to see whether it ranks them alike; None: none."""
    check_seeds: tuple[int, ...] = Field((0,), min_length=1)
    """One fit of the check a seed; a user's value is the mean over seeds."""

    @field_validator("metric")
    @classmethod
    def _selecting(cls, text: str) -> str:
        parse_selecting(text)
        return text

    @model_validator(mode="after")
    def _sorted(self) -> Self:
        for name in ("weights", "regularisations"):
            values = getattr(self, name)
            if list(values) != sorted(set(values)):
                raise ValueError(f"{name} {values!r} are not in ascending order, each once")
        return self


class Prices(BaseModel):
    """What work costs, in any one currency; None: not counted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: float | None = Field(None, ge=0, allow_inf_nan=False)
    """A million tokens read."""
    completion: float | None = Field(None, ge=0, allow_inf_nan=False)
    """A million tokens written."""
    hour: float | None = Field(None, ge=0, allow_inf_nan=False)
    """An hour of the jobs' work, such as that of a rented machine."""
