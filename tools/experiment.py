"""A/B experiments: who is in which arm, and what an arm changes. No request can choose."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from catalog.errors import ConfigError, did_you_mean
from catalog.nouns import Assignment
from tools.pipeline.config import PipelineConfig

if TYPE_CHECKING:
    from tools.base import Shopper
    from tools.shop import Shop

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]

SHARED = (
    "facets", "centres", "index_rows", "same_rows", "table_rows", "parents", "fresh", "children", "narrowest",
    "popularity", "by_popularity", "sort_columns", "in_stock",
)  # fmt: skip
"""What a shop works out of its catalogue alone, so that arms hold it once."""


class ArmConfig(BaseModel):
    """What one arm does otherwise; all of it changes results."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: float = Field(1.0, gt=0)
    """Share of the shoppers, relative to the weights of the other arms."""
    pipeline: Mapping[str, Any] = Field(default_factory=dict)
    """Fields of `pipeline` by name, e.g. `{diversity = 0.4}`; each takes the place of the whole field."""
    ranker: bool = True
    """Whether the re-ranker and the click model order what was retrieved."""
    recommender: str | None = None
    """One of those fitted beside the served model (`pipeline.retrievers`) to lead in its place. The re-ranker learned
    from the served model's scores, so it rests in such an arm."""

    @model_validator(mode="after")
    def _pipeline_is_valid(self) -> Self:
        try:
            PipelineConfig.model_validate(dict(self.pipeline))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise ValueError(f"pipeline.{place}: {first['msg']}; got {first['input']!r}") from None
        return self


class ExperimentConfig(BaseModel):
    """One experiment; the first arm is what the others are compared with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Name
    """Its name in the log of what was shown. A new name draws every shopper anew."""
    salt: str = ""
    """Mixed into the draw. A secret one keeps callers from looking for a session that falls into an arm."""
    arms: Mapping[Name, ArmConfig] = Field(min_length=2)
    """Arms by name, `{control = {}, diverse = {weight = 1, pipeline = {diversity = 0.4}}}`."""

    def shares(self) -> dict[str, float]:
        """Return each arm's share of the shoppers; they sum to 1."""
        whole = sum(arm.weight for arm in self.arms.values())
        return {name: arm.weight / whole for name, arm in self.arms.items()}


def assigned(experiment: ExperimentConfig, user_id: str | None, session_id: str | None) -> Assignment | None:
    """Return the arm of a shopper, of a guest's session, or None for somebody without either.

    The same everywhere and always for the same name, salt, arms and shopper: nothing is stored. The unit is hashed to a
    number in [0, 1), which falls into the arm whose stretch it lies in.

    Source:
        Kohavi, Tang and Xu, Trustworthy Online Controlled Experiments, 2020, chapter 4.
    """
    unit = user_id or session_id
    if not unit:
        return None
    by: Literal["user", "session"] = "user" if user_id else "session"
    told = "\x1f".join((experiment.salt, experiment.id, by, unit))
    # 53 bits: every such number is a float of its own, and none rounds up to 1.
    place = (int.from_bytes(hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()[:8]) >> 11) / 2**53
    shares = experiment.shares()
    arms = list(shares)
    inside = (arm for arm, end in zip(arms, accumulate(shares.values()), strict=True) if place < end)
    arm = next(inside, arms[-1])
    return Assignment(experiment.id, arm, by, shares[arm])


def assignment_of(shop: Shop, shopper: Shopper) -> Assignment | None:
    """Return which arm the shop answers a shopper by, for the log; None without an experiment."""
    return assigned(shop.experiment, shopper.user_id, shopper.session_id) if shop.experiment else None


def arm_for(shop: Shop, shopper: Shopper) -> Shop:
    """Return the shop as the shopper's arm has it; itself without an experiment, or for somebody nobody can tell."""
    found = assignment_of(shop, shopper)
    return shop if found is None else shop.arms[found.arm]


def with_experiment(shop: Shop, experiment: ExperimentConfig | None) -> Shop:
    """Return the shop with an experiment.

    Raises:
        ConfigError: When an arm asks for a recommender that the shop does not have.
    """
    for name, arm in experiment.arms.items() if experiment else ():
        if arm.recommender is not None and arm.recommender not in shop.retrievers:
            raise ConfigError(
                f"experiment.arms.{name}.recommender is {arm.recommender!r}, not fitted beside the served model "
                f"(pipeline.retrievers, then vitrine train). {did_you_mean(arm.recommender, list(shop.retrievers))}"
            )
    return replace(shop, experiment=experiment)


def arms_of(shop: Shop) -> dict[str, Shop]:
    """Return the shop as each arm has it, without the experiment: what runs inside an arm stays in it."""
    return {} if shop.experiment is None else {n: _arm(shop, arm) for n, arm in shop.experiment.arms.items()}


def _arm(shop: Shop, arm: ArmConfig) -> Shop:
    changes: dict[str, Any] = {"experiment": None}
    if arm.pipeline:
        whole = {name: getattr(shop.pipeline, name) for name in PipelineConfig.model_fields}
        changes["pipeline"] = PipelineConfig.model_validate({**whole, **arm.pipeline})
    if arm.recommender is not None:
        changes["recommender"] = shop.retrievers[arm.recommender]
    if not arm.ranker or arm.recommender is not None:
        changes |= {"ranker": None, "ctr": None}
    twin = replace(shop, **changes)
    # A frozen dataclass keeps what it has worked out in its __dict__.
    twin.__dict__.update({name: getattr(shop, name) for name in SHARED})
    return twin
