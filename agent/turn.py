"""One turn: hear, think, compose, remember, account for it."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent.base import (
    AgentEvent,
    Answer,
    ChatRequest,
    Done,
    Outcome,
    Problem,
    Recommendations,
    ShownItem,
    Status,
    Token,
)
from agent.compose import Composed, compose, plain_text
from agent.explanation import Explainer
from agent.gate.gate import Gate
from agent.gate.grounds import Grounds
from agent.messages import clean, shown_item
from agent.prompt import PROMPT_VERSION
from agent.sessions import Said, Session
from agent.tooling import TurnTools
from agent.trace import MindRun, Trace, jsonable
from catalog.errors import ServiceError
from catalog.nouns import Slate
from tools.base import Shopper, ToolContext

if TYPE_CHECKING:
    from agent.loop import Agent
    from agent.run import Thinking

log = logging.getLogger("vitrine.agent")

APOLOGY = "I am sorry, something went wrong on my side."
NO_LLM = "The language model could not be reached, so the shop's own planner answered."
NO_GROUND = (
    "The language model's answer could not be checked against the catalogue, so the shop's own planner answered."
)
CUT = {
    "rounds": "I stopped looking further and answered with what I had.",
    "tokens": "I stopped looking further and answered with what I had.",
    "time": "Time was up, so I answered with what I had.",
    "length": "The answer was cut short.",
}
_YES = re.compile(
    r"\W*(?:yes|yep|yeah|yup|sure|ok(?:ay)?|please do|do it|do that|go ahead|of course|right|correct|confirm(?:ed)?)"
    r"(?:\W+(?:please|do|that|it|go ahead|thanks?|thank you|record))*\W*",
    re.IGNORECASE,
)


class Turn:
    """Answers one message within one conversation, which nobody else touches meanwhile."""

    def __init__(self, agent: Agent, session: Session, request: ChatRequest, restarted: bool) -> None:
        self.agent = agent
        self.session = session
        self.request = request
        self.restarted = restarted
        self.now = agent.now()
        self.deadline = time.monotonic() + agent.config.max_seconds
        self.message = request.message[: agent.config.max_message_chars]
        self.disclosures: list[str] = []
        self.trace = Trace(
            trace_id=uuid.uuid4().hex,
            request_id=uuid.uuid4().hex,
            session_id=session.session_id,
            user_id=session.user_id,
            message=self.message,
            started_at=self.now.isoformat(),
        )
        self.grounds = Grounds(agent.shop.catalog, agent.shop.captions, session.book, agent.words)
        self.texts: list[str] = []
        self.handled: list[str] = []
        self.named: list[str] = []
        self.outcome: Outcome | None = None
        self.changes: list[Any] = []
        self._explainer = Explainer(self.grounds)
        self._tools: TurnTools | None = None

    async def events(self) -> AsyncIterator[AgentEvent]:
        """Give the events of the turn; `Done` is the last, whatever happens."""
        failed = False
        try:
            self._hear()
            tools = await self._open_tools()
            async for event in self._thought(tools):
                yield event
        # The turn boundary: a bug is logged here, once, and the shopper gets what is known.
        except Exception as error:
            log.exception("turn failed trace_id=%s", self.trace.trace_id)
            failed = True
            self.trace.error = f"{type(error).__name__}: {error}"
            yield Problem("Internal Server Error", APOLOGY)
        composed = self._compose(failed)
        text = "".join(self.texts).strip()
        rest = self._closing(composed, text, failed)
        if rest:
            yield Token(rest)
            text = f"{text}{rest}".strip()
        answer = self._answer(composed, text)
        await asyncio.to_thread(self._record, answer)
        self._remember(answer)
        if answer.recommendations:
            yield Recommendations(answer.outcome, answer.recommendations)
        yield Done(answer)

    def _hear(self) -> None:
        """Take in the message, and the conversation a client brings along when it is new to us."""
        config, session = self.agent.config, self.session
        if len(self.request.message) > len(self.message):
            self.disclosures.append(f"I read the first {len(self.message)} characters of the message.")
        if len(self.request.images) > config.max_images:
            self.disclosures.append(f"I looked at the first {config.max_images} pictures only.")
        if not session.said:
            for past in self.request.history:
                known = tuple(i for i in past.item_ids if i in self.agent.shop.catalog)
                for item_id in known:
                    session.book.issue(item_id)
                session.said.append(Said(past.role, past.text, clean(past.text, 2000), known))
                session.last_list = known or session.last_list
                session.shown = tuple(dict.fromkeys([*session.shown, *known]))
        for said in session.said:
            if said.role == "user":
                self.grounds.heard(said.text)
        self.grounds.heard(self.message)

    async def _open_tools(self) -> TurnTools:
        shop, session = self.agent.shop, self.session
        agreed = frozenset(session.pending) if _YES.fullmatch(self.message) else frozenset()
        recent, events = await asyncio.to_thread(self._past)
        self._explainer = Explainer(self.grounds, events)
        shopper = Shopper(session.user_id, session.session_id, recent, session.shown)
        context = ToolContext(shopper, self.now, self.trace.request_id, agreed)
        self._tools = TurnTools(self.agent.registry, context, session, self.grounds, self.agent.config, self.trace.runs)
        assert shop is self.agent.registry.shop
        return self._tools

    def _past(self) -> tuple[tuple[str, ...], list[Any]]:
        """Return what the shopper engaged with in this session, newest last, and their own events, newest first."""
        events = self.agent.shop.events
        lately = [e for e in events.for_session(self.session.session_id, 200) if e.kind != "impression"]
        user_id = self.session.user_id
        own = events.for_user(user_id, 100) if user_id is not None else list(reversed(lately))
        return tuple(dict.fromkeys(e.item_id for e in lately)), own

    async def _thought(self, tools: TurnTools) -> AsyncIterator[AgentEvent]:
        """Let the LLM think where there is one, the planner otherwise and whenever the LLM fails."""
        from agent.run import Ungrounded

        llm = self.agent.minds.llm()
        breaker = self.agent.minds.breaker
        if llm is not None and tools.context.confirmed:
            async for event in self._agreed(tools):
                yield event
            return
        if llm is not None and breaker is not None:
            try:
                async for event in self._run("llm", llm, tools):
                    yield event
                breaker.succeeded()
                if self._has_answer(tools):
                    understood = self.agent.minds.planner.follow(self.message, self.session.state)
                    self.session.state = understood.state
                    self.trace.intent = _told(understood)
                    return
                self.disclosures.append(NO_GROUND)
            except ServiceError as error:
                log.warning("llm failed trace_id=%s error=%s", self.trace.trace_id, error)
                breaker.failed(str(error), slow="took longer" in str(error) or "timed out" in str(error))
                self.trace.minds[-1].stopped = str(error)
                self.disclosures.append(NO_LLM)
            except Ungrounded:
                breaker.succeeded()
                self.trace.minds[-1].stopped = "nothing it said held"
                self.disclosures.append(NO_GROUND)
            tools.last_round = False
            self.deadline = max(self.deadline, time.monotonic() + self.agent.config.planner_seconds)
        elif self.agent.minds.config is not None:
            self.disclosures.append(NO_LLM)
        planner: Any = self.agent.minds.planner.mind(self.session.state, self._last_list(), self.request.top_n)
        async for event in self._run("planner", planner, tools):
            yield event
        self.session.state = planner.state
        self.trace.intent = _told(planner.understanding)
        self.outcome = planner.outcome
        self.named = self.session.book.resolve_all(planner.listed) or self.named

    async def _run(self, name: str, mind: Any, tools: TurnTools) -> AsyncIterator[AgentEvent]:
        from agent.run import Heard, Thinking

        account = MindRun(name)
        self.trace.minds.append(account)
        gate = Gate(self.grounds, enforce=self.agent.config.gate == "on")
        thinking = Thinking(mind, tools, gate, self.agent.config, self.deadline, account)
        is_llm = name == "llm"
        images = self.request.images[: self.agent.config.max_images] if is_llm else ()
        heard = Heard(self.agent.prompt if is_llm else "", self._history(), self.message, images)
        if self.texts and not self.texts[-1].endswith("\n"):
            self.texts.append("\n")
        try:
            async for event in thinking.events(heard):
                if isinstance(event, Token):
                    self.texts.append(event.text)
                yield event
        finally:
            self._account(thinking)

    def _account(self, thinking: Thinking) -> None:
        """Keep what a run gave, also when it broke off."""
        self.handled.extend(passed.handled for passed in thinking.said)
        self.changes.extend(thinking.gate.changes)
        self.named = thinking.gate.named
        stopped = thinking.account.stopped
        if stopped in CUT:
            self.trace.exhausted = stopped
            self.disclosures.append(CUT[stopped])

    async def _agreed(self, tools: TurnTools) -> AsyncIterator[AgentEvent]:
        """Carry out what the shopper was asked about and agreed to, exactly as it was asked."""
        for arguments, name in self.session.pending.items():
            yield Status(name, "Taking note")
            await tools.call(name, json.loads(arguments))
            text = tools.runs[-1].text or "I could not take note of that."
            self.texts.append(text)
            self.handled.append(text)
            yield Token(text)

    def _has_answer(self, tools: TurnTools) -> bool:
        return bool("".join(self.texts).strip() or self.named or tools.last_with_items())

    def _compose(self, failed: bool) -> Composed:
        if self._tools is None:
            return Composed("error", (), None, ())
        text = "".join(self.texts)
        composed = compose(self._tools, self.named, text, self.request.top_n, self._explainer, failed=failed)
        return composed if self.outcome is None or failed else replace(composed, outcome=self.outcome)

    def _closing(self, composed: Composed, text: str, failed: bool) -> str:
        """Return what must still be said: an apology after a bug, something plain where words are missing."""
        if failed:
            known = f" {plain_text(composed)}" if composed.recommendations else ""
            return ("\n" if text else "") + APOLOGY + known
        return "" if text else plain_text(composed)

    def _answer(self, composed: Composed, text: str) -> Answer:
        ground = self._tools.runs[-1].facts.get("ground") if self._tools and self._tools.runs else None
        if ground == "popularity" and composed.recommendations:
            self.disclosures.append("Nothing is known of you yet, so these are what other shoppers choose.")
        if any(change.action in ("removed", "replaced") for change in self.changes):
            self.disclosures.append("Statements that the catalogue does not bear out were left out.")
        return Answer(
            outcome=composed.outcome,
            text=text,
            recommendations=composed.recommendations,
            session_id=self.session.session_id,
            request_id=self.trace.request_id,
            trace_id=self.trace.trace_id,
            blocking=composed.blocking,
            disclosures=tuple(dict.fromkeys(self.disclosures)),
            session_restarted=self.restarted,
        )

    def _record(self, answer: Answer) -> None:
        """Log the slate and the trace."""
        shown = tuple(each.item_id for each in answer.recommendations)
        events, user_id = self.agent.shop.events, self.session.user_id
        if shown:
            certain = tuple(1.0 for _ in shown)
            events.put_slate(Slate(answer.request_id, user_id, self.session.session_id, self.now, shown, certain))
        told = {
            "outcome": answer.outcome,
            "text": answer.text,
            "item_ids": list(shown),
            "blocking": jsonable(answer.blocking),
            "disclosures": list(answer.disclosures),
            "prompt_version": PROMPT_VERSION,
        }
        events.put_trace(answer.trace_id, self.trace.to_json(told, self.changes, self.agent.config.gate), user_id)

    def _remember(self, answer: Answer) -> None:
        session = self.session
        shown = tuple(each.item_id for each in answer.recommendations)
        for item_id in shown:
            session.book.issue(item_id)
        session.said.append(Said("user", self.request.message, clean(self.message, 4000)))
        session.said.append(Said("assistant", answer.text, "".join(self.handled).strip() or answer.text, shown))
        del session.said[: -4 * max(self.agent.config.history_messages, 1)]
        session.shown = tuple(dict.fromkeys([*(i for i in session.shown if i not in shown), *shown]))[-200:]
        session.last_list = shown or session.last_list
        session.pending = dict(self._tools.asked) if self._tools is not None else {}
        self.agent.sessions.remember(session)

    def _history(self) -> list[tuple[str, str]]:
        """Return past messages as a mind reads them, what was shown beside them as data."""
        limit = self.agent.config.history_messages
        past = self.session.said[-limit:] if limit else []
        return [(said.role, f"{said.handled}{self._shown_data(said)}") for said in past]

    def _shown_data(self, said: Said) -> str:
        items = [(self.session.book.handle(i), self.agent.shop.catalog.get(i)) for i in said.shown[:10]]
        records = [
            {"handle": shown.handle, "title": shown.title, "price": shown.price, "currency": shown.currency}
            for shown in (shown_item(handle, item) for handle, item in items if handle and item)
        ]
        return f"\n<shown>{json.dumps(records, ensure_ascii=False)}</shown>" if records else ""

    def _last_list(self) -> tuple[ShownItem, ...]:
        """Return the items of the last answer, in its order."""
        book, catalog = self.session.book, self.agent.shop.catalog
        found = ((book.handle(i), catalog.get(i)) for i in self.session.last_list)
        return tuple(shown_item(handle, item) for handle, item in found if handle and item)


def _told(understood: Any) -> Any:
    """Return how a message was understood, without the items it was understood beside."""
    return (
        jsonable(understood.model_dump(mode="json", exclude={"state": {"shown"}})) if understood is not None else None
    )
