"""The door of the event store: the two databases it stands on, and `open_event_store`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from catalog.errors import DataError
from catalog.event_base import DeadLetter, EventStore, Pruned, PutResult
from catalog.event_config import EventConfig
from catalog.event_engines import postgres_engine, read_url, sqlite_engine
from catalog.event_faults import answering
from catalog.event_store import SqlEventStore

__all__ = [
    "DeadLetter",
    "EventConfig",
    "EventStore",
    "PostgresEventStore",
    "Pruned",
    "PutResult",
    "SqliteEventStore",
    "open_event_store",
]


class SqliteEventStore(SqlEventStore):
    """Events in one SQLite file: write-ahead log, every commit on the disk before it is acknowledged.

    Args:
        path: The file; it and its folder are made when missing.

    Raises:
        DataError: When the file is not a SQLite database, cannot be opened, or a newer version made it.
    """

    def __init__(self, path: Path | str) -> None:
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = sqlite_engine(path)
        try:
            super().__init__(engine)
        except Exception as error:
            engine.dispose()
            if not isinstance(error, DatabaseError):
                raise
            raise DataError(f"event store {str(path)!r} cannot be opened: {error.orig}") from error

    def forget_user(self, user_id: str) -> int:
        """See `EventStore.forget_user`; what was erased leaves the write-ahead log as well."""
        forgotten = super().forget_user(user_id)
        self._empty_log()
        return forgotten

    def forget_event(self, event_id: str) -> bool:
        """See `EventStore.forget_event`; its words leave the write-ahead log as well."""
        forgotten = super().forget_event(event_id)
        if forgotten:
            self._empty_log()
        return forgotten

    def forget_told(self, user_id: str, entry_id: str | None = None) -> int:
        """See `EventStore.forget_told`; what was erased leaves the write-ahead log as well."""
        forgotten = super().forget_told(user_id, entry_id)
        if forgotten:
            self._empty_log()
        return forgotten

    def prune(self, before: datetime) -> Pruned:
        """See `EventStore.prune`; what was erased leaves the write-ahead log as well."""
        pruned = super().prune(before)
        self._empty_log()
        return pruned

    def _empty_log(self) -> None:
        self.rows(text("PRAGMA wal_checkpoint(TRUNCATE)"))


class PostgresEventStore(SqlEventStore):
    """Events in a PostgreSQL database, shared by all workers.

    Args:
        url: Its address.
        pool_size: Connections kept.
        connect_seconds: How long to wait for one.

    Raises:
        ConfigError: When psycopg is not installed.
        ServiceError: When the database cannot be reached.
        DataError: When a newer version made its tables.
    """

    def __init__(self, url: str, pool_size: int = 8, connect_seconds: int = 5) -> None:
        engine = postgres_engine(url, pool_size, connect_seconds)
        try:
            with answering(engine):
                super().__init__(engine)
        except BaseException:
            engine.dispose()
            raise


def open_event_store(config: EventConfig, path: Path | str) -> SqlEventStore:
    """Open the event store that the settings name.

    Args:
        config: Which database.
        path: The SQLite file where `config` names no database.

    Raises:
        ConfigError: When what the database needs is not installed.
        DataError: When the database is not one of ours, or newer than this version.
        ServiceError: When it cannot be reached.
    """
    if config.url is None:
        return SqliteEventStore(path)
    url = config.url.get_secret_value()
    read = read_url(url)
    if read.drivername.startswith("sqlite"):
        return SqliteEventStore(read.database or path)
    return PostgresEventStore(url, config.pool_size, config.connect_seconds)
