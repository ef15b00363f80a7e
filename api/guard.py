"""What every request passes first: its id, the headers, the host, the key, the rate, the body's type and size."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.config import ApiConfig
from api.keys import Keys
from api.limits import RateLimit
from api.problems import ApiProblem, problem, problem_response
from catalog.tenancy import OPEN_TENANT, acting_for

log = logging.getLogger("vitrine.api")

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PICTURE_DOORS = ("/v1/chat", "/v1/chat/completions", "/v1/search", "/v1/tools/search_by_picture", "/mcp")
AUDIO_DOOR = "/v1/audio/transcriptions"
FORM_BYTES = 64 << 10
"""What a form may hold beside its file."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True)
class Guard:
    """An ASGI layer; refusals are problem+json.

    Attributes:
        app: What answers once a request has passed.
        config: The limits.
        keys: Who may enter; none leaves the service open.
        check_host: Whether an open service accepts only the names in `config.hosts`.
        rate: Requests each caller may make.
        takes: Whether there is an address that takes the method; where none is, that is what is wrong, not the body.
    """

    app: ASGIApp
    config: ApiConfig
    keys: Keys
    check_host: bool
    rate: RateLimit
    takes: Callable[[Scope], bool] = lambda _scope: True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        request_id = _request_id(request.headers)
        request.state.request_id = request_id
        request.state.tenant = OPEN_TENANT
        began = time.perf_counter()
        status = 500

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if _guarded(scope["path"]):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            self._admit(request)
        except ApiProblem as refusal:
            body = problem(refusal.status_code, str(refusal.detail), field=refusal.field)
            await problem_response(request, body, refusal.headers)(scope, receive, send_on)
        else:
            with acting_for(request.state.tenant):
                await self.app(scope, self._bounded(request, receive), send_on)
        finally:
            route = getattr(scope.get("route"), "path_format", "-")
            milliseconds = (time.perf_counter() - began) * 1000
            log.info(
                "http method=%s route=%s status=%d ms=%.1f tenant=%s request_id=%s",
                scope["method"], route, status, milliseconds, request.state.tenant, request_id,
            )  # fmt: skip

    def _admit(self, request: Request) -> None:
        headers, path = request.headers, request.url.path
        if self.check_host and not self.keys and _host(headers) not in self.config.hosts:
            raise ApiProblem(403, f"host {_host(headers)!r} is not served here", field="Host")
        if not _guarded(path):
            return
        if self.keys:
            tenant = self.keys.tenant(_presented(headers))
            if tenant is None:
                detail = "a valid key is needed: send it as 'Authorization: Bearer <key>'"
                raise ApiProblem(401, detail, field="Authorization", headers={"WWW-Authenticate": "Bearer"})
            request.state.tenant = tenant
        caller = request.state.tenant if self.keys else (request.client.host if request.client else "")
        seconds = self.rate.wait(caller)
        if seconds:
            detail = f"more than {self.config.rate_per_minute} requests a minute; try again in {seconds} s"
            raise ApiProblem(429, detail, headers={"Retry-After": str(seconds)})
        if request.method in ("POST", "PUT", "PATCH"):
            self._admit_body(request, headers, path)

    def _admit_body(self, request: Request, headers: Headers, path: str) -> None:
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        valid = "multipart/form-data" if path == AUDIO_DOOR else "application/json"
        if kind != valid and self.takes(request.scope):
            detail = f"content type {kind!r} cannot be read here; {valid!r} would be valid"
            raise ApiProblem(415, detail, field="Content-Type")
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._limit(path):
            raise self._too_large(path)

    def _bounded(self, request: Request, receive: Receive) -> Receive:
        """Count the body as it comes: what is declared need not be true."""
        limit, seen = self._limit(request.url.path), 0

        async def receive_on() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise self._too_large(request.url.path)
            return message

        return receive_on

    def _limit(self, path: str) -> int:
        if path == AUDIO_DOOR:
            return self.config.max_audio_body_bytes + FORM_BYTES
        return self.config.max_picture_body_bytes if path in PICTURE_DOORS else self.config.max_body_bytes

    def _too_large(self, path: str) -> ApiProblem:
        return ApiProblem(413, f"the body is larger than {self._limit(path)} bytes", headers={"Connection": "close"})


def _guarded(path: str) -> bool:
    """Whether a path asks for a key; the page, its files, the reference and the health of the service do not."""
    return path.startswith(("/v1/", "/mcp"))


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _host(headers: Headers) -> str:
    host = headers.get("host", "").lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _presented(headers: Headers) -> str | None:
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret:
        return secret.strip()
    return headers.get("x-api-key")
