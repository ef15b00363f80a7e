"""A LlamaIndex program that is not ours uses the shop in ten lines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.llms.mock import MockFunctionCallingLLM, MockLLM

from agent.llama_shop import ShopRetriever, ShopToolSpec
from catalog.errors import ToolRetry
from tools.base import Shopper, ToolResult
from tools.registry import Call, Registry, tool
from tools.shop import Shop

DISMISS = {"item_id": "V01", "kind": "dismiss"}


def scripted(*calls: tuple[str, dict[str, Any]]) -> MockFunctionCallingLLM:
    """LlamaIndex's own mock: makes the calls one after the other, then says what the last one answered."""

    def next_message(messages: Sequence[ChatMessage], **_: Any) -> ChatMessage:
        done = [message for message in messages if message.role == "tool"]
        if len(done) < len(calls):
            name, arguments = calls[len(done)]
            block = ToolCallBlock(tool_call_id=f"c{len(done)}", tool_name=name, tool_kwargs=arguments)
            return ChatMessage(role="assistant", blocks=[block])
        return ChatMessage(role="assistant", content=str(done[-1].content))

    return MockFunctionCallingLLM(response_generator=next_message, is_chat_model=True)


def test_a_foreign_agent_in_ten_lines(shop: Shop) -> None:
    from llama_index.core.agent.workflow import FunctionAgent

    llm = scripted(("search_items", {"query": "mug", "filters": {"price": {"max": 8}}}))
    tools = ShopToolSpec(Registry(shop)).to_tool_list()
    shopkeeper = FunctionAgent(tools=tools, llm=llm, system_prompt="You sell what the tools return, and nothing else.")

    async def ask() -> str:
        return str(await shopkeeper.run("A mug for less than eight?"))

    answer = json.loads(asyncio.run(ask()))
    assert [item["item_id"] for item in answer["items"]] == ["M02"]
    assert answer["items"][0]["price"] == 6.5 and "trace" not in answer


def test_a_foreign_query_engine_in_ten_lines(shop: Shop) -> None:
    from llama_index.core.query_engine import RetrieverQueryEngine

    retriever = ShopRetriever(Registry(shop), top_n=3, filters={"category": ["vases"], "price": {"max": 40}})
    engine = RetrieverQueryEngine.from_args(retriever, llm=MockLLM())
    response = engine.query("a round vase with handles")
    assert response.source_nodes[0].node.node_id == "V02"
    assert "title: Terracotta amphora vase" in str(response)  # the mock answers with what it was given to read


@pytest.fixture
def nodes(shop: Shop) -> Callable[..., list[Any]]:
    return lambda query, **options: ShopRetriever(Registry(shop), **options).retrieve(query)


def test_nodes_are_records(nodes: Callable[..., list[Any]]) -> None:
    first = nodes("blue city backpack", top_n=2)[0]
    assert (first.node.node_id, first.node.metadata["price"]) == ("B03", 69.0)
    assert "colour blue; material nylon" in first.node.get_content()
    assert first.node.get_content(metadata_mode="llm") == first.node.get_content()  # nothing is said twice
    scores = [each.score for each in nodes("blue", top_n=10)]
    assert scores == sorted(scores, reverse=True) and len(scores) == 10


def test_the_asynchronous_way_gives_the_same(shop: Shop) -> None:
    retriever = ShopRetriever(Registry(shop), top_n=4)
    later = asyncio.run(retriever.aretrieve("leather"))
    assert [n.node.node_id for n in later] == [n.node.node_id for n in retriever.retrieve("leather")]


def test_filters_hold_or_nothing_is_found(nodes: Callable[..., list[Any]]) -> None:
    assert nodes("a mug", filters={"price": {"max": 1}}) == []
    with pytest.raises(ToolRetry, match=r"unknown field 'filters\.colour'"):
        nodes("a mug", filters={"colour": ["red"]})


def test_a_long_question_is_cut_where_the_search_ends(nodes: Callable[..., list[Any]]) -> None:
    assert nodes("blue mug " + "please " * 500)


def test_the_shopper_is_bound_outside_the_model(shop: Shop) -> None:
    past = {each.metadata.name: each for each in ShopToolSpec(Registry(shop), Shopper("ben")).to_tool_list()}
    output = past["shopper_history"].call()
    assert [event["item_id"] for event in output.raw_output["facts"]["events"]] == ["B04", "B01", "B04"]
    refused = past["shopper_history"].call(user_id="ana")
    assert refused.is_error and "unknown field 'user_id'" in refused.content


def test_schemas_are_the_registrys_own(shop: Shop) -> None:
    registry = Registry(shop)
    tools = ShopToolSpec(registry).to_tool_list()
    assert [tool.metadata.to_openai_tool(skip_length_check=True) for tool in tools] == registry.openai_tools()
    chosen = ShopToolSpec(registry).to_tool_list(["item_details", ("search_items", "search_items")])
    assert [tool.metadata.name for tool in chosen] == ["item_details", "search_items"]
    with pytest.raises(ToolRetry, match="Did you mean 'search_items'"):
        ShopToolSpec(registry).to_tool_list(["serch_items"])


@pytest.mark.parametrize(("agrees", "written"), [(True, 1), (False, 0)])
def test_the_program_asks_the_person(shop: Shop, agrees: bool, written: int) -> None:
    asked: list[str] = []

    def confirm(question: str) -> bool:
        asked.append(question)
        return agrees

    spec = ShopToolSpec(Registry(shop), Shopper("dora"), confirm)
    output = spec.to_tool_list(["record_feedback"])[0].call(**DISMISS, confirmation="made up")
    assert asked == ["Shall I stop showing you Cobalt bud vase?"]
    assert len(shop.events.for_user("dora")) == written and "confirmation" not in output.content
    assert not output.is_error


def test_without_it_the_program_brings_the_token_back(shop: Shop) -> None:
    (record,) = ShopToolSpec(Registry(shop), Shopper("dora")).to_tool_list(["record_feedback"])
    token = record.call(**DISMISS).raw_output["facts"]["needs_confirmation"]["confirmation"]
    assert shop.events.for_user("dora") == []
    assert record.call(**DISMISS, confirmation=token).raw_output["facts"]["recorded"]["new"]
    assert len(shop.events.for_user("dora")) == 1


def test_a_bug_is_no_answer(shop: Shop) -> None:
    @tool(access="read")
    def broken(call: Call) -> ToolResult:
        """Break."""
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ShopToolSpec(Registry(shop, [broken])).to_tool_list()[0].call()
