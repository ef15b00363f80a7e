"""Every operation of the document, and every route beside it, against whoever has no right to it.

A new door is in here without anybody writing a line: the table is the OpenAPI document and the router.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.routing import BaseRoute, Mount, Route
from starlette.testclient import TestClient

from api.document import operations
from api.keys import load_keys
from api.scopes import DOORS, SCOPES
from tools.doubles import toy_shop
from tools.registry import Registry

SECRET = "walnut harpsichord"
"""Stands in what the shopper of one tenant left: no answer to anybody else may hold it."""
MINE, THEIRS = "key-of-the-tenant-acme", "key-of-the-tenant-rival"
LESSER = {scope: f"key-of-acme-for-{scope}" for scope in sorted(SCOPES)}
OPEN = frozenset({"/", "/docs", "/openapi.json", "/page/{name}", "/health/live", "/health/ready"})
"""What asks for no key: the page, its files, the reference and health. None holds anything of a tenant."""
PARTS = {
    "item_id": "V01", "event_id": "kept-1", "trace_id": "kept-trace", "entry_id": "told-0", "user_id": "zoe",
    "name": "shopper_history", "session_id": "zoes",
}  # fmt: skip
BODIES: dict[str, Any] = {
    "/v1/chat": {"message": "what did I do?", "user_id": "zoe"},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "what did I do?"}], "user": "zoe"},
    "/v1/recommendations": {"user_id": "zoe"},
    "/v1/search": {"query": "mug", "user_id": "zoe"},
    "/v1/facets": {},
    "/v1/events": {"events": []},
    "/v1/items/{item_id}": {"title": "Not yours"},
    "/v1/tools/{name}": {"user_id": "zoe", "arguments": {}},
    "/mcp": {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
}


@pytest.fixture(scope="module")
def shut(make, tmp_path_factory) -> Iterator[TestClient]:
    shop = toy_shop(tmp_path_factory.mktemp("doors"))
    lesser = ",".join(f"acme/{scope}:{key}" for scope, key in LESSER.items())
    keys = load_keys({"VITRINE_API_KEYS": f"acme:{MINE},rival:{THEIRS},{lesser}"})
    with make.client(make.service(shop, Registry(shop)), keys) as client:
        event = {"event_id": "kept-1", "user_id": "zoe", "item_id": "V01", "kind": "complaint", "text": SECRET}
        assert client.put("/v1/events", json={"events": [event]}, headers=with_key(MINE)).json()["accepted"] == 1
        bad = {"event_id": "kept-2", "user_id": "zoe", "item_id": "V01", "kind": "stare", "text": SECRET}
        assert client.put("/v1/events", json={"events": [bad]}, headers=with_key(MINE)).json()["rejected"]
        yield client
    shop.events.close()


def with_key(key: str | None) -> dict[str, str]:
    told = {"Accept": "application/json, text/event-stream"}
    return told if key is None else {**told, "Authorization": f"Bearer {key}"}


def flat(routes: list[BaseRoute]) -> Iterator[Route]:
    for route in routes:
        if isinstance(route, Mount):
            yield from flat(list(route.routes))
        elif isinstance(route, Route):
            yield route


def asked(client: TestClient, method: str, path: str, key: str | None) -> Any:
    body = BODIES.get(path) if method in ("POST", "PUT") else None
    return client.request(method, path.format(**PARTS), json=body, headers=with_key(key))


def doors(client: TestClient) -> set[tuple[str, str]]:
    """Return every method and address that there is, by the document and by the router."""
    document = client.get("/openapi.json").json()
    written = {(method.upper(), path) for path, method, _ in operations(document)}
    routed = {(m, route.path_format) for route in flat(client.app.routes) for m in route.methods or ()}
    assert written <= routed
    return written | routed


def test_without_a_key_with_a_wrong_one_or_half_a_one_nothing_opens(shut: TestClient) -> None:
    for method, path in sorted(doors(shut)):
        for key in (None, "", "not-a-key-of-anybody", MINE[:-1], "vk_00000000_" + "a" * 43):
            answer = asked(shut, method, path, key)
            if path in OPEN:
                assert answer.status_code in (200, 304, 404), (method, path, key)
            else:
                assert answer.status_code == 401, (method, path, key, answer.status_code)
            assert SECRET not in answer.text


def test_a_key_without_the_scope_opens_nothing(shut: TestClient) -> None:
    for method, path in sorted(doors(shut)):
        if path in OPEN:
            continue
        needed = DOORS.get(("GET" if method == "HEAD" else method, path), "admin")
        for scope, key in LESSER.items():
            if scope in (needed, "admin"):
                continue
            answer = asked(shut, method, path, key)
            assert answer.status_code == 403, (method, path, scope, answer.status_code)
            assert SECRET not in answer.text and (method == "HEAD" or repr(needed) in answer.json()["detail"])


def test_another_tenants_key_that_may_do_everything_sees_and_changes_nothing(shut: TestClient) -> None:
    for method, path in sorted(doors(shut)):
        answer = asked(shut, method, path, THEIRS)
        assert SECRET not in answer.text and "kept-1" not in answer.text.replace('"event_id":"kept-1"', ""), path
        assert answer.status_code < 500 or answer.status_code == 501, (method, path, answer.text)
        if path.startswith("/v1/traces/") and method != "OPTIONS":
            assert answer.status_code == 404
    mine = shut.post("/v1/tools/shopper_history", json=BODIES["/v1/tools/{name}"], headers=with_key(MINE))
    assert [each["item_id"] for each in mine.json()["facts"]["events"]] == ["V01"]
    letters = shut.get("/v1/events/dead-letters", headers=with_key(MINE)).json()["dead_letters"]
    assert SECRET in letters[0]["payload"]


def test_what_asks_for_no_key_is_written_down(shut: TestClient) -> None:
    named = {path for _, path in DOORS}
    assert {path for _, path in doors(shut)} - named == OPEN
