"""Whoever calls can never turn a guard off: nothing a request or a tool takes has the name of one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from agent.config import AgentConfig
from api.config import ApiConfig
from api.scopes import DOORS
from catalog.media.downloader import DownloaderConfig
from catalog.media.limits import MediaLimits
from tools.crossmodal.config import CrossModalConfig

GUARD = re.compile(
    r"guard|gate|ground|verif|valid|check|safe|secur|trust|polic|csp|allow|deny|block|bypass|skip|force|override|disable"
    r"|enable|ignore|debug|admin|scope|tenant|quota|rate_?limit|limit|budget|max_|timeout|scrub|sanit|escape|raw|unsafe"
    r"|insecure|internal|system|prompt|role|sudo|root|access|permission|trace_level|verbose|dry_run|audit|relayed"
)
HARMLESS = {
    "role": "who wrote a message of the conversation; `system` carries no authority (test_completions)",
    "limit": "how many entries of a list",
    "events": "what shoppers did; `api.load.events` is how many batches are read at once",
}


def names_in(schema: Any) -> Iterator[str]:
    """Give every property a JSON schema names, at any depth."""
    if isinstance(schema, dict):
        yield from (name for name in schema.get("properties", {}) if isinstance(schema.get("properties"), dict))
        for value in schema.values():
            yield from names_in(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from names_in(value)


def settings_of(model: type[BaseModel]) -> set[str]:
    """Return every setting of a config, also of those inside it."""
    found = set(model.model_fields)
    for field in model.model_fields.values():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= settings_of(kind)
    return found


GUARD_SETTINGS = set().union(
    *(settings_of(each) for each in (ApiConfig, AgentConfig, DownloaderConfig, CrossModalConfig)),
    MediaLimits.__dataclass_fields__ if hasattr(MediaLimits, "__dataclass_fields__") else MediaLimits.model_fields,
)


def request_fields(client) -> dict[str, set[str]]:
    """Return, by door, the name of everything a request can carry."""
    spec = client.get("/openapi.json").json()
    schemas = spec["components"]["schemas"]

    def opened(part: Any, seen: frozenset[str] = frozenset()) -> Any:
        if isinstance(part, dict):
            name = str(part.get("$ref", "")).rpartition("/")[2]
            if name:
                return {} if name in seen else opened(schemas[name], seen | {name})
            return {key: opened(value, seen) for key, value in part.items()}
        return [opened(each, seen) for each in part] if isinstance(part, list) else part

    return {
        f"{method.upper()} {path}": {each["name"] for each in operation.get("parameters", ())}
        | set(names_in(opened(operation.get("requestBody", {}))))
        for path, operations in spec["paths"].items()
        for method, operation in operations.items()
    }


def test_no_field_of_a_request_is_named_like_a_guard_or_a_setting_of_one(client):
    fields = request_fields(client)
    assert len(fields) >= len(DOORS) - 2 and {"message", "top_n"} <= fields["POST /v1/chat"]
    for door, names in fields.items():
        assert not {name for name in names if GUARD.search(name)} - set(HARMLESS), door
        assert not (names & GUARD_SETTINGS) - set(HARMLESS), door


def test_every_exception_is_still_needed(client, registry):
    named = set().union(*request_fields(client).values())
    named |= {each for tool in registry.tools.values() for each in names_in(dict(tool.parameters))}
    assert set(HARMLESS) <= {name for name in named if GUARD.search(name) or name in GUARD_SETTINGS}


def test_no_argument_of_a_tool_is_named_like_a_guard_or_a_setting_of_one(registry):
    for name, tool in registry.tools.items():
        arguments = set(names_in(dict(tool.parameters)))
        assert not {each for each in arguments if GUARD.search(each)} - set(HARMLESS), name
        assert not arguments & GUARD_SETTINGS, name


@pytest.mark.parametrize(
    "path", ["/v1/chat", "/v1/search", "/v1/recommendations", "/v1/facets", "/v1/tools/search_items"]
)
def test_a_field_that_would_be_one_is_refused_by_name(client, path):
    good = {"/v1/chat": {"message": "mugs"}, "/v1/search": {"query": "mugs"}}.get(path, {})
    for name in ("gate", "guards", "max_calls", "allow_hosts", "safe", "tenant", "scopes", "debug", "skip_checks"):
        answer = client.post(path, json={**good, name: False}, headers={"Accept": "application/json"})
        assert answer.status_code == 422 and name in answer.text, (path, name)


def test_a_tool_takes_no_argument_beside_its_own(client, registry):
    for name, tool in registry.tools.items():
        if tool.access != "read":
            continue
        answer = client.post(f"/v1/tools/{name}", json={"arguments": {"relayed": False, "confirmed": True}})
        assert answer.status_code == 422, name


def test_no_header_changes_who_asks_or_what_holds(make, service):
    """Neither the tenant, the address that is counted, nor the path can be said by a header."""
    from api.keys import load_keys

    key = "a-key-of-some-length"
    client = make.client(service, load_keys({"VITRINE_API_KEYS": f"acme/read:{key}"}))
    tricks = {
        "X-Tenant": "globex", "X-Scope": "admin", "X-Forwarded-For": "127.0.0.1", "X-Original-URL": "/health/live",
        "X-Rewrite-URL": "/health/live", "X-HTTP-Method-Override": "GET", "Forwarded": "for=127.0.0.1",
    }  # fmt: skip
    assert client.get("/v1/shop", headers=tricks).status_code == 401
    refused = client.put("/v1/events", json={"events": []}, headers={**tricks, "X-Api-Key": key})
    assert refused.status_code == 403


def test_the_page_has_no_way_to_make_html_of_a_text():
    from api.window import PAGE

    ways = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|DOMParser|setHTML"
    )
    texts = {path.name: path.read_text(encoding="utf-8") for path in PAGE.rglob("*.js")}
    assert texts and [name for name, text in texts.items() if ways.search(text)] == []
    inline = re.compile(r"<script(?![^>]*\bsrc=)|\bon[a-z]+\s*=\s*[\"']|javascript:|<style", re.IGNORECASE)
    assert [path.name for path in PAGE.rglob("*.html") if inline.search(path.read_text(encoding="utf-8"))] == []
