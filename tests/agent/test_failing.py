"""A turn whose event store goes away: said as what it is, no bug in the log, and no fault of the LLM."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from agent.base import Problem
from agent.doubles import Talk
from agent.scripted_server import ScriptedServer
from catalog.errors import EventStoreError
from tools.shop import Shop

Begin = Callable[..., Talk]


@contextmanager
def away(shop: Shop, monkeypatch: pytest.MonkeyPatch, *names: str) -> Iterator[None]:
    def gone(*_given: object, **_more: object) -> None:
        raise EventStoreError("event store 'postgresql://shop' does not answer: connection refused")

    with monkeypatch.context() as patched:
        for name in names:
            patched.setattr(shop.events, name, gone)
        yield


def test_before_anything_was_thought_it_is_a_503_and_one_line_of_the_log(
    talk: Begin, shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    conversation = talk()
    with away(shop, monkeypatch, "told_by"):
        events = conversation.events("a blue vase")
    assert [event.status for event in events if isinstance(event, Problem)] == [503]
    (line,) = [record for record in caplog.records if "turn failed" in record.message]
    assert line.levelno == logging.WARNING and line.exc_info is None
    assert conversation.say("a blue vase").outcome == "recommended"


def test_below_a_tool_it_is_not_counted_against_the_llm(
    talk: Begin, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer("obedient") as server:
        conversation = talk(server.base_url, llm={"breaker_failures": 1})
        assert conversation.say("a blue vase").outcome == "recommended"
        with away(shop, monkeypatch, "of_visit"):
            events = conversation.events("a mug", user_id="ana")
        assert any(isinstance(event, Problem) and event.status == 503 for event in events)
        breaker = conversation.agent.minds.breaker
        assert breaker is not None and breaker.state == "closed"
        asked = len(server.requests)
        conversation.say("a lamp")
        assert len(server.requests) > asked


def test_a_bug_is_logged_with_its_places(
    talk: Begin, shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    conversation = talk()

    def broken(*_given: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(shop.events, "told_by", broken)
    events = conversation.events("a blue vase")
    assert [event.status for event in events if isinstance(event, Problem)] == [500]
    (line,) = [record for record in caplog.records if "turn failed" in record.message]
    assert line.levelno == logging.ERROR and line.exc_info is not None
