"""When a version that was trained anew is served."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RetrainConfig(BaseModel):
    """When a version that was trained anew is served."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    worse_by: float = Field(0.0, ge=0, lt=1)
    """Share by which its NDCG@20 may lie below that of the served version, on the same events, unseen by both."""
    noise: float = Field(0.05, ge=0, lt=1)
    """The same where the 95% interval of the difference holds 0: a loss up to this that may be chance is none."""
    at_least: int = Field(50, ge=1)
    """Positives since the served version learned; with fewer nothing is trained, for want of something to judge by."""
    surge: float = Field(0.2, gt=0, le=1)
    """How much the share of one item in what shoppers take may have grown since, beyond chance (0.2: from 3% to 23%),
    where at least ten shoppers took anything; with more nothing is trained before somebody has looked. 1 looks at
    nothing."""
