"""The LLM mind and the scripted server, over real HTTP."""

import asyncio
import json
import socket
import urllib.request
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage

from agent.arguments import BROKEN
from agent.config import LLMConfig
from agent.llm import KEY_REMOVED, ServedLLM
from agent.scripted_minds import PERSONAS, Persona
from agent.scripted_server import ScriptedServer
from catalog.errors import ServiceError

ITEMS = json.dumps({"text": "", "facts": {}, "error": None, "items": [
    {"handle": "#1", "title": "Blue bowl", "price": 4.5, "currency": "EUR"}]})  # fmt: skip


def ask(server: ScriptedServer, *messages: ChatMessage, timeout: float = 5.0) -> tuple[str, list[dict[str, Any]]]:
    """Return the text and the tool calls of one streamed answer."""
    llm = ServedLLM(LLMConfig(base_url=server.base_url, model="scripted", timeout_seconds=timeout))

    async def collect() -> tuple[str, list[dict[str, Any]]]:
        text, calls = "", []
        async for response in await llm.astream_chat(messages or [ChatMessage(role="user", content="a bowl")]):
            text += response.delta or ""
            assert (response.message.content or "").startswith(text.strip()[:5])
            calls = [c.tool_kwargs for c in llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)]
        return text, calls

    return asyncio.run(collect())


def test_a_key_the_server_quotes_comes_back_from_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk-aaab-and-more"
    monkeypatch.setenv("SHOP_LLM_KEY", key)
    with ScriptedServer("leaking") as server:
        llm = ServedLLM(LLMConfig(base_url=server.base_url, model="scripted", api_key_env="SHOP_LLM_KEY"))

        async def collect(messages: list[ChatMessage]) -> list[str]:
            seen = []
            async for response in await llm.astream_chat(messages):
                calls = llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)
                seen += [response.delta or "", response.message.content or "", *(str(c.tool_kwargs) for c in calls)]
            return seen

        first = asyncio.run(collect(told()[:1]))
        second = asyncio.run(collect(told()))
    assert f"a bowl {KEY_REMOVED}" in first[-1]
    assert second[-1] == f"Your key is {KEY_REMOVED} and once more:{KEY_REMOVED}, take #1."
    assert "".join(second[::2]) == second[-1]
    assert not any(key[:4] in part for part in first + second)


def told() -> list[ChatMessage]:
    return [ChatMessage(role="user", content="a bowl"), ChatMessage(role="tool", content=ITEMS)]


def test_a_tool_call_streams_in_pieces_and_comes_out_whole() -> None:
    with ScriptedServer("obedient") as server:
        assert ask(server) == ("", [{"query": "a bowl", "top_n": 5}])
        body = server.requests[0]
    assert body["stream"] and body["seed"] == 1 and body["temperature"] == 0.0 and body["max_tokens"] == 600


def test_text_streams_word_by_word() -> None:
    with ScriptedServer("obedient") as server:
        assert ask(server, *told()) == ("I would take #1 at 4.50 EUR.", [])


def test_without_streaming_it_says_the_same() -> None:
    with ScriptedServer("obedient") as server:
        messages = [{"role": "user", "content": "a bowl"}, {"role": "tool", "content": ITEMS}]
        request = urllib.request.Request(
            f"{server.base_url}/chat/completions", json.dumps({"messages": messages}).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=5) as response:
            answer = json.load(response)
    assert answer["choices"][0]["message"]["content"] == "I would take #1 at 4.50 EUR."
    assert answer["usage"]["total_tokens"] > 0


def test_cut_off_arguments_are_mended_and_prose_is_reported() -> None:
    with ScriptedServer("broken_json") as server:
        assert ask(server)[1] == [{"query": "a bowl"}]
        assert ask(server, *told())[1] == [{BROKEN: "search for something nice, please"}, {}]
        with pytest.raises(ServiceError, match="broken JSON"):
            ask(server, *told(), ChatMessage(role="tool", content=ITEMS))


@pytest.mark.parametrize(("persona", "message"), [("failing", "answered 500"), ("hanging", "took longer than 0.3 s")])
def test_a_failing_server_is_one_clear_error(persona: Persona, message: str) -> None:
    with ScriptedServer(persona) as server, pytest.raises(ServiceError, match=message) as failure:
        ask(server, timeout=0.3)
    assert failure.value.retryable and "\n" not in str(failure.value)


def test_an_unreachable_server_is_one_clear_error() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    llm = ServedLLM(LLMConfig(base_url=f"http://127.0.0.1:{port}/v1", model="m"))
    with pytest.raises(ServiceError, match="unreachable"):
        asyncio.run(llm.achat([ChatMessage(role="user", content="hi")]))


def test_a_slow_stream_is_bounded_as_a_whole() -> None:
    with ScriptedServer("rambling", pause=0.05) as server, pytest.raises(ServiceError, match="took longer"):
        ask(server, *told(), timeout=0.5)


def test_one_mind_serves_many_event_loops() -> None:
    with ScriptedServer("obedient") as server:
        llm = ServedLLM(LLMConfig(base_url=server.base_url, model="scripted"))
        for _ in range(3):
            assert asyncio.run(llm.achat([ChatMessage(role="user", content="a bowl")])).message.blocks


def test_the_server_lists_its_model_and_plays_every_persona() -> None:
    with ScriptedServer("obedient") as server, urllib.request.urlopen(f"{server.base_url}/models", timeout=5) as page:
        assert json.load(page)["data"][0]["id"] == "scripted"
    assert set(PERSONAS) >= {"obedient", "rambling", "lying", "looping", "broken_json"}
