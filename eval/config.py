"""What one evaluation is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from eval.metrics import parse_selecting

Protocol = Literal["mmrec", "last", "temporal"]


class EvalConfig(BaseModel):
    """Options of `vitrine eval`; every one but `resamples` changes results."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[str, ...] = Field(("popularity", "itemknn", "lirdrec"), min_length=1)
    """Rows of the table, by name; the first is the baseline of the paired tests."""
    metrics: tuple[str, ...] = Field(
        ("ndcg@20", "recall@20", "hit@10", "mrr@10", "map@10", "precision@10", "coverage@10"), min_length=1
    )
    """Columns of the table, `name@k`; the first orders it and is tested in pairs."""
    select_by: str = "recall@20"
    """Metric on the validation part that early stopping maximises, one of what a user took."""
    seeds: tuple[int, ...] = Field((0,), min_length=1)
    """One fit a seed; a user's value is the mean over seeds."""
    shuffle: tuple[str, ...] = ()
    """Modality roles whose vectors are dealt to the wrong items, as a control row `model (role shuffled)`."""
    ablate: bool = False
    """Adds for every modality role a row `model (without role)`, fitted without it, to models that read modalities."""
    roles: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Modality roles by model name, for models that are not to read all of them."""
    resamples: int = Field(2000, ge=100)
    """Bootstrap resamples behind each interval."""
    overrides: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    """Model parameters by model name, e.g. `{"lirdrec": {"learning_rate": 0.001}}`."""

    @field_validator("select_by")
    @classmethod
    def _selecting(cls, text: str) -> str:
        parse_selecting(text)
        return text
