"""Several processes that answer at one address; one that dies is replaced, all end together."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType

from api.config import ApiConfig
from api.metrics import MULTIPROCESS
from api.porter import Porter
from api.preloading import start_context
from api.server import opening
from api.service import Service
from catalog.errors import ServiceError, VitrineError

log = logging.getLogger("vitrine.api")

OPEN = b"open"
"""What a worker says once the shop is."""
CANNOT_OPEN = 3
"""Exit status of a worker that could not open the shop. Where none ever could, another would fail the same way."""
LONGEST_PAUSE = 30.0
"""Seconds between two tries to open the shop again for a worker that is gone, while its database is away, say."""
SLACK_SECONDS = 5.0
"""What a worker gets beyond its own times before it is killed."""
UNWATCHED = 255
"""Exit status of a worker, as it seems, whose fork server is gone: the standard library knows no more of it."""
DYING_SECONDS = 0.5
"""Time for a fork server that refuses to be gone: it closes its address before the system calls it dead."""
QUICK_SECONDS, QUICK_DEATHS = 30.0, 5
"""So many deaths in so short a time are no accident, and the server gives up."""


@dataclass
class _Worker:
    process: BaseProcess
    news: Connection
    ready: bool = False

    @property
    def answers(self) -> bool:
        """Whether callers may be led to it: it has opened the shop, and lives."""
        return self.ready and self.process.is_alive()

    def hear(self) -> bool:
        """Note whether it has opened the shop meanwhile; return whether that is new."""
        if self.ready or not self.news.poll():
            return False
        with suppress(EOFError):  # it is dying
            self.ready = self.news.recv_bytes() == OPEN
        return self.ready


@dataclass
class Workers:
    """The parent: holds the address, and has callers told to come again while no worker can answer them.

    Attributes:
        load: Opens the shop in each worker; picklable.
        config: Of the wire; `workers` is how many.
        root: The store.
        listener: From `api.server.entrance`.
        told: Called once, when every worker answers.
        libraries: Modules whose memory the workers share (`api.preloading`).
    """

    load: Callable[[], Service]
    config: ApiConfig
    root: Path
    listener: socket.socket
    told: Callable[[], None]
    libraries: tuple[str, ...] = ()
    _workers: list[_Worker] = field(init=False, default_factory=list)
    _deaths: list[float] = field(init=False, default_factory=list)
    _failed: int = field(init=False, default=0)
    _was_open: bool = field(init=False, default=False)
    _stop: threading.Event = field(init=False, default_factory=threading.Event)

    def run(self) -> None:
        """Serve until a signal ends it.

        Raises:
            ServiceError: When the workers cannot open the shop, or die again and again.
        """
        import prometheus_client  # noqa: F401 - before its variable is set: this process counts nothing

        before = {number: signal.signal(number, self._told_to_stop) for number in (signal.SIGTERM, signal.SIGINT)}
        counted = os.environ.get(MULTIPROCESS)
        try:
            with tempfile.TemporaryDirectory(prefix="vitrine-metrics-") as folder, self.listener:
                os.environ[MULTIPROCESS] = folder
                try:
                    with ExitStack() as absence:
                        absence.enter_context(Porter(self.listener))
                        for _ in range(self.config.workers):
                            self._workers.append(self._started())
                        self._watch(absence)
                finally:
                    self._end()
        finally:
            if counted is None:
                os.environ.pop(MULTIPROCESS, None)
            else:
                os.environ[MULTIPROCESS] = counted
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """End `run`, from another thread or a signal."""
        self._stop.set()

    @property
    def pids(self) -> list[int]:
        """The running workers."""
        return [worker.process.pid for worker in self._workers if worker.process.pid is not None]

    def _told_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stop()

    def _started(self, pause: float = 0.0) -> _Worker:
        """Start a worker; it listens only once it has opened the shop, so that nobody is sent away who need not be."""
        context = start_context(self.libraries)
        news, theirs = context.Pipe(duplex=False)
        given = (self.load, self.config, self.root, self.listener, theirs, os.environ[MULTIPROCESS], pause)
        process: BaseProcess = context.Process(target=_work, args=given)  # type: ignore[attr-defined]
        while process.pid is None:
            try:
                process.start()
            except (EOFError, ConnectionError):  # the next try starts another
                self._note_death("fork servers were lost")
                log.error("the fork server was lost while it started a worker; another takes its place")
                time.sleep(DYING_SECONDS)
        theirs.close()
        return _Worker(process, news)

    def _watch(self, absence: ExitStack) -> None:
        """Replace who dies; `absence` holds the porter as long as no worker answers."""
        announced, attended = False, True
        while not self._stop.is_set():
            opening = [worker.news for worker in self._workers if not worker.ready]
            living = [worker.process.sentinel for worker in self._workers if worker.process.exitcode is None]
            wait([*opening, *living], timeout=0.2)
            for worker in self._workers:
                if worker.hear():
                    self._was_open, self._failed = True, 0
            answered = any(worker.answers for worker in self._workers)
            if answered and attended:
                absence.close()
            elif not answered and not attended:
                log.error("no worker is left; callers are told to come again until one is back")
                absence.enter_context(Porter(self.listener))
            attended = not answered
            for place, worker in enumerate(self._workers):
                # While nobody answers one opens the shop, and has the processors for it; the others follow.
                # Asked anew for each: the last that answered may have died since this round began.
                answered = any(each.answers for each in self._workers)
                in_turn = answered or not any(each.process.is_alive() for each in self._workers)
                if worker.process.exitcode is not None and in_turn and not self._stop.is_set():
                    self._workers[place] = self._replaced(worker)
            if not announced and all(worker.ready for worker in self._workers):
                announced = True
                self.told()

    def _replaced(self, worker: _Worker) -> _Worker:
        from prometheus_client import multiprocess

        code, pid = worker.process.exitcode, worker.process.pid
        if code == CANNOT_OPEN and not self._was_open:
            raise ServiceError("the workers cannot open the shop; their last line says why")
        if code == CANNOT_OPEN:
            self._failed += 1
            pause = min(LONGEST_PAUSE, 0.5 * 2.0**self._failed)
            log.error("worker could not open the shop pid=%s; another tries in %g s", pid, pause)
            worker.news.close()
            return self._started(pause)
        self._note_death(f"workers died, the last with status {code},")
        if code == UNWATCHED and pid is not None:
            # It may live and answer still, and nobody would tell it to end: it gives its place up.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM if worker.ready else signal.SIGKILL)
        log.error("worker died pid=%s status=%s; another takes its place", pid, code)
        if pid is not None:
            multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
        worker.news.close()
        return self._started()

    def _note_death(self, what: str) -> None:
        """Count a death; raises ServiceError where too many came too fast."""
        now = time.monotonic()
        self._deaths = [at for at in self._deaths if now - at < QUICK_SECONDS] + [now]
        if len(self._deaths) >= QUICK_DEATHS:
            raise ServiceError(f"{QUICK_DEATHS} {what} within {QUICK_SECONDS:g} s")

    def _end(self) -> None:
        """Tell every worker to end, and kill those that do not."""
        self.listener.close()  # or the kernel would go on taking calls that nobody answers
        for worker in self._workers:
            worker.hear()
            if worker.answers:
                worker.process.terminate()
            else:
                worker.process.kill()  # it answers nobody, and may be long in opening
        until = time.monotonic() + self.config.drain_notice_seconds + self.config.drain_seconds + SLACK_SECONDS
        for worker in self._workers:
            worker.process.join(max(0.0, until - time.monotonic()))
            if worker.process.is_alive():
                log.error("worker killed pid=%s: it did not end in time", worker.process.pid)
                worker.process.kill()
                worker.process.join()
            worker.news.close()


def _work(
    load: Callable[[], Service],
    config: ApiConfig,
    root: Path,
    listener: socket.socket,
    news: Connection,
    counts: str,
    pause: float,
) -> None:
    """Be a worker."""
    time.sleep(pause)
    os.environ[MULTIPROCESS] = counts  # a fork server has the environment of its own beginning
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which tells the workers
    _leave_no_semaphore()
    threading.Thread(target=_follow_parent, daemon=True).start()

    def told(_service: Service) -> None:
        with suppress(BrokenPipeError):  # the parent is gone, and this one about to follow
            news.send_bytes(OPEN)

    server = opening(load, config, root, listener, told, quiet=True)
    try:
        server.run()
    except VitrineError as error:
        log.error("the shop cannot be opened: %s", error)
        raise SystemExit(CANNOT_OPEN) from None
    finally:
        door = server.door
        if door is not None and door.service is not None and door.service.live is not None:
            door.service.live.close()
        # Everything is closed; looking through all objects for cycles takes seconds, and copies what workers share.
        gc.disable()
        gc.freeze()


def _leave_no_semaphore() -> None:
    """Lock progress bars among this process's threads alone, as nobody else draws any here.

    tqdm, which models load and embed with even where no bar is drawn, makes a named semaphore otherwise. A worker that
    is killed leaves it behind, and Python's resource tracker says so in plain words in the middle of the log.
    """
    with suppress(ImportError):
        from tqdm import tqdm  # type: ignore[import-untyped]

        tqdm.set_lock(threading.RLock())


def _follow_parent() -> None:
    """End when the parent is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
