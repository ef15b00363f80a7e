"""Two workers at one address: both counted, those that are killed are replaced, all end together."""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing import forkserver
from pathlib import Path

import httpx
import pytest

from api.config import ApiConfig
from api.doubles import toy_service
from api.server import entrance, url_of
from api.service import Service
from api.workers import Workers
from catalog.errors import EventStoreError, ServiceError

SHARED = ("fastapi", "uvicorn", "sqlalchemy", "scipy.sparse", "faiss", "lightgbm", "mcp.server.streamable_http_manager")
"""Imported once for all workers of this module, which start in a third of the time."""


def two_workers(opened: Callable[[Path], Service], store: Path) -> tuple[Workers, str, threading.Event]:
    """Return workers that are yet to run, where they will answer, and what is set once they do."""
    config = ApiConfig(workers=2, drain_notice_seconds=0, drain_seconds=2)
    listener, open_now = entrance(config, store, "127.0.0.1", 0, {}), threading.Event()
    workers = Workers(partial(opened, store), config, store, listener, open_now.set, SHARED)
    return workers, url_of(listener), open_now


def run_beside(workers: Workers, visit: Callable[[], None]) -> None:
    """Run the workers in this thread, which takes signals, while another visits and then stops them."""
    thread = threading.Thread(target=visit)
    thread.start()
    try:
        workers.run()
    finally:
        thread.join(150)  # or what it meets would be told of another test


def share_of_the_second(workers: Workers, address: str, callers: int = 16) -> int:
    """Open connections in one moment, and return how many of them the second worker took."""
    url = httpx.URL(address)
    opened = [socket.create_connection((url.host, url.port), timeout=20) for _ in range(callers)]
    for caller in opened:
        caller.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        said = b""
        while not said.endswith(b"}"):
            said += caller.recv(4096)
    os.kill(workers.pids[0], signal.SIGSTOP)
    try:
        for caller in opened:
            caller.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        until, answered = time.monotonic() + 2, 0
        while time.monotonic() < until:
            answered = len(select.select(opened, [], [], 0)[0])
            time.sleep(0.1)
    finally:
        os.kill(workers.pids[0], signal.SIGCONT)
    for caller in opened:
        caller.close()
    return answered


@pytest.mark.slow
def test_two_workers_serve_and_a_killed_one_is_replaced(tmp_path, monkeypatch):
    monkeypatch.delenv("VITRINE_API_KEYS", raising=False)
    (workers, address, open_now), found = two_workers(toy_service, tmp_path), []

    def visit() -> None:
        try:
            assert open_now.wait(200)
            found.append([httpx.get(f"{address}/v1/shop", timeout=30).status_code for _ in range(6)])
            found.append("vitrine_http_requests_total" in httpx.get(f"{address}/metrics", timeout=30).text)
            # On a machine that is busy elsewhere one may come late to a burst, not to each of five.
            found.append(any(4 <= share_of_the_second(workers, address) <= 12 for _ in range(5)))
            before = workers.pids
            os.kill(before[0], signal.SIGKILL)
            found.append(
                {httpx.get(f"{address}/v1/shop", timeout=30).status_code for _ in range(100) if not time.sleep(0.05)}
            )
            until = time.monotonic() + 60
            while workers.pids[0] == before[0] and time.monotonic() < until:
                time.sleep(0.1)
            found.append(workers.pids[0] != before[0] and workers.pids[1] == before[1])
        finally:
            workers.stop()

    run_beside(workers, visit)
    # While one takes the other's place nobody is led to it: the one that is left answers.
    assert found == [[200] * 6, True, True, {200}, True]
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/health/live", timeout=30)


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
                found.append(httpx.get(f"{address}/v1/shop", timeout=30).status_code)
                time.sleep(0.1)
            tried = {int(path.name.removeprefix("tried-")) for path in tmp_path.glob("tried-*")}
            opened = {path.name for path in tmp_path.iterdir() if path.is_dir()}
            (tmp_path / "away").unlink()
            until = time.monotonic() + 100
            while {path.name for path in tmp_path.iterdir() if path.is_dir()} == opened and time.monotonic() < until:
                time.sleep(0.1)
            found.append({path.name for path in tmp_path.iterdir() if path.is_dir()} - opened != set())
            found.append(len(tried) >= 2 and workers.pids[0] == before[0])
        finally:
            workers.stop()

    run_beside(workers, visit)
    assert set(found[:-2]) == {200} and found[-2:] == [True, True]


def late_service(folder: Path) -> Service:
    """A shop that says that it is being opened, and is once there is a file `go`."""
    (folder / f"opening-{os.getpid()}").touch()
    while not (folder / "go").exists():
        time.sleep(0.05)
    return toy_service(folder)


@pytest.mark.slow
def test_while_no_worker_is_left_callers_are_told_to_come_again(tmp_path, monkeypatch, caplog):
    monkeypatch.delenv("VITRINE_API_KEYS", raising=False)
    (workers, address, open_now), found = two_workers(late_service, tmp_path), []
    opened: list[int] = []
    asked = ("/health/live", "/health/ready", "/v1/shop")

    def visit() -> None:
        try:
            (tmp_path / "go").touch()
            assert open_now.wait(200)
            (tmp_path / "go").unlink()
            for pid in workers.pids:
                os.kill(pid, signal.SIGKILL)
            for path in asked * 20:  # none of them is refused or cut off, from the first moment on
                found.append((path, httpx.get(f"{address}{path}", timeout=30)))
            until = time.monotonic() + 100
            while len(list(tmp_path.glob("opening-*"))) < 3 and time.monotonic() < until:
                time.sleep(0.1)
            time.sleep(1)
            opened.append(len(list(tmp_path.glob("opening-*"))))
            (tmp_path / "go").touch()
            while httpx.get(f"{address}/v1/shop", timeout=30).status_code != 200 and time.monotonic() < until:
                time.sleep(0.1)
            while len(list(tmp_path.glob("opening-*"))) < 4 and time.monotonic() < until:
                time.sleep(0.1)
            opened.append(len(list(tmp_path.glob("opening-*"))))
            found.append(("back", httpx.get(f"{address}/health/ready", timeout=30)))
        finally:
            workers.stop()

    run_beside(workers, visit)
    assert len(found) == 61 and found.pop()[1].status_code == 200
    live, ready, other = ([answer for path, answer in found if path == each] for each in asked)
    assert {answer.status_code for answer in live} == {200}
    assert {answer.status_code for answer in (*ready, *other)} == {503}
    assert {answer.headers["Retry-After"] for answer in (*ready, *other)} == {"2"}
    assert {answer.headers["Content-Type"] for answer in other} == {"application/problem+json"}
    assert "no worker is left" in caplog.text
    assert opened == [3, 4]  # one after the other, so that the first has the processors to itself


def begin(folder: Path) -> None:
    workers, _, _ = two_workers(late_service, folder)
    workers.libraries = ()  # spawned, as where nothing is shared
    workers.run()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="other people's children are looked for in /proc")
def test_workers_whose_parent_is_killed_while_they_open_end_without_a_word(tmp_path, monkeypatch, capfd):
    monkeypatch.delenv("VITRINE_API_KEYS", raising=False)
    parent = multiprocessing.get_context("spawn").Process(target=begin, args=(tmp_path,))
    parent.start()
    until = time.monotonic() + 100
    while len(opening := list(tmp_path.glob("opening-*"))) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    parent.kill()
    parent.join()
    (tmp_path / "go").touch()
    pids = [int(path.name.removeprefix("opening-")) for path in opening]
    while any(map(alive, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    assert len(pids) == 2 and not any(map(alive, pids))
    assert "Traceback" not in capfd.readouterr().err


EMBEDDING = """
import os, sys, time
from functools import partial
from pathlib import Path
from api.config import ApiConfig
from api.server import entrance
from api.workers import Workers

def opened(folder):
    from tqdm import trange
    list(trange(1, disable=True))  # as sentence_transformers embeds
    (folder / f"opening-{os.getpid()}").touch()
    time.sleep(600)

if __name__ == "__main__":
    folder, config = Path(sys.argv[1]), ApiConfig(workers=2)
    listener = entrance(config, folder, "127.0.0.1", 0, {})
    Workers(partial(opened, folder), config, folder, listener, print, ("tqdm",)).run()
"""


@pytest.mark.slow
def test_workers_told_to_stop_while_they_open_leave_no_semaphore_and_no_words_in_the_log(tmp_path):
    """Python's resource tracker said in plain words how many were left, in a log of JSON."""
    (tmp_path / "serving_two.py").write_text(EMBEDDING)
    asked = [sys.executable, str(tmp_path / "serving_two.py"), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    until = time.monotonic() + 100
    while len(list(tmp_path.glob("opening-*"))) < 2 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    process.terminate()
    out, told = process.communicate(timeout=60)  # standard error is open until the tracker has ended
    assert len(list(tmp_path.glob("opening-*"))) == 2
    assert (process.returncode, out, told) == (0, "", "")


@pytest.mark.slow
def test_a_fork_server_that_is_killed_ends_nothing_and_leaves_nobody_behind(tmp_path, monkeypatch):
    """Its workers live, and look dead to the parent: others took their places and they answered beside them."""
    monkeypatch.delenv("VITRINE_API_KEYS", raising=False)
    (workers, address, open_now), found = two_workers(toy_service, tmp_path), []

    def visit() -> None:
        try:
            assert open_now.wait(200)
            before, until = workers.pids, time.monotonic() + 120
            os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)
            while (set(before) & set(workers.pids) or any(map(lives, before))) and time.monotonic() < until:
                time.sleep(0.1)
            found.append([lives(pid) for pid in before])
            found.append(not set(before) & set(workers.pids))
            while httpx.get(f"{address}/v1/shop", timeout=30).status_code != 200 and time.monotonic() < until:
                time.sleep(0.1)
            found.append(httpx.get(f"{address}/v1/shop", timeout=30).status_code)
        finally:
            workers.stop()

    run_beside(workers, visit)
    assert found == [[False, False], True, 200]


def lives(pid: int) -> bool:
    """Whether there is such a process, one apart that nobody has asked after yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Broken:
    """A context whose processes are started by a fork server that is lost, so many times."""

    def __init__(self, times: int) -> None:
        self.times = times

    Pipe = staticmethod(multiprocessing.Pipe)

    def Process(self, **_: object) -> Broken:
        return self

    pid: int | None = None

    def start(self) -> None:
        self.times -= 1
        if self.times >= 0:
            raise EOFError("unexpected EOF")
        self.pid = 1


@pytest.mark.parametrize("times", [1, 9])
def test_a_fork_server_lost_while_it_starts_a_worker_is_started_again_and_not_for_ever(tmp_path, monkeypatch, times):
    workers, _, _ = two_workers(toy_service, tmp_path)
    monkeypatch.setattr("api.workers.start_context", lambda _libraries: Broken(times))
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    with workers.listener:
        if times == 1:
            assert workers._started().process.pid == 1
            return
        with pytest.raises(ServiceError, match="5 fork servers were lost within 30 s"):
            workers._started()


def test_a_fork_server_that_refuses_while_it_dies_is_given_the_time(tmp_path, monkeypatch):
    """Killed, it closes its address first, and for a while the system does not call it dead: each try is refused."""
    workers, _, _ = two_workers(toy_service, tmp_path)
    dead_from = time.monotonic() + 0.7

    class Dying(Broken):
        def start(self) -> None:
            if time.monotonic() < dead_from:
                raise ConnectionRefusedError(111, "Connection refused")
            self.pid = 1

    monkeypatch.setattr("api.workers.start_context", lambda _libraries: Dying(0))
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    with workers.listener:
        assert workers._started().process.pid == 1
