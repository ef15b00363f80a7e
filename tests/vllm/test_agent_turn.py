"""Turns of the agent with a real vLLM server for a mind: noise, held to the schema of a tool by guided decoding."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import httpx
import openai
import pytest

from agent.base import Token
from agent.config import AgentConfig, LLMConfig
from agent.doubles import Talk, answer_of, text_of
from agent.loop import Agent
from agent.minds import Minds, ShopPlanner
from agent.replay import conversation_of, replay
from agent.wording import NO_LLM
from api.config import ApiConfig
from api.server import opened
from api.service import Service
from eval.grounding import Judge
from tools.doubles import TOY_NOW, toy_shop
from tools.registry import Registry
from tools.shop import Shop

SEEDS = range(1, 7)
WISH = "a blue vase under 40"
MAX_TOKENS = 250
Begin = Callable[..., Talk]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    opened_shop = toy_shop(tmp_path_factory.mktemp("shop"), pictures=True)
    yield opened_shop
    opened_shop.events.close()


@pytest.fixture(scope="module")
def server(agent_server: Any, shop: Shop) -> Any:
    return agent_server(Registry(shop))


@pytest.fixture
def talk(server: Any, shop: Shop) -> Iterator[Begin]:
    """Begin a conversation; what is given are fields of `LLMConfig`, `budgets` those of `AgentConfig`."""
    with asyncio.Runner() as runner:

        def begin(seed: int = 1, budgets: dict[str, Any] | None = None, **changes: Any) -> Talk:
            return Talk(agent_of(server, shop, seed, budgets or {}, **changes), runner, user_id="ana")

        yield begin


def agent_of(server: Any, shop: Shop, seed: int, budgets: dict[str, Any], **changes: Any) -> Agent:
    llm = {"temperature": 1.0, "max_tokens": MAX_TOKENS, "initial_tool_choice": "search_items"}
    config = LLMConfig(base_url=server.base_url, model="tiny", seed=seed, **{**llm, **changes})
    minds = Minds(ShopPlanner(shop.catalog, shop.embedder), config)
    return Agent(shop, Registry(shop), minds, AgentConfig(llm=config, **budgets), now=lambda: TOY_NOW)


def ungrounded(shop: Shop, wire: dict[str, Any], said: str) -> list[Any]:
    """Return what no record bears out; an item may also be spoken of without being recommended."""
    shown = {each["item_id"] for each in wire["recommendations"]}
    spoken = [item for item in shop.catalog if item.title and item.title in wire["text"] and item.item_id not in shown]
    entries = [{"item_id": item.item_id, "title": item.title, "price": item.price} for item in spoken]
    found = Judge(shop.catalog).judge({**wire, "recommendations": [*wire["recommendations"], *entries]}, said=said)
    glued = not re.search(r"#\s?\d+(?!\w)", wire["text"])  # "#1query" is noise, and leads nowhere
    return [each for each in found if not (glued and each.fault == "bare handle")]


def judged(talk: Talk, events: list[Any], said: str) -> dict[str, Any]:
    """Hold a turn to what every turn must keep to, whatever its mind said; return its trace."""
    answer, config = answer_of(events), talk.agent.config
    shop, trace = talk.agent.shop, talk.trace(answer)
    assert ungrounded(shop, asdict(answer), said) == []
    assert text_of(events).strip() == answer.text and answer.outcome != "error"
    assert config.llm is not None and trace["minds"][0]["mind"] == "llm"
    for mind in trace["minds"]:
        assert len(mind["responses"]) <= config.llm.max_calls and mind["tokens"] <= config.max_tokens
    assert len(trace["tools"]) <= config.max_tool_calls
    again = talk.runner.run(replay(talk.agent, conversation_of(shop.events, answer.trace_id)))
    assert again == [], "the trace replays"
    return trace


def test_the_call_it_is_held_to_is_made_and_what_the_tool_answered_is_told_and_answered(
    talk: Begin, server: Any, figure: Callable[[str], None]
) -> None:
    made, named = 0, 0
    for seed in SEEDS:
        before, began = server.answered(), time.monotonic()
        conversation = talk(seed)
        events = conversation.events(WISH)
        seconds = time.monotonic() - began
        trace = judged(conversation, events, WISH)
        first, *_, last = trace["minds"][0]["responses"]
        [call] = first["calls"]
        assert call["name"] == "search_items"
        run = trace["tools"][0]
        if first["finish"] == "length":  # the grammar lets blanks run on: what was cut off is never made
            assert f"cut off at {MAX_TOKENS} tokens" in run["error"]
            continue
        written = json.loads(call["arguments"], strict=False)
        assert run["arguments"].keys() == written.keys() and run["arguments"].get("query") == written.get("query")
        if run["error"] is not None:  # a string may be no item and no cursor, whatever the schema says
            assert any(f"'{name}'" in run["error"] for name in written)
            continue
        assert run["items"] and not last["calls"] and last["text"].strip()
        assert server.answered() - before == 2 and NO_LLM not in answer_of(events).disclosures
        prompt = server.last_prompt()
        assert '<tool_call>\n{"name": "search_items", "arguments": {' in prompt and '"handle": "#1"' in prompt
        title = conversation.agent.shop.catalog[run["items"][0]].title
        assert prompt.index(WISH) < prompt.index('"handle": "#1"') and title is not None and title in prompt
        assert any(isinstance(event, Token) for event in events)
        made += 1
        named += any(each.title in answer_of(events).text for each in answer_of(events).recommendations)
        tokens = sum(each["usage"]["completion_tokens"] for each in trace["minds"][0]["responses"])
        figure(f"agent: seed {seed}, a turn of two calls and {tokens} tokens written took {seconds:.2f} s")
    assert made >= 3 and named, "in some turn noise named a handle, and the shopper read a title"


def test_held_to_any_tool_it_writes_nothing(talk: Begin, shop: Shop) -> None:
    before, tools = shop.events.for_user("ana"), set()
    for seed in SEEDS:
        conversation = talk(seed, initial_tool_choice="required")
        trace = judged(conversation, conversation.events(WISH), WISH)
        tools |= {call["name"] for call in trace["minds"][0]["responses"][0]["calls"]}
    assert tools and tools <= set(Registry(shop).tools)
    assert shop.events.for_user("ana") == before


def test_left_to_itself_it_speaks_noise_and_the_shopper_is_served(talk: Begin) -> None:
    for seed in SEEDS[:3]:
        conversation = talk(seed, initial_tool_choice="auto")
        assert judged(conversation, conversation.events(WISH), WISH)["minds"][0]["responses"][0]["text"]


def test_the_next_turn_reads_what_was_asked_and_answered_before(talk: Begin, server: Any) -> None:
    for seed in SEEDS:
        conversation = talk(seed)
        answer = conversation.say(WISH)
        rounds = conversation.agent.sessions.of_user("ana")[-1].said[-1].rounds
        # What noise answers may be no answer; the planner's then is, and it asks no tools for the model.
        if rounds and not conversation.trace(answer)["tools"][0]["error"] and NO_LLM not in answer.disclosures:
            break
    told = rounds[0]
    judged(conversation, conversation.events("and a lamp?"), f"{WISH} and a lamp?")
    prompt = server.last_prompt()
    assert prompt.index(WISH) < prompt.index(told.answers[0][1]) < prompt.index("and a lamp?")
    assert prompt.count("<tool_call>\n{") >= 2, "the call of the first turn, and of this one"


def test_a_picture_of_the_shopper_reaches_the_model(talk: Begin, server: Any, shop: Shop) -> None:
    picture = next(item.images[0] for item in shop.catalog if item.images)
    data = base64.b64encode((shop.root / picture).read_bytes()).decode()
    conversation = talk(2, initial_tool_choice="search_by_picture")
    events = conversation.events("something like this", images=(f"data:image/png;base64,{data}",))
    assert answer_of(events).outcome != "error" and NO_LLM not in answer_of(events).disclosures
    assert ungrounded(shop, asdict(answer_of(events)), "something like this") == []
    assert server.last_prompt().count("<|vision_start|>") == 1


@pytest.mark.parametrize("max_tokens", [6, 40])
def test_calls_and_answers_cut_off_at_the_limit_of_tokens_end_in_an_answer(talk: Begin, max_tokens: int) -> None:
    conversation = talk(1, max_tokens=max_tokens)
    trace = judged(conversation, conversation.events(WISH), WISH)
    mind = trace["minds"][0]
    assert all(each["usage"]["completion_tokens"] <= max_tokens for each in mind["responses"])
    whole = {each["finish"] for each in mind["responses"]}
    assert "length" in whole or f"was cut off at {max_tokens} tokens" in mind["stopped"]
    assert not [run for run in trace["tools"] if run["tool"] not in Registry(conversation.agent.shop).tools]


def test_a_prompt_longer_than_the_model_reads_is_answered_by_the_planner(talk: Begin) -> None:
    conversation = talk(1, budgets={"max_message_chars": 20_000})
    answer = conversation.say(f"{WISH} {'0 1 2 3 4 5 6 7 8 9 ' * 1000}")
    assert NO_LLM in answer.disclosures and answer.outcome != "error"
    assert "answered 400" in conversation.trace(answer)["minds"][0]["stopped"]


def test_a_server_too_slow_for_the_shopper_is_left_and_answers_the_next(talk: Begin, server: Any) -> None:
    hasty = talk(1, timeout_seconds=0.02).say(WISH)
    assert NO_LLM in hasty.disclosures and hasty.recommendations[0].item_id == "V01"
    assert NO_LLM not in talk(2).say(WISH).disclosures


def test_any_openai_client_talks_to_the_shop_through_it(server: Any, shop: Shop) -> None:
    agent = agent_of(server, shop, 2, {})
    window = opened(Service(shop, agent.registry, agent, ApiConfig(), {"mind": "llm"}), "127.0.0.1", 0, environment={})
    thread = threading.Thread(target=window.run)
    thread.start()
    try:
        with openai.OpenAI(base_url=f"{window.address}/v1", api_key="none", max_retries=0, timeout=60) as client:
            chunks = list(
                client.chat.completions.create(
                    model="vitrine", messages=[{"role": "user", "content": WISH}], stream=True
                )
            )
        last = chunks[-1].model_extra or {}
        trace = httpx.get(f"{window.address}/v1/traces/{last['trace_id']}").raise_for_status().json()
    finally:
        window.stop()
        thread.join(20)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop" and text.strip()
    assert ungrounded(shop, {**last, "text": text}, WISH) == []
    assert last["outcome"] in ("recommended", "nearest", "answered", "nothing") and NO_LLM not in last["disclosures"]
    assert trace["minds"][0]["mind"] == "llm" and trace["tools"][0]["tool"] == "search_items"
    assert trace["answer"]["item_ids"] == [each["item_id"] for each in last["recommendations"]]
