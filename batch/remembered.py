"""`Remembered`: the table behind `HashCache`, which may be lost, damaged or without room at any time.

It only saves reading. What is damaged or of another layout is made anew, once; where it cannot be kept at all (a full
disk, a store that may not be written, something else of its name) that is said once, and the work goes on without it.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import stat
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

Stamp = tuple[int, str]
"""Size, and what else tells of a change."""
Row = tuple[str, int, str, bytes]
"""Path, size, mark, sha256."""

ASKED = 500
"""Paths in one query."""
_SHA_BYTES = 32
_NOT_ITS_FAULT = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
)
"""Errors that a new file would not mend."""
_FIND = "SELECT path, size, mark, sha FROM hashes WHERE path IN ({})"
_KEEP = "INSERT OR REPLACE INTO hashes (path, size, mark, sha) VALUES (?, ?, ?, ?)"
_MAKE = "CREATE TABLE IF NOT EXISTS hashes (path TEXT PRIMARY KEY, size INTEGER, mark TEXT, sha BLOB) WITHOUT ROWID"

log = logging.getLogger(__name__)


class Remembered:
    """Rows of path, size, mark and sha256 in a SQLite file; threads take turns.

    Args:
        path: The file.
        writable: False looks up in a file that is there, and neither keeps nor mends anything.
    """

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        self._path, self._writable = path, writable
        self._lock = threading.Lock()
        self._base: sqlite3.Connection | None = None
        self._renewed = False
        self._over = not writable and not path.is_file()
        self._try(lambda base: None)

    def find(self, paths: Sequence[str]) -> dict[str, tuple[bytes, Stamp]]:
        """Return sha256 and stamp of each path that is known."""
        found: dict[str, tuple[bytes, Stamp]] = {}

        def look(base: sqlite3.Connection) -> None:
            for first in range(0, len(paths), ASKED):
                some = paths[first : first + ASKED]
                for path, size, mark, sha in base.execute(_FIND.format(",".join("?" * len(some))), some):
                    if isinstance(sha, bytes) and len(sha) == _SHA_BYTES:
                        found[path] = sha, (size, mark)

        self._try(look)
        return found

    def keep(self, rows: Sequence[Row]) -> None:
        """Keep rows, in place of those of the same paths."""

        def write(base: sqlite3.Connection) -> None:
            with base:
                base.executemany(_KEEP, rows)

        if self._writable and rows:
            self._try(write)

    def close(self) -> None:
        """Close the file; what was kept is in it."""
        with self._lock:
            self._drop()

    def _try(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Do some work on the file; on one that is damaged again, made anew."""
        with self._lock:
            while not self._over:
                try:
                    if self._base is None:
                        self._base = self._opened()
                    work(self._base)
                    return
                except (sqlite3.Error, OSError) as error:
                    self._drop()
                    if not self._mendable(error):
                        self._over = True
                        log.warning("hash cache not kept path=%s reason=%r", self._path, str(error))
                        return
                    log.warning("hash cache dropped path=%s reason=%r", self._path, str(error))
                    self._renewed = True
                    for path in _files(self._path):
                        with contextlib.suppress(OSError):
                            path.unlink()

    def _mendable(self, error: Exception) -> bool:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        damaged = isinstance(error, sqlite3.DatabaseError) and code & 0xFF not in _NOT_ITS_FAULT
        return damaged and self._writable and not self._renewed

    def _opened(self) -> sqlite3.Connection:
        for path in _files(self._path):  # a pipe would be waited for
            if path.exists() and not stat.S_ISREG(path.stat().st_mode):
                raise OSError(f"{path.name!r} is no regular file")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        base = sqlite3.connect(self._path, timeout=30, check_same_thread=False)
        try:
            base.execute("PRAGMA journal_mode=WAL")
            base.execute("PRAGMA synchronous=NORMAL")
            if self._writable:
                base.execute(_MAKE)
        except BaseException:
            base.close()
            raise
        return base

    def _drop(self) -> None:
        base, self._base = self._base, None
        if base is not None:
            with contextlib.suppress(sqlite3.Error):
                base.close()


def _files(path: Path) -> list[Path]:
    """Return the file and those that SQLite keeps beside it."""
    return [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]
