"""What every request passes first: its id, the headers, the host, the key and its scope, how often and how much."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.audit import AuditLine, AuditLog, moment
from api.config import ApiConfig
from api.keys import Doorkeeper
from api.limits import RateLimit
from api.problems import ApiProblem, problem, problem_response
from api.quota import DailyQuota
from api.request_ids import HEADER, request_id_from
from api.scopes import Caller, Door, called_by, demand
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


@dataclass(frozen=True)
class Guard:
    """An ASGI layer; refusals are problem+json.

    Attributes:
        app: What answers once a request has passed.
        config: The limits.
        keys: Who may enter; none leaves the service open.
        check_host: Whether an open service accepts only the names in `config.hosts`.
        rate: Requests a minute that each caller may make.
        quota: Requests a day of the keys that have a quota; None counts nothing.
        audit: Where writes are told of; None tells nobody.
        door: What the router will find; the scope it asks for.
        takes: Whether there is an address that takes the method; where none is, that is what is wrong, not the body.
    """

    app: ASGIApp
    config: ApiConfig
    keys: Doorkeeper
    check_host: bool
    rate: RateLimit
    takes: Callable[[Scope], bool] = lambda _scope: True
    quota: DailyQuota | None = None
    audit: AuditLog | None = None
    door: Callable[[Scope], Door | None] = lambda _scope: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        request_id = request_id_from(request.headers.get(HEADER, ""))
        request.state.request_id = request_id
        request.state.tenant = OPEN_TENANT
        caller, door = Caller(), self.door(scope) if _guarded(scope["path"]) else None
        began = time.perf_counter()
        status = 500

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[HEADER] = request_id
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if _guarded(scope["path"]):
                    headers.setdefault("Cache-Control", "no-store")
                self._tell(caller, door, status, request_id, caller.wrote)
                # What a stream writes later is told of when it is written.
                caller.late = lambda name: self._tell(caller, door, status, request_id, [name])
            await send(message)

        try:
            self._admit(request, caller, door)
        except ApiProblem as refusal:
            body = problem(refusal.status_code, str(refusal.detail), field=refusal.field)
            await problem_response(request, body, refusal.headers)(scope, receive, send_on)
        else:
            with acting_for(caller.tenant), called_by(caller):
                await self.app(scope, self._bounded(request, receive), send_on)
        finally:
            route = getattr(scope.get("route"), "path_format", "-")
            milliseconds = (time.perf_counter() - began) * 1000
            log.info(
                "http method=%s route=%s status=%d ms=%.1f tenant=%s key=%s request_id=%s",
                scope["method"], route, status, milliseconds, caller.tenant, caller.key_id, request_id,
            )  # fmt: skip

    def _admit(self, request: Request, caller: Caller, door: Door | None) -> None:
        headers, path = request.headers, request.url.path
        if len(headers.getlist("host")) > 1:  # whoever stands between may have judged the other
            raise ApiProblem(400, "more than one Host header", field="Host")
        if self.check_host and not self.keys and _host(headers) not in self.config.hosts:
            raise ApiProblem(403, f"host {_host(headers)!r} is not served here", field="Host")
        if not _guarded(path):
            return
        limit, who = self.config.rate_per_minute, request.client.host if request.client else ""
        quota: int | None = None
        if self.keys:
            key = self.keys.find(_presented(headers))
            if key is None:
                detail = "a valid key is needed: send it as 'Authorization: Bearer <key>'"
                raise ApiProblem(401, detail, field="Authorization", headers={"WWW-Authenticate": "Bearer"})
            caller.key_id, caller.tenant, caller.scopes = key.key_id, key.tenant, key.scopes
            request.state.tenant = key.tenant
            limit, quota, who = key.rate_per_minute or limit, key.daily_quota, key.key_id
        self._pace(who, limit)
        if door is not None:
            demand(caller, door.scope, f"{door.method} {door.pattern}")
        if quota is not None:
            self._count(caller.key_id, quota)
        if request.method in ("POST", "PUT", "PATCH"):
            self._admit_body(request, headers, path)

    def _pace(self, who: str, limit: int | None) -> None:
        try:
            seconds = self.rate.wait(who, limit)
        except OSError as error:
            log.error("rate cannot be counted key=%s error=%s", who, error)
            raise _later(503, "the requests of this key cannot be counted now", 1) from error
        if seconds:
            raise _later(429, f"more than {limit} requests a minute; try again in {seconds} s", seconds)

    def _count(self, key_id: str, quota: int) -> None:
        if self.quota is None:
            return
        try:
            seconds = self.quota.wait(key_id, quota)
        except sqlite3.Error as error:
            log.error("quota cannot be counted key=%s error=%s", key_id, type(error).__name__)
            raise _later(503, "the quota of this key cannot be counted now", 1) from error
        if seconds:
            raise _later(429, f"the {quota} requests of this day (UTC) are made; try again in {seconds} s", seconds)

    def _tell(self, caller: Caller, door: Door | None, status: int, request_id: str, wrote: Sequence[str]) -> None:
        """Tell the audit log of a write before it is acknowledged; who was not let in at all is in the other log."""
        if self.audit is None or door is None or not (door.writes or wrote) or status in (401, 429):
            return
        target = " ".join(filter(None, (door.target, *(w for w in wrote if w not in door.parts.values()))))
        at, action = moment(datetime.now(UTC)), f"{door.method} {door.pattern}"
        try:
            self.audit.append(AuditLine(at, caller.key_id, caller.tenant, action, target, status, request_id))
        except OSError as error:  # the write is done: to deny it now would be a lie
            log.error("audit line lost error=%s request_id=%s", type(error).__name__, request_id)

    def _admit_body(self, request: Request, headers: Headers, path: str) -> None:
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        valid = "multipart/form-data" if path == AUDIO_DOOR else "application/json"
        if kind != valid and self.takes(request.scope):
            detail = f"content type {kind!r} cannot be read here; {valid!r} would be valid"
            raise ApiProblem(415, detail, field="Content-Type")
        packed = headers.get("content-encoding", "identity").strip().lower()
        if packed != "identity" and self.takes(request.scope):
            raise ApiProblem(415, f"content encoding {packed!r} cannot be read here", field="Content-Encoding")
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._limit(path):
            raise self._too_large(path)

    def _bounded(self, request: Request, receive: Receive) -> Receive:
        """Count the body as it comes, and the time it takes: what is declared need not be true."""
        limit, seen, whole = self._limit(request.url.path), 0, False
        until = asyncio.get_running_loop().time() + self.config.max_body_seconds

        async def receive_on() -> Message:
            nonlocal seen, whole
            if whole:  # from here on it is only heard whether the caller is still there
                return await receive()
            try:
                async with asyncio.timeout_at(until):  # unlike `wait_for`, without a task for each message
                    message = await receive()
            except TimeoutError:
                detail = f"the body took longer than {self.config.max_body_seconds:g} s to come"
                raise ApiProblem(408, detail, headers={"Connection": "close"}) from None
            whole = not message.get("more_body", False)
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


def _later(status: int, detail: str, seconds: int) -> ApiProblem:
    return ApiProblem(status, detail, headers={"Retry-After": str(seconds)})


def _guarded(path: str) -> bool:
    """Whether a path asks for a key; the page, its files, the reference and the health of the service do not."""
    return path.startswith(("/v1/", "/mcp", "/metrics"))


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
