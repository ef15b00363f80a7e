"""Tool arguments as servers stream them: mended where that is unambiguous, else kept so that the mind hears of it."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

BROKEN = "__broken_arguments__"
"""The one key of arguments nobody could read; its value is what the model wrote."""

_NOTHING = frozenset({"", "null", "none", "{}", "undefined"})
_CLOSERS = {"{": "}", "[": "]"}


def read_arguments(written: object) -> dict[str, Any]:
    r"""Return the arguments of a tool call as an object.

    Reads what vLLM and others are known to emit: None or nothing for no arguments, a missing closing brace or quote,
    a code fence, a trailing comma, Python's literals, JSON inside a JSON string, the same object twice, a control
    character inside a string (at which vLLM's hermes parser also sends the brace that closes the whole call). Anything
    else comes back as `{BROKEN: text}`, never as an empty object the tool would take for a choice.

    Example:
        >>> read_arguments(None), read_arguments('{"query": "blue vase", "top_n": 3')
        ({}, {'query': 'blue vase', 'top_n': 3})
        >>> read_arguments("{'query': 'vase', 'sort': None,}")
        {'query': 'vase', 'sort': None}
        >>> read_arguments('{"query": "blue\tvase"}}')
        {'query': 'blue\tvase'}
        >>> read_arguments("search for vases")
        {'__broken_arguments__': 'search for vases'}
    """
    if isinstance(written, dict):
        return {str(name): value for name, value in written.items()}
    if written is None:
        return {}
    text = re.sub(r"^```(?:json)?\s*|\s*```$", "", str(written).strip())
    if text.casefold() in _NOTHING:
        return {}
    for candidate in (text, re.sub(r",\s*([}\]])", r"\1", text), _closed(text)):
        found = _object(candidate)
        if found is not None:
            return found
    return {BROKEN: str(written)[:500]}


def _object(text: str) -> dict[str, Any] | None:
    """Read one object, JSON first, Python's literals second."""
    value: object
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(text)
        rest = text[end:].strip()
        if rest not in ("", "}", text[:end]):
            return None
    except ValueError:
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            return None
    if isinstance(value, str) and value.strip().startswith("{"):
        return _object(value)
    return {str(k): v for k, v in value.items()} if isinstance(value, dict) else None


def _closed(text: str) -> str:
    """Close the quotes and brackets a cut-off object left open."""
    stack: list[str] = []
    quoted = escaped = False
    for character in text:
        if escaped:
            escaped = False
        elif quoted:
            escaped = character == "\\"
            quoted = character != '"'
        elif character == '"':
            quoted = True
        elif character in _CLOSERS:
            stack.append(_CLOSERS[character])
        elif character in "}]" and stack and stack[-1] == character:
            stack.pop()
    body = re.sub(r"[,\s]+$", "", text + ('"' if quoted else ""))
    if not body.startswith("{") or body.endswith(":"):
        return text
    return body + "".join(reversed(stack))
