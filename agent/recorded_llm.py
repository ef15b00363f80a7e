"""An LLM that answers what a trace says it answered. Import this module late: it loads LlamaIndex."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.bridge.pydantic import PrivateAttr

from agent.config import LLMConfig
from agent.llm import ServedLLM
from catalog.errors import ServiceError


class RecordedLLM(ServedLLM):
    """Reads the answers of one turn from its trace, through the same door as a served model's.

    Args:
        config: Limits of the model that is replayed.
        run: The mind's part of the trace.
    """

    _responses_left: list[Mapping[str, Any]] = PrivateAttr()
    _ended: str = PrivateAttr()

    def __init__(self, config: LLMConfig, run: Mapping[str, Any]) -> None:
        super().__init__(config.model_copy(update={"api_key_env": None}))
        self._responses_left = list(run.get("responses") or ())
        self._ended = str(run.get("stopped") or "the trace holds no further answer of the LLM")

    async def _chunks(
        self, messages: Sequence[ChatMessage], kwargs: Mapping[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        said = self._responses_left.pop(0) if self._responses_left else None
        if said is not None:
            yield _chunk(said)
        if said is None or said.get("broke"):
            raise ServiceError(self._ended)


def response_json(response: ChatMessage, raw: Any) -> dict[str, Any]:
    """Return what an LLM answered, for the trace."""
    given = raw if isinstance(raw, Mapping) else {}
    calls = [block for block in response.blocks if isinstance(block, ToolCallBlock)]
    return {
        "text": response.content or "",
        "calls": [{"id": c.tool_call_id, "name": c.tool_name, "arguments": c.tool_kwargs} for c in calls],
        "finish": given.get("finish"),
        "usage": given.get("usage"),
    }


def _chunk(said: Mapping[str, Any]) -> dict[str, Any]:
    calls = [
        {"index": place, "id": call["id"], "function": {"name": call["name"], "arguments": call["arguments"]}}
        for place, call in enumerate(said.get("calls") or ())
    ]
    delta = {"content": said.get("text"), "tool_calls": calls}
    finish = None if said.get("broke") else said.get("finish") or "stop"
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "usage": said.get("usage")}
