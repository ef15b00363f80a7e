"""What every encoder that learns from shoppers is told alike."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from embedding.opening import MOST_THREADS


class TrainingConfig(BaseModel):
    """From which events an encoder learns, and on how many threads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of: AwareDatetime | None = None
    """Learn only from what happened before this moment (with its zone: `2026-01-01T00:00:00Z`), as an evaluation in
    time must. None: from all."""
    threads: int = Field(1, ge=1, le=MOST_THREADS)
    """Torch threads; another number may give other weights in the last digits."""
