"""A head without end, in size or in time, ends the connection and nothing else."""

from __future__ import annotations

import json
import socket

import httpx
import pytest

HEAD = b"POST /v1/search HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
ENDLESS = {
    "an address": (b"GET /", b"a" * 65_536),
    "one header": (HEAD + b"X: ", b"a" * 65_536),
    "headers": (HEAD, b"X: " + b"a" * 1000 + b"\r\n"),
    "trailers": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"X: " + b"a" * 1000 + b"\r\n"),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_head_without_end_is_cut_off(make, service, name):
    first, more = ENDLESS[name]
    with make.running(service) as address:
        url = httpx.URL(address)
        with socket.create_connection((url.host, url.port), timeout=20) as caller:
            sent = 0
            with pytest.raises(OSError):
                caller.sendall(first)
                while sent < 64 << 20:
                    caller.sendall(more)
                    sent += len(more)
            assert sent < 32 << 20
        assert httpx.get(f"{address}/health/live").status_code == 200


def test_who_does_not_come_to_the_end_of_a_head_is_not_waited_for(make, service, monkeypatch):
    monkeypatch.setattr("api.wire_head.MOST_SECONDS", 0.2)
    with make.running(service) as address, httpx.Client(base_url=address) as http:
        url = httpx.URL(address)
        for said in (b"", b"GET /v1/shop HTTP/1.1\r\nX: "):
            with socket.create_connection((url.host, url.port), timeout=10) as caller:
                caller.sendall(said)
                assert caller.recv(64) == b""
        assert http.post("/v1/recommendations", json={}).status_code == 200
        assert http.post("/v1/search", json={"query": "x" * 3000}, headers={"X": "a" * 60_000}).status_code < 500


@pytest.mark.parametrize("said", [b"what is this?\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n"])
def test_what_is_no_http_is_refused_as_everything_is(make, service, said):
    with make.running(service) as address:
        url = httpx.URL(address)
        with socket.create_connection((url.host, url.port), timeout=20) as caller:
            caller.sendall(said)
            answer = b""
            while part := caller.recv(4096):
                answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ") and b"\r\ncontent-type: application/problem+json\r\n" in head
    assert json.loads(body) == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "Invalid HTTP request received.",
    }
