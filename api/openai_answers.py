"""The answers of the OpenAI-compatible doors, for the OpenAPI document; OpenAI's own fields first, ours after them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from agent.base import Outcome
from api.answers import RecommendationOut
from api.voice import TranscriptOut


class ReplyOut(BaseModel):
    """The assistant's message."""

    role: Literal["assistant"]
    content: str
    refusal: None


class ChoiceOut(BaseModel):
    """The one choice there is."""

    index: int
    message: ReplyOut
    logprobs: None
    finish_reason: Literal["stop"]


class UsageOut(BaseModel):
    """Tokens; always 0, the shop does not meter them."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class CompletionOut(BaseModel):
    """A completion, with everything that `POST /v1/chat` answers beside the text."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChoiceOut]
    usage: UsageOut
    outcome: Outcome
    recommendations: list[RecommendationOut]
    blocking: dict[str, Any] | None
    disclosures: list[str]
    session_id: str
    session_restarted: bool
    request_id: str
    trace_id: str | None
    transcript: TranscriptOut | None


class ModelOut(BaseModel):
    """A name to put into `model`."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelsOut(BaseModel):
    """The names there are; any other works as well."""

    object: Literal["list"]
    data: list[ModelOut]


class TimedWordOut(BaseModel):
    """A word with its place, in seconds."""

    word: str
    start: float
    end: float


class DurationOut(BaseModel):
    """How much was heard."""

    type: Literal["duration"]
    seconds: int


class TranscriptionOut(BaseModel):
    """`json`, and with the fields that may be left out `verbose_json`."""

    text: str = Field(description="The words; empty where none could be made out.")
    confidence: float | None
    certain: bool
    reason: str | None = Field(description="Why there are no words.")
    usage: DurationOut
    task: Literal["transcribe"] | None = None
    language: str | None = None
    duration: float | None = None
    words: list[TimedWordOut] | None = None
