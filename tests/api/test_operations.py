from __future__ import annotations


def test_live(client):
    assert client.get("/health/live").json() == {"status": "live"}


def test_ready_says_what_is_active(client):
    body = client.get("/health/ready").json()
    assert body["status"] == "ready" and body["items"] == 30 and body["access"] == "open"
    assert body["active"]["mind"] == "planner" and body["active"]["captions"] == "toy"


def test_a_trace_is_given_back_and_an_unknown_one_is_404(client, shop):
    shop.events.put_trace("t-1", {"intent": "blue", "calls": [{"tool": "search_items", "milliseconds": 1.5}]})
    assert client.get("/v1/traces/t-1").json()["calls"][0]["milliseconds"] == 1.5
    missing = client.get("/v1/traces/nothing")
    assert missing.status_code == 404 and "'nothing'" in missing.json()["detail"]
