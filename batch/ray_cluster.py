"""Connect to a Ray cluster, or start one of this machine alone; Ray stays quiet and leaves signals to the job."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from catalog.errors import ServiceError


@contextmanager
def start_local(*, cpus: int, object_store_bytes: int) -> Iterator[None]:
    """Run a cluster of this machine alone, on loopback and without dashboard; engines inside the block use it.

    Args:
        cpus: What it counts with.
        object_store_bytes: Shared memory for blocks; what does not fit is spilled to disk.

    Raises:
        ServiceError: When it does not start.
    """
    hush()
    from ray._private import ray_constants

    # On Linux Ray turns a loopback address into the machine's own and listens on all interfaces; with this
    # switch, which is off on other systems by default, it keeps to the address it is given.
    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        with connected(
            "local",
            num_cpus=cpus,
            object_store_memory=object_store_bytes,
            include_dashboard=False,
            _node_ip_address="127.0.0.1",
        ):
            yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


@contextmanager
def connected(address: str, **options: Any) -> Iterator[None]:
    """Be connected to a cluster inside the block.

    Raises:
        ServiceError: When nobody answers there.
        StoppedEarly: When SIGTERM came meanwhile and the job listens for it.
    """
    hush()
    import ray

    try:
        with _own_signals(), _silent():
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **options)
    except (ConnectionError, RuntimeError, ValueError, ImportError) as error:
        raise ServiceError(f"no Ray cluster at batch.ray.address={address!r}: {error}") from error
    try:
        yield
    finally:
        ray.shutdown()


def this_node() -> str:
    """Return the id of the machine of this process within its cluster."""
    import ray

    return str(ray.get_runtime_context().get_node_id())


def hush() -> None:
    """Set what Ray reads from the environment; before it is imported, else its C++ parts have begun to write."""
    # No usage reports, and the GPU list of workers without one left alone.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # Its C++ lines go to the terminal; what ends a run comes back as an error. `info` brings them back.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")


class StoppedEarly(Exception):
    """SIGTERM came while Ray was being started, and the job has noted it."""


class Asked:
    """Whether a signal came that the job listens for."""

    # Plain flags: a lock that the main thread holds would be waited for in its own signal handler.
    def __init__(self) -> None:
        self._asked = self._over = False

    def __call__(self) -> bool:
        """Return whether one came."""
        return self._asked

    def ask(self) -> None:
        """Note that one came."""
        self._asked = True

    def over(self) -> None:
        """End what waits: the run is over."""
        self._over = True

    def wait(self) -> bool:
        """Wait for a signal or the end of the run; return whether a signal came."""
        while not (self._asked or self._over):
            time.sleep(0.2)
        return self._asked


@contextmanager
def noting_signals() -> Iterator[Asked]:
    """Learn of the signals that the job handles, after the job has; elsewhere than in the main thread of none."""
    asked = Asked()
    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    ours = {number: handler for number, handler in before.items() if _of_a_job(handler)}

    def note(number: int, frame: FrameType | None) -> None:
        asked.ask()
        ours[signal.Signals(number)](number, frame)

    for number in ours:
        signal.signal(number, note)
    try:
        yield asked
    finally:
        for number, handler in ours.items():
            if signal.getsignal(number) is note:  # a run that is dropped late changes nothing any more
                signal.signal(number, handler)


def _of_a_job(handler: Any) -> bool:
    return callable(handler) and handler not in (signal.SIG_DFL, signal.SIG_IGN, signal.default_int_handler)


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep the handler of SIGTERM, which Ray replaces by its own: a job that is asked to end ends in good order.

    Raises:
        StoppedEarly: When SIGTERM came inside the block, as Ray's `SystemExit`, and the job's handler has it now.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: Any = signal.getsignal(signal.SIGTERM)
    try:
        yield
    except SystemExit as error:
        if error.code != signal.SIGTERM or not _of_a_job(before):
            raise
        before(signal.SIGTERM, None)
        raise StoppedEarly from error
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _silent() -> Iterator[None]:
    """Drop what is written to the terminal: Ray's C++ part says there that it was told to say nothing."""
    try:
        kept = os.dup(2)
    except OSError:  # closed from the start, as under some supervisors
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
