"""Two workers over one database answer as one does from its memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.base import Spoken
from agent.config import AgentConfig
from agent.conversation import remember
from agent.doubles import Talk
from agent.handles import HandleBook
from agent.loop import Agent
from agent.minds import Minds, ShopPlanner
from agent.session_text import read, written
from agent.sessions import Said, Session, SessionStore, ToolRound
from agent.shared_sessions import SharedSessions
from catalog.conversations import ConversationRows
from catalog.errors import DataError
from catalog.event_store import SqlEventStore
from catalog.events import SqliteEventStore
from catalog.items import Catalog
from catalog.told import Told
from tools.doubles import TOY_NOW, toy_shop
from tools.registry import Registry
from tools.shop import Shop

STORY = (
    "a blue bowl",
    "cheaper",
    "more",
    "tell me more about the first one",
    "I wear size M and I do not like red",
    "a lamp",
    "compare the first two",
    "I like the second",
    "yes",
    "no, undo that",
    "what did I buy?",
    "forget my size",
    "show me more like the first",
    "show me everything",
    "more",
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    opened = toy_shop(tmp_path)
    yield opened
    opened.events.close()


def agent(shop: Shop, sessions: SessionStore | None) -> Agent:
    minds = Minds(ShopPlanner(shop.catalog, shop.embedder))
    numbers = iter(range(10_000))
    return Agent(shop, Registry(shop), minds, AgentConfig(), sessions, lambda: TOY_NOW, lambda: f"id{next(numbers)}")


def worker(shop: Shop, folder: Path, name: str) -> Agent:
    """Return an agent as another process would open it: its own catalogue, its own connections."""
    events = SqliteEventStore(folder / "shared.sqlite")
    events.put([event for _, event in shop.events.since(0)])
    own = replace(shop, catalog=Catalog(list(shop.catalog)), events=events)
    made = agent(own, SharedSessions(ConversationRows(events, 3600, 100)))
    made.new_id = iter(f"{name}{n}" for n in range(10_000)).__next__
    return made


def test_two_workers_by_turns_answer_as_one_does(shop: Shop, tmp_path: Path) -> None:
    workers = [worker(shop, tmp_path, name) for name in ("a", "b")]
    with asyncio.Runner() as runner:
        alone, told = Talk(agent(shop, None), runner, "ana"), Talk(workers[0], runner, "ana")
        told.session_id = alone.session_id = "s1"
        for turn, message in enumerate(STORY):
            told.agent = workers[turn % 2]
            expected, found = alone.say(message), told.say(message)
            ids = {"request_id": "", "trace_id": ""}
            assert replace(found, **ids) == replace(expected, **ids), message
        heard = Spoken("a blue bowl", False, 0.3)
        for request in (
            {"spoken": heard, "message": "a blue bowl"},
            {"message": "yes"},
            {"message": "no, I said a lamp"},
        ):
            told.agent = workers[len(request["message"]) % 2]
            assert told.say(**request).text == alone.say(**request).text, request
    for each in workers:
        each.shop.events.close()


def test_a_conversation_of_an_erased_shopper_is_in_no_table(shop: Shop, tmp_path: Path) -> None:
    made = worker(shop, tmp_path, "a")
    assert isinstance(made.shop.events, SqlEventStore)
    with asyncio.Runner() as runner:
        Talk(made, runner, "ana").say("a marvellous blue bowl")
        assert b"marvellous" in b"".join(path.read_bytes() for path in tmp_path.glob("shared.sqlite*"))
        made.shop.events.forget_user("ana")
        assert b"marvellous" not in b"".join(path.read_bytes() for path in tmp_path.glob("shared.sqlite*"))
    made.shop.events.close()


def full() -> Session:
    book = HandleBook(Catalog([]), 3)
    for item_id in ("a", "b", "c", "d"):
        book.issue(item_id)
    session = Session("s1", "ana", book)
    rounds = (ToolRound("hm", (("c1", "search_items", '{"query": "böwl"}'),), (("c1", "{}"),)),)
    remember(session, "a böwl\0", "Here.", "#1", ("b", "c"), 20, heard="a bowl", rounds=rounds)
    told = Told("size", "size", "M", "I wear M", datetime(2026, 3, 9, 12, tzinfo=UTC), "s1", "r1", "shoes")
    return replace(session, pending={'{"item_id": "b"}': "record_feedback"}, recorded="e1", unread=1, told=(told,))


def test_everything_comes_back_and_handles_go_on() -> None:
    before = full()
    after = read(written(before), "s1", "ana", 3)
    assert (after.said, after.pending, after.told) == (before.said, before.pending, before.told)
    assert (after.shown, after.last_list, after.recorded, after.unread) == (("b", "c"), ("b", "c"), "e1", 1)
    assert after.book.issued() == {"#2": "b", "#3": "c", "#4": "d"} and after.book.issue("e") == "#5"


def test_half_a_surrogate_pair_is_written_as_a_question_mark() -> None:
    session = full()
    session.said.append(Said("assistant", "x\ud83d", "x\ud83d"))
    assert read(written(session), "s1", "ana", 3).said[-1].text == "x?"


@pytest.mark.parametrize("change", [{"format": 2}, {"said": [["user"]]}, {"code": "x"}, {"unread": "many"}])
def test_what_is_no_conversation_is_refused_by_its_place(change: dict[str, object]) -> None:
    text = json.dumps({**json.loads(written(full())), **change})
    with pytest.raises(DataError, match=f"conversation 's1': {next(iter(change))}"):
        read(text, "s1", "ana", 3)


def test_a_state_of_another_mind_is_not_written() -> None:
    with pytest.raises(TypeError, match="state is str"):
        written(replace(full(), state="anything"))
