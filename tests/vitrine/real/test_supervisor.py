"""Servers as children: waited for, told of when they fail, and gone when their parent is."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from catalog.errors import ServiceError
from vitrine.real.supervisor import Supervised, free_port

STUBBORN = """
import http.server, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("worker", worker.pid, flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
"""Answers, does not end when told to, and has a child of its own, as vLLM has an engine."""
PARENT = """
import sys, time
from pathlib import Path
from vitrine.real.supervisor import Supervised
port, log = sys.argv[2:]
server = Supervised("stubborn", [sys.executable, "-c", sys.argv[1], port], f"http://127.0.0.1:{port}/", Path(log),
                    stop_seconds=0.5)
server.start(30, lambda line: None)
print("up", flush=True)
time.sleep(600)
"""


def is_there(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.is_file() and "\nState:\tZ" not in status.read_text()


def gone(pid: int) -> bool:
    until = time.monotonic() + 15
    while is_there(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return not is_there(pid)


def worker_of(log: Path) -> int:
    return int(log.read_text().split("worker ")[1].split()[0])


def stubborn(log: Path) -> Supervised:
    port = free_port()
    command = [sys.executable, "-c", STUBBORN, str(port)]
    return Supervised("stubborn", command, f"http://127.0.0.1:{port}/", log, stop_seconds=0.5)


def test_a_server_that_does_not_end_is_killed_with_all_of_its_processes(tmp_path):
    server, said = stubborn(tmp_path / "logs" / "s.log"), []
    server.start(30, said.append)
    assert server.is_running and len(said) == 2 and said[1].startswith("stubborn: answers after ")
    worker = worker_of(server.log)
    assert is_there(worker)
    server.stop()
    assert not server.is_running and gone(worker)
    server.stop()  # a second time is nothing


def test_a_server_ends_when_its_parent_is_killed(tmp_path):
    log = tmp_path / "s.log"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, STUBBORN, str(free_port()), log], stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    assert parent.stdout.readline() == "up\n"
    worker = worker_of(log)
    assert is_there(worker)
    parent.send_signal(signal.SIGKILL)
    parent.wait(10)
    parent.stdout.close()
    assert gone(worker)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ([sys.executable, "-c", "raise SystemExit('RuntimeError: no kernel image')"], "RuntimeError: no kernel image"),
        (["no-such-program"], "no-such-program: No such file or directory"),
        ([sys.executable, "-c", ""], "it wrote nothing"),
    ],
)
def test_a_server_that_ends_at_once_says_why(tmp_path, command, said):
    log = tmp_path / "s.log"
    log.write_text("Error of an earlier run\n")
    server = Supervised("captions server", command, f"http://127.0.0.1:{free_port()}/", log)
    with pytest.raises(ServiceError) as refused:
        server.start(30, lambda line: None)
    assert said in str(refused.value) and "before it answered" in str(refused.value)
    assert "earlier run" not in str(refused.value) and str(log) in str(refused.value)


def test_a_server_that_stays_silent_is_ended_and_told_of(tmp_path):
    command = [sys.executable, "-c", "import time; print('loading', flush=True); time.sleep(600)"]
    server = Supervised("agent server", command, f"http://127.0.0.1:{free_port()}/", tmp_path / "s.log")
    with pytest.raises(ServiceError, match=r"agent server does not answer at .*real.start_seconds lets it take longer"):
        server.start(1.0, lambda line: None)
    assert not server.is_running
