"""`vitrine serve`: the shop is opened while the server already answers, and says what it loads."""

from __future__ import annotations

import gc
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from catalog.telemetry import SpanKind, observed_by
from catalog.workspace import Workspace

if TYPE_CHECKING:
    from api.service import Service
    from vitrine.settings import Settings

Tell = Callable[[str], None]

_LOG = logging.getLogger("vitrine.serve")


@dataclass
class _Telling:
    """An observer that says which part is being loaded; spans inside one are not its business."""

    tell: Tell
    name: str = ""
    began: float = 0.0

    def begin(self, kind: SpanKind, name: str) -> _Telling:
        if kind != "opening":
            return _Telling(self.tell)
        self.tell(f"loading {name} ...")
        return _Telling(self.tell, name, time.monotonic())

    def end(self, *, failed: bool) -> None:
        if self.name and not failed and (seconds := time.monotonic() - self.began) >= 1:
            self.tell(f"loaded {self.name} in {seconds:.1f} s")


def load_service(settings: Settings, tell: Tell) -> Service:
    """Open the shop and say what is loaded."""
    from vitrine.wiring import make_service

    with observed_by(_Telling(tell)):
        service = make_service(settings)
    tell("warming the mind ...")
    return service


def worker_service(settings: Settings, telling_pid: bool = True) -> Service:
    """Open the shop in a process of its own, whose logs are as its parent's."""
    from vitrine.logs import configure_logs

    configure_logs(settings.log_level, settings.log_format)
    prefix = f"worker {os.getpid()}: " if telling_pid else ""
    tell = teller(settings, error=True)
    return load_service(settings, lambda text: tell(f"{prefix}{text}"))


def teller(settings: Settings, *, error: bool = False) -> Tell:
    """Return what says a line: printed, or where logs are JSON a line of the log, so that every line can be parsed.

    Args:
        settings: Say how logs are written.
        error: Whether it is printed to standard error.
    """
    from vitrine.cli.output import say

    return _LOG.info if settings.log_format == "json" else partial(say, error=error)


def serve(settings: Settings, host: str | None, port: int | None, workers: int | None) -> None:
    """Serve until a signal ends it.

    Args:
        settings: Of the shop.
        host: In place of `api.host`.
        port: In place of `api.port`.
        workers: In place of `api.workers`.

    Raises:
        VitrineError: When the address cannot be taken or the shop cannot be opened.
    """
    from api.server import entrance, opening, url_of

    Workspace(settings.store)  # a file in its place is said before anything else
    config = settings.api.model_copy(update={"workers": workers}) if workers is not None else settings.api
    settings = settings.model_copy(update={"api": config})  # where conversations rest hangs on it
    listener = entrance(config, settings.store, host, port)
    url = url_of(listener)
    say, tell = teller(settings), teller(settings, error=True)
    say(f"Opening the shop ... ({url}/health/ready says when)")

    if config.workers > 1:
        from api.workers import Workers
        from vitrine.libraries import shared_libraries

        def all_told() -> None:
            say(f"The shop is open at {url}, {config.workers} workers (Ctrl+C closes it)")

        load = partial(worker_service, settings)
        Workers(load, config, settings.store, listener, all_told, shared_libraries(settings)).run()
        return

    def told(service: Service) -> None:
        say(f"{service.shop.name} is open at {url} (Ctrl+C closes it); the API is described at /docs")

    load = partial(load_service, settings, tell=tell)
    server = opening(load, config, settings.store, listener, told)
    try:
        server.run()
    finally:
        door = server.door
        if door is not None and door.service is not None and door.service.live is not None:
            door.service.live.close()
        # Everything is closed; looking through all objects for cycles was ten seconds of a stop that takes one.
        gc.disable()
        gc.freeze()
