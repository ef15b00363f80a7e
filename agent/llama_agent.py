"""LlamaIndex's agent loop as a turn uses it. Import this module late: it loads LlamaIndex."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.bridge.pydantic import Field
from llama_index.core.memory import BaseMemory


class ShopAgent(FunctionAgent):
    """LlamaIndex's loop, finding its own steps without touching attributes pydantic has deprecated."""

    def _get_steps(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _step_names(type(self))}


@functools.cache
def _step_names(agent: type) -> tuple[str, ...]:
    return tuple(name for name in dir(agent) if hasattr(inspect.getattr_static(agent, name), "_step_config"))


class PlainMemory(BaseMemory):
    """The messages of one turn, all of them: what a mind reads is bounded before it gets here."""

    messages: list[ChatMessage] = Field(default_factory=list)

    @classmethod
    def class_name(cls) -> str:
        """Return the name LlamaIndex knows the class by."""
        return "PlainMemory"

    @classmethod
    def from_defaults(cls, **kwargs: Any) -> PlainMemory:
        """Return an empty memory."""
        return cls()

    def get(self, input: str | None = None, **kwargs: Any) -> list[ChatMessage]:  # noqa: A002
        """Return every message."""
        return list(self.messages)

    def get_all(self) -> list[ChatMessage]:
        """Return every message."""
        return list(self.messages)

    def put(self, message: ChatMessage) -> None:
        """Add a message."""
        self.messages.append(message)

    def set(self, messages: list[ChatMessage]) -> None:
        """Replace all messages."""
        self.messages = list(messages)

    def reset(self) -> None:
        """Forget everything."""
        self.messages = []
