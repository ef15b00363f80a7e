"""What a shopper told, over the wire: seen and erased, one by one and whole, by their own tenant alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from agent.loop import Agent
from agent.memory_sessions import MemorySessions
from agent.minds import Minds, ShopPlanner
from agent.sessions import SessionStore
from agent.shared_sessions import SharedSessions
from api.keys import load_keys
from api.scopes import door_of
from catalog.conversations import ConversationRows
from catalog.tenancy import acting_for
from catalog.told import Told
from tools.doubles import toy_shop
from tools.registry import Registry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RED = Told("dislike", "attribute.colour", "red", "I can't stand red", NOON, "s1", "r1")
SIZE = Told("size", "size", "38", "my shoe size is 38", NOON, "s1", "r1", about="shoe")


@pytest.fixture(params=["memory", "shared"])
def service(tmp_path: Path, make: Any, request: pytest.FixtureRequest) -> Any:
    shop = toy_shop(tmp_path)
    shared = SharedSessions(ConversationRows(shop.events, ttl_seconds=60, limit=100))
    sessions: SessionStore = shared if request.param == "shared" else MemorySessions(shop.catalog)
    agent = Agent(shop, Registry(shop), Minds(ShopPlanner(shop.catalog, shop.embedder)), sessions=sessions)
    yield make.service(shop, agent.registry, agent)
    shop.events.close()


def say(client: TestClient, message: str, **who: str) -> dict[str, Any]:
    body = {"message": message, "user_id": "ana", **who}
    told: dict[str, Any] = client.post("/v1/chat", json=body, headers={"Accept": "application/json"}).json()
    return told


def test_what_was_said_in_a_chat_is_seen_used_and_erased(client: TestClient) -> None:
    answer = say(client, "I can't stand blue", session_id="s1")
    (entry,) = client.get("/v1/users/ana/memory").json()["entries"]
    assert (entry["kind"], entry["value"], entry["words"]) == ("dislike", "blue", "I can't stand blue")
    assert entry["session_id"] == "s1" and entry["request_id"] == answer["request_id"] and entry["told_at"]
    used = say(client, "a vase")
    assert "do not like blue" in used["text"]
    assert "V01" not in [each["item_id"] for each in used["recommendations"]]
    assert client.delete(f"/v1/users/ana/memory/{entry['entry_id']}").json() == {"user_id": "ana", "forgotten": 1}
    assert client.delete(f"/v1/users/ana/memory/{entry['entry_id']}").json()["forgotten"] == 0
    assert client.get(f"/v1/traces/{used['trace_id']}").status_code == 404
    assert "V01" in [each["item_id"] for each in say(client, "a vase")["recommendations"]]


def test_all_of_it_is_erased_at_once_and_with_the_shopper(client: TestClient, service: Any) -> None:
    service.shop.events.put_told("ana", [RED, SIZE])
    assert client.delete("/v1/users/ana/memory").json() == {"user_id": "ana", "forgotten": 2}
    assert client.get("/v1/users/ana/memory").json() == {"user_id": "ana", "entries": []}
    service.shop.events.put_told("ana", [SIZE])
    client.delete("/v1/users/ana")
    assert service.shop.events.told_by("ana") == []


def test_an_id_with_a_slash_is_one(client: TestClient, service: Any) -> None:
    service.shop.events.put_told("a/b", [SIZE])
    assert [e["about"] for e in client.get("/v1/users/a%2Fb/memory").json()["entries"]] == ["shoe"]
    assert client.delete(f"/v1/users/a%2Fb/memory/{SIZE.entry_id}").json() == {"user_id": "a/b", "forgotten": 1}


def test_an_entry_that_is_none_is_refused(client: TestClient) -> None:
    refused = client.delete("/v1/users/ana/memory/everything")
    assert refused.status_code == 422 and refused.json()["field"] == "entry_id"


def test_no_tenant_sees_or_erases_anothers(service: Any, make: Any) -> None:
    keys = load_keys({"VITRINE_API_KEYS": "acme:acme-key-0123456789,rival:rival-key-0123456789"})
    client = make.client(service, keys)
    acme, rival = ({"X-Api-Key": f"{name}-key-0123456789"} for name in ("acme", "rival"))
    with acting_for("acme"):
        service.shop.events.put_told("ana", [RED, replace(SIZE, value="40")])
    assert client.get("/v1/users/ana/memory", headers=rival).json()["entries"] == []
    assert client.delete("/v1/users/ana/memory", headers=rival).json()["forgotten"] == 0
    assert len(client.get("/v1/users/ana/memory", headers=acme).json()["entries"]) == 2
    assert client.get("/v1/users/ana/memory").status_code == 401
    asked = {"message": "what do you know about me?", "user_id": "ana"}
    told = client.post("/v1/chat", json=asked, headers={**rival, "Accept": "application/json"}).json()["text"]
    assert "red" not in told and "40" not in told


def guest(
    client: TestClient, message: str, session_id: str = "s/1", headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    body = {"message": message, "session_id": session_id}
    answer = client.post("/v1/chat", json=body, headers={"Accept": "application/json", **(headers or {})})
    told: dict[str, Any] = answer.json()
    return told


def test_what_a_guest_told_is_seen_used_and_erased(client: TestClient) -> None:
    guest(client, "I can't stand blue")
    guest(client, "I hate red")
    red, blue = client.get("/v1/sessions/s%2F1/memory").json()["entries"]
    assert (red["value"], blue["value"], blue["words"]) == ("red", "blue", "I can't stand blue")
    assert "V01" not in [each["item_id"] for each in guest(client, "a vase")["recommendations"]]
    path = f"/v1/sessions/s%2F1/memory/{blue['entry_id']}"
    assert client.delete(path).json() == {"session_id": "s/1", "forgotten": 1}
    assert client.delete(path).json()["forgotten"] == 0
    assert [each["value"] for each in client.get("/v1/sessions/s%2F1/memory").json()["entries"]] == ["red"]
    assert "V01" in [each["item_id"] for each in guest(client, "another vase")["recommendations"]]
    assert client.delete("/v1/sessions/s%2F1/memory").json()["forgotten"] == 1
    assert client.get("/v1/sessions/s%2F1/memory").json() == {"session_id": "s/1", "entries": []}
    assert "red" not in guest(client, "what do you know about me?")["text"]


def test_a_guests_memory_is_the_shoppers_who_signs_in(client: TestClient) -> None:
    guest(client, "I can't stand blue")
    say(client, "a vase", session_id="s/1")
    assert client.get("/v1/sessions/s%2F1/memory").json()["entries"] == []
    assert client.delete("/v1/sessions/s%2F1/memory").json()["forgotten"] == 0
    assert [each["value"] for each in client.get("/v1/users/ana/memory").json()["entries"]] == ["blue"]


def test_no_tenant_sees_or_erases_what_anothers_guest_told(service: Any, make: Any) -> None:
    keys = load_keys({"VITRINE_API_KEYS": "acme:acme-key-0123456789,rival:rival-key-0123456789"})
    client = make.client(service, keys)
    acme, rival = ({"X-Api-Key": f"{name}-key-0123456789"} for name in ("acme", "rival"))
    guest(client, "I can't stand blue", "walnut", headers=acme)
    assert client.get("/v1/sessions/walnut/memory", headers=rival).json()["entries"] == []
    assert client.delete("/v1/sessions/walnut/memory", headers=rival).json()["forgotten"] == 0
    (entry,) = client.get("/v1/sessions/walnut/memory", headers=acme).json()["entries"]
    assert entry["value"] == "blue" and client.get("/v1/sessions/walnut/memory").status_code == 401
    assert client.delete("/v1/sessions/walnut/memory", headers=acme).json()["forgotten"] == 1


def test_an_id_that_opens_a_conversation_stands_in_no_audit_line(client: TestClient) -> None:
    door = door_of(client.app, {"type": "http", "method": "DELETE", "path": "/v1/sessions/walnut/memory"})
    assert door is not None and door.target.startswith("sha256:") and "walnut" not in door.target
