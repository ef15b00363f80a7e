"""Work done while the LLM thinks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from agent.doubles import Talk
from agent.following import AFTER, Following
from agent.memory.keeping import Memory
from agent.scripted_server import ScriptedServer
from catalog.tenancy import acting_for, current_tenant

Begin = Callable[..., Talk]


def after(seconds: float, work: Callable[[], object]) -> object:
    """Take the result of some work when the LLM has thought for so long."""

    async def thought() -> object:
        with Following(work) as following:
            await asyncio.sleep(seconds)
            return await following.result()

    return asyncio.run(thought())


def test_it_is_done_in_a_thread_meanwhile_and_on_the_spot_for_a_quick_llm() -> None:
    here = threading.get_ident()
    assert after(0.0, threading.get_ident) == here
    assert after(3 * AFTER, threading.get_ident) != here


@pytest.mark.parametrize("seconds", [0.0, 3 * AFTER])
def test_it_is_done_for_the_same_tenant_and_what_breaks_it_breaks_the_turn(seconds: float) -> None:
    with acting_for("acme"):
        assert after(seconds, current_tenant) == "acme"
    with pytest.raises(ZeroDivisionError):
        after(seconds, lambda: 1 // 0)


@pytest.mark.parametrize("seconds", [0.0, 3 * AFTER])
def test_what_is_not_wanted_any_more_breaks_nothing(seconds: float, caplog: pytest.LogCaptureFixture) -> None:
    async def unwanted() -> None:
        with Following(lambda: 1 // 0):
            await asyncio.sleep(seconds)

    asyncio.run(unwanted())
    assert caplog.records == []


def test_a_conversation_goes_on_alike_whether_the_llm_was_quick_or_slow(
    talk: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    where: list[bool] = []
    follow = Memory.follow

    def watched(self: Memory, message: str, state: object) -> object:
        where.append(threading.current_thread() is threading.main_thread())
        time.sleep(0.01)
        return follow(self, message, state)

    monkeypatch.setattr(Memory, "follow", watched)
    said = ("I wear size M", "a blue vase under 40", "cheaper", "rather a lamp")
    held = []
    for think in (0.0, 10 * AFTER):
        monkeypatch.setattr("agent.following.AFTER", AFTER if think else 60.0)
        with ScriptedServer("obedient", think=think) as server:
            conversation = talk(server.base_url)
            answers = [conversation.say(message) for message in said]
            held.append([(conversation.trace(each)["intent"], each.text, each.recommendations) for each in answers])
    assert held[0] == held[1]
    assert True in where and False in where
