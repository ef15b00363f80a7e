"""Tenant A against tenant B, at every door: what one leaves behind, the other neither reads, nor ends, nor changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.keys import load_keys
from api.scopes import DOORS
from catalog.errors import NotFoundError, ToolRetry
from catalog.nouns import Slate
from catalog.tenancy import acting_for
from catalog.told import Told
from tools.base import Shopper
from tools.confirmation import Confirmations
from tools.doubles import toy_shop
from tools.registry import Registry

KEYS = {name: f"key-of-tenant-{name}" for name in ("acme", "rival")}
ACME, RIVAL = ({"X-Api-Key": key, "Accept": "application/json"} for key in KEYS.values())

SHARED = {
    ("GET", "/v1/shop"): "the catalogue is one for all",
    ("POST", "/v1/facets"): "likewise",
    ("GET", "/v1/items/{item_id}"): "likewise",
    ("GET", "/v1/items/{item_id}/picture"): "likewise; its cache is keyed by the picture's bytes and holds no shopper",
    ("PUT", "/v1/items/{item_id}"): "test_live_items: only api.catalogue_tenants write it",
    ("DELETE", "/v1/items/{item_id}"): "likewise",
    ("GET", "/v1/tools"): "schemas",
    ("GET", "/v1/models"): "one name",
    ("GET", "/metrics"): "counts of the whole service, no tenant named",
    ("POST", "/v1/audio/transcriptions"): "keeps nothing",
}
PROBED = {
    ("PUT", "/v1/events"), ("DELETE", "/v1/events/{event_id}"), ("GET", "/v1/events/dead-letters"),
    ("POST", "/v1/recommendations"), ("POST", "/v1/search"),
    ("GET", "/v1/items/{item_id}/similar"), ("POST", "/v1/tools/{name}"), ("POST", "/mcp"), ("POST", "/v1/chat"),
    ("POST", "/v1/chat/completions"), ("GET", "/v1/traces/{trace_id}"),
    ("GET", "/v1/traces/{trace_id}/items/{item_id}"),
    ("GET", "/v1/users/{user_id}/memory"), ("DELETE", "/v1/users/{user_id}/memory"),
    ("DELETE", "/v1/users/{user_id}/memory/{entry_id}"), ("DELETE", "/v1/users/{user_id}"),
    # Probed in test_users, where somebody understands what a guest tells.
    ("GET", "/v1/sessions/{session_id}/memory"), ("DELETE", "/v1/sessions/{session_id}/memory"),
    ("DELETE", "/v1/sessions/{session_id}/memory/{entry_id}"),
}  # fmt: skip


@pytest.fixture(scope="module")
def own(make, tmp_path_factory) -> Iterator[tuple[Any, TestClient]]:
    shop = toy_shop(tmp_path_factory.mktemp("tenants"))
    keys = load_keys({"VITRINE_API_KEYS": ",".join(f"{name}:{key}" for name, key in KEYS.items())})
    with make.client(make.service(shop, Registry(shop)), keys) as client:
        yield shop, client
    shop.events.close()


@pytest.fixture(scope="module")
def left(own) -> dict[str, str]:
    """What the shopper `zoe` of acme leaves at every door."""
    shop, client = own
    done = [{"event_id": "zoe-1", "user_id": "zoe", "session_id": "zoes", "item_id": "L02", "kind": "purchase"}]
    assert client.put("/v1/events", json={"events": done}, headers=ACME).json()["accepted"] == 1
    shown = client.post("/v1/recommendations", json={"user_id": "zoe", "session_id": "zoes"}, headers=ACME).json()
    said = {"message": "mugs", "user_id": "zoe", "session_id": "zoes"}
    talk = client.post("/v1/chat", json=said, headers=ACME).json()
    with acting_for("acme"):
        told = Told("dislike", "attribute.colour", "red", "I can't stand red", datetime.now(UTC))
        shop.events.put_told("zoe", [told])
        entry = shop.events.told_by("zoe")[0].entry_id
        shop.events.put_trace("zoe-trace", {"said": "a secret of zoe", "candidates": []}, "zoe")
    return {"request": shown["request_id"], "session": talk["session_id"], "entry": entry}


def test_every_door_is_either_shared_or_probed():
    assert set(SHARED) | PROBED == set(DOORS) and not set(SHARED) & PROBED


def test_events_are_not_read_not_taken_back_and_not_clashed_with(own, left):
    shop, client = own
    assert client.delete("/v1/events/zoe-1", headers=RIVAL).json()["forgotten"] is False
    same = [{"event_id": "zoe-1", "user_id": "zoe", "item_id": "V01", "kind": "click"}]
    assert client.put("/v1/events", json={"events": same}, headers=RIVAL).json()["duplicates"] == 0
    with acting_for("acme"):
        assert [(e.item_id, e.kind) for e in shop.events.for_user("zoe")] == [("L02", "purchase")]
    with acting_for("rival"):
        assert [e.item_id for e in shop.events.for_user("zoe")] == ["V01"]
        assert [e.event_id for e in shop.events.for_session("zoes")] == []
    assert client.delete("/v1/events/zoe-1", headers=RIVAL).json()["forgotten"] is True
    with acting_for("acme"):
        assert len(shop.events.for_user("zoe")) == 1


def test_what_was_not_taken_is_not_read(own):
    _, client = own
    bad = [{"event_id": "zoe-2", "user_id": "zoe", "item_id": "a secret of zoe", "kind": "click"}]
    client.put("/v1/events", json={"events": bad}, headers=ACME)
    assert client.get("/v1/events/dead-letters", headers=RIVAL).json() == {"dead_letters": [], "cursor": None}
    assert len(client.get("/v1/events/dead-letters", headers=ACME).json()["dead_letters"]) == 1


@pytest.mark.parametrize("door", ["recommendations", "search", "similar", "tool", "mcp"])
def test_lists_rest_on_nothing_of_the_other(own, left, door):
    """A stranger of the same name and visit is answered as one nobody knows."""
    _, client = own

    def asked(user: str, session: str, headers: dict[str, str]) -> Any:
        who = {"user_id": user, "session_id": session}
        if door == "recommendations":
            return client.post("/v1/recommendations", json={**who, "top_n": 5}, headers=headers).json()
        if door == "search":
            return client.post("/v1/search", json={**who, "query": "lamp", "top_n": 5}, headers=headers).json()
        if door == "similar":
            return client.get("/v1/items/V01/similar", params=who, headers=headers).json()
        if door == "tool":
            body = {**who, "arguments": {"top_n": 5}}
            return client.post("/v1/tools/recommend_items", json=body, headers=headers).json()
        call = {"name": "recommend_items", "arguments": {"top_n": 5}}
        rpc = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        named = {"Vitrine-User": user, "Vitrine-Session": session, "Accept": "application/json, text/event-stream"}
        return client.post("/mcp", json=rpc, headers={**headers, **named}).json()["result"]["structuredContent"]

    def plain(answer: Any) -> Any:
        rows = answer.get("recommendations", answer.get("items"))
        return [row["item_id"] for row in rows], answer.get("ground", answer.get("facts", {}).get("ground"))

    assert plain(asked("zoe", "zoes", RIVAL)) == plain(asked("nobody-at-all", "no-visit", RIVAL))
    if door in ("recommendations", "tool", "mcp"):  # the control: at home the purchase does count
        assert plain(asked("zoe", "zoes", ACME)) != plain(asked("nobody-at-all", "no-visit", ACME))


def test_slates_and_traces_are_not_there(own, left):
    shop, client = own
    for path in ("/v1/traces/zoe-trace", "/v1/traces/zoe-trace/items/L02"):
        refused = client.get(path, headers=RIVAL)
        assert refused.status_code == 404 and "secret" not in refused.text
    assert client.get("/v1/traces/zoe-trace", headers=ACME).status_code == 200
    with acting_for("acme"):
        assert isinstance(shop.events.slate(left["request"]), Slate)
    with acting_for("rival"), pytest.raises(NotFoundError):
        shop.events.slate(left["request"])


@pytest.mark.parametrize("path", ["/v1/chat", "/v1/chat/completions"])
def test_a_conversation_is_not_gone_on_with(own, left, path):
    _, client = own
    body = {"session_id": left["session"], "user_id": "zoe"}
    words = {"message": "cheaper"} if path == "/v1/chat" else {"messages": [{"role": "user", "content": "cheaper"}]}
    answer = client.post(path, json={**body, **words}, headers=RIVAL).json()
    assert answer["session_restarted"] is True and answer["session_id"] != left["session"]
    assert client.post(path, json={**body, **words}, headers=ACME).json()["session_restarted"] is False


def test_memory_is_not_read_and_not_erased(own, left):
    shop, client = own
    assert client.get("/v1/users/zoe/memory", headers=RIVAL).json()["entries"] == []
    for path in (f"/v1/users/zoe/memory/{left['entry']}", "/v1/users/zoe/memory"):
        assert client.delete(path, headers=RIVAL).json()["forgotten"] == 0
    assert client.delete("/v1/users/zoe", headers=RIVAL).json()["conversations"] == 0
    with acting_for("acme"):
        assert len(shop.events.told_by("zoe")) == 1 and len(shop.events.for_user("zoe")) == 1
    assert client.get("/v1/traces/zoe-trace", headers=ACME).status_code == 200


def test_a_yes_given_to_one_is_none_to_the_other():
    consent, arguments = Confirmations(b"k" * 32), '{"item_id": "V01"}'
    call = ("record_feedback", arguments, Shopper("zoe", "zoes"), datetime.now(UTC))
    with acting_for("acme"):
        token = consent.token(*call)
        consent.check(token, *call)
    with acting_for("rival"), pytest.raises(ToolRetry, match="is not for record_feedback"):
        consent.check(token, *call)


def test_a_cursor_holds_a_place_and_no_shopper(own, left):
    """It may be used by anybody: the page it leads to is made from the asker's own data alone."""
    _, client = own
    body = {"query": "lamp", "top_n": 2, "user_id": "zoe", "session_id": "zoes"}
    cursor = client.post("/v1/search", json=body, headers=ACME).json()["cursor"]
    theirs = client.post("/v1/search", json={**body, "cursor": cursor}, headers=RIVAL).json()
    nobody = {**body, "user_id": "nobody-at-all", "session_id": "no-visit", "cursor": cursor}
    strangers = client.post("/v1/search", json=nobody, headers=RIVAL).json()
    assert [row["item_id"] for row in theirs["items"]] == [row["item_id"] for row in strangers["items"]]
    assert "zoe" not in cursor
