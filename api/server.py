"""Serving: one process, stopped gracefully."""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.app import create_app
from api.key_file import KEY_FILE, KeyFile, Keyring
from api.keys import load_keys, require_keys
from api.service import Service
from catalog.errors import ConfigError

if TYPE_CHECKING:
    import uvicorn

log = logging.getLogger("vitrine.api")

GRACE_SECONDS = 10


@dataclass(frozen=True)
class Opened:
    """A shop whose address is taken; nobody is answered before `run`."""

    server: uvicorn.Server
    listener: socket.socket
    address: str

    def run(self) -> None:
        """Answer until a signal or `stop` ends it; running answers get ten seconds to finish."""
        with self.listener:
            self.server.run(sockets=[self.listener])

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
    import uvicorn

    address = service.config.host if host is None else host
    fixed = load_keys(os.environ if environment is None else environment)
    keys = Keyring(fixed, KeyFile(service.shop.root / KEY_FILE))
    require_keys(address, keys)
    listener = listen(address, service.config.port if port is None else port)
    app = create_app(service, keys=keys, check_host=True)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=GRACE_SECONDS
    )
    url = f"http://{_in_url(address)}:{listener.getsockname()[1]}"
    access = "with keys" if keys else "open: no key is asked for, and only this machine can reach it"
    log.info("serving address=%s access=%r", url, access)
    return Opened(uvicorn.Server(config), listener, url)


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
