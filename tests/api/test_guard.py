from __future__ import annotations

import errno
import re

import pytest

from api.config import ApiConfig
from api.keys import Keys, load_keys
from api.limits import RateLimit

KEY = "a-key-of-some-length"
OTHER = "another-key-of-length"


@pytest.fixture
def locked(make, service):
    return make.client(service, load_keys({"VITRINE_API_KEYS": f"acme:{KEY},globex:{OTHER}"}))


def test_every_answer_has_an_id_and_the_headers(client):
    for path in ("/", "/health/live", "/v1/nothing", "/page/app.js"):
        answer = client.get(path)
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers


def test_a_sound_request_id_is_kept_and_a_strange_one_is_not(client):
    assert client.get("/health/live", headers={"X-Request-Id": "abc-1"}).headers["x-request-id"] == "abc-1"
    for strange in ("a b", "x" * 65, "a\tb"):
        assert client.get("/health/live", headers={"X-Request-Id": strange}).headers["x-request-id"] != strange


def test_no_cross_origin_preflight_is_answered(client):
    headers = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    answer = client.options("/v1/chat", headers=headers)
    assert answer.status_code == 405 and "access-control-allow-origin" not in answer.headers


def test_an_open_service_answers_to_its_own_name_only(make, service):
    client = make.client(service, check_host=True)
    assert client.get("/health/live").status_code == 200
    for host in ("127.0.0.1:8000", "[::1]:8000", "LOCALHOST"):
        assert client.get("/health/live", headers={"Host": host}).status_code == 200
    refused = client.get("/v1/shop", headers={"Host": "rebound.example"})
    assert refused.status_code == 403 and "rebound.example" in refused.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/shop", "/v1/items/V01", "/v1/items/V01/picture", "/v1/tools", "/v1/traces/x"])
def test_with_keys_nothing_of_the_shop_is_open(locked, path):
    refused = locked.get(path)
    assert refused.status_code == 401 and refused.headers["www-authenticate"] == "Bearer"
    assert refused.json()["field"] == "Authorization"
    for value in ("Bearer wrong-key-of-length", f"Basic {KEY}", "Bearer ", f"Bearer {KEY}x", "Bearer \xff"):
        assert locked.get(path, headers={"Authorization": value.encode("latin-1")}).status_code == 401
    assert locked.get(path, headers={"Authorization": f"Bearer {KEY}"}).status_code != 401
    assert locked.get(path, headers={"X-Api-Key": OTHER}).status_code != 401


def test_with_keys_the_page_and_health_stay_open(locked):
    for path in ("/", "/docs", "/openapi.json", "/health/live", "/health/ready", "/page/app.css"):
        assert locked.get(path).status_code == 200
    assert locked.get("/health/ready").json()["access"] == "keys"


def test_an_unknown_address_needs_a_key_as_well(locked):
    assert locked.get("/v1/nothing").status_code == 401


def test_a_conversation_belongs_to_its_tenant(locked):
    body = {"message": "mugs", "user_id": "ana"}
    headers = {"Accept": "application/json", "Authorization": f"Bearer {KEY}"}
    first = locked.post("/v1/chat", json=body, headers=headers).json()
    body = {**body, "session_id": first["session_id"]}
    headers["Authorization"] = f"Bearer {OTHER}"
    second = locked.post("/v1/chat", json=body, headers=headers).json()
    assert second["session_restarted"] and second["session_id"] != first["session_id"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_must_be_json(client, kind):
    answer = client.post("/v1/chat", content=b'{"message": "mugs"}', headers={"Content-Type": kind})
    assert answer.status_code == 415 and answer.json()["field"] == "Content-Type"


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"", 422),
        (b'{"message": "a"', 400),
        (b"\xff\xfe\x00", 400),
        (b"[" * 20_000, 400),
        (b'{"message": "a", "top_n": 1' + b"0" * 5000 + b"}", 400),
    ],
)
def test_what_is_not_json_is_a_clear_400(client, content, status):
    answer = client.post("/v1/chat", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json" and answer.json()["detail"]


def test_a_large_body_is_refused_by_what_it_declares_and_by_what_it_is(make, shop, registry):
    config = ApiConfig(max_body_bytes=2000, max_picture_body_bytes=4000)
    client = make.client(make.service(shop, registry, config=config))
    headers = {"Content-Type": "application/json"}
    declared = client.put("/v1/events", content=b"x" * 2001, headers=headers)
    assert declared.status_code == 413 and "2000 bytes" in declared.json()["detail"]

    def endless():
        for _ in range(1000):
            yield b"x" * 100

    streamed = client.put("/v1/events", content=endless(), headers=headers)
    assert streamed.status_code == 413
    picture = client.post("/v1/chat", json={"message": "x" * 3000})
    assert picture.status_code == 200
    assert client.post("/v1/chat", json={"message": "x" * 4000}).status_code == 413


def test_methods_and_addresses_that_do_not_exist(client):
    assert client.get("/v1/chat").status_code == 405
    missing = client.get("/v1/nothing")
    assert missing.status_code == 404 and "/docs" in missing.json()["detail"]
    assert missing.headers["content-type"] == "application/problem+json"


def test_too_many_requests_are_told_when_to_come_back(make, shop, registry):
    client = make.client(make.service(shop, registry, config=ApiConfig(rate_per_minute=12)))
    codes = [client.get("/v1/shop").status_code for _ in range(4)]
    assert codes == [200, 200, 429, 429]  # a burst of 12 / 6
    refused = client.get("/v1/shop")
    assert int(refused.headers["retry-after"]) == 5  # 60 / 12 seconds for the next
    assert client.get("/health/live").status_code == 200


def test_who_cannot_count_lets_nobody_pass(make, shop, registry, monkeypatch):
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(RateLimit, "wait", full)
    answer = make.client(make.service(shop, registry)).get("/v1/shop")
    assert answer.status_code == 503 and answer.headers["retry-after"] == "1" and "space" not in answer.text


def test_no_keys_is_no_tenant():
    assert not Keys() and Keys().tenant("anything") is None and Keys().tenant(None) is None


def test_two_hosts_and_packed_bodies_are_refused(client):
    twice = client.get("/v1/shop", headers=[("Host", "localhost"), ("Host", "evil.example")])
    assert (twice.status_code, twice.json()["field"]) == (400, "Host")
    packed = client.post("/v1/search", json={"query": "blue"}, headers={"Content-Encoding": "gzip"})
    assert (packed.status_code, packed.json()["field"]) == (415, "Content-Encoding")
    assert client.post("/v1/search", json={"query": "blue"}, headers={"Content-Encoding": "identity"}).is_success
