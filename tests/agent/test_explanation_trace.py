"""The evidence of an answer that was given, read from its trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent.doubles import Talk
from agent.explanation_trace import explained_in
from catalog.errors import NotFoundError
from tools.shop import Shop


def test_the_evidence_of_an_item_of_an_answer(talk: Callable[..., Talk], shop: Shop) -> None:
    answer = talk().say("a blue vase under 40")
    trace = shop.events.trace(answer.trace_id)
    first = answer.recommendations[0]
    found: dict[str, Any] = explained_in(shop, trace, first.item_id)
    assert (found["trace_id"], found["tool"], found["rank"]) == (answer.trace_id, "search_items", 1)
    assert all(0 < each["strength"] <= 1 for each in found["signals"])
    assert {"blue", "vase"} <= {each["word"].casefold() for each in found["words"]}
    assert all(each["text"][each["start"] : each["end"]] == each["word"] for each in found["words"])


def test_the_events_of_a_recommendation_have_their_days(talk: Callable[..., Talk], shop: Shop) -> None:
    answer = talk().say("what would you recommend?")
    trace = shop.events.trace(answer.trace_id)
    events = [e for each in answer.recommendations for e in explained_in(shop, trace, each.item_id)["events"]]
    assert {event["item_id"] for event in events} <= {"S01", "V01", "M01"} and events
    dated = {e.item_id: e.timestamp.isoformat() for e in shop.events.for_user("ana", 10)}
    assert all(event["when"] == dated[event["item_id"]] for event in events)


def test_an_item_that_was_not_ranked_names_those_that_were_shown(talk: Callable[..., Talk], shop: Shop) -> None:
    answer = talk().say("a blue vase under 40")
    trace = shop.events.trace(answer.trace_id)
    with pytest.raises(NotFoundError, match=f"ranked the item 'L04'; it showed {answer.recommendations[0].item_id}"):
        explained_in(shop, trace, "L04")
