"""When a version that was trained anew is served."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RetrainConfig(BaseModel):
    """When a version that was trained anew is served."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    worse_by: float = Field(0.0, ge=0, lt=1)
    """Share by which its NDCG@20 may lie below that of the served version, on the same events, unseen by both."""
    at_least: int = Field(50, ge=1)
    """Positives since the served version learned; with fewer nothing is trained, for want of something to judge by."""
