"""Streams as they come over a real wire: cut anywhere, out of order, broken off, without an end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock, ToolCallBlock

from agent.arguments import BROKEN
from agent.byte_server import ByteServer, Sent, cut, delta, part, stream
from agent.config import LLMConfig
from agent.doubles import Talk, ids_of
from agent.llm import ServedLLM
from agent.minds import MOST_SECONDS
from agent.wording import CUT, NO_LLM
from catalog.errors import ServiceError

Begin = Callable[..., Talk]
TEXT = "Für 12 € die Vase – 花瓶, “blau” 🏺."
SEARCH = part(0, "", name="search_items", call_id="a")
END = delta(finish="tool_calls")


def heard(*answers: Sent, **config: Any) -> tuple[str, list[dict[str, Any]], int]:
    """Return the text and the arguments of the calls of one streamed answer, and how often the server was asked."""
    with ByteServer(*answers) as server:
        llm = ServedLLM(LLMConfig(base_url=server.base_url, model="scripted", timeout_seconds=10, **config))

        async def collect() -> tuple[str, list[dict[str, Any]]]:
            text, calls = "", []
            async for response in await llm.astream_chat([ChatMessage(role="user", content="a bowl")]):
                text += response.delta or ""
                calls = [c.tool_kwargs for c in llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)]
            return text, calls

        return *asyncio.run(collect()), len(server.bodies)


def whole(*chunks: Any, **how: Any) -> Sent:
    return Sent((stream(*chunks, **how),))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_stream_may_be_cut_inside_a_character_and_inside_json(size: int, newline: str) -> None:
    arguments = json.dumps({"query": TEXT, "top_n": 3}, ensure_ascii=False)
    pieces = [part(0, arguments[at : at + 5]) for at in range(0, len(arguments), 5)]
    body = stream(delta("", role="assistant"), delta(TEXT[:9]), delta(TEXT[9:]), delta(None, SEARCH),
                  *(delta(None, each) for each in pieces), END, newline=newline)  # fmt: skip
    assert heard(Sent(cut(body, size)))[:2] == (TEXT, [{"query": TEXT, "top_n": 3}])


def test_comments_and_other_fields_are_passed_over() -> None:
    body = stream(delta("A vase."), delta(finish="stop"), done=False)
    usage = {**delta(), "choices": [], "usage": {"total_tokens": 7}}
    noise = b": keep-alive\n\nevent: message\n" + body + b":\n\n: ping\n\n" + stream(usage)
    assert heard(Sent((noise,)))[0] == "A vase."


def test_thinking_apart_and_null_fields_say_nothing() -> None:
    null = delta(None, role="assistant", content=None, tool_calls=None, reasoning_content="Hm, a vase.")
    assert heard(whole(null, delta("A vase."), {**delta(), "usage": None}, delta("", finish="stop")))[0] == "A vase."


def test_an_end_without_done_is_one_and_done_without_an_end_is_none() -> None:
    assert heard(whole(delta("A vase."), delta(finish="stop"), done=False))[0] == "A vase."
    with pytest.raises(ServiceError, match="broke off before the end"):
        heard(whole(delta("A va"), done=True))
    with pytest.raises(ServiceError, match="broke off before the end"):
        heard(whole(delta("A va"), done=False))


def test_pieces_of_two_calls_may_come_in_turns() -> None:
    chunks = [
        delta(None, part(0, "", name="search_items", call_id="a")),
        delta(None, part(1, "", name="catalogue_facts", call_id="b")),
        delta(None, part(1, '{"about"')), delta(None, part(0, '{"query": "va')),
        delta(None, part(0, 'se"}'), part(1, ': "price"}')), END,
    ]  # fmt: skip
    assert heard(whole(*chunks))[1] == [{"query": "vase"}, {"about": "price"}]


@pytest.mark.parametrize("index", [None, 0])
def test_a_server_that_counts_no_calls_sends_each_whole(index: int | None) -> None:
    calls = [part(index, json.dumps({"query": word}), name="search_items", call_id=word) for word in ("vase", "bowl")]
    assert heard(whole(*(delta(None, call) for call in calls), END))[1] == [{"query": "vase"}, {"query": "bowl"}]


def test_an_id_that_changes_with_every_piece_begins_no_call() -> None:
    pieces = [part(0, "", name="search_items", call_id="a"), part(0, '{"query": ', call_id="b"),
              part(0, '"vase"}', call_id="c")]  # fmt: skip
    assert heard(whole(*(delta(None, piece) for piece in pieces), END))[1] == [{"query": "vase"}]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (None, {}), ("", {}), ("null", {}), ("None", {}), ({"query": "vase"}, {"query": "vase"}),
        ('{"query": "vase", "filters": {"price": {"max": 40', {"query": "vase", "filters": {"price": {"max": 40}}}),
        ('{"query": "vase",}', {"query": "vase"}), ("{'query': 'vase', 'sort': None}", {"query": "vase", "sort": None}),
        ('{"query": "vase"}{"query": "vase"}', {"query": "vase"}), ("[]", {BROKEN: "[]"}),
        ("blue vase", {BROKEN: "blue vase"}),
    ],
)  # fmt: skip
def test_arguments_are_mended_where_that_is_unambiguous(written: Any, read: dict[str, Any]) -> None:
    assert heard(whole(delta(None, part(0, written, name="search_items", call_id="a")), END))[1] == [read]


def test_arguments_at_which_the_tokens_ran_out_are_not_mended() -> None:
    begun = delta(None, SEARCH, part(0, '{"query": "va'))
    cut_off = [{BROKEN: 'cut off at 600 tokens: {"query": "va'}]
    assert heard(whole(begun, delta(finish="length")))[1] == cut_off
    full = delta(None, SEARCH, part(0, '{"query": "vase"}'), part(1, "{", name="search_items", call_id="b"))
    assert heard(whole(full, delta(finish="length")))[1] == [
        {"query": "vase"}, {BROKEN: "cut off at 600 tokens: {"}
    ]  # fmt: skip


@pytest.mark.parametrize("breaks", ["off", "reset"])
def test_a_server_that_restarts_in_mid_stream_is_one_clear_error(breaks: str) -> None:
    with pytest.raises(ServiceError, match=r"broke off|unreachable") as failure:
        heard(Sent((stream(delta("A va"), done=False),), breaks=breaks))
    assert failure.value.retryable and "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'data: {"error": {"message": "out of memory", "code": 500}}\n\n', "broke off: APIError"),
        (b'data: {"choices": [{"delta": {"content": "is sho\n\n', "sent broken JSON"),
        (b'data: ["a vase"]\n\n', "streams list where objects belong"),
        (b'data: "a vase"\n\n', "streams str where objects belong"),
        (b"<html>a proxy says no</html>", "broke off before the end"),
        (b"", "broke off before the end"),
    ],
)
def test_what_is_no_stream_of_a_chat_server_is_one_clear_error(body: bytes, message: str) -> None:
    with pytest.raises(ServiceError, match=message):
        heard(Sent((body,)))


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("wait", ["0", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_server_that_is_busy_for_a_moment_is_asked_once_more(status: int, wait: str) -> None:
    busy = Sent((b"{}",), status, {"Retry-After": wait})
    assert heard(busy, whole(delta("A vase."), delta(finish="stop"))) == ("A vase.", [], 2)
    with pytest.raises(ServiceError, match=f"answered {status}"):
        heard(busy, busy, whole(delta("A vase."), delta(finish="stop")))


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"Retry-After": "60"}, 60.0),
        (429, {}, None),
        (503, {"Retry-After": "soon"}, None),
        (500, {"Retry-After": "1"}, None),
    ],
)
def test_one_that_is_busy_for_longer_is_not(status: int, headers: dict[str, str], seconds: float | None) -> None:
    with pytest.raises(ServiceError, match=f"answered {status}") as failure:
        heard(Sent((b"{}",), status, headers), whole(delta("A vase."), delta(finish="stop")))
    assert failure.value.retryable and failure.value.retry_after == seconds


def test_what_was_broken_goes_back_as_json_that_parses() -> None:
    calls = [("a", '{"query": "vase"'), ("b", "blue vase, please"), ("c", {BROKEN: "cut off"}), ("d", "")]
    blocks = [ToolCallBlock(tool_call_id=i, tool_name="search_items", tool_kwargs=given) for i, given in calls]
    asked = ChatMessage(role=MessageRole.ASSISTANT, blocks=[TextBlock(text="Let me look."), *blocks])
    with ByteServer(whole(delta("A vase."), delta(finish="stop"))) as server:
        llm = ServedLLM(LLMConfig(base_url=server.base_url, model="scripted"))
        asyncio.run(llm.achat([ChatMessage(role="user", content="a vase"), asked]))
        sent = server.requests[0]["messages"][1]["tool_calls"]
    assert [json.loads(call["function"]["arguments"]) for call in sent] == [{"query": "vase"}, {}, {}, {}]


# ---- whole turns


@pytest.fixture
def turns(talk: Begin) -> Begin:
    """Imports are no part of a call's time."""
    conversation = talk("http://127.0.0.1:9/v1")
    conversation.runner.run(conversation.agent.warm())
    return talk


def looked(**arguments: Any) -> Sent:
    call = part(0, json.dumps({"query": "a blue vase", **arguments}), name="search_items", call_id="a")
    return whole(delta(None, call), END)


def test_an_answer_at_which_the_tokens_ran_out_ends_with_a_whole_sentence(turns: Begin) -> None:
    said = delta("I would take #1. It is made of glass. And another thing about #1 is th", finish="length")
    with ByteServer(looked(), whole(said)) as server:
        answer = turns(server.base_url).say("a blue vase")
    assert answer.text.startswith("I would take") and answer.text.endswith("glass.")
    assert CUT["length"] in answer.disclosures and ids_of(answer)[0] == "V01"


def test_a_model_that_repeats_itself_is_stopped_and_heard_once(turns: Begin) -> None:
    again = [delta("I would take #1, it is blue. ") for _ in range(200)]
    with ByteServer(looked(), whole(*again, delta(finish="length"))) as server:
        conversation = turns(server.base_url)
        answer = conversation.say("a blue vase")
    assert answer.text.count("I would take") == 1 and ids_of(answer)[0] == "V01"
    assert CUT["length"] in answer.disclosures and conversation.trace(answer)["exhausted"] == "length"


def test_parallel_calls_are_all_answered_in_one_round(turns: Begin) -> None:
    calls = [
        part(n, json.dumps({"query": word}), name="search_items", call_id=word)
        for n, word in enumerate(("vase", "mug"))
    ]
    with ByteServer(whole(delta(None, *calls), END), whole(delta("Take #1."), delta(finish="stop"))) as server:
        conversation = turns(server.base_url)
        answer = conversation.say("a vase and a mug")
        messages = server.requests[1]["messages"]
    assert [m["tool_call_id"] for m in messages if m["role"] == "tool"] == ["vase", "mug"]
    assert [run["tool"] for run in conversation.trace(answer)["tools"]] == ["search_items"] * 2
    assert len(server.bodies) == 2


def test_a_model_that_never_comes_to_an_end_is_asked_four_times(turns: Begin) -> None:
    with ByteServer(*(looked(query=f"a blue vase {n}") for n in range(9))) as server:
        conversation = turns(server.base_url)
        answer = conversation.say("a blue vase")
        assert [body.get("tool_choice") for body in server.requests] == ["auto"] * 3 + ["none"]
    assert (
        answer.outcome == "recommended"
        and answer.recommendations
        and "No further tool calls" in "".join(str(m["content"]) for m in server.requests[-1]["messages"])
    )


@pytest.mark.parametrize("breaks", ["off", "reset"])
def test_a_restart_after_the_tools_leaves_the_shopper_an_answer(turns: Begin, breaks: str) -> None:
    half = Sent((stream(delta("I would take #1. And al"), done=False),), breaks=breaks)
    with ByteServer(looked(), half) as server:
        answer = turns(server.base_url).say("a blue vase")
    assert answer.outcome == "recommended" and ids_of(answer)[0] == "V01"
    assert NO_LLM in answer.disclosures and "And al" not in answer.text


def test_a_busy_server_is_left_alone_for_as_long_as_it_asks(turns: Begin) -> None:
    with ByteServer(Sent((b"{}",), 429, {"Retry-After": "3600"})) as server:
        conversation = turns(server.base_url)
        for message in ("a blue vase", "cheaper"):
            answer = conversation.say(message)
            assert NO_LLM in answer.disclosures and answer.outcome != "error"
        breaker = conversation.agent.minds.breaker
        assert breaker is not None and breaker.state == "open" and len(server.bodies) == 1
        now = breaker.clock()
        breaker.clock = lambda: now + MOST_SECONDS + 1
        assert breaker.state == "half-open"


def test_what_a_server_has_read_is_a_prefix_of_what_it_reads_next(turns: Begin) -> None:
    answered = whole(delta("I would take #1."), delta(finish="stop"))
    with ByteServer(*(each for n in range(5) for each in (looked(query=f"vase {n}", top_n=2), answered))) as server:
        conversation = turns(server.base_url)
        for message in ("a  blue vase\nplease", "one of <b>glass</b>", "cheaper", "and in  white?", "thanks"):
            conversation.say(message)
        asked = server.requests
    assert len(asked) == 10
    assert len({json.dumps(body["tools"]) for body in asked}) == 1
    read = [json.dumps(body["messages"]).removesuffix("]") for body in asked]
    assert all(later.startswith(f"{earlier}, ") for earlier, later in pairwise(read))
    assert [m["role"] for m in asked[-1]["messages"]].count("tool") == 5


def test_a_long_conversation_forgets_half_at_once(turns: Begin) -> None:
    answered = whole(delta("I would take #1."), delta(finish="stop"))
    with ByteServer(*(each for n in range(8) for each in (looked(query=f"vase {n}", top_n=2), answered))) as server:
        conversation = turns(server.base_url, history_messages=6)
        for number in range(8):
            conversation.say(f"vase number {number}")
        asked = [body["messages"] for body in server.requests[::2]]
    kept = [sum(m["role"] == "user" for m in messages) - 1 for messages in asked]
    assert kept == [0, 1, 2, 3, 1, 2, 3, 1]


def escaped(*chunks: Any) -> Sent:
    """Chunks with everything but ASCII escaped, which may cut a character into halves."""
    return Sent(("".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks).encode(),))


def test_halves_of_a_character_meet_across_chunks_and_alone_are_no_text() -> None:
    sent = escaped(delta("A vase \ud83c"), delta("\udffa."), delta(" \ud800 Blue."), delta(finish="stop"))
    assert heard(sent)[0] == "A vase 🏺. \ufffd Blue."
    call = part(0, '{"query": "a \\ud83c\\udffa or \\ud800"}', name="search_items\ud800", call_id="a")
    assert heard(escaped(delta(None, call), END))[1] == [{"query": "a 🏺 or \ufffd"}]


def test_what_a_model_sends_in_halves_ends_in_an_answer_and_a_trace(talk: Begin) -> None:
    asked = delta(None, part(0, '{"query": "blue vase \\ud800"}', name="search_items", call_id="\ud800"))
    answers = (escaped(asked, END), escaped(delta("Look at #1 \udffa."), delta(finish="stop")))
    with ByteServer(*answers) as server:
        held = talk(server.base_url)
        answer = held.say("a blue vase")
        assert answer.outcome == "recommended" and not answer.disclosures
        assert held.trace(answer)["tools"][0]["arguments"] == {"query": "blue vase \ufffd"}


@pytest.mark.parametrize(
    "chunks",
    [
        (delta("<think>"), *[delta("Hm. " * 250)] * 60),
        (delta(None, SEARCH), *[delta(None, part(0, "x" * 1000))] * 60),
        [delta("blue " * 200)] * 60,
    ],
    ids=["thinking", "arguments", "text"],
)
def test_a_server_that_does_not_keep_to_its_tokens_is_left(chunks: Any) -> None:
    with pytest.raises(ServiceError, match=r"has sent \d+ characters for at most 600 tokens"):
        heard(whole(*chunks, delta(finish="stop")))


def test_a_chunk_nested_beyond_reading_is_broken_json() -> None:
    with pytest.raises(ServiceError, match="sent broken JSON"):
        heard(Sent((b"data: " + b"[" * 100_000 + b"\n\n",)))
