"""Answers of servers, read with distrust: whatever is not the object asked for is one line that says what came."""

from __future__ import annotations

import json
from typing import Any

from catalog.plain_text import one_line

SHOWN = 80
"""Characters of an unreadable answer that are quoted."""
MOST_TOKENS = 10**9
"""More than any one request costs: a number above it was not counted."""


class BadAnswer(ValueError):
    """A server answered, and not what its protocol says; the text is one line."""


def answer_object(content: bytes, content_type: str = "") -> dict[str, Any]:
    """Return the JSON object of an answer.

    Raises:
        BadAnswer: When it is none.
    """
    if not content.strip():
        raise BadAnswer("an empty body")
    try:
        found = json.loads(content)
    except RecursionError:
        raise BadAnswer("JSON nested too deeply") from None
    except ValueError:  # no JSON, no UTF-8, or a number of thousands of digits
        head = one_line(content[:SHOWN].decode(errors="replace"))
        raise BadAnswer(f"{one_line(content_type)[:SHOWN] or 'a body'} that is no JSON: {head!r}") from None
    if not isinstance(found, dict):
        raise BadAnswer(f"{kind_of(found)} where an object belongs")
    return found


def kind_of(value: object) -> str:
    """Return what a JSON value is, for a message.

    Example:
        >>> kind_of([1, 2]), kind_of(None)
        ('a list', 'null')
    """
    if value is None:
        return "null"
    names = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "a truth value",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), type(value).__name__)


def token_count(usage: object, name: str) -> int | None:
    """Return a number of tokens of an answer's `usage`; None where it names none that can be true."""
    count = usage.get(name) if isinstance(usage, dict) else None
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MOST_TOKENS:
        return None
    return count
