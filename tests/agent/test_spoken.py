"""Spoken messages inside a conversation, without a wire: what is asked, what goes on, what a replay makes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.base import Spoken
from agent.doubles import Talk, ids_of
from agent.replay import conversation_of, replay

Begin = Callable[..., Talk]
SURE, UNSURE = Spoken("a red vase", True, 0.9), Spoken("a blue vase", False, 0.3)


def test_a_conversation_with_doubts_and_corrections_replays(talk: Begin) -> None:
    conversation = talk()
    asked = conversation.say("a blue vase", spoken=UNSURE)
    assert asked.outcome == "question" and "is that right?" in asked.text and not asked.recommendations
    assert ids_of(conversation.say("yes"))[0] == "V01"
    conversation.say("a red scarf", spoken=Spoken("a red scarf", True))
    last = conversation.say("no, I said a blue scarf")
    assert ids_of(last) == ["S01"]
    traces = conversation_of(conversation.agent.shop.events, last.trace_id)
    assert [trace["asked"].get("message") for trace in traces] == [
        "a blue vase",
        "yes",
        "a red scarf",
        "no, I said a blue scarf",
    ]
    assert conversation.runner.run(replay(conversation.agent, traces)) == []


def test_what_is_told_aloud_is_kept_with_its_words(talk: Begin) -> None:
    conversation = talk()
    conversation.say("I can't stand red", spoken=Spoken("I can't stand red", True, 0.9))
    (told,) = conversation.agent.shop.events.told_by("ana")
    assert told.words == "I can't stand red"
    assert conversation.say("I hate blue", spoken=Spoken("I hate blue", False, 0.2)).outcome == "question"
    assert len(conversation.agent.shop.events.told_by("ana")) == 1
    conversation.say("yes")
    assert len(conversation.agent.shop.events.told_by("ana")) == 2


@pytest.mark.parametrize("reason", ["silence", "noise", None])
def test_nothing_heard_looks_nothing_up(talk: Begin, reason: str | None) -> None:
    conversation = talk()
    answer = conversation.say("", spoken=Spoken(None, False, reason=reason))  # type: ignore[arg-type]
    assert answer.outcome == "question" and (reason or "no speech") in answer.text
    assert conversation.trace(answer)["tools"] == []
    assert ids_of(conversation.say("a blue vase", spoken=Spoken(None, False)))  # typed beside it: that counts


def test_a_typed_message_is_never_taken_for_a_correction(talk: Begin) -> None:
    conversation = talk()
    conversation.say("a red scarf")
    assert ids_of(conversation.say("no, I said a blue scarf")) == ["S01"]
