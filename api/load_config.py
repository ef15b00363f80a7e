"""How much the service takes on at once."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class LaneConfig(BaseModel):
    """Room for one kind of request, in each worker."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_once: int = Field(32, ge=1)
    """Requests answered at the same time."""
    waiting: int = Field(128, ge=0)
    """Requests that may wait for one of them to end; one more is answered 503 with `Retry-After`."""
    seconds: float = Field(2.0, gt=0)
    """How long one waits at most before it is answered 503."""


class LoadConfig(BaseModel):
    """How much is taken on at once; a flood of one kind leaves room for the others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chat: LaneConfig = LaneConfig(at_once=16, waiting=32, seconds=10.0)
    """Conversations and recordings: `/v1/chat`, `/v1/chat/completions`, `/v1/audio`."""
    events: LaneConfig = LaneConfig()
    """`/v1/events`."""
    writes: LaneConfig = LaneConfig(at_once=8, seconds=10.0)
    """`PUT` and `DELETE /v1/items/{id}`: a deletion waits for answers that were begun before it, and a merchant who
    writes a whole feed must not take the shoppers' places."""
    pages: int = Field(2, ge=1)
    """Pages of recommendations and of search results that one worker makes at the same time. They share one
    interpreter, in which more only get in each other's way; the second fills the time that the first waits for a
    database or an embedding server."""
    answers: LaneConfig = LaneConfig()
    """Recommendations, searches, records, tools: everything else under `/v1`, and `/mcp`."""
