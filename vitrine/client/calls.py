"""Every call the client makes, as data: what both clients send and how they read the answer."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter

from vitrine.client import answers as a
from vitrine.client import window as w
from vitrine.client.errors import Refused, Unreachable, refusal

T = TypeVar("T")

PASSING = (408, 429, 502, 503, 504)
"""Statuses that may be another one a moment later."""
MOST_SECONDS = 30.0
"""Longest wait between two tries, whatever `Retry-After` says."""


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request and the type of its answer.

    Attributes:
        again: Whether it may be sent twice: the second time changes nothing.
    """

    method: str
    path: str
    answer: type[T]
    body: Mapping[str, Any] | None = None
    query: Mapping[str, Any] | None = None
    form: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: {"X-Request-Id": uuid.uuid4().hex})

    @property
    def again(self) -> bool:
        """Whether it may be sent again."""
        return self.method != "POST"

    def request(self, accept: str = "application/json") -> dict[str, Any]:
        """Return the arguments of httpx."""
        sent: dict[str, Any] = {"json": self.body} if self.body is not None else {}
        if self.form is not None:
            sent["files"] = self.form
        query = {name: value for name, value in (self.query or {}).items() if value is not None}
        headers = {"Accept": accept, **self.headers}
        return {"method": self.method, "url": self.path, "params": query, "headers": headers, **sent}

    def read(self, response: httpx.Response) -> T:
        """Return the answer.

        Raises:
            Refused: When it is none.
        """
        if not response.is_success:
            raise refusal(response)
        return TypeAdapter(self.answer).validate_json(response.content)

    def wait(self, error: Refused | Unreachable, tried: int, retries: int) -> float | None:
        """Return the seconds after which to try again; None: not at all.

        Args:
            error: What the last try ended in.
            tried: How many tries there were.
            retries: How many more than one there may be.
        """
        passing = isinstance(error, Unreachable) or error.status in PASSING
        if not (self.again and passing) or tried > retries:
            return None
        told = error.retry_after if isinstance(error, Refused) else None
        return min(MOST_SECONDS, told if told is not None else 0.25 * 2.0 ** (tried - 1))


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _id(external: str) -> str:
    return quote(external, safe="")


def chat(message: str, **fields: Any) -> Call[a.ChatAnswer]:
    """Say something."""
    return Call("POST", "/v1/chat", a.ChatAnswer, _given(message=message, **fields))


def search(**fields: Any) -> Call[a.Found]:
    """Search."""
    return Call("POST", "/v1/search", a.Found, _given(**fields))


def recommendations(**fields: Any) -> Call[a.Recommended]:
    """Recommend."""
    return Call("POST", "/v1/recommendations", a.Recommended, _given(**fields))


def facets(**fields: Any) -> Call[w.Facets]:
    """Count values."""
    return Call("POST", "/v1/facets", w.Facets, _given(**fields))


def shop() -> Call[w.Shop]:
    """Read what the shop says of itself."""
    return Call("GET", "/v1/shop", w.Shop)


def item(item_id: str) -> Call[a.Item]:
    """Read a record."""
    return Call("GET", f"/v1/items/{_id(item_id)}", a.Item)


def similar(item_id: str, **query: Any) -> Call[a.Similar]:
    """Find neighbours."""
    return Call("GET", f"/v1/items/{_id(item_id)}/similar", a.Similar, query=query)


def put_item(item_id: str, record: Mapping[str, Any]) -> Call[a.Written]:
    """Write a record."""
    return Call("PUT", f"/v1/items/{_id(item_id)}", a.Written, record)


def delete_item(item_id: str) -> Call[a.Deleted]:
    """Delete a record."""
    return Call("DELETE", f"/v1/items/{_id(item_id)}", a.Deleted)


def put_events(events: Sequence[Mapping[str, Any]]) -> Call[a.EventsTaken]:
    """Tell what shoppers did."""
    return Call("PUT", "/v1/events", a.EventsTaken, {"events": [dict(event) for event in events]})


def forget_event(event_id: str) -> Call[a.TakenBack]:
    """Take an event back."""
    return Call("DELETE", f"/v1/events/{_id(event_id)}", a.TakenBack)


def dead_letters(limit: int, cursor: str | None) -> Call[a.DeadLetters]:
    """Read what was not taken."""
    return Call("GET", "/v1/events/dead-letters", a.DeadLetters, query={"limit": limit, "cursor": cursor})


def memory(user_id: str) -> Call[a.Memory]:
    """Read a shopper's memory."""
    return Call("GET", f"/v1/users/{_id(user_id)}/memory", a.Memory)


def forget_memory(user_id: str, entry_id: str | None) -> Call[a.Erased]:
    """Erase a shopper's memory, or one entry of it."""
    entry = "" if entry_id is None else f"/{_id(entry_id)}"
    return Call("DELETE", f"/v1/users/{_id(user_id)}/memory{entry}", a.Erased)


def guest_memory(session_id: str) -> Call[a.GuestMemory]:
    """Read what a guest told."""
    return Call("GET", f"/v1/sessions/{_id(session_id)}/memory", a.GuestMemory)


def forget_guest_memory(session_id: str, entry_id: str | None) -> Call[a.GuestErased]:
    """Erase what a guest told, or one entry of it."""
    entry = "" if entry_id is None else f"/{_id(entry_id)}"
    return Call("DELETE", f"/v1/sessions/{_id(session_id)}/memory{entry}", a.GuestErased)


def forget_user(user_id: str) -> Call[a.Forgotten]:
    """Erase a shopper."""
    return Call("DELETE", f"/v1/users/{_id(user_id)}", a.Forgotten)


def tools(*, strict: bool) -> Call[a.Tools]:
    """List the tools."""
    return Call("GET", "/v1/tools", a.Tools, query={"strict": "true" if strict else None})


def tool(name: str, arguments: Mapping[str, Any], **fields: Any) -> Call[a.ToolAnswer]:
    """Call a tool."""
    return Call("POST", f"/v1/tools/{_id(name)}", a.ToolAnswer, _given(arguments=dict(arguments), **fields))


def transcribe(recording: bytes) -> Call[a.Transcription]:
    """Turn speech into words."""
    return Call("POST", "/v1/audio/transcriptions", a.Transcription, form={"file": ("recording", recording)})


def trace(trace_id: str) -> Call[dict[str, Any]]:
    """Read how an answer came about."""
    return Call("GET", f"/v1/traces/{_id(trace_id)}", dict[str, Any])


def evidence(trace_id: str, item_id: str) -> Call[dict[str, Any]]:
    """Read why an item stood in an answer."""
    return Call("GET", f"/v1/traces/{_id(trace_id)}/items/{_id(item_id)}", dict[str, Any])


def ready() -> Call[a.Ready]:
    """Ask whether the shop can answer."""
    return Call("GET", "/health/ready", a.Ready)
