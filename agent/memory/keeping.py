"""The memory in one turn: opened with it, added to by the shopper's own sentences, given up at their word."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agent.memory import speaking
from agent.sessions import Session, SessionStore
from agent.trace import understood_json
from agent.understanding.intent import IntentState
from agent.understanding.profile_talk import AboutMe, about_me
from agent.understanding.telling import Statement
from catalog.event_base import EventStore
from catalog.items import Catalog
from catalog.told import Told
from catalog.told_rows import MOST_TOLD
from tools.arguments import canonical

if TYPE_CHECKING:
    from agent.compose import Composed
    from agent.memory.recall import Recalled
    from agent.minds import Planner
    from agent.trace import ToolRun, Trace

DOING = {"get_profile": "Remembering what you told me", "forget_told": "Forgetting it"}
FORGOTTEN = "(forgotten at the shopper's word)"


@dataclass
class Memory:
    """What is known of the shopper during one turn.

    Attributes:
        on: Whether anything is kept in mind at all.
        told: What they told, the latest first, with what this message told.
        noted: What this message told.
        recalled: What was told before and counts for this message.
        set_aside: Whether nothing fitted it and the wish, so that the wish alone counted.
        before, after: What is said of the memory in front of the answer and behind it.
    """

    on: bool
    events: EventStore
    session: Session
    planner: Planner
    told: tuple[Told, ...] = ()
    noted: tuple[Told, ...] = ()
    recalled: Recalled | None = None
    set_aside: bool = False
    before: str = ""
    after: str = ""
    used: dict[str, list[str]] = field(default_factory=dict)

    async def open(self) -> None:
        """Read what is known; what a guest told becomes the shopper's who they turned out to be."""
        session, user_id = self.session, self.session.user_id
        if not self.on:
            return
        if user_id is None:
            self.told = session.told
            return
        if session.told:
            await asyncio.to_thread(self.events.put_told, user_id, session.told)
            session.told = ()
        self.told = tuple(await asyncio.to_thread(self.events.told_by, user_id))

    async def note(self, message: str, now: datetime, request_id: str) -> str:
        """Keep what a message tells of the shopper, and return what is said of it, "" for nothing."""
        statements = self.planner.telling(message).statements if self.on and not self.session.forgotten else ()
        if not statements:
            return ""
        fresh = [_told(each, now, self.session.session_id, request_id) for each in statements]
        self.noted = tuple({each.entry_id: each for each in fresh}.values())
        known = {each.entry_id for each in self.noted}
        self.told = (*self.noted, *(each for each in self.told if each.entry_id not in known))[:MOST_TOLD]
        if self.session.user_id is None:
            self.session.told = self.told
        else:
            await asyncio.to_thread(self.events.put_told, self.session.user_id, self.noted)
        self.before = speaking.noted(self.noted)
        return self.before

    def asked(self, message: str) -> AboutMe | None:
        """Return what a message asks of the memory, None when it asks for something else."""
        before = next((said.text for said in reversed(self.session.said) if said.role == "user"), "")
        return about_me(message, self.told, before) if self.on else None

    def none_of(self, asked: AboutMe) -> str:
        """Return what is said where there is nothing to forget."""
        return f"I keep nothing in mind of {'you' if asked.all else asked.what}."

    def calls(self, asked: AboutMe) -> dict[str, str]:
        """Return the calls that do what was asked, canonical arguments -> tool; {} when there is nothing to forget."""
        if asked.asks == "show":
            return {canonical({}): "get_profile"}
        if not asked.entries:
            return {}
        ids = ["all"] if asked.all else [each.entry_id for each in asked.entries]
        return {canonical({"entries": ids}): "forget_told"}

    def given_up(self, asked: AboutMe, state: Any) -> Any:
        """Return the wish of today without what is to be forgotten."""
        if not isinstance(state, IntentState) or asked.asks == "show":
            return state
        if asked.all:
            return IntentState(shown=state.shown, turns=state.turns + 1)
        wish, budget = state.wish, state.budget
        for each in asked.entries:
            if each.kind == "size":
                wish = wish.model_copy(update={"wanted": wish.wanted.model_copy(update={"sizes": ()})})
            elif each.kind == "budget":
                wish, budget = wish.priced(None, None), False
        return state.model_copy(update={"wish": wish, "budget": budget, "turns": state.turns + 1})

    def follow(self, message: str, state: Any) -> Recalled:
        """Return how a message that an LLM answers is understood, with what was told before; changes nothing."""
        return self.planner.recall(message, self.planner.follow(message, state), state, self.told)

    def take(self, recalled: Recalled) -> tuple[IntentState, Any]:
        """Let what was told before count as `follow` found it; return the state that goes on, and it all as JSON."""
        self.recalled = recalled
        return recalled.understanding.state, understood_json(recalled.understanding)

    def close(self, composed: Composed, trace: Trace, catalog: Catalog) -> str:
        """Return what is said of earlier words that counted for this answer, and account for them in the trace.

        Args:
            composed: The answer's items.
            trace: Of the turn; one that forgot something does not keep the words.
            catalog: The items' records: nothing is said to be kept to that they do not bear out.
        """
        found = composed.outcome in ("recommended", "nearest")
        shown = [each.item_id for each in composed.recommendations] if found else []
        self.after = self._sentence(shown, catalog)
        trace.memory = self._account(read=any(run.mind == "llm" for run in trace.minds))
        if any("forgotten" in run.facts for run in trace.runs):
            trace.message = FORGOTTEN
            trace.asked = {name: value for name, value in trace.asked.items() if name not in ("message", "spoken")}
        return self.after

    def _sentence(self, shown: Sequence[str], catalog: Catalog) -> str:
        recalled = self.recalled
        if recalled is None or not shown:
            return ""
        earlier = [each for each in recalled.kept if each not in self.noted]
        if self.set_aside:
            self.used = {"set_aside": _ids(recalled.kept)}
            return speaking.set_aside(earlier) if earlier else ""
        vocabulary, items = self.planner.vocabulary, [catalog[item_id] for item_id in shown]
        wrong = {t.entry_id: [i for i in items if not speaking.respects(t, i, vocabulary)] for t in earlier}
        kept = [each for each in earlier if not wrong[each.entry_id]]
        liked = [t for t, _ in recalled.liked if t not in self.noted and speaking.has(t, items[0], vocabulary)]
        theirs = [t for t in recalled.theirs if any(not speaking.respects(t, i, vocabulary) for i in items)]
        self.used = {"kept": _ids(kept), "liked": _ids(liked)} | ({"set_aside": _ids(theirs)} if theirs else {})
        broken = [(t, i.title or i.item_id) for t in earlier for i in wrong[t.entry_id][:2]]
        missed = [] if broken else [each for each in recalled.missed if each not in self.noted]
        about = (speaking.kept_to(kept, liked, self.session.session_id), speaking.missing(missed))
        parts = (*about, speaking.against(broken), speaking.not_theirs(theirs))
        return " ".join(filter(None, parts))

    async def forget(self, runs: Iterable[ToolRun], sessions: SessionStore) -> None:
        """Let conversations lose the sentences of what the calls of a turn forgot, and the replies to them."""
        gone = {str(each) for run in runs for each in run.facts.get("forgotten", ())}
        if not gone:
            return
        user_id = self.session.user_id
        forgotten = [each for each in self.told if each.entry_id in gone]
        words = [each.words for each in forgotten]
        self.told = tuple(each for each in self.told if each.entry_id not in gone)
        forget_in(self.session, forgotten)
        if user_id is not None:
            but = self.session.session_id
            await asyncio.to_thread(sessions.edit, user_id, lambda session: scrub(session, words), but=but)

    def _account(self, *, read: bool) -> dict[str, list[str]]:
        """Return the entry ids this turn had to do with, for the trace: what is forgotten takes the trace with it.

        Args:
            read: Whether an LLM was given what is known; its words may then repeat any of it.
        """
        known = {"read": _ids(self.told)} if read and self.told else {}
        noted = {"noted": _ids(self.noted)} if self.noted else {}
        return {**noted, **self.used, **known}


def forget_in(session: Session, forgotten: Sequence[Told]) -> None:
    """Take what is forgotten out of a conversation: what its guest told, and the sentences that told it."""
    gone = {each.entry_id for each in forgotten}
    session.told = tuple(each for each in session.told if each.entry_id not in gone)
    scrub(session, [each.words for each in forgotten])


def scrub(session: Session, words: Sequence[str]) -> None:
    """Take sentences, and the reply to each, out of what a conversation remembers as said."""
    after = False
    for said in session.said:
        if said.role == "user":
            after = any(each and each in said.text for each in words)
            said.handled = said.text  # an LLM was told beside it what is kept in mind
        said.rounds = ()
        if after:
            said.text = said.handled = FORGOTTEN


def _told(statement: Statement, now: datetime, session_id: str, request_id: str) -> Told:
    return Told(
        kind=statement.kind,
        facet=statement.facet,
        value=statement.value,
        words=statement.words,
        told_at=now,
        session_id=session_id,
        request_id=request_id,
        about=statement.about,
    )


def _ids(told: Iterable[Told]) -> list[str]:
    return [each.entry_id for each in told]
