"""The outward forms: OpenAI's, its strict subset, and MCP's."""

from typing import Any

import jsonschema
import pytest

from tools.base import Shopper, ToolContext
from tools.doubles import TOY_NOW
from tools.outward import call_from_outside
from tools.registry import Registry
from tools.shop import Shop

STRICT_WORDS = {
    "type", "properties", "required", "additionalProperties", "items", "enum", "description", "anyOf",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "pattern",
}  # fmt: skip
"""Keywords of OpenAI's structured outputs, https://platform.openai.com/docs/guides/structured-outputs."""


def schemas(node: Any) -> list[dict[str, Any]]:
    """Every schema within a schema, itself first."""
    inner = [*node.get("properties", {}).values(), *node.get("anyOf", ())]
    inner += [node[key] for key in ("items",) if key in node]
    return [node, *(found for each in inner for found in schemas(each))]


def test_the_strict_form_keeps_to_the_subset(shop: Shop) -> None:
    for tool in Registry(shop).openai_tools(strict=True):
        root = tool["function"]["parameters"]
        jsonschema.Draft202012Validator.check_schema(root)
        for node in schemas(root):
            assert set(node) <= STRICT_WORDS, (tool["function"]["name"], set(node) - STRICT_WORDS)
            if "object" in node["type"]:
                assert node["additionalProperties"] is False
                assert node["required"] == list(node["properties"])
        assert len(schemas(root)) < 100  # 100 properties, five levels: the service's own bounds


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"attributes": [{"name": "colour", "values": ["blue"]}], "category": ["mugs"]}, ["M01"]),
        (
            {"not": {"attributes": [{"name": "material", "values": ["ceramic", "steel"]}]}, "category": ["mugs"]},
            ["M04"],
        ),
    ],
)
def test_a_call_that_fills_the_strict_form_is_understood(shop: Shop, filters: Any, found: list[str]) -> None:
    registry = Registry(shop)
    schema = registry.openai_tools(strict=True)[0]["function"]["parameters"]

    def filled(node: dict[str, Any], given: Any) -> Any:
        if not isinstance(given, dict) or "properties" not in node:
            return given
        return {name: filled(field, given.get(name)) for name, field in node["properties"].items()}

    arguments = filled(schema, {"filters": filters})
    jsonschema.validate(arguments, schema)
    context = ToolContext(Shopper(), TOY_NOW, "r")
    result = call_from_outside(registry.get("search_items"), arguments, context)
    assert [c.item_id for c in result.candidates] == found


def test_what_is_no_map_is_refused_by_name(ask: Any) -> None:
    from catalog.errors import ToolRetry

    for attributes in ([{"colour": ["red"]}], ["red"], [{"name": 1, "values": []}]):
        with pytest.raises(ToolRetry, match=r"'filters\.attributes' is"):
            ask("search_items", {"filters": {"attributes": attributes}})


def test_only_tools_that_write_take_a_confirmation(shop: Shop) -> None:
    registry = Registry(shop)
    for form in (registry.openai_tools(), registry.openai_tools(strict=True)):
        takes = [t["function"]["name"] for t in form if "confirmation" in t["function"]["parameters"]["properties"]]
        assert takes == ["record_feedback", "undo_feedback", "forget_told"]
    assert all("confirmation" not in tool.parameters["properties"] for tool in registry.tools.values())


def test_mcp_annotations_follow_the_tags(shop: Shop) -> None:
    registry = Registry(shop)
    hints = {each["name"]: each["annotations"] for each in registry.mcp_tools()}
    writes = {name for name, said in hints.items() if not said["readOnlyHint"]}
    assert writes == {"record_feedback", "undo_feedback", "forget_told"}
    assert {name for name, said in hints.items() if said["destructiveHint"]} == {"undo_feedback", "forget_told"}
    assert all(said["idempotentHint"] and not said["openWorldHint"] for said in hints.values())
    for each in registry.mcp_tools():
        jsonschema.Draft202012Validator.check_schema(each["inputSchema"])
        jsonschema.Draft202012Validator.check_schema(each["outputSchema"])
