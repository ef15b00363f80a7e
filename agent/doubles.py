"""Doubles for tests: a conversation that can be held without writing a coroutine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.base import AgentEvent, Answer, ChatRequest, Done, Token
from agent.loop import Agent


@dataclass
class Talk:
    """One conversation, all of it in one event loop.

    Attributes:
        agent: Who answers.
        runner: The event loop.
        user_id: Who speaks; None is a guest.
        session_id: Taken over from the first answer.
        top_n: Ceiling of every request.
    """

    agent: Agent
    runner: asyncio.Runner
    user_id: str | None = None
    session_id: str | None = None
    top_n: int = 10

    def events(self, message: str, **changes: Any) -> list[AgentEvent]:
        """Say something and return every event; `changes` are fields of `ChatRequest`."""
        request = ChatRequest(message, self.session_id, self.user_id, top_n=self.top_n)
        events = self.runner.run(_collect(self.agent, replace(request, **changes)))
        self.session_id = answer_of(events).session_id
        return events

    def say(self, message: str, **changes: Any) -> Answer:
        """Say something and return the answer."""
        return answer_of(self.events(message, **changes))

    def trace(self, answer: Answer) -> dict[str, Any]:
        """Return the trace of an answer."""
        return self.agent.shop.events.trace(answer.trace_id)


def answer_of(events: Sequence[AgentEvent]) -> Answer:
    """Return the answer that ends a turn."""
    done = events[-1]
    assert isinstance(done, Done), "a turn must end in Done"
    return done.answer


def text_of(events: Sequence[AgentEvent]) -> str:
    """Return the streamed text."""
    return "".join(event.text for event in events if isinstance(event, Token))


def ids_of(answer: Answer) -> list[str]:
    """Return the recommended item ids, best first."""
    return [each.item_id for each in answer.recommendations]


async def _collect(agent: Agent, request: ChatRequest) -> list[AgentEvent]:
    return [event async for event in agent.turn(request)]
