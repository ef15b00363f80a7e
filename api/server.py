"""Serving: one process, which answers from its first moment and is stopped gracefully."""

from __future__ import annotations

import errno
import logging
import math
import os
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from api.app import create_app
from api.config import ApiConfig
from api.door import Door
from api.key_file import KEY_FILE, KeyFile, Keyring
from api.keys import load_keys, require_keys
from api.readiness import Readiness
from api.service import Service
from catalog.errors import ConfigError

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

log = logging.getLogger("vitrine.api")

IDLE_SECONDS = 75
"""How long a connection may rest between two requests: longer than proxies and clients keep theirs (60 s), or now and
then one would write to a connection that is just being closed, and get no answer."""


@dataclass(frozen=True)
class Opened:
    """A server whose address is taken; nobody is answered before `run`."""

    server: uvicorn.Server
    listener: socket.socket
    address: str
    door: Door | None = None

    def run(self) -> None:
        """Answer until a signal or `stop` ends it; running answers may end (`api.drain_seconds`).

        Raises:
            VitrineError: When the shop cannot be opened.
        """
        in_main = threading.current_thread() is threading.main_thread()
        # Uvicorn raises the signal again when it is done, which would end the process before what follows.
        before = signal.signal(signal.SIGTERM, lambda *_: None) if in_main else None
        try:
            with self.listener:
                self.server.run(sockets=[self.listener])
        finally:
            if in_main:
                signal.signal(signal.SIGTERM, before)
        if self.door is not None and self.door.failure is not None:
            raise self.door.failure

    def stop(self) -> None:
        """End `run` from another thread."""
        self.server.should_exit = True


def opened(
    service: Service, host: str | None = None, port: int | None = None, *, environment: Mapping[str, str] | None = None
) -> Opened:
    """Take the address and make everything ready to run.

    Args:
        service: The open shop.
        host: Address to listen on, in place of `service.config.host`.
        port: Port to listen on, in place of `service.config.port`; 0 takes a free one.
        environment: Where `VITRINE_API_KEYS` is read; None is the process's own.

    Raises:
        ConfigError: When keys are needed and missing, or the address cannot be taken.
    """
    address, keys = _entrance(service.config, service.shop.root, host, environment)
    listener = listen(address, service.config.port if port is None else port)
    readiness = Readiness()
    app = create_app(service, keys=keys, check_host=True, readiness=readiness)
    return _server(app, readiness, service.config, listener, keys)


def opening(
    load: Callable[[], Service],
    config: ApiConfig,
    root: Path,
    listener: socket.socket,
    told: Callable[[Service], None] = lambda _service: None,
    *,
    environment: Mapping[str, str] | None = None,
    quiet: bool = False,
) -> Opened:
    """Make a server ready to run whose shop is opened while it runs; until then `/health/ready` says `starting`.

    Args:
        load: Opens the shop; runs in a thread.
        config: Limits of the wire.
        root: The store, where keys rest.
        listener: From `entrance`.
        told: Called with the shop when it is open.
        environment: As for `opened`.
        quiet: Listen only when the shop is open, since others answer at this address meanwhile.
    """
    readiness = Readiness("starting")
    keys = _keyring(root, environment)

    def close() -> None:
        made.stop()

    make = partial(create_app, keys=keys, check_host=True, readiness=readiness)
    door = Door(load, make, readiness, told, close, quiet)
    made = _server(door, readiness, config, listener, keys)
    return made


def entrance(
    config: ApiConfig, root: Path, host: str | None, port: int | None, environment: Mapping[str, str] | None = None
) -> socket.socket:
    """Take the address, for `opening` here or in workers.

    Raises:
        ConfigError: When keys are needed and missing, or the address cannot be taken.
    """
    address, _ = _entrance(config, root, host, environment)
    return listen(address, config.port if port is None else port)


def url_of(listener: socket.socket) -> str:
    """Return the address at which a listener is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://{_in_url(host)}:{port}"


def _entrance(
    config: ApiConfig, root: Path, host: str | None, environment: Mapping[str, str] | None
) -> tuple[str, Keyring]:
    address, keys = config.host if host is None else host, _keyring(root, environment)
    keys.check()
    require_keys(address, keys)
    return address, keys


def _keyring(root: Path, environment: Mapping[str, str] | None) -> Keyring:
    return Keyring(load_keys(os.environ if environment is None else environment), KeyFile(root / KEY_FILE))


def _server(app: ASGIApp, readiness: Readiness, config: ApiConfig, listener: socket.socket, keys: Keyring) -> Opened:
    import uvicorn

    from api.draining import DrainingServer

    wire = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=max(1, math.ceil(config.drain_seconds)),
    )
    url = url_of(listener)
    access = "with keys" if keys else "open: no key is asked for, and only this machine can reach it"
    log.info("serving address=%s access=%r", url, access)
    door = app if isinstance(app, Door) else None
    return Opened(DrainingServer(wire, readiness, config), listener, url, door)


def serve(
    service: Service, host: str | None = None, port: int | None = None, *, environment: Mapping[str, str] | None = None
) -> None:
    """Serve until a signal ends it; see `opened`."""
    opened(service, host, port, environment=environment).run()


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        ConfigError: When the port is none, taken or forbidden, or the host is not an address of this machine.
    """
    if not 0 <= port <= 65535:  # the resolver would wrap it around
        raise ConfigError(f"port {port}: a number from 0 (a free one) to 65535 would be valid")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise ConfigError(f"host {host!r}: {error.strerror}; an address of this machine would be valid") from error
    listener = socket.socket(family, kind, protocol)
    try:
        # A port that another process listens on is still refused; one that merely lingers after a stop is not.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise ConfigError(f"port {port} on {host}: {_reason(error)}") from error
    return listener


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "already in use; stop what listens there, or choose another with --port"
    if error.errno == errno.EACCES:
        return "not allowed to this user; a port from 1024 on would be valid"
    return str(error.strerror)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
