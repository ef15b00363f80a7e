"""The served shop under load from another process, beside a plain service with the same data and trees.

    python -m bench.serve [--store FOLDER] [--items 200000] [--workers 2] [--requests 200000] [--only ours|usual]

A generated shop (plumbing, `bench.serve_shop`): 200,000 items in two spaces of 64, five retrievers, together about 200
candidates, LightGBM over them, stock, variants, diversity, reasons. It is served by `vitrine serve`'s own parent,
workers and layers (`bench.serve_service`); the usual way is `bench.serve_baseline` under uvicorn. Both have one thread
a worker for products (`OMP_NUM_THREADS=1`). The load comes from this process (`bench.load_generator`): connections are
kept, one request is on its way on each, percentiles are of all latencies; `cpu` is the processor time of the service's
processes by request, since others may use the machine.

1. `/v1/recommendations`, one client, then sixteen: another shopper every time, ten items.
2. `/v1/search`, one client: a wish in words that was not heard before, ten items.
3. What share of the best 100 of exact search is among the 100 that the service answered, over HTTP, in this run.
4. With `--requests`: sixteen clients, and after every 10,000 the memory (PSS) of the whole process tree.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.load_generator import load, request_bytes
from bench.process_tree import memory_of, processor_seconds, tree
from bench.serve_shop import LIVE_SHOPPERS, wishes

CLIENTS, STEP = 16, 10_000
KINDS = ("ours", "usual")
TIMES = ("p50", "p90", "p99", "p99.9", "cpu")


@dataclass(frozen=True)
class Server:
    """A running service."""

    process: subprocess.Popen[str]
    url: str

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return one answer."""
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


@contextmanager
def running(kind: str, given: argparse.Namespace, folder: Path) -> Iterator[Server]:
    """Start a service and wait until all its workers answer; end it after."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[1])}
    port = 0
    shop = {"--store": folder, "--items": given.items, "--seed": given.seed, "--workers": given.workers}
    if kind == "ours":
        command = ["-m", "bench.serve_service", *(str(part) for pair in shop.items() for part in pair)]
    else:
        environment["VITRINE_BENCH_SHOP"] = f"{folder}:{given.items}:{given.seed}"
        command = ["-m", "uvicorn", "bench.serve_baseline:app", "--factory", "--workers", str(given.workers)]
        port = _free_port()
        command += ["--no-access-log", "--log-level", "warning", "--port", str(port)]
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip() if kind == "ours" else f"http://127.0.0.1:{port}"
        _wait_ready(process, url, given.workers)
        yield Server(process, url)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            for pid in reversed(tree(process.pid)):
                os.kill(pid, signal.SIGKILL)
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_ready(process: subprocess.Popen[str], url: str, workers: int) -> None:
    """Wait until many answers in a row, each on a connection of its own, say ready: every worker has then said so."""
    until, row = time.monotonic() + 900, 0
    while row < 20 * workers:
        if process.poll() is not None:
            raise SystemExit(f"the service ended with status {process.returncode}")
        if time.monotonic() > until:
            raise SystemExit("the service was not ready within 900 s")
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=30) as answer:
                row = row + 1 if answer.status == 200 else 0
        except OSError:
            row = 0
            time.sleep(0.5)


def recommendations(url: str) -> list[bytes]:
    """Return a request for each of the shoppers, in the session in which they looked around."""
    return [
        request_bytes("POST", f"{url}/v1/recommendations", {"user_id": f"u{n}", "session_id": f"s{n}", "top_n": 10})
        for n in range(LIVE_SHOPPERS)
    ]


def searches(url: str, said: list[str]) -> list[bytes]:
    """Return a request for each wish."""
    return [request_bytes("POST", f"{url}/v1/search", {"query": wish, "top_n": 10}) for wish in said]


def measured(server: Server, given: argparse.Namespace, said: list[str]) -> dict[str, Any]:
    """Return what each load came to."""
    shoppers, words = recommendations(server.url), searches(server.url, said)
    pids, told = tree(server.process.pid), {}

    def counted(name: str, requests: list[bytes], clients: int, total: int, first: int = 0) -> None:
        before = processor_seconds(pids)
        each = asyncio.run(load(server.url, requests, clients=clients, total=total, first=first))
        spent = 1000 * (processor_seconds(pids) - before) / total
        told[f"{name}, {clients} client{'s' if clients > 1 else ''}"] = {**each.told(), "cpu": round(spent, 2)}

    # Every worker fills what it keeps before anything counts.
    asyncio.run(load(server.url, shoppers, clients=CLIENTS, total=given.warm, first=300))
    counted("recommendations", shoppers, 1, given.alone)
    counted("recommendations", shoppers, CLIENTS, given.together)
    asyncio.run(load(server.url, words, clients=4, total=given.warm // 8))
    counted("search", words, 1, given.searches, given.warm // 8)
    return told


def soaked(server: Server, given: argparse.Namespace) -> list[dict[str, float]]:
    """Ask `--requests` times and return rate, latency and memory after every 10,000."""
    shoppers, rows = recommendations(server.url), []
    asked = 0
    while asked < given.requests:
        part = min(STEP, given.requests - asked)
        each = asyncio.run(load(server.url, shoppers, clients=CLIENTS, total=part, first=asked))
        asked += part
        held = memory_of(tree(server.process.pid))
        row = {
            "requests": asked, "failed": each.failed, "rate": round(each.rate, 1), "p50": round(each.percentile(50), 2),
            "p99": round(each.percentile(99), 2), "pss": round(held.pss, 1), "rss": round(held.rss, 1),
        }  # fmt: skip
        rows.append(row)
        print("| " + " | ".join(f"{value:,}" for value in row.values()) + " |", flush=True)
    return rows


def recalled(server: Server, given: argparse.Namespace, folder: Path, said: list[str]) -> dict[str, float]:
    """Return how much of exact search the answers hold; a process of its own compares (`bench.serve_recall`)."""
    answers = {
        wish: [item["item_id"] for item in server.post("/v1/search", {"query": wish, "top_n": 100})["items"]]
        for wish in said
    }
    shop = ["--store", str(folder), "--items", str(given.items), "--seed", str(given.seed)]
    command = [sys.executable, "-m", "bench.serve_recall", *shop]
    done = subprocess.run(command, input=json.dumps(answers), capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, print and return the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, help="where the generated shop is kept; a temporary folder by default")
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", choices=KINDS)
    parser.add_argument("--warm", type=int, default=800, help="requests that are not counted")
    parser.add_argument("--alone", type=int, default=2_000, help="requests of the one client")
    parser.add_argument("--together", type=int, default=6_000, help="requests of the sixteen")
    parser.add_argument("--searches", type=int, default=500)
    parser.add_argument("--recalled", type=int, default=100, help="wishes compared with exact search; 0: none")
    parser.add_argument("--requests", type=int, default=0, help="of the memory's run")
    parser.add_argument("--report", type=Path, help="where the report is written as JSON")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.store or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        report = _report(given, folder)
    if given.report:
        given.report.write_text(json.dumps(report, indent=2) + "\n")
    return report


def _report(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    said = wishes(given.searches + given.warm // 8 + given.recalled, seed=8)
    report: dict[str, Any] = {"items": given.items, "workers": given.workers, "seed": given.seed}
    for kind in [given.only] if given.only else KINDS:
        with running(kind, given, folder) as server:
            report[kind] = {"loads": measured(server, given, said)}
            report[kind]["memory"] = memory_of(tree(server.process.pid)).__dict__
            if kind == "ours" and given.recalled:
                report[kind]["recall"] = recalled(server, given, folder, said[-given.recalled :])
            if kind == "ours" and given.requests:
                print(f"| requests | failed | a second | p50 ms | p99 ms | PSS MB | RSS MB |\n|{'---|' * 7}")
                report[kind]["soak"] = soaked(server, given)
    _print(report)
    return report


def _print(report: dict[str, Any]) -> None:
    print(f"{report['items']:,} items, {report['workers']} workers (generated shop, plumbing)\n")
    print("| load | service | answers a second | p50 ms | p90 ms | p99 ms | p99.9 ms | cpu ms | failed |")
    print("|---|---|---|---|---|---|---|---|---|")
    kinds = [kind for kind in KINDS if kind in report]
    for name in report[kinds[0]]["loads"]:
        for kind in kinds:
            row = report[kind]["loads"][name]
            cells = " | ".join(f"{row[key]:,.2f}" for key in ("rate", *TIMES))
            print(f"| {name} | {kind} | {cells} | {row['failed']} |")
        if len(kinds) == 2:
            ours, usual = (report[kind]["loads"][name] for kind in KINDS)
            ratios = [ours["rate"] / usual["rate"], *(usual[key] / ours[key] for key in TIMES)]
            print(f"| | *times better* | {' | '.join(f'{each:.2f}' for each in ratios)} | |")
    for kind in kinds:
        held = report[kind]["memory"]
        print(f"\nMemory of {kind}: PSS {held['pss']:,.0f} MB, private {held['private']:,.0f} MB.")
        if "recall" in report[kind]:
            print("Of exact search's best 100: " + ", ".join(f"{n} {v:.1%}" for n, v in report[kind]["recall"].items()))


if __name__ == "__main__":
    main()
