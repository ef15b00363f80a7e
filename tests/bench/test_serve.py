"""The bench of the served shop: its load generator's figures, and the report of a run at toy size."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar

import pytest

from bench import serve
from bench.load_generator import Load, load, request_bytes
from bench.process_tree import memory_of, processor_seconds, tree
from catalog.loopback import LoopbackServer


def test_percentiles_are_of_all_latencies_and_failures_are_counted() -> None:
    told = Load(2.0, [float(n) for n in range(1, 101)])
    told.statuses.update({200: 98, 503: 2, 0: 1})
    report = told.told()
    assert report["requests"] == 101 and report["failed"] == 3 and report["rate"] == 50.0
    assert report["p50"] == 50.5 and report["max"] == 100.0


def test_a_request_is_http() -> None:
    made = request_bytes("POST", "http://127.0.0.1:80/v1/search?x=1", {"query": "ä"})
    head, body = made.split(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/search?x=1 HTTP/1.1\r\nHost: 127.0.0.1:80\r\n")
    assert f"Content-Length: {len(body)}".encode() in head and json.loads(body) == {"query": "ä"}


class _Echo(BaseHTTPRequestHandler):
    """Answers a body with itself; of every fifth it says that it is too much."""

    protocol_version = "HTTP/1.1"
    connections: ClassVar[Counter[int]] = Counter()

    def do_POST(self) -> None:
        self.connections[self.client_address[1]] += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(503 if json.loads(body)["n"] % 5 == 4 else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_every_client_keeps_its_connection_and_every_answer_is_judged() -> None:
    _Echo.connections.clear()
    judged: list[tuple[int, int, bytes]] = []
    with LoopbackServer(("127.0.0.1", 0), _Echo) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        asked = [request_bytes("POST", f"{url}/echo", {"n": number}) for number in range(10)]
        found = asyncio.run(load(url, asked, clients=3, total=40, judge=lambda *told: judged.append(told)))
    assert found.statuses == {200: 32, 503: 8} and len(found.latencies) == 40
    assert len(_Echo.connections) == 3
    assert sorted(number for number, _, _ in judged) == list(range(40))
    assert all(
        json.loads(body)["n"] == number % 10 and (status == 503) == (number % 5 == 4) for number, status, body in judged
    )


def test_a_process_tree_is_this_process_at_least() -> None:
    pids = tree(os.getpid())
    held = memory_of(pids)
    assert os.getpid() in pids and 0 < held.private <= held.pss <= held.rss
    assert processor_seconds(pids) > 0 and memory_of([2**22 + 1]).processes == 0


@pytest.mark.slow
def test_a_run_at_toy_size_reports_both_services(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = {"items": 600, "workers": 1, "warm": 32, "alone": 10, "together": 32, "searches": 5, "recalled": 3}
    given = {**few, "requests": 32, "report": tmp_path / "report.json"}
    serve.main([f"--{name}={value}" for name, value in given.items()])
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert set(report) == {"items", "workers", "seed", "ours", "usual"}
    for kind in ("ours", "usual"):
        assert list(report[kind]["loads"]) == [
            "recommendations, 1 client",
            "recommendations, 16 clients",
            "search, 1 client",
        ]
        for told in report[kind]["loads"].values():
            assert told["failed"] == 0 and 0 < told["p50"] <= told["p99"] <= told["max"]
        assert report[kind]["memory"]["processes"] >= 1
    assert 0.9 < report["ours"]["recall"]["answers"] <= 1 and report["ours"]["recall"]["vectors"] == 1.0
    assert [row["requests"] for row in report["ours"]["soak"]] == [32]
    assert "times better" in capsys.readouterr().out
