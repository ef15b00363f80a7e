"""One mind's run through the agent loop: budgets kept, text passed through the gate, tools reported.

Import this module late: it loads LlamaIndex.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from llama_index.core.agent.workflow import AgentOutput, AgentStream, ToolCall, ToolCallResult
from llama_index.core.base.llms.types import (
    ChatMessage,
    ContentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ToolCallBlock,
)
from llama_index.core.llms.function_calling import FunctionCallingLLM

from agent.base import Status, Token
from agent.config import AgentConfig
from agent.gate.gate import Gate, Passed
from agent.llama_agent import PlainMemory, ShopAgent
from agent.llama_tools import turn_tools
from agent.past import messages_of, rounds_of
from agent.recorded_llm import response_json
from agent.sessions import Said, ToolRound
from agent.tooling import TurnTools
from agent.trace import MindRun
from catalog.errors import ServiceError

log = logging.getLogger("vitrine.agent")

DOING = {
    "search_items": "Looking through the shop",
    "similar_items": "Looking for similar things",
    "search_by_picture": "Looking for what resembles the picture",
    "recommend_items": "Thinking of what you may like",
    "rank_items": "Putting them in order",
    "item_details": "Reading the details",
    "compare_items": "Comparing",
    "explain_item": "Looking into why",
    "catalogue_facts": "Counting what the shop has",
    "shopper_history": "Remembering what you did before",
    "record_feedback": "Taking note",
    "undo_feedback": "Taking it back",
}


REPEATS, REPEAT_CHARS = 8, 12
"""Sentences of this length that an answer may repeat in a row (none is shown twice) before the mind is stopped."""

CANCEL_SECONDS = 1.0
"""How long a run that is stopped may take to wind down before it is left to itself."""


class Ungrounded(Exception):
    """A mind answered from memory, and nothing of it held."""


@dataclass
class Heard:
    """What a mind is given to read: the rules, the conversation so far, the message with its pictures."""

    prompt: str
    history: list[Said]
    message: str
    images: tuple[str, ...] = ()


@dataclass
class Thinking:
    """Runs one mind over one message.

    Attributes:
        account: Rounds, tokens and why it stopped, for the trace.
        rounds: Times it may ask for tools.
        said: What passed the gate, in order.
        asked: What it asked of tools and was told; () when it was stopped.
    """

    mind: FunctionCallingLLM
    tools: TurnTools
    gate: Gate
    config: AgentConfig
    deadline: float
    account: MindRun
    rounds: int
    said: list[Passed] = field(default_factory=list)
    asked: tuple[ToolRound, ...] = ()
    _held: str = ""
    _streamed: str = ""
    _tools_used: bool = False
    _again: int = 0

    async def events(self, heard: Heard) -> AsyncIterator[Status | Token]:
        """Give what the shopper may see while the mind thinks.

        Raises:
            ServiceError: The mind's server failed.
            Ungrounded: An LLM looked nothing up and nothing it said held.
        """
        started = time.perf_counter()
        agent = self._agent(heard.prompt)
        past = [message for said in heard.history for message in messages_of(said)]
        memory = PlainMemory()
        handler = agent.run(
            user_msg=ChatMessage(role=MessageRole.USER, blocks=_blocks(heard)),
            chat_history=past,
            memory=memory,
            max_iterations=self.config.max_rounds + 10,
        )
        stream = aiter(handler.stream_events())
        try:
            while (event := await self._next(stream)) is not None:
                for shown in self._shown(event):
                    yield shown
                if self.account.stopped:
                    break
            if not self.account.stopped:
                await _result(handler)
                self.asked = rounds_of(memory.messages[len(past) + 1 :])
            for token in self._finished():
                yield token
        finally:
            self.account.milliseconds = round((time.perf_counter() - started) * 1000, 1)
            if self._streamed and self.account.mind == "llm":
                self.account.responses.append({"text": self._streamed, "broke": True})
            if not handler.is_done():
                await handler.cancel_run(timeout=CANCEL_SECONDS)

    def _agent(self, prompt: str) -> ShopAgent:
        llm = self.config.llm if self.account.mind == "llm" else None
        return ShopAgent(
            name="vitrine",
            description="A shop assistant.",
            llm=self.mind,
            tools=list(turn_tools(self.tools.registry.tools, self.tools)),
            system_prompt=prompt or None,
            streaming=True,
            allow_parallel_tool_calls=True,
            initial_tool_choice=llm.initial_tool_choice if llm else None,
        )

    async def _next(self, stream: AsyncIterator[Any]) -> Any:
        """Return the next event, None at the end or when time is up."""
        remaining = self.deadline - time.monotonic()
        try:
            return await asyncio.wait_for(anext(stream), max(remaining, 0.0))
        except StopAsyncIteration:
            return None
        except TimeoutError:
            self.account.stopped = "time"
            return None

    def _shown(self, event: Any) -> list[Status | Token]:
        if isinstance(event, AgentStream):
            return self._text(event.delta)
        if isinstance(event, ToolCall):
            return [Status(event.tool_name, DOING.get(event.tool_name, "Looking it up"))]
        if isinstance(event, ToolCallResult):
            if event.tool_output.exception is not None:
                raise event.tool_output.exception
        elif isinstance(event, AgentOutput):
            return self._step(event)
        return []

    def _text(self, delta: str) -> list[Status | Token]:
        """Hold back what is said before the first look-up: it may only lead up to one."""
        self._streamed += delta
        if not self._tools_used:
            self._held += delta
            return []
        return self._pass(self.gate.feed(delta))

    def _step(self, event: AgentOutput) -> list[Status | Token]:
        self._count(event)
        self._streamed = ""
        if self.account.mind == "llm":
            self.account.responses.append(response_json(event.response, event.raw))
        if _asks(event):
            self.account.rounds += 1
            self._tools_used, self._held = True, ""
            self.tools.last_round = self.account.rounds >= self.rounds
            if self.account.rounds > self.rounds or self.tools.repeats > self.config.max_repeats:
                self.account.stopped = "rounds"
            self.tools.closed = self.account.stopped is not None
            return self._pass(self.gate.finish())
        cut = isinstance(event.raw, dict) and event.raw.get("finish") == "length"
        # Of an answer that ran into the limit of its tokens the last sentence is not whole: it is dropped.
        passed = self.gate.feed(self._held) + ([] if cut else self.gate.finish())
        if cut:
            self.account.stopped = self.account.stopped or "length"
        removed = self._held and not self.gate.named and any(c.action == "removed" for c in self.gate.changes)
        if removed and self.account.mind == "llm":  # behind the planner nobody steps in: what held of it is the answer
            raise Ungrounded
        self._held = ""
        return self._pass(passed)

    def _finished(self) -> list[Status | Token]:
        if self.account.stopped:
            self.gate.drop()
            return []
        return self._pass(self.gate.finish())

    def _pass(self, passed: list[Passed]) -> list[Status | Token]:
        shown: list[Status | Token] = []
        for sentence in passed:
            if self._repeated(sentence):
                continue
            length = sum(len(each.text) for each in self.said)
            if length + len(sentence.text) > self.config.max_answer_chars:
                self.account.stopped = self.account.stopped or "length"
                break
            self._again = 0 if len(sentence.text.strip()) >= REPEAT_CHARS else self._again
            self.said.append(sentence)
            shown.append(Token(sentence.text))
        return shown

    def _repeated(self, sentence: Passed) -> bool:
        """Whether it was said before in this answer; a mind that has nothing else to say is stopped."""
        text = sentence.text.strip()
        if len(text) < REPEAT_CHARS or all(text != each.text.strip() for each in self.said):
            return False
        self._again += 1
        if self._again >= REPEATS:
            self.account.stopped = self.account.stopped or "length"
        return True

    def _count(self, event: AgentOutput) -> None:
        usage = event.raw.get("usage") if isinstance(event.raw, dict) else None
        total = usage.get("total_tokens") if isinstance(usage, dict) else None
        if isinstance(total, int):
            self.account.tokens += total
        else:
            self.account.tokens = self.tools.tokens + sum(len(each.text) for each in self.said) // 4
        if self.account.tokens > self.config.max_tokens and _asks(event):
            self.account.stopped = "tokens"


def _asks(event: AgentOutput) -> bool:
    """Whether the mind asks for tools.

    The event's own `tool_calls` do not say: LlamaIndex adds those of the whole run to the last event, before or after
    it is read here.
    """
    return any(isinstance(block, ToolCallBlock) for block in event.response.blocks)


def _blocks(heard: Heard) -> list[ContentBlock]:
    return [TextBlock(text=heard.message), *(ImageBlock(url=url) for url in heard.images)]


async def _result(handler: Any) -> None:
    """Wait for the run to end; what broke it comes out as itself, not wrapped by the workflow."""
    try:
        await handler
    except ServiceError:
        raise
    except Exception as error:
        cause = error.__cause__ or error.__context__
        if isinstance(cause, ServiceError):
            raise cause from None
        raise
