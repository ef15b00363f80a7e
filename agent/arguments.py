"""Tool arguments as servers stream them: mended where that is unambiguous, else kept so that the mind hears of it."""

from __future__ import annotations

import ast
import json
import re
import string
from typing import Any

from catalog.plain_text import whole_text
from tools.arguments import too_deep

BROKEN = "__broken_arguments__"
"""The one key of arguments nobody could read; its value is what the model wrote."""

_NOTHING = frozenset({"", "null", "none", "{}", "undefined"})
_ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_ENDS = f",{string.whitespace}"
_CLOSERS = {"{": "}", "[": "]"}


def read_arguments(written: object) -> dict[str, Any]:
    r"""Return the arguments of a tool call as an object.

    Reads what vLLM and others are known to emit: None or nothing for no arguments, a missing closing brace or quote,
    a code fence, a trailing comma, Python's literals, JSON inside a JSON string, the same object twice, a control
    character inside a string (at which vLLM's hermes parser also sends the brace that closes the whole call), half a
    character. Anything else, and what is nested too deep to be meant, comes back as `{BROKEN: text}`, never as an
    empty object the tool would take for a choice.

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
    text = _unfenced(whole_text(str(written)).strip())
    if text.casefold() in _NOTHING:
        return {}
    for candidate in (text, re.sub(r",\s*([}\]])", r"\1", text), _closed(text)):
        found = _object(candidate)
        if found is not None and not too_deep(found):
            return found if _ESCAPED_HALF.search(text) is None else _whole(found)
    return {BROKEN: str(written)[:500]}


def _unfenced(text: str) -> str:
    if text.startswith("```"):
        text = text[3:].removeprefix("json").lstrip()
    return text.removesuffix("```").rstrip()


def _whole(value: Any) -> Any:
    """Return a JSON value whose texts can be written down: half a character may stand in it as an escape."""
    if isinstance(value, str):
        return whole_text(value)
    if isinstance(value, dict):
        return {whole_text(str(name)): _whole(inner) for name, inner in value.items()}
    return [_whole(each) for each in value] if isinstance(value, list | tuple) else value


def _object(text: str) -> dict[str, Any] | None:
    """Read one object, JSON first, Python's literals second."""
    value: object
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(text)
        rest = text[end:].strip()
        if rest not in ("", "}", text[:end]):
            return None
    except RecursionError:
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
    # No pattern: one that ends in `$` tries every comma of a run of them anew.
    body = (text + ('"' if quoted else "")).rstrip(_ENDS)
    if not body.startswith("{") or body.endswith(":"):
        return text
    return body + "".join(reversed(stack))
