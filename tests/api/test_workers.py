"""Two workers at one address: both counted, one that is killed is replaced, all end together."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest

from api.config import ApiConfig
from api.doubles import toy_service
from api.server import entrance, url_of
from api.service import Service
from api.workers import Workers
from catalog.errors import EventStoreError


def two_workers(opened: Callable[[Path], Service], store: Path) -> tuple[Workers, str, threading.Event]:
    """Return workers that are yet to run, where they will answer, and what is set once they do."""
    config = ApiConfig(workers=2, drain_notice_seconds=0, drain_seconds=2)
    listener, open_now = entrance(config, store, "127.0.0.1", 0, {}), threading.Event()
    return Workers(partial(opened, store), config, store, listener, open_now.set), url_of(listener), open_now


@pytest.mark.slow
def test_two_workers_serve_and_a_killed_one_is_replaced(tmp_path, monkeypatch):
    monkeypatch.delenv("VITRINE_API_KEYS", raising=False)
    (workers, address, open_now), found = two_workers(toy_service, tmp_path), []

    def visit() -> None:
        try:
            assert open_now.wait(200)
            found.append([httpx.get(f"{address}/v1/shop").status_code for _ in range(6)])
            found.append("vitrine_http_requests_total" in httpx.get(f"{address}/metrics").text)
            before = workers.pids
            os.kill(before[0], signal.SIGKILL)
            found.append({httpx.get(f"{address}/v1/shop").status_code for _ in range(100) if not time.sleep(0.05)})
            until = time.monotonic() + 60
            while workers.pids[0] == before[0] and time.monotonic() < until:
                time.sleep(0.1)
            found.append(workers.pids[0] != before[0] and workers.pids[1] == before[1])
        finally:
            workers.stop()

    thread = threading.Thread(target=visit)
    thread.start()
    workers.run()
    thread.join(20)
    # While one takes the other's place nobody is led to it: the one that is left answers.
    assert found == [[200] * 6, True, {200}, True]
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/health/live")


def fickle_service(folder: Path) -> Service:
    """A shop that cannot be opened while there is a file `away`, and notes that it was tried."""
    if (folder / "away").exists():
        (folder / f"tried-{os.getpid()}").touch()
        raise EventStoreError("event store 'postgresql://shop' does not answer: connection refused")
    return toy_service(folder)


@pytest.mark.slow
def test_a_worker_that_cannot_open_the_shop_any_more_does_not_end_those_that_could(tmp_path, monkeypatch):
    monkeypatch.delenv("VITRINE_API_KEYS", raising=False)
    (workers, address, open_now), found = two_workers(fickle_service, tmp_path), []

    def visit() -> None:
        try:
            assert open_now.wait(200)
            before = workers.pids
            (tmp_path / "away").touch()
            os.kill(before[1], signal.SIGKILL)
            until = time.monotonic() + 100
            while len(list(tmp_path.glob("tried-*"))) < 2 and time.monotonic() < until:
                found.append(httpx.get(f"{address}/v1/shop").status_code)
                time.sleep(0.1)
            tried = {int(path.name.removeprefix("tried-")) for path in tmp_path.glob("tried-*")}
            (tmp_path / "away").unlink()
            opened = {path.name for path in tmp_path.iterdir() if path.is_dir()}
            while {path.name for path in tmp_path.iterdir() if path.is_dir()} == opened and time.monotonic() < until:
                time.sleep(0.1)
            found.append({path.name for path in tmp_path.iterdir() if path.is_dir()} - opened != set())
            found.append(len(tried) >= 2 and workers.pids[0] == before[0])
        finally:
            workers.stop()

    thread = threading.Thread(target=visit)
    thread.start()
    workers.run()
    thread.join(20)
    assert set(found[:-2]) == {200} and found[-2:] == [True, True]
