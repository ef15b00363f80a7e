"""A server answers from its first moment, is ready when the shop is loaded and warm, and goes in good order."""

from __future__ import annotations

import signal
import threading
import time

import httpx
import pytest

from api.config import ApiConfig
from api.doubles import ScriptedAgent
from api.server import entrance, opened, opening, url_of
from catalog.errors import NotBuiltError

SLOW = ApiConfig(drain_notice_seconds=0.5, drain_seconds=2)


def until(said, seconds: float = 15.0):
    end = time.monotonic() + seconds
    while not (found := said()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def test_it_is_live_at_once_and_ready_when_the_shop_is_warm(shop, service, tmp_path):
    loaded, warmed, told = threading.Event(), threading.Event(), []

    class SlowAgent(ScriptedAgent):
        async def warm(self) -> None:
            warmed.set()

    def load():
        loaded.wait(20)
        return type(service)(shop, service.registry, SlowAgent(shop), SLOW)

    listener = entrance(SLOW, tmp_path, "127.0.0.1", 0, {})
    address = url_of(listener)
    server = opening(load, SLOW, tmp_path, listener, told.append, environment={})
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert httpx.get(f"{address}/health/live").json() == {"status": "live"}
        starting = httpx.get(f"{address}/health/ready")
        assert starting.status_code == 503 and starting.json() == {"status": "starting"}
        early = httpx.get(f"{address}/v1/shop")
        assert early.status_code == 503 and early.headers["Retry-After"] == "2"
        assert early.json()["request_id"] == early.headers["X-Request-Id"] != ""
        own = httpx.get(f"{address}/health/live", headers={"X-Request-Id": "mine-1"})
        assert own.headers["X-Request-Id"] == "mine-1"
        page = httpx.get(f"{address}/", headers={"Accept": "text/html,*/*;q=0.8"})
        assert page.status_code == 503 and page.headers["Refresh"] == "2" and "being opened" in page.text
        loaded.set()
        until(lambda: told)
        assert warmed.is_set()
        assert httpx.get(f"{address}/health/ready").json()["status"] == "ready"
        assert httpx.get(f"{address}/v1/shop").status_code == 200
    finally:
        loaded.set()
        server.stop()
        thread.join(20)
    assert not thread.is_alive()


def test_a_shop_that_cannot_be_opened_ends_the_server_with_its_reason(tmp_path):
    def load():
        raise NotBuiltError("no index in the store: run vitrine index first")

    listener = entrance(SLOW, tmp_path, "127.0.0.1", 0, {})
    with pytest.raises(NotBuiltError, match="run vitrine index first"):
        opening(load, SLOW, tmp_path, listener, environment={}).run()


def test_a_stream_that_outlives_the_server_says_goodbye_and_ends(shop, service):
    endless = type(service)(shop, service.registry, ScriptedAgent(shop, pause=60), SLOW)
    server = opened(endless, "127.0.0.1", 0, environment={})
    thread = threading.Thread(target=server.run)
    thread.start()
    lines: list[str] = []
    try:
        body = {"message": "a blue vase"}
        with httpx.stream("POST", f"{server.address}/v1/chat", json=body, timeout=20) as answer:
            for line in answer.iter_lines():
                if not lines:
                    server.stop()
                lines.append(line)
    finally:
        server.stop()
        thread.join(20)
    assert not thread.is_alive()
    events = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    assert events[-2:] == ["error", "done"]


def test_it_says_that_it_is_going_before_it_goes(shop, service):
    server = opened(type(service)(shop, service.registry, ScriptedAgent(shop), SLOW), "127.0.0.1", 0, environment={})
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        with httpx.Client(base_url=server.address) as http:
            assert http.get("/health/ready").status_code == 200
            server.server.handle_exit(signal.SIGTERM, None)
            gone = until(lambda: (answer := http.get("/health/ready")).status_code == 503 and answer)
            assert gone.json()["status"] == "draining" and gone.headers["Retry-After"] == "1"
            assert http.get("/v1/shop").status_code == 200
    finally:
        thread.join(20)
    assert not thread.is_alive()
