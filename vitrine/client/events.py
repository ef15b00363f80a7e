"""The events of a streamed conversation."""

from __future__ import annotations

from typing import TypeAlias

from pydantic import TypeAdapter

from vitrine.client.answers import Answer, ChatAnswer, Heard, Outcome, Recommendation


class Transcript(Heard):
    """What was heard of a spoken message."""


class Status(Answer):
    """A tool runs."""

    tool: str
    text: str


class Token(Answer):
    """The next words of the answer."""

    text: str


class Recommendations(Answer):
    """The items; at most once a turn."""

    outcome: Outcome
    items: list[Recommendation]


class Problem(Answer):
    """What went wrong; `Done` still follows."""

    status: int
    title: str
    detail: str
    request_id: str | None = None


class Done(ChatAnswer):
    """The whole answer; always the last."""


ChatEvent: TypeAlias = Transcript | Status | Token | Recommendations | Problem | Done

_KINDS: dict[str, TypeAdapter[ChatEvent]] = {
    "transcript": TypeAdapter(Transcript),
    "status": TypeAdapter(Status),
    "token": TypeAdapter(Token),
    "recommendations": TypeAdapter(Recommendations),
    "error": TypeAdapter(Problem),
    "done": TypeAdapter(Done),
}


class Lines:
    """Reads server-sent events line by line; comments and events of kinds unknown here give nothing."""

    def __init__(self) -> None:
        self._kind = ""
        self._data: list[str] = []

    def read(self, line: str) -> ChatEvent | None:
        """Return the event that a line, without its break, ends; None where it ends none."""
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._kind = value
        elif name == "data":
            self._data.append(value)
        elif not line:
            kind, data = self._kind, "\n".join(self._data)
            self._kind, self._data = "", []
            if kind in _KINDS:
                return _KINDS[kind].validate_json(data)
        return None
