"""Conversations held again from their traces."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agent.doubles import Talk
from agent.loop import Agent
from agent.replay import conversation_of, read_traces, replay, write_traces
from agent.scripted_minds import PERSONAS, Persona
from agent.scripted_server import ScriptedServer
from catalog.errors import DataError, NotFoundError
from catalog.items import Catalog
from catalog.nouns import Interaction
from tools.doubles import TOY_NOW
from tools.shop import Shop

Begin = Callable[..., Talk]


def kept(conversation: Talk, *messages: str, **changes: object) -> list[dict[str, object]]:
    """Hold a conversation and return its traces."""
    answer = None
    for message in messages:
        answer = conversation.say(message, **changes)
    assert answer is not None
    return conversation_of(conversation.agent.shop.events, answer.trace_id)


def test_the_same_traces_give_the_same_tool_results_and_answers(talk: Begin, tmp_path: Path) -> None:
    conversation = talk()
    said = (
        "a blue vase under 40",
        "cheaper",
        "more like the second",
        "compare the first two",
        "what is the cheapest lamp?",
    )
    traces = kept(conversation, *said)
    assert [trace["message"] for trace in traces] == list(said)
    write_traces(tmp_path / "conversation.jsonl", traces)
    read = read_traces(tmp_path / "conversation.jsonl")
    assert read == traces
    assert conversation.runner.run(replay(conversation.agent, read)) == []


def test_a_write_is_replayed_and_written_nowhere(talk: Begin, shop: Shop) -> None:
    conversation = talk()
    traces = kept(conversation, "show me lamps", "I love the first one", "yes", "recommend something", "undo that")
    before = shop.events.for_user("ana")
    assert conversation.runner.run(replay(conversation.agent, traces)) == []
    assert shop.events.for_user("ana") == before


def test_what_came_after_an_answer_does_not_change_its_replay(talk: Begin, shop: Shop) -> None:
    conversation = talk()
    traces = kept(conversation, "recommend something for me")
    later = TOY_NOW.replace(hour=18)
    shop.events.put([Interaction("later", "ana", "L01", later, "dismiss", "elsewhere")])
    assert conversation.runner.run(replay(conversation.agent, traces)) == []


@pytest.mark.parametrize("persona", [each for each in PERSONAS if each != "hanging"])
def test_an_llm_is_replayed_without_its_server(talk: Begin, persona: Persona) -> None:
    with ScriptedServer(persona) as server:
        conversation = talk(server.base_url)
        traces = kept(conversation, "a blue vase under 40", "cheaper", "a leather bag")
        asked = len(server.requests)
    assert conversation.runner.run(replay(conversation.agent, traces)) == []
    assert len(server.requests) == asked
    plain = talk().agent  # whoever replays need not have an LLM configured
    assert conversation.runner.run(replay(Agent(conversation.agent.shop, plain.registry, plain.minds), traces)) == []


def test_what_differs_is_named_by_its_place(talk: Begin, shop: Shop) -> None:
    conversation = talk()
    traces = kept(conversation, "a blue vase under 40", "thank you")
    dearer = Catalog([replace(item, price=99.0) if item.item_id == "V01" else item for item in shop.catalog])
    changed = replace(conversation.agent.shop, catalog=dearer)
    agent = Agent(changed, conversation.agent.registry, conversation.agent.minds)
    found = [str(each) for each in conversation.runner.run(replay(agent, traces))]
    assert any(line.startswith("turn 1 answer.item_ids") and "V01" in line for line in found)
    assert not [line for line in found if line.startswith("turn 2 answer.text")] and all(
        "\n" not in line for line in found
    )


def test_a_conversation_that_a_client_brought_along_is_replayed_with_it(talk: Begin) -> None:
    from agent.base import PastMessage

    conversation = talk()
    past = (PastMessage("user", "lamps please"), PastMessage("assistant", "Here are two.", ("L02", "L01", "gone")))
    traces = kept(conversation, "tell me more about the second", history=past)
    assert traces[0]["answer"]["item_ids"] == ["L01"]  # type: ignore[index]
    assert conversation.runner.run(replay(conversation.agent, traces)) == []


def test_only_the_conversation_up_to_the_answer_is_taken(talk: Begin) -> None:
    conversation = talk()
    first = conversation.say("show me lamps")
    conversation.say("cheaper")
    talk().say("show me mugs")
    events = conversation.agent.shop.events
    assert [trace["trace_id"] for trace in conversation_of(events, first.trace_id)] == [first.trace_id]
    with pytest.raises(NotFoundError, match="'nowhere'"):
        conversation_of(events, "nowhere")


@pytest.mark.parametrize(
    ("text", "message"), [("", "holds no trace"), ("{}\n", "line 1 is no trace"), ("not json\n", "line 1 is no trace")]
)
def test_a_file_that_holds_no_traces_is_refused_by_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "file").write_text(text)
    with pytest.raises(DataError, match=message):
        read_traces(tmp_path / "file")
    with pytest.raises(DataError, match="cannot be read"):
        read_traces(tmp_path / "none")


EDITED: list[tuple[tuple[str | int, ...], object, str]] = [
    (("started_at",), "yesterday", "'started_at' is \"yesterday\""),
    (("started_at",), "2026-01-01T00:00:00", "'started_at' is"),
    (("started_at",), "9999-12-31T23:59:59.999999+00:00", "'started_at' is"),
    (("started_at",), 5, "'started_at' is 5"),
    (("session_id",), ["s"], "'session_id' is"),
    (("user_id",), 5, "'user_id' is 5"),
    (("message",), None, "'message' is null"),
    (("request_id",), [], "'request_id' is"),
    (("asked", "top_n"), None, "'asked.top_n' is null"),
    (("asked", "history"), ["x"], "'asked.history.0' is \"x\""),
    (("asked", "spoken"), {"said": "a vase"}, "'asked.spoken.text' is missing"),
    (("asked",), {}, "'asked.top_n' is missing"),
    (("minds",), None, "'minds' is null"),
    (("minds", 0), {}, "'minds.0.mind' is missing"),
    (("minds", 0, "responses"), [{"calls": [{}]}], "'minds.0.responses.0.calls.0.id' is missing"),
    (("answer", "disclosures"), None, "'answer.disclosures' is null"),
]


def test_a_file_edited_by_hand_is_refused_by_line_and_part(talk: Begin, tmp_path: Path) -> None:
    text = json.dumps(kept(talk(), "a blue vase under 40"))
    for part, value, named in EDITED:
        traces = json.loads(text)
        inner = traces[0]
        for name in part[:-1]:
            inner = inner[name]
        inner[part[-1]] = value
        write_traces(tmp_path / "edited.jsonl", traces)
        with pytest.raises(DataError, match=re.escape("edited.jsonl' line 1: " + named)):
            read_traces(tmp_path / "edited.jsonl")


def test_a_message_may_hold_what_ends_a_line_elsewhere(talk: Begin, tmp_path: Path) -> None:
    conversation = talk()
    traces = kept(conversation, "a blue\u2028vase", "cheaper\x85than\x1ethat\u2029")
    write_traces(tmp_path / "conversation.jsonl", traces)
    read = read_traces(tmp_path / "conversation.jsonl")
    assert read == traces and conversation.runner.run(replay(conversation.agent, read)) == []
