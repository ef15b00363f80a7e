"""What a dialogue evaluation is asked to do."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

History = Literal["none", "read", "said"]
"""What the agent knows of the conversation before the message it answers:

- `none`: nothing, the message alone;
- `read`: every earlier turn of the file, of both sides, as the history a client brings along;
- `said`: the shopper's earlier turns, said to the agent one by one in one session; it gave its own answers.
"""

Counted = Literal["named", "liked"]
"""Which items of a recommender's turn are targets: all it names for the first time, or those the seeker liked."""

HISTORIES: tuple[History, ...] = ("none", "read", "said")

TOP_N = 50
"""Items asked for; what was mentioned is removed from these."""


class DialogueConfig(BaseModel):
    """Options of `vitrine eval dialogue`; every one but `resamples` changes results."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ks: tuple[int, ...] = Field((1, 10, 20, 50), min_length=1)
    """Cut-offs of Recall and NDCG, up to what the agent is asked for."""
    history: tuple[History, ...] = Field(HISTORIES, min_length=1)
    """One row each; differences are taken to the first."""
    targets: Counted = "named"
    """`liked` needs the answer forms of ReDial; a dialogue without them has no target then."""
    limit: int | None = Field(None, ge=1)
    """Judge only the first dialogues of the file; None judges all."""
    seed: int = Field(0, ge=0)
    """Of the bootstrap."""
    resamples: int = Field(2000, ge=100)
    """Bootstrap resamples behind each interval."""

    @field_validator("ks")
    @classmethod
    def _within(cls, ks: tuple[int, ...]) -> tuple[int, ...]:
        for k in ks:
            if not 1 <= k <= TOP_N:
                raise ValueError(f"cut-off {k!r}: 1 to {TOP_N} would be valid, the agent is asked for {TOP_N} items")
        return tuple(sorted(set(ks)))
