"""`Agent`: a message in, events out; the last is always `Done`."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from agent.base import AgentEvent, Answer, ChatRequest, Done
from agent.catching_up import catch_up
from agent.config import AgentConfig
from agent.gate.vocabulary import ShopWords
from agent.handles import HandleBook
from agent.memory.heeding import NOTHING, Heeded
from agent.memory.keeping import forget_in, scrub
from agent.memory_sessions import MemorySessions
from agent.minds import Minds
from agent.prompt import system_prompt
from agent.sessions import Owner, Session, SessionStore
from agent.spoken import heard_of, understood
from agent.turn import Turn
from agent.writes import none_to_undo
from catalog.errors import ConfigError, DataError
from catalog.filters import Filters
from catalog.plain_text import whole_text
from catalog.told import Told
from tools.base import Shopper
from tools.registry import Registry
from tools.shop import Shop

log = logging.getLogger("vitrine.agent")


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return uuid.uuid4().hex


def _check_choice(config: AgentConfig, registry: Registry) -> None:
    choice = config.llm.initial_tool_choice if config.llm else "auto"
    if choice not in ("auto", "required", *registry.tools):
        valid = ", ".join(("auto", "required", *registry.tools))
        raise ConfigError(f"agent.llm.initial_tool_choice is {choice!r}; one of {valid} would be valid")


class Agent:
    """Converses with shoppers of one shop.

    Args:
        shop: The open shop.
        registry: Its tools.
        minds: Who thinks.
        config: Budgets.
        sessions: Where conversations rest; in memory by default.
        now: The clock events are dated by.
        new_id: Gives the ids of a turn, its trace's and its request's, each once.

    Raises:
        ConfigError: When the LLM's first call is held to a tool that the registry has not.
    """

    def __init__(
        self,
        shop: Shop,
        registry: Registry,
        minds: Minds,
        config: AgentConfig | None = None,
        sessions: SessionStore | None = None,
        now: Callable[[], datetime] = _now,
        new_id: Callable[[], str] = _new_id,
    ) -> None:
        self.shop = shop
        self.registry = registry
        self.minds = minds
        self.config = config or AgentConfig()
        _check_choice(self.config, registry)
        # A store without a conversation yet is empty, and counts as false.
        self.sessions: SessionStore = sessions if sessions is not None else self._memory()
        self.now = now
        self.new_id = new_id

    def _memory(self) -> MemorySessions:
        return MemorySessions(
            self.shop.catalog,
            ttl_seconds=self.config.session_ttl_seconds,
            limit=self.config.max_sessions,
            max_handles=self.config.max_handles,
        )

    @cached_property
    def words(self) -> ShopWords:
        """Names the catalogue knows."""
        return ShopWords.of(self.shop.catalog)

    @cached_property
    def prompt(self) -> str:
        """The system prompt of this shop."""
        return system_prompt(self.shop.name, self.shop.catalog)

    async def turn(self, request: ChatRequest) -> AsyncIterator[AgentEvent]:
        """Answer one message.

        Gives a `Status` for each tool, `Token`s of checked text, `Recommendations` once when there are items, and
        `Done` last, also after a `Problem`.

        Raises:
            DataError: Before anything is given, when the request is not one: no message, `top_n` below 1, an
                impossible `session_id`.
        """
        request = self._checked(request)
        async with self.sessions.turn(request.session_id, request.user_id, request.history) as (session, restarted):
            catch_up(session, self.shop.catalog)
            meant, reply = understood(session, request)
            reply = reply or none_to_undo(meant.message, session.recorded)
            turn = Turn(self, session, meant, restarted, reply)
            turn.trace.asked = {**turn.trace.asked, **heard_of(request, meant)}
            async for event in turn.events():
                yield event

    async def answer(self, request: ChatRequest) -> Answer:
        """Answer one message in one piece; see `turn`."""
        answer: Answer | None = None
        async for event in self.turn(request):
            if isinstance(event, Done):
                answer = event.answer
        assert answer is not None
        return answer

    async def warm(self) -> None:
        """Load what the first shopper would otherwise wait for; asks no server and keeps nothing."""
        await asyncio.to_thread(self.minds.planner.warm)
        self.minds.llm()
        session = Session("warm-up", None, HandleBook(self.shop.catalog))
        for message in ("What is the cheapest thing you have?", "Recommend me something."):
            await Turn(self, session, ChatRequest(message), False).rehearse()

    def forget_user(self, user_id: str) -> int:
        """Drop every conversation of a shopper; return how many there were. Events and traces: `shop.events`."""
        return self.sessions.forget_user(user_id)

    def forget_told(self, user_id: str, entry_id: str | None = None) -> int:
        """Forget one thing that a shopper told of themselves, or all; return how many there were.

        It goes from the store, and its words from the conversations still open.
        """
        gone = [each for each in self.shop.events.told_by(user_id) if entry_id in (None, each.entry_id)]
        count = self.shop.events.forget_told(user_id, entry_id)
        words = [each.words for each in gone]
        self.sessions.edit(user_id, lambda session: scrub(session, words))
        return count

    def told_in(self, session_id: str) -> tuple[Told, ...]:
        """Return what the guest of a conversation told of themselves, the latest first; () where there is none."""
        return self.sessions.told_in(session_id)

    def forget_told_in(self, session_id: str, entry_id: str | None = None) -> int:
        """Forget one thing that a guest told of themselves in a conversation, or all; return how many there were.

        Its words go from the conversation as well.
        """
        gone = [each for each in self.sessions.told_in(session_id) if entry_id in (None, each.entry_id)]
        if gone:
            self.sessions.edit_guest(session_id, lambda session: forget_in(session, gone))
        return len(gone)

    def heed(self, filters: Filters, shopper: Shopper, told: tuple[Told, ...]) -> Heeded:
        """Return what a shopper told before and counts for a list under filters, which no message asked for.

        Args:
            filters: What the list was asked for with.
            shopper: Who looks; a guest's session is asked for what was told in it.
            told: What is kept of the shopper (`EventStore.told_by`).
        """
        if shopper.user_id is None and shopper.session_id is not None:
            told = self.sessions.told_in(shopper.session_id)
        return self.minds.planner.heed(filters, told) if told else NOTHING

    async def owners(self, session_id: str) -> frozenset[Owner]:
        """Return who has a conversation of this id, in every tenant."""
        return await self.sessions.owners(session_id)

    def status(self) -> dict[str, Any]:
        """Return which mind is active and how the LLM fares, for health and doctor."""
        return self.minds.status()

    def _checked(self, request: ChatRequest) -> ChatRequest:
        if not request.message.strip() and not request.images and request.spoken is None:
            raise DataError("message is empty; some text (or a picture) would be valid")
        if request.top_n < 1:
            raise DataError(f"top_n is {request.top_n!r}; 1 to {self.config.max_top_n} would be valid")
        if request.user_id is not None and whole_text(request.user_id) != request.user_id:
            raise DataError(
                f"user_id {request.user_id!r} holds half a character; text that UTF-8 can write would be valid"
            )
        # What a shopper tells is kept in their words; PostgreSQL keeps no NUL, and nothing keeps half a character.
        message = whole_text(request.message).replace("\0", "\ufffd")
        history = tuple(replace(past, text=whole_text(past.text)) for past in request.history)
        top_n = min(request.top_n, self.config.max_top_n)
        return replace(request, message=message, history=history, top_n=top_n)
