"""Counts by route, stage and channel, whose labels nobody outside can multiply."""

from __future__ import annotations

import re
from typing import get_args

from prometheus_client.parser import text_string_to_metric_families

from api.keys import load_keys
from api.load import LaneName
from api.metrics import MOST_NAMES, Metrics


def series(text: str, name: str) -> list[tuple[dict[str, str], float]]:
    families = text_string_to_metric_families(text)
    return [(s.labels, s.value) for family in families for s in family.samples if s.name == name]


def test_requests_stages_and_channels_are_counted(client):
    assert client.post("/v1/search", json={"query": "a blue vase"}).status_code == 200
    assert client.post("/v1/recommendations", json={"user_id": "dora"}).status_code == 200
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    counted = series(answer.text, "vitrine_http_requests_total")
    assert ({"method": "POST", "route": "/v1/search", "status": "200"}, 1.0) in counted
    stages = {labels["stage"] for labels, _ in series(answer.text, "vitrine_stage_seconds_count")}
    assert {"shopper", "filter", "select", "explain"} <= stages
    channels = {labels["channel"]: n for labels, n in series(answer.text, "vitrine_channel_seconds_count")}
    assert channels["keyword"] == 1.0 and "popularity" in channels


def test_a_chat_counts_its_turn(client):
    client.post("/v1/chat", json={"message": "a blue vase"}, headers={"Accept": "application/json"})
    [(labels, _)] = [
        each for each in series(client.get("/metrics").text, "vitrine_http_request_seconds_count")
        if each[0]["route"] == "/v1/chat"
    ]  # fmt: skip
    assert labels == {"route": "/v1/chat"}


def test_addresses_and_methods_nobody_serves_make_no_series(client):
    for n in range(20):
        client.get(f"/nothing/{n}")
        client.request(f"WILD{n}", "/v1/shop")
        client.get(f"/v1/items/unknown-{n}")
    counted = series(client.get("/metrics").text, "vitrine_http_requests_total")
    assert {labels["method"] for labels, _ in counted} <= {"GET", "other"}
    assert not [labels for labels, _ in counted if re.search(r"\d", labels["route"].removeprefix("/v1"))]


def test_what_has_not_happened_yet_is_zero_not_absent(client):
    text = client.get("/metrics").text
    refused = series(text, "vitrine_http_refused_total")
    assert {(labels["lane"], labels["reason"]) for labels, _ in refused} == {
        (lane, reason) for lane in get_args(LaneName) for reason in ("full", "waited")
    }
    assert {count for _, count in refused} == {0.0}
    assert {labels["lane"] for labels, _ in series(text, "vitrine_http_waiting")} == set(get_args(LaneName))


def test_a_label_takes_so_many_values_and_no_more():
    metrics = Metrics()
    for n in range(MOST_NAMES + 30):
        metrics.took("channel", f"space-{n}:V01", 0.001, failed=False)
    counted = series(metrics.text().decode(), "vitrine_channel_seconds_count")
    assert len(counted) == MOST_NAMES + 1
    assert ({"channel": "other", "outcome": "ok"}, 30.0) in counted
    assert not [labels for labels, _ in counted if "V01" in labels["channel"]]


def test_with_keys_the_metrics_ask_for_one(make, service):
    client = make.client(service, load_keys({"VITRINE_API_KEYS": "acme:a-key-of-some-length"}))
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer a-key-of-some-length"}).status_code == 200


def test_a_shop_s_own_key_reads_no_traffic_of_others(make, service):
    written = "acme/read+events+agent+write:a-key-of-some-length,ops/metrics:a-key-of-prometheus"
    client = make.client(service, load_keys({"VITRINE_API_KEYS": written}))
    assert client.get("/metrics", headers={"Authorization": "Bearer a-key-of-some-length"}).status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer a-key-of-prometheus"}).status_code == 200
    assert client.get("/v1/shop", headers={"Authorization": "Bearer a-key-of-prometheus"}).status_code == 403
