"""How the open shop takes in what is written to its catalogue."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field


class LiveConfig(BaseModel):
    """How writes to the catalogue reach those who are shopping. None of it changes what is found in the end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch: int = Field(64, ge=1)
    """Records that one snapshot takes in at most; the others wait for the next."""
    grace_seconds: float = Field(5.0, ge=0)
    """How long a deletion waits for answers that were begun before it; one that takes longer is held back from showing
    the item at its end."""
    words_at_once: int = Field(20_000, ge=0)
    """Catalogues up to this many items get their keyword index anew with every snapshot; in larger ones new words
    follow in a snapshot of their own, when no record waits."""
    look_seconds: float = Field(2.0, gt=0)
    """How often the store is looked at for what jobs made: a catalogue, indexes, a promoted model."""
    follow_seconds: float = Field(0.05, gt=0)
    """How often the journal is looked at for what other processes that serve the store wrote and deleted."""
    agree_seconds: float = Field(15.0, gt=0)
    """How long a deletion waits for the other processes that serve the store; where one has not taken it over by then,
    the deletion stands, and its caller is told to ask again (503)."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a write: whether the item was new, whether anything changed, whether snapshots lag behind."""

    item_id: str
    created: bool
    changed: bool
    pending: bool
