"""What the workers of a shop hold in memory: each process, and the whole tree.

    python -m bench.worker_memory --store ./store [--workers 2] [--apart]                a shop that was trained
    python -m bench.worker_memory --store FOLDER --items 200000 [--workers 2] [--apart]  the shop of `bench.serve`

The shop is served by `vitrine serve` (the generated one by `bench.serve_service`), and asked for lists, searches and,
where it can talk, conversations. `--apart`: each worker imports its own libraries (`api.share_libraries = false`).

Megabytes (2**20) by the kernel's account. `pss` counts a page that n processes hold as 1/n, so that it adds up to what
the tree takes; `private` is what nobody else holds: what one more worker costs. Linux alone.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.process_tree import memory_of, tree

ROUNDS = 25
LIST = ("/v1/recommendations", {"user_id": "u1", "top_n": 10})
SEARCH = ("/v1/search", {"query": "a red mug", "top_n": 10})
CHAT = ("/v1/chat", {"message": "a red mug under 40"})


@contextmanager
def served(given: argparse.Namespace, port: int) -> Iterator[int]:
    """Start the service, and give its process id when every worker has answered; end it after."""
    command = ["--store", str(given.store), "--workers", str(given.workers), "--port", str(port)]
    if given.items:
        apart = ["--apart"] if given.apart else []
        command = ["bench.serve_service", *command, "--items", str(given.items), *apart]
    else:
        command = ["vitrine", "serve", *command, "--set", f"api.share_libraries={str(not given.apart).lower()}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.DEVNULL, env=environment)
    try:
        until, row = time.monotonic() + 900, 0
        while row < 20 * given.workers:
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit("the service did not become ready")
            row = row + 1 if _asked(port, "/health/ready") else 0
            time.sleep(0.05)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _asked(port: int, path: str, body: dict[str, Any] | None = None) -> bool:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return bool(answer.read()) and answer.status == 200
    except urllib.error.HTTPError:
        return False
    except OSError:
        time.sleep(0.5)
        return False


def _kind(pid: int, root: int) -> str:
    if pid == root:
        return "parent"
    parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    told = Path(f"/proc/{pid}/cmdline").read_text()
    if "resource_tracker" in told:
        return "resource tracker"
    return "fork server" if "forkserver" in told and parent == root else "worker"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--items", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--apart", action="store_true")
    parser.add_argument("--port", type=int, default=8799)
    given = parser.parse_args()
    began = time.monotonic()
    with served(given, given.port) as root:
        ready = time.monotonic() - began
        doors = (LIST, SEARCH) if given.items else (LIST, SEARCH, CHAT)
        for _ in range(ROUNDS * given.workers):
            for path, body in doors:
                if not _asked(given.port, path, body):
                    raise SystemExit(f"{path} was not answered")
        print(f"{given.workers} workers, libraries {'apart' if given.apart else 'shared'}, ready after {ready:.0f} s\n")
        print("| process | pss | private | rss |\n|---|---:|---:|---:|")
        pids = tree(root)
        for pid in pids:
            held = memory_of([pid])
            print(f"| {_kind(pid, root)} | {held.pss:,.0f} | {held.private:,.0f} | {held.rss:,.0f} |")
        print(f"| **all {len(pids)}** | {memory_of(pids).pss:,.0f} | | |")


if __name__ == "__main__":
    main()
