"""Connect to a Ray cluster, or start one of this machine alone; Ray stays quiet and leaves signals to the job."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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
    """
    import ray

    # Ray reads these at its start: no usage reports, and the GPU list of workers without one left alone.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        with _own_signals():
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ServiceError(f"no Ray cluster at batch.ray.address={address!r}: {error}") from error
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep the handler of SIGTERM, which Ray replaces by its own: a job that is asked to end ends in good order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
