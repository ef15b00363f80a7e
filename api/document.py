"""The OpenAPI document: what FastAPI makes of the routes, with every refusal, header, limit and example filled in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.config import ApiConfig
from api.keys import Doorkeeper
from api.problems import MEDIA_TYPE, ProblemOut, problem
from api.scopes import scope_of

EXAMPLES = Path(__file__).parent / "openapi_examples.json"
"""By operation (`PUT /v1/events`): `{"parameters", "request", "answers": {status: {media type: body}}}`."""

ABOUT = """Search, recommendations and conversation of one shop.

Errors are `application/problem+json` (RFC 9457) and name the field. Every answer carries `X-Request-Id`; send your own
to find it again. An address that does not take a method answers 405 and says in `Allow` which it takes. An id in an
address is one segment, percent-encoded (`a/b` is `a%2Fb`). Within version 1 fields are added, none taken away.
"""

DESCRIBED: dict[int, tuple[str, str, str | None]] = {
    400: ("The body is not JSON.", "the body is not JSON: Expecting value at character 12", None),
    401: ("A valid key is needed.", "a valid key is needed: send it as 'Authorization: Bearer <key>'", "Authorization"),
    403: (
        "Not for this host name, tenant, or scope of the key (`x-scope`).",
        "host 'elsewhere.example' is not served here",
        "Host",
    ),
    404: ("There is no such thing.", "unknown item 'V99' (of 24 known)", None),
    408: ("The body came too slowly.", "the body took longer than 60 s to come", None),
    409: (
        "There is nothing this could be done to; asking again changes nothing.",
        "there is no feedback of this shopper to take back",
        None,
    ),
    413: ("The body is too large.", "the body is larger than 1048576 bytes", None),
    415: (
        "The body is of another type.",
        "content type 'text/plain' cannot be read here; 'application/json' would be valid",
        "Content-Type",
    ),
    422: ("A field cannot be used; `field` names it.", "top_n: Input should be greater than or equal to 1", "top_n"),
    429: (
        "Too many requests; `Retry-After` says when to come back.",
        "more than 600 requests a minute; try again in 2 s",
        None,
    ),
    500: ("A bug of ours, logged under `request_id`.", "something went wrong here, not in your request", None),
    501: ("The shop was opened without what this needs.", "file: no speech model is configured", "file"),
    503: ("Something this needs is not there now.", "the events' database does not answer", None),
}

HEADERS: dict[str, Any] = {
    "X-Request-Id": {
        "description": "Yours, or a new one.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
        "example": "81aa4c0de5f64b7c9c3c7d0a1b2c3d4e",
    },
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}, "example": 2},
}
_LATER = (429, 503)


def add_document(app: FastAPI, config: ApiConfig, keys: Doorkeeper) -> None:
    """Let `app` give this document.

    Args:
        app: With all its routes.
        config: The limits that stand in the document.
        keys: Whether requests need one, which the first key of a service that is open changes.
    """

    @lru_cache(maxsize=2)
    def document(with_keys: bool) -> dict[str, Any]:
        made = get_openapi(title=app.title, version=app.version, description=ABOUT, routes=app.routes)
        made["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
        made["components"] |= _components()
        examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
        for path, method, operation in operations(made):
            _refusals(path, method, operation)
            _headers(operation)
            _examples(operation, examples.get(f"{method.upper()} {path}", {}))
            if path.startswith("/v1/"):
                scope = operation["x-scope"] = scope_of(method, path)
                operation["security"] = [{"bearer": [scope]}, {"key": [scope]}] if with_keys else []
        _limits(made, config)
        for gone in ("HTTPValidationError", "ValidationError"):
            made["components"]["schemas"].pop(gone, None)
        return made

    app.openapi = lambda: document(bool(keys))  # type: ignore[method-assign]


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give path, method in lower case, and description of every operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _components() -> dict[str, Any]:
    return {
        "headers": HEADERS,
        "responses": {f"Problem{status}": _refusal(status) for status in DESCRIBED},
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"},
            "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
        },
    }


def _refusal(status: int) -> dict[str, Any]:
    description, detail, field = DESCRIBED[status]
    example = problem(status, detail, field=field, request_id=HEADERS["X-Request-Id"]["example"])
    content = {MEDIA_TYPE: {"schema": ProblemOut.model_json_schema(), "example": example}}
    return {"description": description, "headers": _named_headers(status), "content": content}


def _named_headers(status: int) -> dict[str, Any]:
    names = ("X-Request-Id", "Retry-After") if status in _LATER else ("X-Request-Id",)
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _refusals(path: str, method: str, operation: dict[str, Any]) -> None:
    """Say which refusals an operation can answer with."""
    places = {parameter["in"] for parameter in operation.get("parameters", ())}
    statuses = {403, 500, 503}
    if path.startswith("/v1/"):
        statuses |= {401, 429}
    if "requestBody" in operation:
        statuses |= {400, 408, 413, 415}
    if "requestBody" in operation or places:
        statuses.add(422)
    if "path" in places:
        statuses.add(404)
    responses: dict[str, Any] = operation["responses"]
    own = {int(status) for status in responses if status.isdecimal() and int(status) >= 400}
    for status in sorted((own - {422}) | statuses):
        responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    if 422 not in statuses:
        responses.pop("422", None)


def _headers(operation: dict[str, Any]) -> None:
    for response in operation["responses"].values():
        if "$ref" not in response:
            response["headers"] = response.get("headers", {}) | _named_headers(200)
            if response["description"] == "Successful Response":
                response["description"] = "The answer."


def _examples(operation: dict[str, Any], known: dict[str, Any]) -> None:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if "request" in known:
            content["example"] = known["request"]
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in known.get("parameters", {}):
            parameter["example"] = known["parameters"][parameter["name"]]
    for status, by_type in known.get("answers", {}).items():
        content = operation["responses"].get(status, {}).get("content", {})
        for kind, example in by_type.items():
            if kind in content:
                content[kind]["example"] = example


def _limits(made: dict[str, Any], config: ApiConfig) -> None:
    """Put the limits of this service where the routes could not know them."""
    schemas = made["components"]["schemas"]
    for schema in schemas.values():
        if "top_n" in schema.get("properties", {}):
            schema["properties"]["top_n"]["maximum"] = config.max_top_n
    for _, _, operation in operations(made):
        for parameter in operation.get("parameters", ()):
            if parameter["name"] == "top_n":
                parameter["schema"]["maximum"] = config.max_top_n
    if "ChatBody" in schemas:
        schemas["ChatBody"]["properties"]["message"]["maxLength"] = config.max_message_chars
    if "EventsBody" in schemas:
        schemas["EventsBody"]["properties"]["events"]["maxItems"] = config.max_events
