from __future__ import annotations

import pytest
from starlette.routing import Route

from api.keys import load_keys
from api.scopes import DOORS, SCOPES, TOOLS
from catalog.errors import ConfigError

NAMES = {scope: f"key-of-scope-{scope}" for scope in sorted(SCOPES)}


def bearer(scope: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {NAMES[scope]}"}


@pytest.fixture
def locked(make, service):
    written = ",".join(f"acme/{scope}:{key}" for scope, key in NAMES.items())
    with make.client(service, load_keys({"VITRINE_API_KEYS": written})) as client:
        yield client


def test_the_table_names_every_guarded_route_and_nothing_else(client):
    served = {
        (method, route.path_format)
        for route in client.app.routes
        if isinstance(route, Route) and route.path_format.startswith(("/v1/", "/mcp", "/metrics"))
        for method in (route.methods or ())
        if method != "HEAD"
    }
    assert served == set(DOORS), "a new door asks for `admin` until api/scopes.py says what it asks for"
    assert set(TOOLS) == {"read", "write"} and set(TOOLS.values()) <= SCOPES


@pytest.mark.parametrize(("method", "pattern", "scope"), [(*door, scope) for door, scope in DOORS.items()])
def test_each_door_opens_to_its_scope_and_admin_alone(locked, method, pattern, scope):
    path = pattern.format(
        item_id="none",
        user_id="none",
        trace_id="none",
        entry_id="none",
        event_id="none",
        name="none",
        session_id="none",
    )
    for held in sorted(SCOPES):
        answer = locked.request(method, path, headers={**bearer(held), "Accept": "application/json"})
        if held in (scope, "admin"):
            assert answer.status_code not in (401, 403), (held, answer.text)
        else:
            assert answer.status_code == 403 and repr(scope) in answer.json()["detail"]
            assert f'scope="{scope}"' in answer.headers["www-authenticate"]
            assert answer.json()["field"] == "Authorization"


def test_an_address_that_is_none_stays_a_404(locked):
    assert locked.get("/v1/nothing", headers=bearer("read")).status_code == 404
    assert locked.get("/v1/chat", headers=bearer("read")).status_code == 405


@pytest.mark.parametrize("path", ["/v1/users/ana%2Fmemory", "/v1/users/ana%2Fmemory%2Ftold-0"])
def test_a_slash_inside_an_id_opens_no_other_door(locked, path):
    """Otherwise `DELETE /v1/users/{user_id}` would be asked for under the name of a lesser door."""
    refused = locked.delete(path, headers=bearer("agent"))
    assert refused.status_code == 403 and "'admin'" in refused.json()["detail"]


def test_a_tool_asks_for_what_it_does(locked, registry):
    for name, tool in registry.tools.items():
        for held in ("read", "events", "write", "agent"):
            answer = locked.post(f"/v1/tools/{name}", json={"arguments": {}}, headers=bearer(held))
            allowed = held == "read" and tool.access == "read"  # the door itself asks for `read`
            assert (answer.status_code == 403) is not allowed, (name, held, answer.text)
    both = "reads-and-tells-events"
    keys = load_keys({"VITRINE_API_KEYS": f"acme/read+events:{both}"})
    assert keys.find(both).scopes == {"read", "events"}


def test_over_mcp_a_tool_asks_for_the_same(locked, registry):
    writing = next(name for name, tool in registry.tools.items() if tool.access == "write")
    headers = {**bearer("read"), "Accept": "application/json, text/event-stream"}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": writing, "arguments": {}}}
    answer = locked.post("/mcp", json=call, headers=headers).json()
    assert "needs a key of scope 'events'" in answer["error"]["message"]
    call["params"]["name"] = "search_items"
    call["params"]["arguments"] = {"query": "mug"}
    assert "result" in locked.post("/mcp", json=call, headers=headers).json()


def test_the_document_says_what_each_operation_asks_for(client, locked):
    for spec, keys in ((client.get("/openapi.json").json(), False), (locked.get("/openapi.json").json(), True)):
        for path, operations in spec["paths"].items():
            for method, operation in operations.items():
                if path.startswith("/v1/"):
                    scope = DOORS[method.upper(), path]
                    assert operation["x-scope"] == scope
                    assert bool(operation["security"]) is keys
                    assert all(list(each.values()) == [[scope]] for each in operation["security"])


@pytest.mark.parametrize("named", ["acme/all", "acme/read+", "acme/", "acme/READ"])
def test_a_scope_that_is_none_is_named(named):
    with pytest.raises(ConfigError, match=r"entry 1: scopes .* would be valid") as caught:
        load_keys({"VITRINE_API_KEYS": f"{named}:0123456789abcdef"})
    assert "0123456789abcdef" not in str(caught.value)
