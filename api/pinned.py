"""A request sees one snapshot of the shop, from its beginning to the last byte of its answer."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from api.service import Service


@dataclass(frozen=True)
class Pinned:
    """An ASGI layer.

    Attributes:
        app: What answers.
        service: Whose `now` stays the same meanwhile.
    """

    app: ASGIApp
    service: Service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http" or self.service.live is None:
            await self.app(scope, receive, send)
            return
        with self.service.live.pinned():
            await self.app(scope, receive, send)
