"""One turn: hear, think, compose, account for it, remember."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent.base import AgentEvent, Answer, ChatRequest, Done, Outcome, Recommendations, Status, Token
from agent.closing import composed_of, keep, last_words, of_answer, of_limits, of_pictures
from agent.compose import Composed
from agent.conversation import history_of, last_list, looked_at, remember, take_in
from agent.explanation import Explainer
from agent.failing import problem_of
from agent.following import Following
from agent.gate.gate import Change, Gate
from agent.gate.grounds import Grounds
from agent.memory import speaking
from agent.memory.keeping import DOING, Memory
from agent.sessions import Session, ToolRound
from agent.tooling import TurnTools
from agent.trace import MindRun, Trace, asked_of, understood_json
from agent.understanding.consent import agrees
from agent.wording import CUT, NO_END, NO_GROUND, NO_LLM
from agent.writes import UNDOES, recorded_last, undoing
from catalog.errors import EventStoreError, ServiceError
from tools.base import Shopper, ToolContext
from tools.taste import past_events

if TYPE_CHECKING:
    from agent.loop import Agent
    from agent.run import Thinking
    from agent.understanding.profile_talk import AboutMe

log = logging.getLogger("vitrine.agent")


class Turn:
    """Answers one message within one conversation, which nobody else touches meanwhile."""

    def __init__(
        self, agent: Agent, session: Session, request: ChatRequest, restarted: bool, reply: str | None = None
    ) -> None:
        self._reply = reply  # what is said in place of an answer
        self.agent = agent
        self.session = session
        self.request = request
        self.restarted = restarted
        self.now = agent.now()
        self.message = request.message[: agent.config.max_message_chars]
        self.trace = Trace(
            trace_id=agent.new_id(),
            request_id=agent.new_id(),
            session_id=session.session_id,
            user_id=session.user_id,
            message=self.message,
            started_at=self.now.isoformat(),
            asked=asked_of(request, session),
        )
        self._grounds = Grounds(agent.shop.catalog, agent.shop.captions, session.book, agent.words)
        self._explainer = Explainer(self._grounds)
        self._tools: TurnTools | None = None
        self._deadline = time.monotonic() + agent.config.max_seconds
        self._disclosures: list[str] = []
        self._texts: list[str] = []
        self._handled: list[str] = []
        self._named: list[str] | None = None
        self._heard: str | None = None
        self._asked: tuple[ToolRound, ...] = ()
        self._changes: list[Change] = []
        self._outcome: Outcome | None = None
        self._context: ToolContext
        self._memory = Memory(agent.config.memory == "on", agent.shop.events, session, agent.minds.planner)

    async def events(self) -> AsyncIterator[AgentEvent]:
        """Give the events of the turn; `Done` is the last, whatever happens."""
        failed = False
        try:
            await self._hear()
            async for event in self._think():
                yield event
        except Exception as error:  # noqa: BLE001 - the boundary: logged once, and the shopper gets what is known
            failed = True
            yield problem_of(error, self.trace)
        composed = self._compose(failed)
        rest = last_words(composed, "".join(self._texts), failed=failed)
        if rest:
            yield Token(rest)
            self._texts.append(rest)
        if self._memory.close(composed, self.trace, self.agent.shop.catalog):
            yield Token(f" {self._memory.after}")
        answer = self._answer(composed)
        kept = (self.agent.shop, self.now, answer, self.trace, self._changes, self.agent.config.gate)
        await self._remember(answer)
        if not self.session.forgotten:
            await asyncio.to_thread(keep, *kept)
        if answer.recommendations:
            yield Recommendations(answer.outcome, answer.recommendations)
        yield Done(answer)

    async def rehearse(self) -> None:
        """Think once as the planner does and keep nothing, so that the first shopper need not wait for the imports."""
        await self._hear()
        async for _ in self._planner():
            continue

    async def _hear(self) -> None:
        """Take in the message, the conversation before it and the shopper's past, and open the tools."""
        config, session = self.agent.config, self.session
        self._disclosures += of_limits(self.request, self.message, config.max_images)
        if not session.said:
            take_in(session, self.request.history, self.agent.shop.catalog)
        await self._memory.open()
        said = [each.text[: config.max_message_chars] for each in session.said if each.role == "user"]
        for text in (*said, self.message, *(f"{each.words} {each.value}" for each in self._memory.told)):
            self._grounds.heard(text)
        shopper = Shopper(session.user_id, session.session_id, (), session.shown, told=session.told)
        past = await asyncio.to_thread(past_events, shopper, self.agent.shop.events, self.now)
        agreed = frozenset(session.pending) if agrees(self.message) else frozenset[str]()
        recent = looked_at(past, session.session_id)
        self._context = ToolContext(
            replace(shopper, recent=recent), self.now, self.trace.request_id, agreed,
            self.request.images[: config.max_images],
        )  # fmt: skip

    async def _think(self) -> AsyncIterator[AgentEvent]:
        """Let the LLM think where there is one, the planner otherwise and whenever the LLM fails."""
        if self._reply is not None:
            self._texts.append(self._reply)
            yield Token(self._reply)
            return
        minds = self.agent.minds
        taken_back = undoing(self.message, self.session.recorded)
        if taken_back:
            async for event in self._carried_out(taken_back):
                yield event
            return
        about_me = self._memory.asked(self.message)
        if about_me is not None:
            async for event in self._of_them(about_me):
                yield event
            return
        if await self._memory.note(self.message, self.now, self.trace.request_id):
            yield Token(self._memory.before)
        llm = minds.llm()
        if llm is None:
            if minds.config is not None:
                self._disclosures.append(NO_LLM)
        elif self._context.confirmed:
            async for event in self._carried_out(self.session.pending):
                yield event
            return
        else:
            with Following(lambda: self._memory.follow(self.message, self.session.state)) as following:
                async for event in self._llm(llm):
                    yield event
                if self._answered():
                    self.session.state, self.trace.intent = self._memory.take(await following.result())
                    return
            self._deadline = max(self._deadline, time.monotonic() + self.agent.config.planner_seconds)
        async for event in self._planner():
            yield event

    async def _llm(self, llm: Any) -> AsyncIterator[AgentEvent]:
        """Let the LLM think; when it gives no answer, say why in the disclosures."""
        from agent.run import Ungrounded

        breaker = self.agent.minds.breaker
        assert breaker is not None
        try:
            async for event in self._run("llm", llm):
                yield event
        except EventStoreError:
            raise  # a tool's, and no fault of the LLM: its breaker has nothing to do with it
        except ServiceError as error:
            log.warning("llm failed trace_id=%s error=%s", self.trace.trace_id, error)
            breaker.failed(str(error), slow="took longer" in str(error), seconds=error.retry_after)
            self.trace.minds[-1].stopped = str(error)
            self._disclosures.append(NO_LLM)
            self._tools = None
            return
        except Ungrounded:
            self.trace.minds[-1].stopped = "nothing it said held"
            self._disclosures.append(NO_GROUND)
        breaker.heard(self.trace.minds[-1].stopped)
        if not self._answered() and NO_GROUND not in self._disclosures:
            self._disclosures.append(NO_END if self.trace.minds[-1].stopped else NO_GROUND)

    async def _planner(self) -> AsyncIterator[AgentEvent]:
        shown, pictured = last_list(self.session, self.agent.shop.catalog), bool(self.request.images)
        told = self._memory.told if self._memory.on else None
        minds, top_n = self.agent.minds, self.request.top_n
        planner: Any = minds.planner.mind(self.session.state, shown, top_n, pictured=pictured, told=told)
        async for event in self._run("planner", planner):
            yield event
        if pictured:
            self._disclosures += of_pictures(self._tools, len(self.request.images))
        self.session.state, self.trace.intent = planner.state, understood_json(planner.understanding)
        self._outcome, self._grounds.sizes = planner.outcome, planner.sizes
        self._memory.recalled, self._memory.set_aside = planner.recalled, planner.set_aside
        self._named = self.session.book.resolve_all(planner.listed)

    async def _run(self, name: str, mind: Any) -> AsyncIterator[AgentEvent]:
        from agent.run import Heard, Thinking

        config = self.agent.config
        self._tools = TurnTools(self.agent.registry, self._context, self.session, self._grounds, config)
        account = MindRun(name)
        self.trace.minds.append(account)
        gate = Gate(self._grounds, enforce=config.gate == "on")
        thinking = Thinking(mind, self._tools, gate, config, self._deadline, account, config.rounds(name))
        past = history_of(self.session, self.agent.shop.catalog, config.history_messages, config.room)
        heard = Heard("", past, self.message)
        if name == "llm":
            self._heard = self.message + speaking.data(self._memory.told)
            heard = Heard(self.agent.prompt, past, self._heard, self.request.images[: config.max_images])
        try:
            async for event in thinking.events(heard):
                if isinstance(event, Token):
                    if self._texts and not self._texts[-1][-1:].isspace():
                        event = Token(f"\n{event.text}")
                    self._texts.append(event.text)
                yield event
        finally:
            self._account(thinking)

    def _account(self, thinking: Thinking) -> None:
        """Keep what a run gave, also when it broke off."""
        self._handled.extend(passed.handled for passed in thinking.said)
        self._changes.extend(thinking.gate.changes)
        self._named = thinking.gate.named or None
        self._asked = thinking.asked if thinking.account.mind == "llm" else ()
        self.trace.runs.extend(thinking.tools.runs)
        stopped = thinking.account.stopped
        if stopped in CUT and thinking.said:
            self.trace.exhausted = stopped
            self._disclosures.append(CUT[stopped])

    async def _carried_out(self, calls: Mapping[str, str]) -> AsyncIterator[AgentEvent]:
        """Make the writes that the shopper agreed to, exactly as they stand: canonical arguments -> tool."""
        context = replace(self._context, confirmed=frozenset(calls))
        self._tools = TurnTools(self.agent.registry, context, self.session, self._grounds, self.agent.config)
        for arguments, name in calls.items():
            yield Status(name, DOING.get(name) or ("Taking it back" if name == UNDOES else "Taking note"))
            await self._tools.call(name, json.loads(arguments))
            text = f"{self._tools.runs[-1].text or 'I could not do that.'} "
            self._texts.append(text)
            yield Token(text)
        self.trace.runs.extend(self._tools.runs)

    async def _of_them(self, asked: AboutMe) -> AsyncIterator[AgentEvent]:
        """Show or forget what the shopper told of themselves; no mind is asked."""
        calls = self._memory.calls(asked)
        async for event in self._carried_out(calls):
            yield event
        if not calls:
            self._texts.append(self._memory.none_of(asked))
            yield Token(self._texts[-1])
        self.session.state = self._memory.given_up(asked, self.session.state)

    def _answered(self) -> bool:
        """Whether the LLM said anything that held."""
        failed = bool(self._disclosures and self._disclosures[-1] in (NO_LLM, NO_GROUND))
        return not failed and bool("".join(self._texts).strip())

    def _compose(self, failed: bool) -> Composed:
        text, top_n = "".join(self._texts), self.request.top_n
        composed = composed_of(self._tools, self._named, text, top_n, self._explainer, self._outcome, failed=failed)
        self.trace.dropped = list(composed.dropped)
        return composed if self._reply is None or failed else replace(composed, outcome="question")

    def _answer(self, composed: Composed) -> Answer:
        self._disclosures += of_answer(self._tools, composed, self._changes, told=bool(self._memory.after))
        memory = self._memory
        return Answer(
            outcome=composed.outcome,
            text=" ".join(filter(None, (memory.before.strip(), "".join(self._texts).strip(), memory.after))),
            recommendations=composed.recommendations,
            session_id=self.session.session_id,
            request_id=self.trace.request_id,
            trace_id=self.trace.trace_id,
            blocking=composed.blocking,
            disclosures=tuple(dict.fromkeys(self._disclosures)),
            session_restarted=self.restarted,
        )

    async def _remember(self, answer: Answer) -> None:
        shown = tuple(each.item_id for each in answer.recommendations)
        handled = "".join(self._handled).strip() or answer.text
        limit = 4 * max(self.agent.config.history_messages, 1)
        said = (self.request.message, answer.text, handled, shown, limit)
        remember(self.session, *said, heard=self._heard, rounds=self._asked)
        self.session.pending = dict(self._tools.asked) if self._tools is not None else {}
        self.session.recorded = recorded_last(self.trace.runs, self.session.recorded)
        await self._memory.forget(self.trace.runs, self.agent.sessions)
        await self.agent.sessions.remember(self.session)
