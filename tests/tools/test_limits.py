"""Limits agree with each other, whatever a caller writes: what one tool gives another takes, and two errors are all."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.config import AgentConfig
from api.config import ApiConfig
from catalog.errors import ToolRetry, ToolUnavailable
from tools.all_tools import TOOLS
from tools.base import Shopper, ToolContext
from tools.doubles import TOY_NOW, toy_shop
from tools.limits import MAX_ITEMS
from tools.outward import call_from_outside
from tools.registry import Registry

ANA = ToolContext(Shopper("ana", "s-1"), TOY_NOW, "r-1")
GIVES = ("top_n", "limit", "top")

every_tool = pytest.mark.parametrize("name", [each.name for each in TOOLS])


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    shop = toy_shop(tmp_path_factory.mktemp("limits"))
    yield Registry(shop)
    shop.events.close()


def most(parameters: Any) -> int:
    """Most items a tool gives, by its schema: what it may be asked for, else what it may be handed."""
    fields = parameters["properties"]
    asked = [fields[name]["maximum"] for name in GIVES if name in fields]
    handed = [field["maxItems"] for field in fields.values() if field.get("type") == "array"]
    return max(asked or handed or [1])


def lists(schema: Any) -> Iterator[int]:
    """How many ids each list of a tool's own arguments takes."""
    for name, field in schema["properties"].items():
        if name != "filters" and field.get("type") == "array":
            yield field["maxItems"]


@every_tool
def test_whatever_one_tool_gives_every_list_takes(name: str, registry: Registry) -> None:
    gives = most(registry.get(name).parameters)
    takes = [size for each in registry.tools.values() for size in lists(each.parameters)]
    assert takes and gives <= min(takes)
    assert gives <= MAX_ITEMS


def test_the_doors_ask_for_no_more_than_the_tools_give() -> None:
    assert ApiConfig().max_top_n <= MAX_ITEMS
    assert AgentConfig().max_top_n <= MAX_ITEMS


def test_the_ids_of_every_answer_are_taken_by_every_tool(registry: Registry) -> None:
    asked: dict[str, dict[str, Any]] = {
        "search_items": {"query": "blue", "top_n": 100},
        "similar_items": {"item_id": "V01", "top_n": 100},
        "recommend_items": {"top_n": 100},
        "catalogue_facts": {"group_by": "brand", "top": 100},
        "shopper_history": {"limit": 100},
        "item_details": {"item_id": "S01"},
    }
    for name, arguments in asked.items():
        result = registry.call(name, arguments, ANA)
        given = [each.item_id for each in result.candidates]
        given += result.facts.get("unavailable", [])
        given += [each for ids in result.facts.get("variants", {}).values() for each in ids]
        for taker, fields in {
            "rank_items": ("item_ids",),
            "compare_items": ("item_ids",),
            "search_items": ("like", "unlike"),
            "recommend_items": ("exclude",),
        }.items():
            for field in fields:
                if len(given) > 1:
                    registry.call(taker, {field: given}, ANA)
    ranked = registry.call("rank_items", {"item_ids": registry.shop.catalog.ids.ids[:MAX_ITEMS]}, ANA)
    assert len(ranked.candidates) == len(registry.shop.catalog)


ODD = st.sampled_from(
    ["", " ", "V01", "#1", "\x00", "٣", "1e400", "null", "{}", "[", '{"a": [1]}', "x" * 2000, "\ud800", "-1", "V01\n"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ODD | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | ODD, inner, max_size=3),
    max_leaves=6,
)


def written_for(name: str, registry: Registry) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments a careless model may write: some right, some of any kind, some nobody knows."""
    fields = registry.get(name).parameters["properties"]
    filters = st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("price", "brand", "attributes", "available", "not"), JSON)
    )
    right: dict[str, st.SearchStrategy[Any]] = {
        "item_id": st.sampled_from(["V01", "S01"]), "item_ids": st.just(["V01", "S01"]), "filters": filters,
        "query": st.just("blue"), "kind": st.sampled_from(["rating", "praise"]), "top_n": st.integers(1, 100),
    }  # fmt: skip
    optional = {field: right.get(field, JSON) | JSON for field in fields}
    return st.fixed_dictionaries({}, optional={**optional, "confirmation": JSON, "nobody": JSON})


@every_tool
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
@given(data=st.data())
def test_two_errors_are_all_there_is(name: str, registry: Registry, data: st.DataObject) -> None:
    arguments = data.draw(written_for(name, registry))
    try:
        result = call_from_outside(registry.get(name), arguments, ANA)
    except (ToolRetry, ToolUnavailable) as error:
        assert "\n" not in str(error) and len(str(error)) < 2000, str(error)[:3000]
    else:
        assert len(result.candidates) <= MAX_ITEMS and "recorded" not in result.facts
