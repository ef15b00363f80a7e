"""A PostgreSQL server of one's own, on a free port of loopback: for tests and measurements, never for a shop."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from catalog.errors import ServiceError

DEBIAN = Path("/usr/lib/postgresql")
_UNPRIVILEGED = ("postgres", "nobody")


def postgres_binaries() -> Path | None:
    """Return the folder of `initdb` and `pg_ctl`; None when this machine has none."""
    versions = sorted(DEBIAN.glob("*/bin"), key=lambda folder: int(folder.parent.name), reverse=True)
    found = shutil.which("initdb")
    for folder in [*versions, *([Path(found).parent] if found else [])]:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    return None


class PrivatePostgres:
    """A server for the `with` block.

    PostgreSQL refuses to run as root; there it runs as `postgres` or `nobody`. Commits are in the system's cache when
    acknowledged (`fsync` is off), which survives the death of any process and not that of the machine.

    Args:
        options: Further words of the server's command line, which count for more than ours.

    Raises:
        ServiceError: When the binaries are missing or the server does not come up; the text says why.
    """

    def __init__(self, options: Sequence[str] = ()) -> None:
        binaries = postgres_binaries()
        if binaries is None:
            raise ServiceError(f"no PostgreSQL here: initdb and pg_ctl are neither in PATH nor below {DEBIAN}")
        self._binaries = binaries
        self._options = shlex.join(options)
        self._user = _other_user()
        self._folder = Path(tempfile.mkdtemp(prefix="vitrine-pg-"))
        self._log = self._folder / "log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        if self._user is not None:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)

    @property
    def url(self) -> str:
        """The address of its own database; `new_database` makes empty ones."""
        return f"postgresql://vitrine@127.0.0.1:{self.port}/postgres"

    def __enter__(self) -> PrivatePostgres:
        """Make the cluster and start it."""
        data = str(self._folder / "data")
        if Path(data).exists():
            return self
        try:
            self._run("initdb", "-D", data, "-U", "vitrine", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _value: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Stop it and leave nothing behind."""
        try:
            if (self._folder / "data" / "postmaster.pid").exists():
                self.stop()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def new_database(self) -> str:
        """Make an empty database and return its address."""
        import psycopg

        name = f"shop_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} STRATEGY file_copy".encode())
        return f"{self.url.removesuffix('/postgres')}/{name}"

    def start(self) -> None:
        """Start the server on its port; back when it answers."""
        settings = f"-h 127.0.0.1 -p {self.port} -k '' -F -c max_connections=60 -c shared_buffers=16MB {self._options}"
        data = str(self._folder / "data")
        self._run("pg_ctl", "-D", data, "-l", str(self._log), "-o", settings, "-w", "-t", "60", "start")

    def stop(self) -> None:
        """Stop the server, cutting every connection."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")

    def kill(self) -> None:
        """Kill the server as the kernel would; back when its children, who follow it, are gone as well (Linux)."""
        note = self._folder / "data" / "postmaster.pid"
        pid = int(note.read_text().splitlines()[0])
        family = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
        os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + 30
        while not all(_gone(each) for each in family) and time.monotonic() < until:
            time.sleep(0.02)
        note.unlink()  # where nobody reaps the dead, the next server would take its process for alive

    def _run(self, program: str, *arguments: str) -> None:
        who: dict[str, Any] = {}
        if self._user is not None:
            who = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        # To a file: the server inherits what pg_ctl writes to, and a pipe would stay open with it.
        said = self._folder / "said"
        with said.open("w") as out:
            done = subprocess.run(
                [str(self._binaries / program), *arguments],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self._folder, timeout=90, check=False, **who,
            )  # fmt: skip
        if done.returncode:
            last = (said.read_text() + (self._log.read_text() if self._log.exists() else "")).strip().splitlines()[-1:]
            raise ServiceError(f"{program} ended with {done.returncode}: {' '.join(last)}")


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def _other_user() -> pwd.struct_passwd | None:
    """Return whom the server runs as when we are root."""
    if os.getuid() != 0:
        return None
    for name in _UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServiceError(f"PostgreSQL does not run as root, and there is none of {', '.join(_UNPRIVILEGED)} to run as")
