"""What a server said when it refused, without the JSON around it and without the key it was given."""

from __future__ import annotations

import re

from catalog.plain_text import one_line

MOST = 300
"""Characters that are kept."""
HIDDEN = "***"
SHORTEST_KEY = 4
"""A shorter key is no secret, and would be struck out of other words."""
NO_KEYS = ("", "none", "None", "EMPTY")
"""What stands for a key where a server wants none."""

_BEARER = re.compile(r"(?i)\b(bearer\s+)(?=\S*[\d_-])[^\s'\",;]{6,}")


def without_key(text: str, key: str) -> str:
    """Return text with the key, and whatever follows `Bearer`, struck out.

    Example:
        >>> without_key("no such key: Bearer sk-12345", "sk-12345")
        'no such key: Bearer ***'
    """
    if len(key) >= SHORTEST_KEY and key not in NO_KEYS:
        text = text.replace(key, HIDDEN)
    return _BEARER.sub(rf"\1{HIDDEN}", text)


def server_words(error: Exception, key: str = "") -> str:
    """Return the message in the body of an OpenAI client's error, else the error's own text, as one line.

    Args:
        error: What the client raised.
        key: What it was asked with; servers quote it.

    Example:
        >>> refused = ValueError("Error code: 400 - {'error': {'message': 'Too long.'}}")
        >>> refused.body = {"message": "Too long.", "type": "BadRequestError"}
        >>> server_words(refused)
        'Too long.'
    """
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, dict) else None
    cause = error.__cause__ if str(error) == "Connection error." else None
    words = str(said or cause or error) or type(cause or error).__name__
    return one_line(without_key(words, key))[:MOST]
