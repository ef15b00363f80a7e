"""While nobody can serve yet, callers are told so at once."""

from __future__ import annotations

import socket
import threading
import time

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
            own = httpx.get(f"{url}/v1/shop", headers={"X-Request-Id": "mine-1"})
            socket.create_connection(listener.getsockname()).close()
            again = httpx.get(f"{url}/health/live")
        assert (live.status_code, live.json()) == (200, {"status": "live"}) == (again.status_code, again.json())
        assert (ready.status_code, ready.json()) == (503, {"status": "starting"})
        assert asked.status_code == 503 and asked.headers["Retry-After"] == "2"
        assert asked.json()["detail"] == "the shop is being opened; try again in 2 s"
        assert asked.json()["request_id"] == asked.headers["X-Request-Id"] != ""
        assert own.json()["request_id"] == own.headers["X-Request-Id"] == "mine-1"
        with pytest.raises(httpx.TimeoutException):  # the address is there, and nobody answers
            httpx.get(f"{url}/health/live", timeout=0.2)


def test_a_browser_is_shown_a_page_that_looks_again() -> None:
    with listen("127.0.0.1", 0) as listener, Porter(listener):
        page = httpx.get(f"{url_of(listener)}/?piece=V01", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.status_code == 503 and page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Refresh"] == page.headers["Retry-After"] == "2"
    assert "The shop is being opened" in page.text and "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_a_caller_that_says_nothing_keeps_nobody_waiting_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.porter._SECONDS", 0.05)
    with listen("127.0.0.1", 0) as listener, Porter(listener), socket.create_connection(listener.getsockname()):
        assert httpx.get(f"{url_of(listener)}/health/live").status_code == 200


def _drip(address: tuple[str, int], first: bytes, over: threading.Event) -> None:
    """Send a byte every now and then, as long as somebody reads them."""
    with socket.create_connection(address) as caller:
        caller.sendall(first)
        while not over.wait(0.02):
            try:
                caller.sendall(b"x")
            except OSError:
                return


@pytest.mark.parametrize("first", [b"GET /", b"POST /v1/search HTTP/1.1\r\nContent-Length: 999999\r\n\r\n"])
def test_a_caller_that_drips_for_ever_keeps_the_shop_from_opening_for_no_longer(monkeypatch, first: bytes) -> None:
    monkeypatch.setattr("api.porter._SECONDS", 0.1)
    over, left = threading.Event(), threading.Event()
    with listen("127.0.0.1", 0) as listener:

        def serve() -> None:
            with Porter(listener):
                time.sleep(0.1)
            left.set()

        threads = [
            threading.Thread(target=_drip, args=(listener.getsockname(), first, over)),
            threading.Thread(target=serve),
        ]
        for thread in threads:
            thread.start()
        assert left.wait(5)
        over.set()
        for thread in threads:
            thread.join(5)


def test_one_who_says_nothing_keeps_nobody_else_waiting() -> None:
    with listen("127.0.0.1", 0) as listener, Porter(listener):
        silent = [socket.create_connection(listener.getsockname()) for _ in range(50)]
        # One after the other they would take 500 s.
        assert httpx.get(f"{url_of(listener)}/health/live", timeout=60).status_code == 200
        for caller in silent:
            caller.close()


def test_who_was_let_in_before_it_left_is_still_answered() -> None:
    with listen("127.0.0.1", 0) as listener:
        with Porter(listener), socket.create_connection(listener.getsockname()) as early:
            assert httpx.get(f"{url_of(listener)}/health/live").status_code == 200  # so `early` was let in before
            late = early.dup()
        with late:
            late.sendall(b"GET /v1/shop HTTP/1.1\r\n\r\n")
            assert late.recv(64).startswith(b"HTTP/1.1 503 ")


def test_a_crowd_of_those_who_say_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.porter._MOST_CALLERS", 3)
    with listen("127.0.0.1", 0) as listener, Porter(listener):
        silent = [socket.create_connection(listener.getsockname(), timeout=5) for _ in range(4)]
        assert silent[3].recv(1) == b""
        silent[0].sendall(b"GET /health/live HTTP/1.1\r\n\r\n")
        assert silent[0].recv(64).startswith(b"HTTP/1.1 200")
        for caller in silent:
            caller.close()
