"""Errors on the wire: problem+json (RFC 9457) that names the field."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.applications import Starlette
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.routing import Match, Route
from starlette.types import Scope

from api.addresses import segmented
from catalog.errors import (
    DataError,
    EventStoreError,
    NotBuiltError,
    NotFoundError,
    ServiceError,
    ToolInapplicable,
    ToolRetry,
    ToolUnavailable,
    VitrineError,
)

log = logging.getLogger("vitrine.api")

MEDIA_TYPE = "application/problem+json"
_NAMED = re.compile(r"unknown field '([\w.\[\]]+)'|'([a-z_][\w.\[\]]*)' (?:is|names|has)\b")
"""How a tool's errors name the argument."""

AWAY = "the events' database does not answer; try again in a moment"
OPENAI_PATHS = ("/v1/chat/completions", "/v1/models", "/v1/audio")

_STATUS: tuple[tuple[type[VitrineError], int], ...] = (
    (NotFoundError, 404),
    (ToolRetry, 422),
    (DataError, 422),
    (ToolInapplicable, 409),
    (ToolUnavailable, 503),
    (NotBuiltError, 503),
    (ServiceError, 503),
)


class ProblemOut(BaseModel):
    """A refusal, for the OpenAPI document."""

    type: str = Field(examples=["about:blank"])
    title: str
    status: int
    detail: str = Field(description="What is wrong, and what would be valid.")
    field: str | None = None
    errors: list[dict[str, str]] | None = None
    request_id: str
    error: dict[str, str | None] | None = Field(None, description="The same for OpenAI's clients, at their addresses.")


class ApiProblem(HTTPException):
    """A request that cannot be answered; `field` is where the caller should look."""

    def __init__(
        self, status: int, detail: str, *, field: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.field = field


def problem(
    status: int,
    detail: str,
    *,
    field: str | None = None,
    errors: Sequence[Mapping[str, Any]] = (),
    request_id: str = "",
) -> dict[str, Any]:
    """Return the body of a problem; `errors` lists every field when there is more than one."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if field is not None:
        body["field"] = field
    if len(errors) > 1:
        body["errors"] = list(errors)
    if request_id:
        body["request_id"] = request_id
    return body


def problem_response(request: Request, body: dict[str, Any], headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return `body` as problem+json; the OpenAI doors also carry the `error` object their clients read."""
    body.setdefault("request_id", request_id_of(request))
    if request.url.path.startswith(OPENAI_PATHS):
        kind = "server_error" if body["status"] >= 500 else "invalid_request_error"
        body["error"] = {"message": body["detail"], "type": kind, "param": body.get("field"), "code": None}
    return JSONResponse(body, body["status"], dict(headers or {}), media_type=MEDIA_TYPE)


def request_id_of(request: Request) -> str:
    """Return the id of this request."""
    return str(getattr(request.state, "request_id", ""))


def status_of(error: VitrineError) -> int:
    """Return the HTTP status of one of our errors."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def told(error: VitrineError) -> str:
    """Return what a caller hears of one of our errors: where the database stands, and its user, is for the log."""
    if isinstance(error, EventStoreError):
        log.warning("event store away error=%s", error)
        return AWAY
    return str(error)


def explain(error: Mapping[str, Any], *, of_request: bool = True) -> dict[str, str]:
    """Return `{"field", "detail"}` for one of pydantic's errors; the input itself is never echoed.

    Args:
        error: The error.
        of_request: Whether its place begins with the part of the request (`body`, `query`) as FastAPI's do.
    """
    place = [str(part) for part in (error["loc"][1:] if of_request else error["loc"])]
    field = ".".join(place)
    kind = error["type"]
    if kind in ("unicode", "json_type"):
        field = ".".join([*place, error["ctx"]["field"]]).strip(".")
    if kind == "extra_forbidden":
        detail = f"unknown field {field!r}"
    elif kind == "missing":
        detail = f"field {field!r} is missing" if field else "a JSON object is expected"
    elif kind == "value_error":
        detail = f"{field}: {error['ctx']['error']}" if field else str(error["ctx"]["error"])
    else:
        detail = f"{field}: {error['msg']}" if field else str(error["msg"])
    return {"field": field, "detail": detail}


def add_problem_handlers(app: FastAPI, headers: Mapping[str, str]) -> None:
    """Make every error of `app` a problem; `headers` go on what is caught outside the guard (a bug's 500)."""

    async def on_validation(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            detail = f"the body is not JSON: {first['ctx']['error']} at character {first['loc'][-1]}"
            return problem_response(request, problem(400, detail))
        errors = [explain(e) for e in error.errors()]
        body = problem(422, errors[0]["detail"], field=errors[0]["field"] or None, errors=errors)
        return problem_response(request, body)

    async def on_http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, StarletteHTTPException)
        detail = str(error.detail)
        if detail == HTTPStatus(error.status_code).phrase:
            detail = _DETAILS.get(error.status_code, detail)
        field = getattr(error, "field", None)
        headers = dict(error.headers or {})
        if error.status_code == 405:  # the router names the methods of the first route it met
            headers["Allow"] = ", ".join(sorted(methods_of(request.app, request.scope)))
        return problem_response(request, problem(error.status_code, detail, field=field), headers)

    async def on_ours(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, VitrineError)
        field = _NAMED.search(str(error)) if isinstance(error, ToolRetry) else None
        body = problem(status_of(error), told(error), field=next(filter(None, field.groups())) if field else None)
        later = {"Retry-After": "1"} if isinstance(error, ServiceError) and error.retryable else None
        return problem_response(request, body, later)

    async def on_bug(request: Request, error: Exception) -> JSONResponse:
        # The traceback is logged once, by the server that this exception goes on to.
        log.error("bug error=%s path=%s request_id=%s", type(error).__name__, request.url.path, request_id_of(request))
        body = problem(500, "something went wrong here, not in your request")
        # The exception goes on to the server, which closes the connection: a caller who is not told would write to it.
        left = {**headers, "X-Request-Id": request_id_of(request), "Connection": "close"}
        return problem_response(request, body, left)

    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(StarletteHTTPException, on_http)
    app.add_exception_handler(VitrineError, on_ours)
    app.add_exception_handler(Exception, on_bug)


def methods_of(app: Starlette, scope: Scope) -> set[str]:
    """Return what methods an address takes, an empty set where there is no such address."""
    routes = (route for route in app.routes if isinstance(route, Route))
    met = (route.methods or set() for route in routes if route.matches(dict(scope))[0] is not Match.NONE)
    return set().union(*met)


def takes(app: Starlette, scope: Scope) -> bool:
    """Whether an address takes the method it is asked with."""
    return scope["method"] in methods_of(app, segmented(scope))


_DETAILS = {
    404: "there is nothing at this address; /docs lists what there is",
    405: "this address does not take this method; /docs lists what it takes",
}
