"""The reference of every tool as Markdown, made of the schemas themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.all_tools import TOOLS
from tools.registry import ToolFunction

BEGIN, END = "<!-- generated: tools.reference -->", "<!-- end -->"


def reference() -> str:
    """Return one section a tool: what it does, and a table of its parameters."""
    return "\n\n".join(_section(each) for each in TOOLS)


def write_reference(path: Path) -> None:
    """Replace what stands between the two marks of a document."""
    head, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    path.write_text(f"{head}{BEGIN}\n\n{reference()}\n\n{END}{tail}", encoding="utf-8")


def _section(tool: ToolFunction) -> str:
    required = tool.parameters.get("required", [])
    rows = [
        f"| `{name}` | {_type(field)} | {_default(field, name in required)} | {field['description']} |"
        for name, field in tool.parameters["properties"].items()
    ]
    table = "\n".join(["| parameter | type | default | meaning |", "|---|---|---|---|", *rows])
    return f"### `{tool.name}`\n\n{tool.access.capitalize()}s. {tool.description}\n\n{table}"


def _type(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return " \\| ".join(f"`{value}`" for value in field["enum"])
    kind = str(field.get("type", "any"))
    if kind == "array":
        return f"up to {field['maxItems']} of {_type(field['items'])}"
    if kind in {"integer", "number"} and "minimum" in field:
        return f"{kind}, {field['minimum']} to {field['maximum']}"
    if kind == "string" and "maxLength" in field:
        return f"string, up to {field['maxLength']} characters"
    return "[filters](#filters)" if "properties" in field else kind


def _default(field: Mapping[str, Any], required: bool) -> str:
    if required:
        return "required"
    return f"`{field['default']}`" if "default" in field else "none"
