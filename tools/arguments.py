"""Arguments as models write them become what a function expects, or an error that says how to mend them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from catalog.errors import ToolRetry
from catalog.filters import Filters

Model = TypeVar("Model", bound=BaseModel)

MOST_NESTED = 40
"""Levels a JSON value may have; filters have five."""

_HALF = re.compile("[\ud800-\udfff]")


def canonical(arguments: Mapping[str, Any] | None) -> str:
    """Return arguments as canonical JSON: equal calls give equal text.

    Keys are sorted, nulls left out, and whole numbers written without a point.
    """
    return json.dumps(_plain(arguments or {}), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def validated(model: type[Model], schema: Mapping[str, Any], arguments: Mapping[str, Any] | None) -> Model:
    """Return `arguments` (None: none) as the model.

    Raises:
        ToolRetry: Naming every field that is wrong and what would be valid.
    """
    if arguments is not None and not isinstance(arguments, Mapping):
        raise ToolRetry(f"{model.__name__}: arguments are {type(arguments).__name__}; an object would be valid")
    for name, value in (arguments or {}).items():
        if not _writable([name, value]):
            raise ToolRetry(f"{shown(name)} holds half a surrogate pair, which is no text")
    try:
        return model.model_validate(mended(dict(arguments or {}), schema))
    except ValidationError as error:
        known = ", ".join(schema.get("properties", {})) or "none"
        faults = "; ".join(_fault(dict(e), known) for e in error.errors(include_url=False))
        raise ToolRetry(f"{model.__name__}: {faults}") from error


def mended(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return `value` with what language models commonly get wrong put right, as far as that is unambiguous.

    Nulls count as not given, an object or list written as a JSON string is read, a lone value where a
    list belongs becomes a list of one, a number where text belongs becomes text, a list of names with
    values where a map belongs (OpenAI's strict form has no maps) becomes one.
    """
    kind = schema.get("type")
    if isinstance(value, str) and kind in {"object", "array"} and value.strip()[:1] in {"{", "["}:
        value = _read(value)
    if kind == "object" and isinstance(value, list) and isinstance(schema.get("additionalProperties"), Mapping):
        value = _mapped(value)
    if kind == "object" and isinstance(value, Mapping):
        inside, rest = schema.get("properties", {}), schema.get("additionalProperties", {})
        rest = rest if isinstance(rest, Mapping) else {}
        return {k: mended(v, inside.get(k, rest)) for k, v in value.items() if v is not None}
    if kind == "array":
        listed = value if isinstance(value, list | tuple) else [value]
        return [mended(each, schema.get("items", {})) for each in listed]
    if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value


def _writable(value: Any) -> bool:
    """Whether all text in a JSON value can be written down: JSON may hold half a surrogate pair, UTF-8 may not."""
    if isinstance(value, str):
        return value.isascii() or _HALF.search(value) is None
    if isinstance(value, Mapping):
        return all(_writable(part) for pair in value.items() for part in pair)
    return not isinstance(value, list | tuple) or all(_writable(each) for each in value)


def too_deep(value: Any) -> bool:
    """Whether a JSON value is nested deeper than `MOST_NESTED`; what reads it later goes down by recursion."""
    level = [value]
    for _ in range(MOST_NESTED):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return False
    return True


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


def _read(text: str) -> Any:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if too_deep(read) else read


def _mapped(pairs: list[Any]) -> Any:
    """Return `[{"name": n, "values": v}, ...]` as a map; what is none is left as it stands."""
    named: dict[str, Any] = {}
    for pair in pairs:
        if not isinstance(pair, Mapping) or set(pair) != {"name", "values"} or not isinstance(pair["name"], str):
            return pairs
        values = pair["values"] if isinstance(pair["values"], list) else [pair["values"]]
        named[pair["name"]] = [*named.get(pair["name"], []), *values]
    return named


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _fault(error: dict[str, Any], known: str) -> str:
    field = ".".join(str(part) for part in error["loc"]) or "arguments"
    if error["type"] == "extra_forbidden":
        if error["loc"][:-1] == ("filters",):
            inner = ", ".join(given.alias or name for name, given in Filters.model_fields.items())
            return f"unknown field {shown(field)}; known in filters: {inner}"
        return f"unknown field {shown(field)}; known at the top: {known}"
    if error["type"] == "missing":
        return f"{field!r} is required"
    message = error["msg"].removeprefix("Value error, ")
    return f"{shown(field)} is {shown(error['input'])}: {message[0].lower()}{message[1:]}"


def shown(value: Any) -> str:
    """Return how a value is quoted in an error: never more than 80 characters."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
