"""`PlannerLLM`: the shop's own mind, without an LLM, speaking an LLM's tool-call protocol.

Import this module late: it loads LlamaIndex. One instance serves one turn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
    TextBlock,
    ToolCallBlock,
)
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.tools.types import BaseTool

from agent.base import Outcome, ShownItem
from agent.memory.recall import Recalled, recalled, waiving
from agent.planner_calls import Call, Reply, reply
from agent.planner_pictures import unpointed
from agent.planner_turn import Turn
from agent.planner_words import compose
from agent.understanding.intent import IntentState, Note, Understanding
from agent.understanding.merging import matches
from agent.understanding.profile_talk import without_waiver
from agent.understanding.telling import telling
from agent.understanding.understander import Understander
from catalog.told import Told

_DELTA = re.compile(r"\s*\S+\s*")


class PlannerLLM(FunctionCallingLLM):
    """A mind that understands by the catalogue's own vocabulary and answers in short, plain sentences.

    Its first response to a user message holds the tool calls of the message's acts; once their tool messages stand in
    the chat it asks on or answers. The same messages give the same responses.

    Args:
        understander: Understands messages about this catalogue.
        state: What the conversation has established; None at its start.
        shown: The last list the shopper saw, in its order. It counts when the state does not know its items, as after
            a turn that another mind answered.
        top_n: Most items to list.
        pictured: Whether a picture came with the message, so that what is searched for looks like it.
        told: What the shopper told of themselves, the latest first; None: nothing is kept in mind of them.
    """

    _understander: Understander = PrivateAttr()
    _before: IntentState = PrivateAttr()
    _top_n: int = PrivateAttr()
    _pictured: bool = PrivateAttr(default=False)
    _told: tuple[Told, ...] | None = PrivateAttr(default=None)
    _recalled: Recalled | None = PrivateAttr(default=None)
    _message: str | None = PrivateAttr(default=None)
    _turn: Turn | None = PrivateAttr(default=None)
    _calls: dict[str, Call] = PrivateAttr(default_factory=dict)
    _waiting: list[str] = PrivateAttr(default_factory=list)

    def __init__(
        self,
        *,
        understander: Understander,
        state: IntentState | None = None,
        shown: tuple[ShownItem, ...] = (),
        top_n: int = 10,
        pictured: bool = False,
        told: tuple[Told, ...] | None = None,
    ) -> None:
        super().__init__()
        self._understander = understander
        self._before = _caught_up(state or IntentState(), shown)
        self._top_n = max(top_n, 1)
        self._pictured = pictured
        self._told = told

    @classmethod
    def class_name(cls) -> str:
        """Return the name LlamaIndex logs."""
        return "planner"

    @property
    def metadata(self) -> LLMMetadata:
        """What LlamaIndex must know: it calls functions, and bounds nothing."""
        return LLMMetadata(
            context_window=1_000_000, num_output=4096, is_chat_model=True, is_function_calling_model=True,
            model_name="planner",
        )  # fmt: skip

    @property
    def state(self) -> IntentState:
        """The conversation's state after the turn; before any message, the one given."""
        if self._turn is None:
            return self._before
        state = self._turn.state()
        return state.model_copy(update={"recalled": False}) if self.set_aside else state

    @property
    def recalled(self) -> Recalled | None:
        """What was told before and counts for this message; None where nothing is kept in mind."""
        return self._recalled

    @property
    def set_aside(self) -> bool:
        """Whether nothing fitted both the wish and what the shopper told before, so that the wish alone counted."""
        kept = self._recalled is not None and self._recalled.kept
        return bool(kept) and self._turn is not None and any(step.widened for step in self._turn.steps)

    @property
    def sizes(self) -> frozenset[str]:
        """Sizes that the answer keeps to, said today or told before, in small letters."""
        steps = self._turn.steps if self._turn is not None else ()
        return frozenset(size.casefold() for step in steps for size in step.wish.wanted.sizes)

    @property
    def understanding(self) -> Understanding | None:
        """The message as understood, for the trace; None before any message."""
        return self._turn.understanding if self._turn is not None else None

    @property
    def outcome(self) -> Outcome | None:
        """What became of the turn, as far as the planner can tell; None before any message."""
        return self._turn.outcome() if self._turn is not None else None

    @property
    def listed(self) -> tuple[str, ...]:
        """Handles of the items the answer shows, best first."""
        steps = self._turn.steps if self._turn is not None else []
        lists = [self._turn.listing(step) for step in steps] if self._turn else []
        # Of several lists the best of each come first, so that a ceiling cuts none of them off.
        found = (item.handle for row in zip_longest(*lists) for item in row if item is not None)
        return tuple(dict.fromkeys(found))

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        """Return the tool calls of a response.

        Raises:
            ValueError: When there is none and `error_on_no_tool_call`.
        """
        blocks = [block for block in response.message.blocks if isinstance(block, ToolCallBlock)]
        if not blocks and error_on_no_tool_call:
            raise ValueError("the planner's response holds no tool call")
        return [
            ToolSelection(
                tool_id=block.tool_call_id or "", tool_name=block.tool_name,
                tool_kwargs=block.tool_kwargs if isinstance(block.tool_kwargs, dict) else json.loads(block.tool_kwargs),
            )
            for block in blocks
        ]  # fmt: skip

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Return tool calls or the answer."""
        return ChatResponse(message=self._respond(messages), raw=None)

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Return tool calls or the answer."""
        return self.chat(messages)

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Yield the response word by word; tool calls come in one piece."""
        message = self._respond(messages)
        said = ""
        for piece in _DELTA.findall(message.content or ""):
            said += piece
            yield ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=said), delta=piece, raw=None)
        if any(isinstance(block, ToolCallBlock) for block in message.blocks) or not said:
            yield ChatResponse(message=message, delta="", raw=None)

    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        """Return a generator of what `stream_chat` yields."""

        async def stream() -> ChatResponseAsyncGen:
            for response in self.stream_chat(messages):
                yield response

        return stream()

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Return the answer to a lone prompt; without tools it can only talk."""
        return CompletionResponse(text=self.chat([ChatMessage(content=prompt)]).message.content or "")

    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Return the answer to a lone prompt."""
        return self.complete(prompt)

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        """Yield the answer to a lone prompt in one piece."""
        yield self.complete(prompt)

    async def astream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseAsyncGen:
        """Return a generator of the answer to a lone prompt."""

        async def stream() -> CompletionResponseAsyncGen:
            yield self.complete(prompt)

        return stream()

    def _prepare_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        messages = list(chat_history or [])
        if user_msg is not None:
            messages.append(ChatMessage(content=user_msg) if isinstance(user_msg, str) else user_msg)
        return {"messages": messages}

    def _respond(self, messages: Sequence[ChatMessage]) -> ChatMessage:
        at = max((i for i, m in enumerate(messages) if m.role == MessageRole.USER), default=None)
        message = (messages[at].content or "") if at is not None else ""
        if self._turn is None or message != self._message:
            self._message = message
            said = unpointed(message) if self._pictured else message
            wish = said if self._told is None else without_waiver(said)
            understanding = self._understander.understand(wish, self._before)
            if self._told is not None:
                understanding = self._remembering(said, understanding)
            order = self._recalled.order if self._recalled is not None else None
            words = self._understander.vocabulary.record_words
            flat = self._understander.vocabulary.flat
            self._turn = Turn(understanding, self._top_n, pictured=self._pictured, order=order, record=words, flat=flat)
        else:
            self._turn.take(self._replies(messages[(at or 0) + 1 :]))
        return self._said(self._turn)

    def _remembering(self, said: str, understanding: Understanding) -> Understanding:
        """Return the message with what the shopper told before; one that only tells asks for no search."""
        vocabulary = self._understander.vocabulary
        told = telling(said, vocabulary)
        empty = matches(understanding.state.wish, vocabulary) == set()  # a taste is no reason to find nothing
        if told.only and (empty or not self._before.wish.narrow):
            state = self._before.model_copy(update={"turns": understanding.state.turns})
            understanding = understanding.model_copy(update={"acts": (Note(),), "state": state})
        understanding = understanding.model_copy(update={"told": told})
        self._recalled = recalled(waiving(understanding, self._before, said), self._told or (), vocabulary)
        return self._recalled.understanding

    def _replies(self, messages: Sequence[ChatMessage]) -> list[Reply]:
        """Return the replies to the waiting calls, in their order; a call nobody answered counts as failed."""
        contents = {
            str(m.additional_kwargs.get("tool_call_id")): m.content for m in messages if m.role == MessageRole.TOOL
        }
        return [reply(self._calls[call_id], contents.get(call_id)) for call_id in self._waiting]

    def _said(self, turn: Turn) -> ChatMessage:
        pending = turn.pending()
        if not pending:
            self._waiting = []
            return ChatMessage(role=MessageRole.ASSISTANT, content=compose(turn))
        first = len(self._calls) + 1
        self._waiting = [f"call_{n}" for n in range(first, first + len(pending))]
        self._calls.update(zip(self._waiting, pending, strict=True))
        blocks: list[Any] = [TextBlock(text="")]
        blocks += [
            ToolCallBlock(tool_call_id=call_id, tool_name=call.name, tool_kwargs=dict(call.arguments))
            for call_id, call in zip(self._waiting, pending, strict=True)
        ]
        return ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks)


def _caught_up(state: IntentState, shown: tuple[ShownItem, ...]) -> IntentState:
    """Return the state knowing what the shopper saw last, also when another mind showed it."""
    known = {item.handle for item in state.shown}
    if all(item.handle in known for item in shown):
        return state
    latest = tuple(item.handle for item in shown)
    return state.seen(shown).model_copy(update={"last_list": latest, "cursor": None, "focus": None})
