"""The shop of a soak: a small boutique, served in processes of its own, with its events in a PostgreSQL of its own."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from catalog.errors import ServiceError
from catalog.items import Catalog
from catalog.journal_readers import FOLDER
from catalog.shop_data import load_shop
from catalog.workspace import Workspace
from vitrine.settings import Settings, load_settings

WORKERS = 2
_WORKER = re.compile(r"worker (\d+): ")


def soak_settings(store: Path, **more: Any) -> Settings:
    """Return the settings of the shop: the defaults, but for what a soak needs."""
    return load_settings({"store": str(store), **more})


def build(settings: Settings, *, captions: bool, models: int) -> None:
    """Generate the shop and run its jobs; what is there already is left alone.

    Args:
        settings: Of the shop; `boutique` says how large.
        captions: Whether its pictures are read.
        models: How many versions of the recommender are trained; 0: nothing is.
    """
    from vitrine.jobs import caption_store, embed_store, generate_boutique, index_store, train_store
    from vitrine.shelf import Shelf

    workspace = Workspace(settings.store)
    if not workspace.has("catalog"):
        generate_boutique(settings)
    if captions:
        caption_store(settings)
    embed_store(settings)
    index_store(settings)
    shelf, name = Shelf(workspace), settings.models.serve
    for number in range(models - len(shelf.versions(name))):
        train_store(_seeded(settings, number), None)


def catalogue(store: Path) -> Catalog:
    """Return the items of the shop as its artifact has them."""
    return load_shop(Workspace(store)).catalog


class ServedShop:
    """`vitrine serve`, as an operator would start it.

    Args:
        store: The shop.
        pairs: Settings, as `--set` takes them.
        environment: Added to this process's own.
        log: Where its standard error goes.
    """

    def __init__(self, store: Path, pairs: list[str], environment: dict[str, str], log: Path) -> None:
        self._command = [sys.executable, "-m", "vitrine", "serve", "--store", str(store), "--port", "0"]
        self._command += ["--workers", str(WORKERS), *(part for pair in pairs for part in ("--set", pair))]
        self._store = store
        self._environment, self._log = {**os.environ, **environment}, log
        self._process: subprocess.Popen[str] | None = None
        self.address = ""

    def __enter__(self) -> ServedShop:
        """Start it; back when every worker answers."""
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None
        opening = self._process.stdout.readline()
        if "http://" not in opening:
            raise ServiceError(f"the shop did not open: {self._log.read_text()[-2000:]}")
        self.address = f"http://{opening.partition('http://')[2].partition('/')[0]}"
        if "is open at" not in self._process.stdout.readline():
            raise ServiceError(f"the shop did not open: {self._log.read_text()[-2000:]}")
        return self

    def __exit__(self, *_raised: object) -> None:
        """End it as an operator would."""
        assert self._process is not None and self._process.stdout is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    @property
    def workers(self) -> list[int]:
        """Process ids of the workers that are there now, oldest first, as they name themselves in the log."""
        named = dict.fromkeys(map(int, _WORKER.findall(self._log.read_text(errors="replace"))))
        return [pid for pid in named if _alive(pid)]

    def wait_for_all(self, seconds: float = 180.0) -> None:
        """Wait until every worker has answered somebody: each says so by a file that it keeps locked."""
        until = time.monotonic() + seconds
        while sum(_held(path) for path in (self._store / FOLDER).glob("*.reader")) < WORKERS:
            if time.monotonic() > until:
                raise ServiceError(f"not all of {WORKERS} workers answer after {seconds:g} s")
            time.sleep(0.2)

    @property
    def ended(self) -> bool:
        """Whether the server is gone, which nobody asked of it."""
        return self._process is not None and self._process.poll() is not None

    def kill(self, pid: int) -> int:
        """Kill a worker as the kernel would, and return its process id."""
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_for_one(self, seconds: float = 180.0) -> float:
        """Wait until the shop is ready, and return when it was, by the monotonic clock."""
        until = time.monotonic() + seconds
        while httpx.get(f"{self.address}/health/ready", timeout=seconds).status_code != 200:
            if time.monotonic() > until:
                raise ServiceError(f"no worker answers after {seconds:g} s")
            time.sleep(0.05)
        return time.monotonic()

    def memory(self) -> float:
        """Return the proportional memory of parent and workers, in MiB; NaN where the system does not say."""
        assert self._process is not None
        return sum(_pss(pid) for pid in [self._process.pid, *_below(self._process.pid)]) / 1024

    def errors(self) -> list[str]:
        """Return the lines of the log that tell of an error, or begin a traceback that nobody logged."""
        lines = self._log.read_text(errors="replace").splitlines()
        return [line for line in lines if "level=error" in line.lower() or "Traceback (most recent" in line]


def _held(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        pass
    return False


def _below(pid: int) -> list[int]:
    """Return the processes that descend from one."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [each for child in children for each in (child, *_below(child))]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _pss(pid: int) -> float:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return float(next((line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:")), 0))


def _seeded(settings: Settings, number: int) -> Settings:
    """Return settings under which training makes another version."""
    overrides = {**settings.models.overrides, settings.models.serve: {"learning_rate": 0.001 * (number + 1)}}
    return settings.model_copy(update={"models": settings.models.model_copy(update={"overrides": overrides})})
