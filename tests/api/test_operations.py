from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace


def test_live(client):
    assert client.get("/health/live").json() == {"status": "live"}


def test_ready_says_what_is_active(client):
    body = client.get("/health/ready").json()
    assert body["status"] == "ready" and body["items"] == 30 and body["access"] == "open"
    assert body["active"]["mind"] == "planner" and body["active"]["captions"] == "toy"


def test_ready_says_what_is_active_now_not_what_was_when_the_shop_opened(make, service):
    current = replace(service, active={**service.active, "recommender": "lirdrec@2"})
    live = SimpleNamespace(current=current, pinned=nullcontext)
    opened = replace(service, active={**service.active, "recommender": "lirdrec@1"}, live=live)
    assert make.client(opened).get("/health/ready").json()["active"]["recommender"] == "lirdrec@2"


def test_a_trace_is_given_back_and_an_unknown_one_is_404(client, shop):
    shop.events.put_trace("t-1", {"intent": "blue", "calls": [{"tool": "search_items", "milliseconds": 1.5}]})
    assert client.get("/v1/traces/t-1").json()["calls"][0]["milliseconds"] == 1.5
    missing = client.get("/v1/traces/nothing")
    for place in ("a%00b", "a%00b/items/V01", "t-1/items/a%00b"):  # PostgreSQL takes no NUL, and would not say so
        assert client.get(f"/v1/traces/{place}").status_code == 422
    assert missing.status_code == 404 and "'nothing'" in missing.json()["detail"]


def test_why_an_item_stood_in_an_answer(client, shop):
    ranked = [{"item_id": "V01", "rank": 1, "score": 0.9, "sources": [{"source": "keyword", "rank": 1, "score": 3.1}]}]
    run = {
        "tool": "search_items",
        "arguments": {"query": "blue"},
        "trace": {"ranked": ranked, "sources": {"keyword": 8}},
    }
    shop.events.put_trace("t-2", {"trace_id": "t-2", "started_at": "2026-03-02T12:00:00+00:00", "tools": [run]})
    found = client.get("/v1/traces/t-2/items/V01").json()
    assert found["signals"] == [{"name": "keyword", "rank": 1, "of": 8, "strength": 1.0}]
    assert ("captions", "blue", 2, 6) in [(w["field"], w["word"], w["start"], w["end"]) for w in found["words"]]
    missing = client.get("/v1/traces/t-2/items/V02")
    assert missing.status_code == 404 and "'V02'" in missing.json()["detail"]
    assert client.get("/v1/traces/none/items/V01").status_code == 404
