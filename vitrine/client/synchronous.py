"""The client."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

import httpx

from vitrine.client import answers as a
from vitrine.client import calls
from vitrine.client.errors import Refused, Unreachable, refusal
from vitrine.client.events import ChatEvent, Lines
from vitrine.client.window import Facets, Shop

T = TypeVar("T")


class Client:
    """The shop at one address.

    Calls that may be sent twice (GET, PUT, DELETE) are tried again when the service cannot be reached, or answers 408,
    429, 502, 503 or 504 (after the seconds it names); POST is sent once.

    Args:
        address: Where it is, e.g. `http://127.0.0.1:8000`.
        key: Its key, where it asks for one.
        timeout: Seconds without a byte after which a call is given up; a stream sends one every 15 s at least.
        retries: How often a call is tried again.
        transport: In place of the network, for tests.

    Every call raises `Refused` when the service says no, `Unreachable` when it says nothing.
    """

    def __init__(
        self,
        address: str,
        *,
        key: str | None = None,
        timeout: float = 60.0,
        retries: int = 2,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=address, headers=headers, timeout=timeout, transport=transport)
        self._retries = retries

    def __enter__(self) -> Client:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def chat(
        self,
        message: str = "",
        *,
        session_id: str | None = None,
        user_id: str | None = None,
        images: Sequence[str] | None = None,
        audio: str | None = None,
        top_n: int | None = None,
    ) -> a.ChatAnswer:
        """Say something and return the whole answer; pictures and voice are data URLs."""
        call = calls.chat(message, session_id=session_id, user_id=user_id, images=images, audio=audio, top_n=top_n)
        return self._send(call)

    def chat_stream(
        self,
        message: str = "",
        *,
        session_id: str | None = None,
        user_id: str | None = None,
        images: Sequence[str] | None = None,
        audio: str | None = None,
        top_n: int | None = None,
    ) -> Iterator[ChatEvent]:
        """Say something and give the events as they happen, `Done` last; closing the iterator stops the turn."""
        call = calls.chat(message, session_id=session_id, user_id=user_id, images=images, audio=audio, top_n=top_n)
        lines = Lines()
        try:
            with self._http.stream(**call.request("text/event-stream")) as response:
                if not response.is_success:
                    response.read()
                    raise refusal(response)
                for line in response.iter_lines():
                    if (event := lines.read(line)) is not None:
                        yield event
        except httpx.TransportError as error:
            raise _unreachable(error) from error

    def search(
        self,
        query: str | None = None,
        *,
        image: str | None = None,
        like: Sequence[str] | None = None,
        unlike: Sequence[str] | None = None,
        filters: Mapping[str, Any] | None = None,
        top_n: int | None = None,
        sort: str | None = None,
        cursor: str | None = None,
        user_id: str | None = None,
        session_id: str | None = None,
    ) -> a.Found:
        """Find items; `image` is a data URL."""
        return self._send(
            calls.search(
                query=query,
                image=image,
                like=like,
                unlike=unlike,
                filters=filters,
                top_n=top_n,
                sort=sort,
                cursor=cursor,
                user_id=user_id,
                session_id=session_id,
            )
        )

    def recommendations(
        self,
        user_id: str | None = None,
        *,
        session_id: str | None = None,
        top_n: int | None = None,
        filters: Mapping[str, Any] | None = None,
        exclude: Sequence[str] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> a.Recommended:
        """Return the best items for a shopper, known or not."""
        return self._send(
            calls.recommendations(
                user_id=user_id, session_id=session_id, top_n=top_n, filters=filters, exclude=exclude, context=context
            )
        )

    def facets(self, *, filters: Mapping[str, Any] | None = None, item_ids: Sequence[str] | None = None) -> Facets:
        """Count the values of the items that pass `filters`, of `item_ids` alone where these are given."""
        return self._send(calls.facets(filters=filters, item_ids=item_ids))

    def shop(self) -> Shop:
        """Return the shop in a few words."""
        return self._send(calls.shop())

    def item(self, item_id: str) -> a.Item:
        """Return the record of an item."""
        return self._send(calls.item(item_id))

    def similar(self, item_id: str, *, top_n: int | None = None, user_id: str | None = None) -> a.Similar:
        """Return the nearest items."""
        return self._send(calls.similar(item_id, top_n=top_n, user_id=user_id))

    def put_item(self, item_id: str, record: Mapping[str, Any]) -> a.Written:
        """Write a whole record, new or in place of the one before."""
        return self._send(calls.put_item(item_id, record))

    def delete_item(self, item_id: str) -> a.Deleted:
        """Delete an item."""
        return self._send(calls.delete_item(item_id))

    def put_events(self, events: Sequence[Mapping[str, Any]]) -> a.EventsTaken:
        """Tell what shoppers did; each event has an `event_id` of yours, which makes a second sending harmless."""
        return self._send(calls.put_events(events))

    def forget_event(self, event_id: str) -> a.TakenBack:
        """Take an event back, as if it had not been."""
        return self._send(calls.forget_event(event_id))

    def dead_letters(self, *, limit: int = 100, cursor: str | None = None) -> a.DeadLetters:
        """Return a page of the events that were not taken, the latest first; for a key of scope `admin`."""
        return self._send(calls.dead_letters(limit, cursor))

    def memory(self, user_id: str) -> a.Memory:
        """Return what a shopper told of themselves."""
        return self._send(calls.memory(user_id))

    def forget_memory(self, user_id: str, entry_id: str | None = None) -> a.Erased:
        """Erase one entry of a shopper's memory, or all."""
        return self._send(calls.forget_memory(user_id, entry_id))

    def guest_memory(self, session_id: str) -> a.GuestMemory:
        """Return what a guest told of themselves in a conversation."""
        return self._send(calls.guest_memory(session_id))

    def forget_guest_memory(self, session_id: str, entry_id: str | None = None) -> a.GuestErased:
        """Erase one entry of what a guest told in a conversation, or all."""
        return self._send(calls.forget_guest_memory(session_id, entry_id))

    def forget_user(self, user_id: str) -> a.Forgotten:
        """Erase everything known of a shopper."""
        return self._send(calls.forget_user(user_id))

    def tools(self, *, strict: bool = False) -> a.Tools:
        """List the tools; `strict` gives `openai` in the subset of structured outputs."""
        return self._send(calls.tools(strict=strict))

    def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any],
        *,
        user_id: str | None = None,
        session_id: str | None = None,
        confirmation: str | None = None,
    ) -> a.ToolAnswer:
        """Call a tool; a write answers with `facts["needs_confirmation"]` first."""
        call = calls.tool(name, arguments, user_id=user_id, session_id=session_id, confirmation=confirmation)
        return self._send(call)

    def transcribe(self, recording: bytes) -> a.Transcription:
        """Turn speech into words."""
        return self._send(calls.transcribe(recording))

    def trace(self, trace_id: str) -> dict[str, Any]:
        """Return how an answer came about."""
        return self._send(calls.trace(trace_id))

    def evidence(self, trace_id: str, item_id: str) -> dict[str, Any]:
        """Return why an item stood in an answer: signals, words with their positions, events, features."""
        return self._send(calls.evidence(trace_id, item_id))

    def ready(self) -> a.Ready:
        """Return what is at work in the shop."""
        return self._send(calls.ready())

    def _send(self, call: calls.Call[T]) -> T:
        tried = 0
        while True:
            tried += 1
            try:
                return call.read(self._http.request(**call.request()))
            except httpx.TransportError as error:
                failed: Refused | Unreachable = _unreachable(error)
            except Refused as error:
                failed = error
            seconds = call.wait(failed, tried, self._retries)
            if seconds is None:
                raise failed
            time.sleep(seconds)


def _unreachable(error: httpx.TransportError) -> Unreachable:
    url = error.request.url
    return Unreachable(f"{url.scheme}://{url.netloc.decode()} cannot be reached: {error or type(error).__name__}")
