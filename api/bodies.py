"""A request's body, whole before the request takes a place, and refused where it is nested beyond what is read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import ApiProblem, problem, problem_response

DEEPEST = 64
"""Levels of JSON that are read; Python's own limit is a stack that all readers of a body share."""
SMALL = 64 << 10
"""Bytes of a body that are always held."""
ROOM = 256 << 20
"""Bytes beyond those that a worker holds of all bodies together, of which the largest is 25 MiB."""
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_STEPS = np.zeros(256, np.int8)
_STEPS[list(b"[{")], _STEPS[list(b"]}")] = 1, -1


@dataclass
class WholeBodies:
    """An ASGI layer outside the room for requests at once: who sends a byte now and then takes none of it.

    Attributes:
        app: What answers.
        room: Bytes that the larger bodies may take together; one too many is answered 503, and small ones go on.
    """

    app: ASGIApp
    room: int = ROOM
    _held: int = field(init=False, default=0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read one request's body and pass it on, or refuse it."""
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH"):
            await self.app(scope, receive, send)
            return
        request, parts, held = Request(scope), [], 0
        try:
            more, size = True, 0
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ApiProblem(400, "the body ended before its end")
                part: bytes = message.get("body", b"")
                parts.append(part)
                size, more = size + len(part), message.get("more_body", False)
                grown = max(0, size - SMALL) - held
                if self._held + grown > self.room:
                    later = {"Retry-After": "2", "Connection": "close"}
                    raise ApiProblem(503, "too many large bodies are coming at once; try again in 2 s", headers=later)
                self._held, held = self._held + grown, held + grown
            body = b"".join(parts)
            parts.clear()
            if _is_json(request):
                check_json(body)
        except ApiProblem as refusal:
            self._held -= held
            answer = problem(refusal.status_code, str(refusal.detail), field=refusal.field)
            await problem_response(request, answer, refusal.headers)(scope, receive, send)
            return
        except BaseException:
            self._held -= held
            raise
        first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        del body

        async def receive_on() -> Message:
            return first.pop() if first else await receive()

        try:
            await self.app(scope, receive_on, send)
        finally:
            self._held -= held


def check_json(body: bytes) -> None:
    """Refuse what no reader of JSON should be given.

    Raises:
        ApiProblem: 400, where `body` is nested deeper than `DEEPEST`, or holds a NUL: it is no JSON in UTF-8.
    """
    if b"\0" in body:
        raise ApiProblem(400, "the body is not JSON in UTF-8: it holds a NUL")
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return
    levels = np.cumsum(_STEPS[np.frombuffer(_TEXT.sub(b"", body), np.uint8)], dtype=np.int32)
    if levels.size and int(levels.max()) > DEEPEST:
        raise ApiProblem(400, f"the body is nested {int(levels.max())} levels deep; up to {DEEPEST} would be valid")


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
