"""SQLite's write-ahead log, switched on by several processes that open one file in the same moment."""

from __future__ import annotations

import sqlite3
import time

_LOOK_SECONDS = 0.02


def write_ahead(connection: sqlite3.Connection, seconds: float = 30.0) -> None:
    """Switch a connection's file to the write-ahead log.

    A new file is switched under a lock that SQLite does not wait for where two ask for it at once, whatever the
    connection's time-out says: one of two workers that open a shop for the first time would be told that the file is
    locked.

    Args:
        connection: In no transaction.
        seconds: How long to wait for others at most.

    Raises:
        sqlite3.OperationalError: When the file stays locked, or cannot be written.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
        time.sleep(_LOOK_SECONDS)
