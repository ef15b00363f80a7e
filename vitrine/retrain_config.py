"""When a version that was trained anew is served."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RetrainConfig(BaseModel):
    """When a version that was trained anew is served."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    worse_by: float = Field(0.0, ge=0, lt=1)
    """Share by which its validation NDCG@20 may lie below that of the served version. The two are measured on the
    newest events there were at the time of each, so that some of the difference is chance."""
