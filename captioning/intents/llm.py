"""`openai`: intents by an LLM behind any OpenAI-compatible server, such as vLLM's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from captioning.intents.answer import read_intents
from captioning.intents.base import Extracted, Utterance
from captioning.intents.prompt import SCHEMA, asked, intent_prompt
from catalog.workspace import content_key

if TYPE_CHECKING:
    from captioning.vision import Answer, ChatVision


class LlmIntentsConfig(BaseModel):
    """Which server and model reads intents, and how it is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field("llm", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Name of the artifact, `intents/<name>`."""
    base_url: str = Field(pattern=r"^https?://\S+$")
    """Address that ends in `/v1`."""
    model: str = Field(min_length=1)
    """The served model's name."""
    api_key_env: str = "VITRINE_INTENTS_API_KEY"
    """Environment variable that holds the key; the key itself never stands in a configuration."""
    concurrency: int = Field(8, ge=1)
    """Requests in flight within one batch; changes speed only."""
    timeout_seconds: float = Field(60.0, gt=0)
    """How long one try may take in all."""
    retries: int = Field(4, ge=0)
    """Further tries after 408, 409, 429, 5xx, a lost connection or a timeout, with growing pauses."""
    max_chars: int = Field(4000, ge=100)
    """Characters of a text that are read; the rest is left out. Changes intents."""
    max_tokens: int = Field(1000, ge=50)
    """Bound on an answer; one that runs to it is a failure."""
    temperature: float = Field(0.0, ge=0)
    """0 asks for the likeliest words."""
    seed: int | None = None
    """Sent along where set; changes intents of a temperature above 0."""


class LlmIntents:
    """An `IntentExtractor` behind `/v1/chat/completions`, by structured output.

    What a text says is data in a JSON object and never part of the instructions; what comes back counts only where its
    words stand in the text, so an answer that was talked into something has no evidence and is refused.
    """

    def __init__(self, config: LlmIntentsConfig) -> None:
        self.config = config
        self.name, self.model = config.name, config.model
        changing = config.model_dump(include={"max_chars", "max_tokens", "temperature", "seed"})
        self.settings_sha = content_key("intents", intent_prompt().sha, changing)
        self._chat: ChatVision | None = None

    def __reduce__(self) -> tuple[object, ...]:
        return LlmIntents, (self.config,)

    def extract(self, texts: Sequence[Utterance]) -> list[Extracted]:
        """Return the intents of each text.

        Raises:
            ServiceError: When the server is unreachable or refuses everything.
        """
        from captioning.vision import Ask

        cut = [Utterance(said.text[: self.config.max_chars], said.source, said.stars) for said in texts]
        system = intent_prompt().system.strip()
        asks = [Ask(system, asked(said), schema=SCHEMA, max_tokens=self.config.max_tokens) for said in cut]
        return [_read(answer, said) for answer, said in zip(self._server().answer(asks), cut, strict=True)]

    def _server(self) -> ChatVision:
        if self._chat is None:
            from captioning.openai_vision import OpenAIVision, OpenAIVisionConfig

            shared = self.config.model_dump(exclude={"max_chars", "max_tokens"})
            self._chat = OpenAIVision(OpenAIVisionConfig(**shared), role="the intents' LLM")
        return self._chat


def _read(answer: Answer, said: Utterance) -> Extracted:
    if answer.content is None:
        return Extracted(failure=answer.failure or "no answer", usage=answer.usage)
    try:
        found = json.loads(answer.content)
    except (ValueError, RecursionError):
        failure = "cut: the answer ran to max_tokens" if answer.cut else "form: no JSON"
        return Extracted(failure=failure, usage=answer.usage)
    if not isinstance(found, dict):
        return Extracted(failure="form: no JSON object", usage=answer.usage)
    read = read_intents(found, said)
    return Extracted(read.spans, read.refused, read.failure, answer.usage)
