"""What a server said when it refused, without the JSON around it."""

from __future__ import annotations

from catalog.plain_text import one_line

MOST = 300
"""Characters that are kept."""


def server_words(error: Exception) -> str:
    """Return the message in the body of an OpenAI client's error, else the error's own text, as one line.

    Example:
        >>> refused = ValueError("Error code: 400 - {'error': {'message': 'Too long.'}}")
        >>> refused.body = {"message": "Too long.", "type": "BadRequestError"}
        >>> server_words(refused)
        'Too long.'
    """
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, dict) else None
    return one_line(str(said or error))[:MOST]
