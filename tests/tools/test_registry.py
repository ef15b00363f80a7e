"""The tools, each with a strict schema made of its signature and docstring."""

import json
from typing import Any

import pytest

from catalog.errors import ToolRetry
from catalog.filters import Filters
from tools.all_tools import TOOLS
from tools.base import ToolResult
from tools.limits import MAX_ITEMS
from tools.registry import Call, Registry, tool
from tools.shop import Shop

NAMES = (
    "search_items", "similar_items", "search_by_picture", "recommend_items", "rank_items", "item_details",
    "compare_items", "explain_item", "catalogue_facts", "shopper_history", "record_feedback", "undo_feedback",
    "get_profile", "forget_told",
)  # fmt: skip
WRITES = ["record_feedback", "undo_feedback", "forget_told"]

every_tool = pytest.mark.parametrize("each", TOOLS, ids=lambda t: t.name)


def objects(schema: Any) -> list[dict[str, Any]]:
    """Every object schema with named properties, at any depth."""
    if isinstance(schema, list):
        return [o for each in schema for o in objects(each)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if "properties" in schema else []
    return own + [o for value in schema.values() for o in objects(value)]


def test_all_are_there_and_three_write(shop: Shop) -> None:
    registry = Registry(shop)
    assert registry.names == NAMES
    assert [t.name for t in registry.tools.values() if t.access == "write"] == WRITES
    assert [t.name for t in registry.tools.values() if t.destructive] == ["undo_feedback", "forget_told"]


@every_tool
def test_schema_is_strict_self_contained_and_described(each: Any) -> None:
    schema = each.parameters
    assert schema["type"] == "object"
    for inner in objects(schema):
        assert inner["additionalProperties"] is False
        for name, field in inner["properties"].items():
            assert field.get("description"), name
    text = json.dumps(schema)
    assert "$ref" not in text and "$defs" not in text and '"null"' not in text and '"title"' not in text
    assert each.description and "Args" not in each.description


def test_the_call_itself_is_invisible(shop: Shop) -> None:
    for each in Registry(shop).tools.values():
        assert not {"call", "shop", "context", "user_id"} & set(each.parameters["properties"])


def test_filters_are_one_level_of_not() -> None:
    filters = TOOLS[0].parameters["properties"]["filters"]["properties"]
    assert set(filters) == {"price", "brand", "category", "attributes", "available", "not"}
    assert set(filters["not"]["properties"]) == {"price", "brand", "category", "attributes", "available"}


def test_required_is_what_has_no_default() -> None:
    required = {each.name: each.parameters.get("required", []) for each in TOOLS}
    assert required == {
        "search_items": [],
        "similar_items": ["item_id"],
        "search_by_picture": [],
        "recommend_items": [],
        "rank_items": ["item_ids"],
        "item_details": ["item_id"],
        "compare_items": ["item_ids"],
        "explain_item": ["item_id"],
        "catalogue_facts": [],
        "shopper_history": [],
        "record_feedback": ["item_id", "kind"],
        "undo_feedback": [],
        "get_profile": [],
        "forget_told": ["entries"],
    }


def test_limits_agree_with_each_other() -> None:
    """What one tool returns at most, every other takes."""
    for each in TOOLS:
        for name, field in each.parameters["properties"].items():
            if field.get("type") == "array":
                assert field["maxItems"] == MAX_ITEMS, (each.name, name)
            if name in {"top_n", "limit", "top"}:
                assert (field["minimum"], field["maximum"]) == (1, MAX_ITEMS)


def test_openai_form(shop: Shop) -> None:
    listed = Registry(shop).openai_tools()
    assert [each["function"]["name"] for each in listed] == list(NAMES)
    assert all(each["type"] == "function" and "strict" not in each["function"] for each in listed)
    assert all(each["function"]["strict"] is True for each in Registry(shop).openai_tools(strict=True))
    json.dumps(listed)


def test_unknown_tool_names_the_closest(ask: Any) -> None:
    with pytest.raises(ToolRetry, match=r"unknown tool 'serch_items'\. Did you mean 'search_items'\? Available: "):
        ask("serch_items")


def test_a_parameter_without_a_line_is_a_bug_of_ours() -> None:
    @tool(access="read")
    def half(call: Call, one: str, two: str) -> ToolResult:
        """Do half.

        Args:
            one: Said.
        """
        return ToolResult("")

    with pytest.raises(TypeError, match=r"half: Args documents \['one'\]"):
        _ = half.parameters


def test_a_tool_of_ones_own(shop: Shop, ask: Any) -> None:
    @tool(access="read")
    def count(call: Call, filters: Filters = Filters()) -> ToolResult:  # noqa: B008
        """Count items.

        Args:
            filters: Which ones,
                over two lines.
        """
        return ToolResult(f"{len(call.shop.catalog)} {filters.brand}")

    registry = Registry(shop, [count])
    assert registry.names == ("count",)
    assert registry.get("count").parameters["properties"]["filters"]["description"] == "Which ones, over two lines."
