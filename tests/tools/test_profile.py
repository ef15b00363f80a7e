"""What the shopper told, read and forgotten through the registry."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.errors import ToolRetry, ToolUnavailable
from catalog.tenancy import acting_for
from catalog.told import Told
from tools.base import Shopper, ToolContext
from tools.doubles import TOY_NOW
from tools.registry import Registry
from tools.shop import Shop

SIZE = Told("size", "size", "M", "I wear size M", TOY_NOW, "s1", "r1")
RED = Told("dislike", "attribute.colour", "red", "I hate red", TOY_NOW, "s1", "r1")


def test_it_is_read_with_words_and_dates(ask: Any, shop: Shop) -> None:
    assert ask("get_profile", user="ana").facts == {"told": []}
    shop.events.put_told("ana", [SIZE, RED])
    told = ask("get_profile", user="ana")
    assert {(each["entry_id"], each["words"]) for each in told.facts["told"]} == {
        (SIZE.entry_id, "I wear size M"),
        (RED.entry_id, "I hate red"),
    }
    assert "you wear size M (2 March 2026: “I wear size M”)" in told.text
    assert ask("get_profile", user="ben").facts == {"told": []} and ask("get_profile").facts == {"told": []}
    with acting_for("rival"):
        assert ask("get_profile", user="ana").facts == {"told": []}


def test_forgetting_asks_first_and_then_forgets_that_alone(ask: Any, shop: Shop) -> None:
    shop.events.put_told("ana", [SIZE, RED])
    asked = ask("forget_told", {"entries": [RED.entry_id]}, user="ana")
    assert asked.text == "Shall I forget that you do not like red?"
    assert len(shop.events.told_by("ana")) == 2
    yes = asked.facts["needs_confirmation"]["canonical"]
    other = ask("forget_told", {"entries": [SIZE.entry_id]}, user="ana", confirmed=(yes,))
    assert "needs_confirmation" in other.facts
    done = ask("forget_told", {"entries": [RED.entry_id]}, user="ana", confirmed=(yes,))
    assert done.facts == {"forgotten": [RED.entry_id]} and shop.events.told_by("ana") == [SIZE]


def test_everything_is_forgotten_at_once(ask: Any, shop: Shop) -> None:
    shop.events.put_told("ana", [SIZE, RED])
    yes = ask("forget_told", {"entries": "all"}, user="ana").facts["needs_confirmation"]["canonical"]
    assert ask("forget_told", {"entries": "all"}, user="ana", confirmed=(yes,)).text == "Those 2 things are forgotten."
    assert shop.events.told_by("ana") == []


def test_anothers_entries_are_no_entries(ask: Any, shop: Shop) -> None:
    shop.events.put_told("ana", [SIZE])
    with pytest.raises(ToolUnavailable, match="told nothing"):
        ask("forget_told", {"entries": [SIZE.entry_id]}, user="ben")
    shop.events.put_told("ben", [RED])
    with pytest.raises(ToolRetry, match=SIZE.entry_id):
        ask("forget_told", {"entries": [SIZE.entry_id]}, user="ben")
    with pytest.raises(ToolRetry, match="entries"):
        ask("forget_told", {"entries": []}, user="ben")


def test_a_guest_is_told_what_they_told_in_this_session(shop: Shop) -> None:
    context = ToolContext(Shopper(None, "s1", told=(SIZE,)), TOY_NOW, "r")
    registry = Registry(shop)
    assert len(registry.call("get_profile", {}, context).facts["told"]) == 1
    asked = registry.call("forget_told", {"entries": [SIZE.entry_id]}, context)
    yes = frozenset([asked.facts["needs_confirmation"]["canonical"]])
    done = registry.call("forget_told", {"entries": [SIZE.entry_id]}, ToolContext(context.shopper, TOY_NOW, "r", yes))
    assert done.facts["forgotten"] == [SIZE.entry_id]
