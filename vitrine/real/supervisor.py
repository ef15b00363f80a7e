"""Servers of the road as child processes: started, waited for until they answer, and ended whatever happens."""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from catalog.errors import ServiceError
from vitrine.real import keeper

LOOK_SECONDS = 0.2
TAIL_LINES = 12
"""Of a log, looked through for why a server ended."""


class Supervised:
    """One server, its log beside it.

    Args:
        name: What it is called when something is said of it.
        command: Its words.
        url: Answers with 200 once the server is ready.
        log: Gets what it writes, after what earlier runs left.
        environment: Added to this process's own.
        stop_seconds: How long it may take to end before it is killed.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        url: str,
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        stop_seconds: float = 30.0,
    ) -> None:
        self.name, self.command, self.url, self.log = name, list(command), url, log
        self._environment = {**os.environ, **(environment or {})}
        self._patience = stop_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._written = 0

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self, seconds: float, tell: Callable[[str], None]) -> None:
        """Start it and wait until it answers.

        Args:
            seconds: At most.
            tell: Given a line at the start and one when it answers.

        Raises:
            ServiceError: When it ends or stays silent; the text has the last words of its log.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        tell(f"{self.name}: {shlex.join(self.command)}")
        with self.log.open("ab") as log:
            self._written = log.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-I", keeper.__file__, str(self._patience), *self.command],
                stdin=subprocess.PIPE, stdout=log, stderr=log, env=self._environment, start_new_session=True,
            )  # fmt: skip
        try:
            self._wait(began + seconds)
        except BaseException:
            self.stop()
            raise
        tell(f"{self.name}: answers after {time.monotonic() - began:.0f} s, log {self.log}")

    def stop(self) -> None:
        """End it and all of its processes; nothing happens when it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(self._patience + 10)
            return
        process.kill()  # a keeper that hangs; its child is orphaned and told of in the log
        process.wait()

    def words(self) -> str:
        """Return the last lines of what it wrote since it was started, the telling one first."""
        with self.log.open("rb") as file:
            file.seek(self._written)
            lines = [line.strip() for line in file.read()[-20_000:].decode(errors="replace").splitlines()]
        lines = [line for line in lines if line][-TAIL_LINES:]
        told = [line for line in lines if "Error" in line or "error" in line]
        return (told or lines or ["it wrote nothing"])[-1][-400:]

    def _wait(self, until: float) -> None:
        import httpx

        assert self._process is not None
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(self.url, timeout=5.0, trust_env=False).status_code == httpx.codes.OK:
                    return
            if self._process.poll() is not None:
                raise ServiceError(
                    f"{self.name} ended with status {self._process.returncode} before it answered: {self.words()} "
                    f"(log {str(self.log)!r})"
                )
            if time.monotonic() > until:
                raise ServiceError(
                    f"{self.name} does not answer at {self.url}: {self.words()} (log {str(self.log)!r}); "
                    "real.start_seconds lets it take longer"
                )
            time.sleep(LOOK_SECONDS)


def free_port() -> int:
    """Return a port of loopback that nobody listens on just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
