"""Two workers at one address: both counted, one that is killed is replaced, all end together."""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import partial

import httpx
import pytest

from api.config import ApiConfig
from api.doubles import toy_service
from api.server import entrance, url_of
from api.workers import Workers


@pytest.mark.slow
def test_two_workers_serve_and_a_killed_one_is_replaced(tmp_path, monkeypatch):
    monkeypatch.delenv("VITRINE_API_KEYS", raising=False)
    config = ApiConfig(workers=2, drain_notice_seconds=0, drain_seconds=2)
    listener = entrance(config, tmp_path, "127.0.0.1", 0, {})
    address, open_now, found = url_of(listener), threading.Event(), []
    workers = Workers(partial(toy_service, tmp_path), config, tmp_path, listener, open_now.set)

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
