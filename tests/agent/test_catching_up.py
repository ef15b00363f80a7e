"""A conversation goes on over another snapshot of the catalogue."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.config import AgentConfig
from agent.doubles import Talk
from agent.loop import Agent
from agent.minds import Minds, ShopPlanner
from agent.sessions import SessionStore
from catalog.items import Catalog
from catalog.nouns import Item
from tools.doubles import TOY_NOW, toy_shop
from tools.registry import Registry
from tools.shop import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    opened = toy_shop(tmp_path)
    yield opened
    opened.events.close()


def agent(shop: Shop, items: list[Item], sessions: SessionStore | None = None) -> Agent:
    own = replace(shop, catalog=Catalog(items))
    return Agent(
        own, Registry(own), Minds(ShopPlanner(own.catalog, own.embedder)), AgentConfig(), sessions, lambda: TOY_NOW
    )


def after(shop: Shop, message: str, later: list[Item] | None) -> tuple[str, str]:
    """The first item of a list, and what is said to `message`; before it the catalogue becomes `later`."""
    with asyncio.Runner() as runner:
        first = agent(shop, list(shop.catalog))
        talk = Talk(first, runner, "ana")
        item_id = talk.say("a blue bowl").recommendations[0].item_id
        if later is not None:
            talk.agent = agent(shop, later, first.sessions)
        return item_id, talk.say(message).text


@pytest.mark.parametrize("message", ["cheaper", "tell me more about the first one", "compare the first two"])
def test_what_stays_is_remembered_with_its_record(shop: Shop, message: str) -> None:
    assert after(shop, message, list(shop.catalog)) == after(shop, message, None)


def test_a_changed_price_is_the_one_that_counts(shop: Shop) -> None:
    item_id, text = after(shop, "how much is the first one?", None)
    assert "9.50" in text
    changed = [replace(item, price=8.25) if item.item_id == item_id else item for item in shop.catalog]
    assert "8.25" in after(shop, "how much is the first one?", changed)[1]


def test_an_idle_conversation_keeps_no_snapshot_in_memory(shop: Shop) -> None:
    """Thousands of them would each keep the catalogue of their last turn, while it is written to."""
    with asyncio.Runner() as runner:
        first = agent(shop, list(shop.catalog))
        talk = Talk(first, runner, "ana")
        before = talk.say("a blue bowl").recommendations
        for _ in range(3):
            talk.agent = agent(shop, list(shop.catalog), first.sessions)
            talk.say("tell me more about the first one")
        (session,) = first.sessions.of_user("ana")
        last = weakref.ref(talk.agent.shop.catalog)
        assert session.book.catalog is last()
        talk.agent = first
        gc.collect()
        assert last() is None and session.book.catalog is None
        assert session.book.issued()["#1"] == before[0].item_id
        assert talk.say("how much is the first one?").outcome != "error"


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("tell me more about the first one", "That is no longer sold here."),
        ("more like the first", "That is no longer sold here."),
        ("I love the first one", "That is no longer sold here."),
        ("compare the first two", "One of them is no longer sold here."),
    ],
)
def test_what_was_deleted_since_it_was_shown_is_said_to_be_gone(shop: Shop, message: str, says: str) -> None:
    item_id, _ = after(shop, "hello", None)
    left = [item for item in shop.catalog if item.item_id != item_id]
    assert says in after(shop, message, left)[1]
