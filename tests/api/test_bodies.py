"""Bodies that come slowly take nobody's place, and those nested beyond reading are refused at every door."""

from __future__ import annotations

import asyncio
import json
import socket

import httpx
import pytest

from api.bodies import DEEPEST, SMALL, WholeBodies, check_json
from api.config import ApiConfig
from api.load_config import LaneConfig, LoadConfig
from api.problems import ApiProblem

JSON = {"Content-Type": "application/json"}
DOORS = (
    ("POST", "/v1/recommendations"), ("POST", "/v1/search"), ("POST", "/v1/facets"), ("POST", "/v1/chat"),
    ("POST", "/v1/chat/completions"), ("PUT", "/v1/events"), ("PUT", "/v1/items/V01"),
    ("POST", "/v1/tools/search_items"),
)  # fmt: skip


@pytest.mark.parametrize(("method", "path"), DOORS)
@pytest.mark.parametrize("depth", [65, 330, 990, 20_000])
def test_what_is_nested_too_deeply_is_refused_and_no_bug(client, method, path, depth):
    for inner in ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth):
        answer = client.request(method, path, content=f'{{"filters": {inner}}}', headers=JSON)
        assert answer.status_code == 400, answer.text
        assert f"nested {depth + 1} levels deep; up to 64 would be valid" in answer.json()["detail"]
        assert answer.headers["X-Request-Id"] == answer.json()["request_id"]


def test_brackets_in_texts_and_side_by_side_are_no_depth():
    check_json(json.dumps({"a": "[" * 999, "b": [[]] * 999, "c": '\\"' + "{" * 99}).encode())
    check_json(b"[" * DEEPEST + b"]" * DEEPEST)
    for bad in (b"[" * (DEEPEST + 1), b'["\\\\",' + b"[" * DEEPEST, '{"a": 1}'.encode("utf-16")):
        with pytest.raises(ApiProblem):
            check_json(bad)


def test_those_who_send_slowly_leave_room_for_the_others(make, shop, registry):
    narrow = LoadConfig(answers=LaneConfig(at_once=1, waiting=0, seconds=1))
    with make.running(make.service(shop, registry, config=ApiConfig(load=narrow))) as address:
        url = httpx.URL(address)
        slow = [socket.create_connection((url.host, url.port)) for _ in range(8)]
        try:
            for caller in slow:
                head = f"POST /v1/search HTTP/1.1\r\nHost: {url.host}\r\nContent-Type: application/json\r\n"
                caller.sendall(head.encode() + b"Content-Length: 30\r\n\r\n{")
            for _ in range(3):
                assert httpx.post(f"{address}/v1/recommendations", json={}, timeout=20).status_code == 200
            slow[0].sendall(b'"query": "blue", "top_n": 1}'.ljust(29))
            assert slow[0].recv(64).startswith(b"HTTP/1.1 200")
        finally:
            for caller in slow:
                caller.close()


def test_large_bodies_have_so_much_room_together_and_small_ones_always():
    async def go() -> list[int]:
        begun, end = asyncio.Event(), asyncio.Event()

        async def app(_scope, receive, send):
            read = await receive()
            if len(read["body"]) > SMALL:
                begun.set()
                await end.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body"})

        layer, came = WholeBodies(app, room=1000), []

        async def ask(size: int) -> None:
            parts = [{"type": "http.request", "body": b"x" * (size - size // 2), "more_body": True}]
            parts.append({"type": "http.request", "body": b"x" * (size // 2), "more_body": False})

            async def receive():
                return parts.pop(0)

            async def send(message):
                if message["type"] == "http.response.start":
                    came.append(message["status"])

            await layer({"type": "http", "method": "POST", "path": "/v1/x", "headers": []}, receive, send)

        large = asyncio.create_task(ask(SMALL + 600))
        await begun.wait()
        await ask(SMALL + 600)
        await ask(SMALL)
        end.set()
        await large
        await ask(SMALL + 1000)
        return came

    assert asyncio.run(go()) == [503, 200, 200, 200]
