"""What is done to the shop of a soak, and which refusals that explains."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.soak_clients import Sample
from bench.soak_ledger import Ledger
from bench.soak_shop import ServedShop
from bench.soak_stub import RUBBISH, Stub
from catalog.errors import ServiceError
from catalog.event_cluster import PrivatePostgres

Name = Literal[
    "llm dies", "llm hangs", "llm garbage", "postgres stops", "postgres killed", "worker killed",
    "workers killed", "worker stopped", "index swap", "model swap",
]  # fmt: skip
LLM: tuple[Name, ...] = ("llm dies", "llm hangs", "llm garbage")
SERVICE: tuple[Name, ...] = ("worker stopped", "workers killed", "worker killed", "postgres stops", "postgres killed")
KILLED: tuple[Name, ...] = ("worker killed", "workers killed")
JOBS: tuple[Name, ...] = ("index swap", "model swap")
TRACKS = (LLM, SERVICE, JOBS)
"""Done side by side; of one track one thing after the other."""
GARBAGE = (RUBBISH, "broken_json", "lying", "dreaming", "failing")
BACK_SECONDS = 2.0
"""How long after PostgreSQL answers again a request that began before may still be refused."""
JOB_SECONDS = 240.0
"""How long a job on the artifacts may take."""
UNDONE = "not done in time"
RESET_SECONDS = 1.0
"""How long after a worker's death a client may still write to its connection."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that was done; times are monotonic seconds.

    Attributes:
        name: What.
        began: When.
        ended: From when on latency must come back.
        detail: For the reader.
        away: Until when nobody was there to answer, where every worker was killed.
    """

    name: Name
    began: float
    ended: float
    detail: str = ""
    away: float | None = None


@dataclass
class Chaos:
    """Does things to the shop.

    Attributes:
        shop: As it is served.
        store: Its folder.
        postgres: Where its events rest.
        stub: Its LLM.
        rng: Chooses the worker.
        models: Labels of the recommender's versions.
    """

    shop: ServedShop
    store: Path
    postgres: PrivatePostgres
    stub: Stub
    rng: random.Random
    models: tuple[str, ...] = ()

    def do(self, name: Name) -> Fault:
        """Do it, and return when it began and ended; nothing is done to a worker while another is not back."""
        if name.startswith("worker"):
            self.shop.wait_for_all()
        began = time.monotonic()
        if name == "workers killed":
            for pid in self.shop.workers:
                self.shop.kill(pid)
            killed, back = time.monotonic(), self.shop.wait_for_one()
            return Fault(name, began, killed, f"nobody for {back - began:.1f} s", back)
        deeds: dict[Name, Callable[[], str]] = {
            "llm dies": self._llm_dies, "llm hangs": self._llm_hangs, "llm garbage": self._llm_garbage,
            "postgres stops": lambda: self._postgres(self.postgres.stop),
            "postgres killed": lambda: self._postgres(self.postgres.kill),
            "worker killed": lambda: f"process {self.shop.kill(self.rng.choice(self.shop.workers))}",
            "worker stopped": self._worker_stopped,
            "index swap": self._index_swap, "model swap": self._model_swap,
        }  # fmt: skip
        detail = deeds[name]()
        return Fault(name, began, time.monotonic(), detail)

    def _llm_dies(self) -> str:
        self.stub.kill()
        time.sleep(4)
        self.stub.start()
        return "killed, away for 4 s"

    def _llm_hangs(self) -> str:
        self.stub.behave("hanging")
        time.sleep(5)
        self.stub.behave("obedient")
        return "for 5 s"

    def _llm_garbage(self) -> str:
        for how in GARBAGE:
            self.stub.behave(how)
            time.sleep(1.5)
        self.stub.behave("obedient")
        return ", ".join(GARBAGE)

    def _postgres(self, end: Callable[[], None]) -> str:
        end()
        time.sleep(1.5)
        self.postgres.start()
        return "away for 1.5 s and its start"

    def _worker_stopped(self) -> str:
        pid = self.shop.workers[-1]
        os.kill(pid, signal.SIGSTOP)
        time.sleep(4)
        os.kill(pid, signal.SIGCONT)
        return f"process {pid} for 4 s"

    def _index_swap(self) -> str:
        done = self._beside([sys.executable, "-m", "bench.soak_swap", str(self.store)])
        return done if done == UNDONE else f"{done.strip()} items worked in"

    def _model_swap(self) -> str:
        label = self.models[self.rng.randrange(len(self.models))]
        store = ["--store", str(self.store)]
        return self._beside([sys.executable, "-m", "vitrine", "models", "promote", label, *store]).strip()[:60]

    def _beside(self, command: list[str]) -> str:
        """Run a job as an operator would beside an open shop: with what processor time is left.

        One for which none is left is killed after `JOB_SECONDS`; it can be run again.
        """
        try:
            done = subprocess.run(
                ["nice", "-n", "19", *command], capture_output=True, text=True, check=False, timeout=JOB_SECONDS,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return UNDONE
        if done.returncode:
            raise ServiceError(f"{' '.join(command[1:4])} ended with {done.returncode}: {done.stderr[-500:]}")
        return done.stdout


def schedule(names: tuple[Name, ...], rng: random.Random) -> Iterator[Name]:
    """Yield names for ever: each once, in an order of its own, and again."""
    while True:
        yield from rng.sample(names, len(names))


def explained(sample: Sample, faults: list[Fault], ledger: Ledger) -> str | None:
    """Return why a request was refused or not answered; None where nothing says why."""
    if sample.about is not None:
        if sample.status == 404 and ledger.uncertain(sample.about, sample.began, sample.ended):
            return "deleted, or on its way"
        if sample.kind == "similar" and sample.status == 503 and sample.later and ledger.written(sample.about):
            return "still being taken in"
    for fault in faults:
        if fault.name.startswith("postgres"):
            known, until = sample.status == 503 and sample.later, fault.ended + BACK_SECONDS
        elif fault.away is not None and sample.status == 503:
            known, until = sample.later, fault.away
        else:
            known, until = sample.status == 0 and fault.name in KILLED, fault.ended + RESET_SECONDS
        if known and sample.ended >= fault.began and sample.began <= until:
            return fault.name
    return None
