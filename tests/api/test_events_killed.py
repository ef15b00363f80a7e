"""A server that is killed while clients write: everything it acknowledged is in the store."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
import pytest
from pydantic import SecretStr

from catalog.errors import ServiceError
from catalog.event_cluster import PrivatePostgres
from catalog.events import EventConfig, open_event_store

SERVER = """
import sys
from dataclasses import replace
from pathlib import Path
from pydantic import SecretStr
from api.config import ApiConfig
from api.doubles import ScriptedAgent
from api.server import opened
from api.service import Service
from catalog.events import EventConfig, open_event_store
from tools.doubles import toy_shop
from tools.registry import Registry

shop = toy_shop(Path(sys.argv[1]))
shop.events.close()
shop = replace(shop, events=open_event_store(EventConfig(url=SecretStr(sys.argv[2])), "unused"))
window = opened(Service(shop, Registry(shop), ScriptedAgent(shop)), "127.0.0.1", 0, environment={})
print(window.address, flush=True)
window.run()
"""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'kept.sqlite'}"
        return
    with contextlib.ExitStack() as open_:
        try:
            server = open_.enter_context(PrivatePostgres())
        except ServiceError as error:
            pytest.skip(str(error))
        yield server.url


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", SERVER, str(tmp_path), url]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    enough = Event()
    try:
        address = server.stdout.readline().strip()
        assert address.startswith("http"), "the server did not come up"

        def write(client: int) -> list[str]:
            acknowledged: list[str] = []
            with httpx.Client(base_url=address, timeout=20) as http, contextlib.suppress(httpx.TransportError):
                for n in range(10_000):
                    named = [f"c{client}-{n}-{k}" for k in range(7)]
                    batch = [{"event_id": e, "user_id": "dora", "item_id": "V01", "kind": "click"} for e in named]
                    answer = http.put("/v1/events", json={"events": batch})
                    if answer.status_code == 200 and answer.json()["accepted"] == 7:
                        acknowledged += named
                    if n == 10:
                        enough.set()
            return acknowledged

        with ThreadPoolExecutor(3) as pool:
            clients = [pool.submit(write, client) for client in range(3)]
            assert enough.wait(60)
            os.kill(server.pid, signal.SIGKILL)
            acknowledged = {each for client in clients for each in client.result()}
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
    store = open_event_store(EventConfig(url=SecretStr(url)), "unused")
    kept = [each.event_id for _, each in store.since(0, limit=1_000_000)]
    store.close()
    assert len(acknowledged) >= 70 and acknowledged <= set(kept)
    assert len(kept) == len(set(kept)) and len(kept) % 7 == 0  # whole batches, each once
