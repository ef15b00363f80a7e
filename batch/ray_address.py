"""Which cluster an address means, and whether it answers; asked in a process of its own, which can be ended.

Ray's own `auto` takes any cluster it finds among the processes of this machine, also the private one of another run,
and a driver that gets no answer waits in C++, where no signal reaches it, for minutes.
"""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable

from catalog.errors import ConfigError, ServiceError

_TRY = (
    "import logging, sys, ray\n"
    "ray.init(address=sys.argv[1], log_to_driver=False, logging_level=logging.CRITICAL)\n"
    "ray.nodes()\n"
)


def resolved(address: str) -> str:
    """Return the address that `auto` stands for: `RAY_ADDRESS`, or what `ray start` has noted on this machine.

    Raises:
        ConfigError: When there is neither, or the address has no port.
    """
    if address == "auto":
        from ray._private.authentication.authentication_token_setup import maybe_enable_token_auth_if_token_available
        from ray._private.utils import read_ray_address

        named = os.environ.get("RAY_ADDRESS")
        noted: str | None = named or read_ray_address()
        if not noted or noted in {"auto", "local"}:
            raise ConfigError(
                "batch.ray.address='auto' finds no cluster: nothing was begun by `ray start` on this machine, and "
                "RAY_ADDRESS is not set; 'host:port' would be valid, or no batch.ray.address for a cluster of this run"
            )
        if not named:  # as Ray's own `auto`: an address that somebody wrote is given no token unasked
            logging.getLogger("ray").setLevel(logging.ERROR)
            maybe_enable_token_auth_if_token_available(warn_if_disabled=False)
        address = noted
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigError(f"batch.ray.address={address!r}: 'auto', 'host:6379' or 'ray://host:10001' would be valid")
    return address


def await_answer(address: str, seconds: float, asked_to_stop: Callable[[], bool]) -> None:
    """Return when a driver could connect there, or when somebody asks to stop.

    Raises:
        ServiceError: When none could within `seconds`, with the reason.
    """
    end = time.monotonic() + seconds
    host, _, port = address.rpartition("://")[2].rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=min(5.0, seconds)).close()
    except OSError as error:
        raise _nobody(address, f"{error.strerror or error}") from error
    quiet = {**os.environ, "RAY_BACKEND_LOG_LEVEL": "fatal"}
    command = (sys.executable, "-c", _TRY, address)
    with subprocess.Popen(command, env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as child:
        try:
            while child.poll() is None:
                if asked_to_stop():
                    return
                if time.monotonic() > end:
                    raise _nobody(
                        address,
                        f"no answer of Ray within {seconds:g} s (batch.ray.connect_seconds); "
                        "one that was started with tokens answers with RAY_AUTH_MODE=token alone",
                    )
                time.sleep(0.05)
        finally:
            child.kill()
        if child.returncode:
            assert child.stderr is not None
            raise _nobody(address, "".join(child.stderr.read().strip().splitlines()[-1:]) or "Ray ended at once")


def _nobody(address: str, reason: str) -> ServiceError:
    return ServiceError(f"no Ray cluster at batch.ray.address={address!r}: {reason}", retryable=True)
