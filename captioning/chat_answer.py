"""The body of a chat completion, read with distrust."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from batch.base import Usage
from captioning.vision import Answer
from catalog.plain_text import one_line
from catalog.server_answers import kind_of, token_count


def read_chat(body: Mapping[str, Any]) -> Answer:
    """Return what the first choice says, or why it is no answer.

    A body of another form than a chat completion's is `bad answer`, which may be better another time: most come from
    what stands before a server. `cut` says that the words ran to the bound; whether anything is missing from them is
    for who reads them to say: a JSON object that is closed is whole.
    """
    usage = _usage(body.get("usage"))
    choices = body.get("choices")
    if not isinstance(choices, list):
        return bad_answer(f"choices is {kind_of(choices)}; a list would be valid", usage)
    if not choices:
        return bad_answer("no choice", usage)
    choice = choices[0]
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        what, found = ("message", message) if isinstance(choice, dict) else ("the choice", choice)
        return bad_answer(f"{what} is {kind_of(found)}; an object would be valid", usage)
    refusal, content, finish = message.get("refusal"), message.get("content"), choice.get("finish_reason")
    for name, value in (("refusal", refusal), ("content", content)):
        if not (value is None or isinstance(value, str)):
            return bad_answer(f"{name} is {kind_of(value)}; a text would be valid", usage)
    if refusal:
        return Answer(None, f"refusal: {one_line(refusal[:120])!r}", usage=usage)
    if finish == "content_filter":
        return Answer(None, "refusal: the server's content filter", usage=usage)
    return Answer(content or "", cut=finish == "length", usage=usage)


def bad_answer(text: str, usage: Usage | None = None) -> Answer:
    """Return the failure of a question whose answer was malformed."""
    return Answer(None, f"bad answer: {text}", retryable=True, usage=usage)


def _usage(usage: object) -> Usage | None:
    prompt, completion = token_count(usage, "prompt_tokens"), token_count(usage, "completion_tokens")
    return None if prompt is None and completion is None else Usage(prompt or 0, completion or 0)
