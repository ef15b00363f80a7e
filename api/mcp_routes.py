"""`/mcp`, the tools for any MCP client over streamable HTTP, and the same over a process's standard streams."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from api.fields import ExternalId, SessionId
from api.service import Service
from catalog.errors import ConfigError, DataError
from tools.base import Shopper

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

PATH = "/mcp"
USER, SESSION = "Vitrine-User", "Vitrine-Session"
"""Headers by which whoever connects says for which shopper and visit; a key entitles them to."""


class McpDoor:
    """Answers `POST /mcp`. Every request stands for itself: no session is kept here, so none can be taken over."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._manager: Any = None

    @asynccontextmanager
    async def open(self, _app: Starlette) -> AsyncIterator[None]:
        """Keep the door open while the application runs."""
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        from api.mcp_server import mcp_server

        self._manager = StreamableHTTPSessionManager(
            mcp_server(self._service, shopper_of_headers),
            json_response=True,
            stateless=True,
            max_request_body_size=self._service.config.max_picture_body_bytes,
        )
        async with self._manager.run():
            yield
        self._manager = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        assert self._manager is not None, "the application was not started: its lifespan opens /mcp"
        await self._manager.handle_request(scope, receive, send)

    def route(self) -> Route:
        """Return the route; there is nothing to GET, since this server never speaks first."""
        return Route(PATH, self, methods=["POST"], include_in_schema=False)


def shopper_of_headers(context: ServerRequestContext[Any, Any]) -> Shopper:
    """Return the shopper a request over HTTP is made for; raises DataError when a header is none."""
    request = context.request
    headers = request.headers if isinstance(request, Request) else {}
    return bound_shopper(headers.get(USER), headers.get(SESSION))


def bound_shopper(user_id: str | None, session_id: str | None) -> Shopper:
    """Return a shopper by id and visit.

    Raises:
        DataError: When one of them is empty, too long or holds control characters.
    """
    for name, kind, value in ((USER, ExternalId, user_id), (SESSION, SessionId, session_id)):
        if value is None:
            continue
        try:
            TypeAdapter(kind).validate_python(value)
        except ValidationError as error:
            raise DataError(f"{name} is {value[:80]!r}: {error.errors()[0]['msg'].lower()}") from error
    return Shopper(user_id, session_id)


def serve_stdio(service: Service, user_id: str | None, session_id: str) -> None:
    """Answer on standard input and output until the input ends.

    Args:
        service: The open shop.
        user_id: The shopper everything is done for; None is a guest.
        session_id: Their visit.

    Raises:
        ConfigError: When the shopper or the visit cannot be one.
    """
    import anyio
    from mcp.server.stdio import stdio_server

    from api.mcp_server import mcp_server

    try:
        shopper = bound_shopper(user_id, session_id)
    except DataError as error:
        raise ConfigError(str(error)) from error
    server = mcp_server(service, lambda _context: shopper)

    async def run() -> None:
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())

    anyio.run(run)
