"""A worker that is opened beside others lets them answer until it can itself."""

from __future__ import annotations

import threading

import httpx
import pytest

from api.config import ApiConfig
from api.server import entrance, opening, url_of
from catalog.errors import NotBuiltError

CONFIG = ApiConfig(drain_notice_seconds=0, drain_seconds=2)


def test_it_does_not_answer_before_it_can(service, tmp_path):
    loaded, told = threading.Event(), threading.Event()

    def load():
        assert loaded.wait(20)
        return service

    listener = entrance(CONFIG, tmp_path, "127.0.0.1", 0, {})
    address = url_of(listener)
    server = opening(load, CONFIG, tmp_path, listener, lambda _: told.set(), environment={}, quiet=True)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        with pytest.raises(httpx.ReadTimeout):  # it waits in the queue of the address, for another to take
            httpx.get(f"{address}/health/live", timeout=0.3)
        loaded.set()
        assert told.wait(20)
        assert httpx.get(f"{address}/v1/shop").status_code == 200
    finally:
        loaded.set()
        server.stop()
        thread.join(20)
    assert not thread.is_alive()


def test_a_shop_that_cannot_be_opened_ends_it(tmp_path):
    def load():
        raise NotBuiltError("there is no catalogue")

    listener = entrance(CONFIG, tmp_path, "127.0.0.1", 0, {})
    with pytest.raises(NotBuiltError):
        opening(load, CONFIG, tmp_path, listener, environment={}, quiet=True).run()
