"""The registry's tools as strangers take them: OpenAI's form, its strict form, MCP's form, and a call from outside.

Whoever calls from outside carries the shopper's yes as a token (see `tools.confirmation`), so that tools which write
have one argument more than inside the shop: `confirmation`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic_core import to_jsonable_python

from catalog.errors import ToolError, ToolRetry
from tools.arguments import shown
from tools.base import Tool, ToolContext, ToolResult
from tools.records import record
from tools.shop import Shop

CONFIRMATION = "confirmation"
_CONFIRMATION = {
    "type": "string",
    "description": "The token of `needs_confirmation`, once the shopper has agreed to this very call; else left out.",
}

_UNSAID = frozenset({"default", "maxLength", "minLength"})
"""Keywords the strict form cannot carry; the description says them."""


def outward_parameters(tool: Tool) -> dict[str, Any]:
    """Return the strict JSON schema of a call from outside."""
    schema = dict(tool.parameters)
    if tool.access == "write":
        schema["properties"] = {**schema["properties"], CONFIRMATION: dict(_CONFIRMATION)}
    return schema


def openai_form(tool: Tool, *, strict: bool = False) -> dict[str, Any]:
    """Return a tool in the form of OpenAI's `tools`; with `strict` in the subset its structured outputs take."""
    parameters = outward_parameters(tool)
    function: dict[str, Any] = {
        "name": tool.name,
        "description": tool.description,
        "parameters": all_required(parameters) if strict else parameters,
    }
    return {"type": "function", "function": {**function, **({"strict": True} if strict else {})}}


def mcp_form(tool: Tool) -> dict[str, Any]:
    """Return a tool in MCP's form, as its JSON; what it may do to the shop stands in the annotations."""
    writes = tool.access == "write"
    title = tool.name.replace("_", " ").capitalize()
    return {
        "name": tool.name,
        "title": title,
        "description": tool.description,
        "inputSchema": outward_parameters(tool),
        "outputSchema": ANSWER,
        "annotations": {
            "title": title,
            "readOnlyHint": not writes,
            "destructiveHint": tool.destructive,
            "idempotentHint": True,  # a write happens once a confirmation
            "openWorldHint": False,
        },
    }


def call_from_outside(tool: Tool, arguments: Mapping[str, Any] | None, context: ToolContext) -> ToolResult:
    """Run a tool for a caller that carries the shopper's yes, as `confirmation` among the arguments or in the context.

    Raises:
        ToolRetry: The arguments can be mended.
        ToolUnavailable: Not possible now.
    """
    given = arguments
    if tool.access == "write" and isinstance(arguments, Mapping):
        given = {name: value for name, value in arguments.items() if name != CONFIRMATION}
        token = arguments.get(CONFIRMATION) or context.confirmation
        if token is not None and not isinstance(token, str):
            raise ToolRetry(f"{CONFIRMATION!r} is {shown(token)}: the token of `needs_confirmation` would be valid")
        context = replace(context, confirmation=token)
    return tool.call(given or {}, replace(context, relayed=True))


def answer_json(result: ToolResult, shop: Shop) -> dict[str, Any]:
    """Return an answer as JSON of the form `ANSWER`: the sentence, the records, the facts. The trace stays inside."""
    found = [item for each in result.candidates if (item := shop.catalog.get(each.item_id)) is not None]
    items = [record(item) for item in found]
    answer: dict[str, Any] = to_jsonable_python({"text": result.text, "items": items, "facts": dict(result.facts)})
    return answer


def refusal(error: ToolError) -> str:
    """Return one of our two errors as a line that says how to go on."""
    say = "Mend the arguments and call again" if isinstance(error, ToolRetry) else "Not possible now, go on without"
    return f"{say}: {error}"


def all_required(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema of ours in OpenAI's strict subset: every property required, null for what is left out.

    Maps with free keys become lists of `{"name", "values"}`, which `tools.arguments.mended` reads back; defaults and
    lengths move into the descriptions, since the subset has no word for them.
    """
    properties, required = schema.get("properties"), schema.get("required", ())
    out = {name: value for name, value in schema.items() if name not in _UNSAID}
    if properties is not None:
        out["properties"] = {
            name: _described(field) if name in required else _nullable(_described(field))
            for name, field in properties.items()
        }
        out["required"] = list(properties)
        out["additionalProperties"] = False
    elif isinstance(schema.get("additionalProperties"), Mapping):
        pair = {"name": {"type": "string"}, "values": all_required(schema["additionalProperties"])}
        items = {"type": "object", "properties": pair, "required": list(pair), "additionalProperties": False}
        out = {"type": "array", "items": items, **{k: v for k, v in out.items() if k == "description"}}
    elif isinstance(schema.get("items"), Mapping):
        out["items"] = all_required(schema["items"])
    if "anyOf" in schema:
        out["anyOf"] = [all_required(each) for each in schema["anyOf"]]
    return out


def _described(field: Mapping[str, Any]) -> dict[str, Any]:
    said = [field["description"]] if "description" in field else []
    if "maxLength" in field:
        said.append(f"Up to {field['maxLength']} characters.")
    if "default" in field:
        said.append(f"Null: {field['default']}.")
    return {**all_required(field), **({"description": " ".join(said)} if said else {})}


def _nullable(field: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" in field:
        return {**field, "anyOf": [*field["anyOf"], {"type": "null"}]}
    if "enum" in field:
        field = {**field, "enum": [*field["enum"], None]}
    return {**field, "type": [field["type"], "null"]}


ANSWER: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "description": "One plain sentence for a person."},
        "items": {
            "type": "array",
            "items": {"type": "object"},
            "description": "Records of items, best first.",
        },
        "facts": {"type": "object", "description": "What else is known: total, ground, blocking, cursor and the like."},
    },
    "required": ["text", "items", "facts"],
}
"""The JSON schema of an answer as MCP carries it."""
