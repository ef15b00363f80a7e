"""Ids in addresses: `%2F` is a character of an id, `/` ends it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from starlette.convertors import Convertor, register_url_convertor
from starlette.types import ASGIApp, Receive, Scope, Send


class IdConvertor(Convertor[str]):
    """One segment of an address that is an id, whatever characters the id has."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        """Return the id that a segment, as `WholeSegments` left it, stands for."""
        return value.replace("%2F", "/").replace("%25", "%")

    def to_string(self, value: str) -> str:
        """Return the segment of an id."""
        return value.replace("%", "%25").replace("/", "%2F")


class EventIdConvertor(IdConvertor):
    """An id of an event; the one address beside them that is none is left to its own door."""

    regex = "(?!dead-letters(?:/|$))[^/]+"


def know_ids() -> None:
    """Let routes say `{item_id:id}`."""
    register_url_convertor("id", IdConvertor())
    register_url_convertor("event", EventIdConvertor())


@dataclass(frozen=True)
class WholeSegments:
    """An ASGI layer: routes see the address with the slashes inside ids still encoded.

    A server decodes the whole address at once, after which the item `a/similar` and what is similar to `a` are one.

    Attributes:
        app: What answers.
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        await self.app(segmented(scope), receive, send)


def segmented(scope: Scope) -> Scope:
    """Return a scope whose path keeps the slashes inside ids encoded."""
    raw: bytes | None = scope.get("raw_path")
    if scope["type"] != "http" or not raw or b"%" not in raw:
        return scope
    return {**scope, "path": "/".join(map(_segment, raw.decode("latin-1").split("/")))}


def _segment(raw: str) -> str:
    return IdConvertor().to_string(unquote(raw))
