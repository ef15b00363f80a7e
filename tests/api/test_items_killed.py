"""A server that is killed while clients write items: what it acknowledged is there after the next opening."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx

SERVER = """
import sys
from dataclasses import replace
from pathlib import Path
from api.doubles import ScriptedAgent
from api.server import opened
from api.service import Service
from catalog.item_journal import JOURNAL, ItemJournal
from tools.doubles import ToyReader, toy_shop
from tools.live import LiveParts, LiveShop
from tools.registry import Registry

folder = Path(sys.argv[1])
shop = toy_shop(folder)
parts = LiveParts(ToyReader(), lambda same: same.statistics)
dress = lambda s: Service(s, Registry(s), ScriptedAgent(s))
live = LiveShop(shop, ItemJournal(folder / JOURNAL, shop.name), parts, dress)
window = opened(replace(live.current, live=live), "127.0.0.1", 0, environment={})
print(window.address, flush=True)
window.run()
"""


def test_no_acknowledged_write_or_deletion_is_lost_when_the_server_is_killed(tmp_path: Path) -> None:
    server, address = started(tmp_path)
    enough = Event()
    try:

        def write(client: int) -> tuple[set[str], set[str]]:
            kept: set[str] = set()
            gone: set[str] = set()
            with httpx.Client(base_url=address, timeout=20) as http, contextlib.suppress(httpx.TransportError):
                for n in range(10_000):
                    item_id, before = f"c{client}-{n}", f"c{client}-{n - 1}"
                    if http.put(f"/v1/items/{item_id}", json={"title": f"Kettle {n}"}).status_code == 202:
                        kept.add(item_id)
                    if n % 3 == 2:
                        kept.discard(before)  # from here on nobody can say, until it is acknowledged
                        if http.delete(f"/v1/items/{before}").json()["deleted"]:
                            gone.add(before)
                    if n == 5:
                        enough.set()
            return kept, gone

        with ThreadPoolExecutor(3) as pool:
            clients = [pool.submit(write, client) for client in range(3)]
            assert enough.wait(100)
            os.kill(server.pid, signal.SIGKILL)
            said = [client.result() for client in clients]
    finally:
        ended(server)
    kept, gone = ({i for each in said for i in each[n]} for n in (0, 1))
    assert len(kept) >= 6 and len(gone) >= 2
    server, address = started(tmp_path)
    try:
        with httpx.Client(base_url=address, timeout=20) as http:
            assert {i for i in kept if http.get(f"/v1/items/{i}").status_code != 200} == set()
            assert {i for i in gone if http.get(f"/v1/items/{i}").status_code != 404} == set()
            found = http.post("/v1/search", json={"query": "kettle", "top_n": 100}).json()["items"]
            assert not gone & {each["item_id"] for each in found}
    finally:
        ended(server)


def started(folder: Path) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-c", SERVER, str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    address = server.stdout.readline().strip()
    assert address.startswith("http"), "the server did not come up"
    return server, address


def ended(server: subprocess.Popen[str]) -> None:
    server.kill()
    server.wait()
    assert server.stdout is not None
    server.stdout.close()
