"""While nobody can serve yet, callers are told so at once."""

from __future__ import annotations

import socket

import httpx
import pytest

from api.porter import Porter
from api.server import listen, url_of


def test_live_not_ready_and_try_again() -> None:
    with listen("127.0.0.1", 0) as listener:
        url = url_of(listener)
        with Porter(listener):
            live, ready = httpx.get(f"{url}/health/live?x=1"), httpx.get(f"{url}/health/ready")
            asked = httpx.post(f"{url}/v1/search", content=b"x" * 100_000)
            socket.create_connection(listener.getsockname()).close()
            again = httpx.get(f"{url}/health/live")
        assert (live.status_code, live.json()) == (200, {"status": "live"}) == (again.status_code, again.json())
        assert (ready.status_code, ready.json()) == (503, {"status": "starting"})
        assert asked.status_code == 503 and asked.headers["Retry-After"] == "2"
        assert asked.json()["detail"] == "the shop is being opened; try again in 2 s"
        with pytest.raises(httpx.TimeoutException):  # the address is there, and nobody answers
            httpx.get(f"{url}/health/live", timeout=0.2)


def test_a_caller_that_says_nothing_keeps_nobody_waiting_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.porter._SECONDS", 0.05)
    with listen("127.0.0.1", 0) as listener, Porter(listener), socket.create_connection(listener.getsockname()):
        assert httpx.get(f"{url_of(listener)}/health/live").status_code == 200
