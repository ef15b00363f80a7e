"""Who reads intents, from what, and how the job runs."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from batch.job import JobConfig
from batch.plan import BatchSize, Threads
from captioning.intents.llm import LlmIntentsConfig
from captioning.intents.training import IntentTrainingConfig
from catalog.workspace import Workspace


class IntentJobConfig(JobConfig):
    """How the job runs; none of it changes an intent."""

    batch_size: BatchSize = 64
    """Texts given to the extractor at once; to a server that many requests, `concurrency` at a time."""
    workers: Threads = 1
    """Batches at the same time."""
    decoders: Threads = 1
    """Texts made ready at the same time."""


class IntentConfig(BaseModel):
    """Who reads what shoppers praise, complain of, return and seek."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    extractor: Literal["trained", "openai"] = "trained"
    """`trained` learns from the shop's own stars, notes and catalogue, in seconds, and reads English; `openai` is any
    OpenAI-compatible server with an LLM and reads what that reads."""
    openai: LlmIntentsConfig | None = None
    """Where that server is. Needed when `extractor` is `openai`."""
    training: IntentTrainingConfig = IntentTrainingConfig()
    """How `trained` learns."""
    transcripts: str | None = None
    """Transcripts whose words are read as calls, such as `whisper`; None: calls are left out."""
    ranker: bool = False
    """Whether the ranker reads intents where `vitrine intents` has made any. Off, since it was not shown to gain by
    them on generated shops (docs/experiments.md); try it on your own log."""
    half_life_days: float = Field(60.0, gt=0, allow_inf_nan=False)
    """Days after which what somebody wanted counts half; changes the ranker's features."""
    job: IntentJobConfig = IntentJobConfig()
    """How the job runs."""


def active_intents(config: IntentConfig, workspace: Workspace) -> str | None:
    """Return the name of the intents that the settings choose, or None when they were never read."""
    name = config.openai.name if config.extractor == "openai" and config.openai else "trained"
    return name if workspace.has(f"intents/{name}") else None
