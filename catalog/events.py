"""`EventStore`: live events, the slates they cite, and the traces of answers; durable once acknowledged."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Table, create_engine, delete, event, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError
from sqlalchemy.schema import CreateIndex, CreateTable

from catalog.errors import DataError, NotFoundError
from catalog.event_tables import EVENTS, METADATA, SLATES, TRACES, event_of, event_row, slate_of, slate_row, to_micros
from catalog.nouns import Interaction, Slate


@dataclass(frozen=True, slots=True)
class PutResult:
    """How many events are new, and how many were known by their `event_id`."""

    accepted: int
    duplicates: int


class EventStore(Protocol):
    """Where live events rest. Safe to call from many threads; what `put` returned from survives a kill."""

    def put(self, events: Sequence[Interaction]) -> PutResult:
        """Add events, all or none; one whose `event_id` is known is left as it stands and counted as a duplicate.

        Raises:
            DataError: When a kind is unknown or a timestamp has no time zone; nothing is added.
        """

    def for_user(self, user_id: str, limit: int = 100, before: datetime | None = None) -> list[Interaction]:
        """Return a shopper's events, newest first, those strictly earlier than `before`."""

    def for_session(self, session_id: str, limit: int = 1000) -> list[Interaction]:
        """Return a session's latest `limit` events, oldest first."""

    def since(self, row_id: int, limit: int = 10_000) -> list[tuple[int, Interaction]]:
        """Return events added after `row_id` (0: from the first) with their row ids, in the order they came."""

    def put_slate(self, slate: Slate) -> None:
        """Keep what was shown; a known `request_id` is left as it stands."""

    def slate(self, request_id: str) -> Slate:
        """Return what was shown; raises NotFoundError."""

    def put_trace(self, trace_id: str, trace: Mapping[str, Any], user_id: str | None = None) -> None:
        """Keep the trace of an answer (anything JSON can say), in place of one of the same id."""

    def trace(self, trace_id: str) -> dict[str, Any]:
        """Return a trace; raises NotFoundError."""

    def forget_user(self, user_id: str) -> int:
        """Erase a shopper's events, slates and traces; return how many events there were."""

    def close(self) -> None:
        """Let go of the connections; the store is not used after."""


class SqlEventStore:
    """An `EventStore` on any engine whose SQL knows `ON CONFLICT` (SQLite, PostgreSQL)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with engine.begin() as connection:  # not `create_all`, whose check and creation two workers would interleave
            for table in METADATA.sorted_tables:
                connection.execute(CreateTable(table, if_not_exists=True))
                for index in sorted(table.indexes, key=lambda each: str(each.name)):
                    connection.execute(CreateIndex(index, if_not_exists=True))

    def put(self, events: Sequence[Interaction]) -> PutResult:
        """See `EventStore.put`."""
        rows = [event_row(each) for each in events]
        if not rows:
            return PutResult(0, 0)
        with self._engine.begin() as connection:
            accepted = connection.execute(self._insert(EVENTS).on_conflict_do_nothing(), rows).rowcount
        return PutResult(accepted, len(rows) - accepted)

    def for_user(self, user_id: str, limit: int = 100, before: datetime | None = None) -> list[Interaction]:
        """See `EventStore.for_user`."""
        query = select(EVENTS).where(EVENTS.c.user_id == user_id)
        if before is not None:
            query = query.where(EVENTS.c.timestamp < to_micros(before, "before"))
        query = query.order_by(EVENTS.c.timestamp.desc(), EVENTS.c.row_id.desc()).limit(limit)
        return [event_of(row) for row in self._rows(query)]

    def for_session(self, session_id: str, limit: int = 1000) -> list[Interaction]:
        """See `EventStore.for_session`."""
        query = select(EVENTS).where(EVENTS.c.session_id == session_id)
        query = query.order_by(EVENTS.c.timestamp.desc(), EVENTS.c.row_id.desc()).limit(limit)
        return [event_of(row) for row in reversed(self._rows(query))]

    def since(self, row_id: int, limit: int = 10_000) -> list[tuple[int, Interaction]]:
        """See `EventStore.since`."""
        query = select(EVENTS).where(EVENTS.c.row_id > row_id).order_by(EVENTS.c.row_id).limit(limit)
        return [(row["row_id"], event_of(row)) for row in self._rows(query)]

    def put_slate(self, slate: Slate) -> None:
        """See `EventStore.put_slate`."""
        with self._engine.begin() as connection:
            connection.execute(self._insert(SLATES).on_conflict_do_nothing(), slate_row(slate))

    def slate(self, request_id: str) -> Slate:
        """See `EventStore.slate`."""
        rows = self._rows(select(SLATES).where(SLATES.c.request_id == request_id))
        if not rows:
            raise NotFoundError(f"unknown request_id {request_id!r}: no slate was shown under it")
        return slate_of(rows[0])

    def put_trace(self, trace_id: str, trace: Mapping[str, Any], user_id: str | None = None) -> None:
        """See `EventStore.put_trace`."""
        body = json.dumps(trace, ensure_ascii=False)
        insert = self._insert(TRACES)
        insert = insert.on_conflict_do_update(
            index_elements=[TRACES.c.trace_id],
            set_={"trace": insert.excluded.trace, "user_id": insert.excluded.user_id},
        )
        with self._engine.begin() as connection:
            connection.execute(insert, {"trace_id": trace_id, "user_id": user_id, "trace": body})

    def trace(self, trace_id: str) -> dict[str, Any]:
        """See `EventStore.trace`."""
        rows = self._rows(select(TRACES.c.trace).where(TRACES.c.trace_id == trace_id))
        if not rows:
            raise NotFoundError(f"unknown trace {trace_id!r}")
        found: dict[str, Any] = json.loads(rows[0]["trace"])
        return found

    def forget_user(self, user_id: str) -> int:
        """See `EventStore.forget_user`."""
        with self._engine.begin() as connection:
            for table in (SLATES, TRACES):
                connection.execute(delete(table).where(table.c.user_id == user_id))
            return connection.execute(delete(EVENTS).where(EVENTS.c.user_id == user_id)).rowcount

    def close(self) -> None:
        """See `EventStore.close`."""
        self._engine.dispose()

    def _insert(self, table: Table) -> Any:
        """`INSERT` of the dialect, which alone knows `ON CONFLICT`."""
        make: Callable[[Table], Any] = postgresql.insert if self._engine.name == "postgresql" else sqlite.insert
        return make(table)

    def _rows(self, query: Any) -> list[Mapping[str, Any]]:
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]


class SqliteEventStore(SqlEventStore):
    """Events in one SQLite file: write-ahead log, every commit on the disk before it is acknowledged.

    Args:
        path: The file; it and its folder are made when missing.

    Raises:
        DataError: When the file is not a SQLite database or cannot be opened.
    """

    def __init__(self, path: Path | str) -> None:
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
        event.listen(engine, "connect", _settings)
        try:
            super().__init__(engine)
        except DatabaseError as error:
            engine.dispose()
            raise DataError(f"event store {str(path)!r} cannot be opened: {error.orig}") from error

    def forget_user(self, user_id: str) -> int:
        """See `EventStore.forget_user`; what was erased leaves the write-ahead log as well."""
        forgotten = super().forget_user(user_id)
        with self._engine.connect() as connection:
            _empty_log(connection)
        return forgotten


def _settings(connection: Any, _record: object) -> None:
    """Set what each new SQLite connection needs; `secure_delete` overwrites what is erased."""
    cursor = connection.cursor()
    for setting in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _empty_log(connection: Connection) -> None:
    connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
