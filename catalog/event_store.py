"""An `EventStore` in SQL, for SQLite and PostgreSQL alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Table, bindparam, delete, exists, func, select, text, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from catalog.errors import NotFoundError
from catalog.event_base import DeadLetter, Pruned, PutResult, Visit
from catalog.event_claims import claimed, news, sign_in
from catalog.event_faults import answering
from catalog.event_onward import onward
from catalog.event_schema import LOCK, ensure_schema
from catalog.event_tables import (
    CONVERSATIONS,
    DEAD_LETTERS,
    EVENTS,
    METADATA,
    SIGN_INS,
    SLATES,
    TOLD,
    TRACES,
    event_of,
    event_row,
    letter_of,
    letter_place,
    letter_row,
    slate_of,
    slate_row,
    to_micros,
)
from catalog.nouns import Interaction, Slate
from catalog.slate_writer import SlateWriter
from catalog.tenancy import current_tenant
from catalog.told import Told
from catalog.told_rows import forget_told, put_told, told_of

MOST_LETTERS = 100_000
"""Dead letters kept; a sender that never learns does not fill the disk."""

SESSION = 1000
"""Latest events of a session that are read."""

_NEWEST_FIRST = (EVENTS.c.timestamp.desc(), EVENTS.c.row_id.desc())
_MINE = select(EVENTS).where(EVENTS.c.tenant == bindparam("tenant")).order_by(*_NEWEST_FIRST).limit(bindparam("most"))
# Every recommendation asks these two, and putting a statement together takes longer than SQLite's answer.
_OF_USER = _MINE.where(EVENTS.c.user_id == bindparam("user_id"))
_TOLD_BY = (
    select(TOLD)
    .where(TOLD.c.tenant == bindparam("tenant"), TOLD.c.user_id == bindparam("user_id"))
    .order_by(TOLD.c.timestamp.desc(), TOLD.c.entry_id)
)
_HAS_TOLD = exists().where(TOLD.c.tenant == bindparam("tenant"), TOLD.c.user_id == bindparam("user_id"))
_OF_VISITOR = _OF_USER.add_columns(_HAS_TOLD.label("has_told"))
_OF_SESSION = _MINE.where(EVENTS.c.session_id == bindparam("session_id"))

_T = TypeVar("_T")
_PRUNE_STEP = 5_000
_TRIES = 4
_AGAIN = frozenset({"40P01", "40001"})
"""PostgreSQL's states of a transaction that lost against another and may be tried again: deadlock, serialization."""


class SqlEventStore:
    """An `EventStore` on any engine whose SQL knows `ON CONFLICT` (SQLite, PostgreSQL)."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._postgres = engine.name == "postgresql"
        ensure_schema(engine)
        self._slates = SlateWriter(self._write_slates)

    def put(self, events: Sequence[Interaction]) -> PutResult:
        """See `EventStore.put`."""
        tenant = current_tenant()
        rows = [event_row(each, tenant) for each in events]
        if not rows:
            return PutResult(0, 0)

        def work(connection: Connection) -> int:
            insert = self.insert(EVENTS).on_conflict_do_nothing().returning(EVENTS.c.row_id)
            dated = onward(connection, tenant, rows, to_micros(datetime.now(UTC), "now"))
            accepted = len(connection.execute(insert, claimed(connection, tenant, dated)).all())
            sign_in(connection, tenant, dated, self.insert(SIGN_INS))
            return accepted

        accepted = self.transaction(work)
        return PutResult(accepted, len(rows) - accepted)

    def for_user(self, user_id: str, limit: int = 100, before: datetime | None = None) -> list[Interaction]:
        """See `EventStore.for_user`."""
        self._slates.settled(current_tenant(), user_id=user_id)
        query = _OF_USER if before is None else _OF_USER.where(EVENTS.c.timestamp < to_micros(before, "before"))
        given = {"tenant": current_tenant(), "user_id": user_id, "most": limit}
        return [event_of(row) for row in self.rows(query, given)]

    def for_session(self, session_id: str, limit: int = SESSION) -> list[Interaction]:
        """See `EventStore.for_session`."""
        self._slates.settled(current_tenant(), session_id=session_id)
        given = {"tenant": current_tenant(), "session_id": session_id, "most": limit}
        return [event_of(row) for row in reversed(self.rows(_OF_SESSION, given))]

    def of_visit(self, user_id: str | None, session_id: str | None, limit: int = 100) -> Visit:
        """See `EventStore.of_visit`."""
        tenant = current_tenant()
        self._slates.settled(tenant, user_id=user_id, session_id=session_id)
        mine: list[Interaction] = []
        visit: list[Interaction] = []
        told: list[Told] = []
        with answering(self.engine), self.engine.connect() as connection:
            if user_id is not None:
                given = {"tenant": tenant, "user_id": user_id, "most": limit}
                found = connection.execute(_OF_VISITOR, given).mappings().all()
                mine = [event_of(row) for row in found]
                if not found or found[0]["has_told"]:
                    told = [told_of(dict(row)) for row in connection.execute(_TOLD_BY, given).mappings()]
            if session_id is not None:
                given = {"tenant": tenant, "session_id": session_id, "most": SESSION}
                known = {event.event_id: event for event in mine}
                rows = connection.execute(_OF_SESSION, given).mappings()
                visit = [known.get(row["event_id"]) or event_of(row) for row in rows]
        return Visit(mine, visit[::-1], told)

    def since(self, row_id: int, limit: int = 10_000) -> list[tuple[int, Interaction]]:
        """See `EventStore.since`."""
        query = select(EVENTS).where(EVENTS.c.row_id > row_id).order_by(EVENTS.c.row_id).limit(limit)
        if self._postgres:
            # Row ids are given before they are committed. Read no further than where none is still on its way, or one
            # that is committed later would be passed over.
            query = query.where(EVENTS.c.row_id <= self.transaction(self._settled, alone=True))
        return [(row["row_id"], event_of(row)) for row in self.rows(query)]

    def forget_event(self, event_id: str) -> bool:
        """See `EventStore.forget_event`."""
        erase = delete(EVENTS).where(EVENTS.c.tenant == current_tenant(), EVENTS.c.event_id == event_id)
        return self.transaction(lambda connection: connection.execute(erase).rowcount) > 0

    def put_slate(self, slate: Slate) -> None:
        """See `EventStore.put_slate`."""
        self._slates.put(slate_row(slate, current_tenant()))

    def _write_slates(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.transaction(lambda connection: self._shown(connection, rows))

    def _shown(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        connection.execute(self.insert(SLATES).on_conflict_do_nothing(), list(rows))
        for tenant in sorted({row["tenant"] for row in rows}):
            signed = news(connection, tenant, [row for row in rows if row["tenant"] == tenant])
            sign_in(connection, tenant, signed, self.insert(SIGN_INS))

    def slate(self, request_id: str) -> Slate:
        """See `EventStore.slate`."""
        self._slates.settled()
        query = select(SLATES).where(SLATES.c.tenant == current_tenant(), SLATES.c.request_id == request_id)
        rows = self.rows(query)
        if not rows:
            raise NotFoundError(f"unknown request_id {request_id!r}: no slate was shown under it")
        return slate_of(rows[0])

    def put_trace(
        self,
        trace_id: str,
        trace: Mapping[str, Any],
        user_id: str | None = None,
        session_id: str | None = None,
        slate: Slate | None = None,
    ) -> None:
        """See `EventStore.put_trace`."""
        row = {
            "tenant": current_tenant(),
            "trace_id": trace_id,
            "user_id": user_id,
            "session_id": session_id,
            "timestamp": to_micros(datetime.now(UTC), "trace"),
            "trace": json.dumps(trace),
        }
        insert = self.insert(TRACES)
        insert = insert.on_conflict_do_update(
            index_elements=[TRACES.c.trace_id],
            set_={name: insert.excluded[name] for name in row if name != "trace_id"},
        )
        shown = [slate_row(slate, current_tenant())] if slate is not None else []

        def work(connection: Connection) -> None:
            if shown:
                self._shown(connection, shown)
            connection.execute(insert, row)

        self.transaction(work)

    def trace(self, trace_id: str) -> dict[str, Any]:
        """See `EventStore.trace`."""
        query = select(TRACES.c.trace).where(TRACES.c.tenant == current_tenant(), TRACES.c.trace_id == trace_id)
        rows = self.rows(query)
        if not rows:
            raise NotFoundError(f"unknown trace {trace_id!r}")
        found: dict[str, Any] = json.loads(rows[0]["trace"])
        return found

    def traces(self, session_id: str, user_id: str | None) -> list[dict[str, Any]]:
        """See `EventStore.traces`."""
        query = select(TRACES.c.trace).where(
            TRACES.c.tenant == current_tenant(), TRACES.c.session_id == session_id, TRACES.c.user_id == user_id
        )
        return [json.loads(row["trace"]) for row in self.rows(query.order_by(TRACES.c.timestamp, TRACES.c.trace_id))]

    def put_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """See `EventStore.put_dead_letters`."""
        rows = [letter_row(each, current_tenant()) for each in letters]
        if not rows:
            return
        insert = self.insert(DEAD_LETTERS)
        said = {name: insert.excluded[name] for name in ("field", "reason", "received_at")}
        insert = insert.on_conflict_do_update(
            index_elements=[DEAD_LETTERS.c.tenant, DEAD_LETTERS.c.digest],
            set_={**said, "times": DEAD_LETTERS.c.times + insert.excluded.times},
        )
        oldest = select(func.max(DEAD_LETTERS.c.row_id) - MOST_LETTERS).scalar_subquery()

        def work(connection: Connection) -> None:
            connection.execute(insert, rows)
            connection.execute(delete(DEAD_LETTERS).where(DEAD_LETTERS.c.row_id <= oldest))

        self.transaction(work)

    def dead_letters(self, limit: int = 100, after: str | None = None) -> list[DeadLetter]:
        """See `EventStore.dead_letters`."""
        query = select(DEAD_LETTERS).where(DEAD_LETTERS.c.tenant == current_tenant())
        if after is not None:
            query = query.where(tuple_(DEAD_LETTERS.c.received_at, DEAD_LETTERS.c.row_id) < letter_place(after))
        query = query.order_by(DEAD_LETTERS.c.received_at.desc(), DEAD_LETTERS.c.row_id.desc()).limit(limit)
        return [letter_of(row) for row in self.rows(query)]

    def dead_letter_counts(self) -> dict[str, int]:
        """Return how many dead letters each tenant has, for the operator."""
        query = select(DEAD_LETTERS.c.tenant, func.count().label("letters")).group_by(DEAD_LETTERS.c.tenant)
        return {row["tenant"]: row["letters"] for row in self.rows(query.order_by(DEAD_LETTERS.c.tenant))}

    def put_told(self, user_id: str, told: Sequence[Told]) -> None:
        """See `EventStore.put_told`."""
        tenant, insert = current_tenant(), self.insert(TOLD)
        if told:
            self.transaction(lambda connection: put_told(connection, insert, tenant, user_id, told))

    def told_by(self, user_id: str) -> list[Told]:
        """See `EventStore.told_by`."""
        return [told_of(row) for row in self.rows(_TOLD_BY, {"tenant": current_tenant(), "user_id": user_id})]

    def forget_told(self, user_id: str, entry_id: str | None = None) -> int:
        """See `EventStore.forget_told`."""
        tenant = current_tenant()
        return self.transaction(lambda connection: forget_told(connection, tenant, user_id, entry_id))

    def forget_user(self, user_id: str) -> int:
        """See `EventStore.forget_user`."""
        self._slates.settled()
        tenant = current_tenant()

        def work(connection: Connection) -> int:
            for table in (SLATES, TRACES, DEAD_LETTERS, SIGN_INS, TOLD, CONVERSATIONS):
                connection.execute(delete(table).where(table.c.tenant == tenant, table.c.user_id == user_id))
            events = delete(EVENTS).where(EVENTS.c.tenant == tenant, EVENTS.c.user_id == user_id)
            return connection.execute(events).rowcount

        return self.transaction(work)

    def prune(self, before: datetime) -> Pruned:
        """See `EventStore.prune`."""
        self._slates.settled()
        moment = to_micros(before, "before")

        def passed(connection: Connection) -> None:
            for table in (SIGN_INS, CONVERSATIONS):
                connection.execute(delete(table).where(table.c.timestamp < moment))

        self.transaction(passed)
        old = delete(TOLD).where(TOLD.c.timestamp < moment)
        return Pruned(
            told=self.transaction(lambda connection: connection.execute(old).rowcount),
            events=self._prune(EVENTS, "timestamp", moment),
            slates=self._prune(SLATES, "timestamp", moment),
            traces=self._prune(TRACES, "timestamp", moment),
            dead_letters=self._prune(DEAD_LETTERS, "received_at", moment),
        )

    def adopt(self, connection: Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert rows as they stand in another store; return how many were not known. For `catalog.event_backup`."""
        into = METADATA.tables[table]
        (key, *_) = into.primary_key
        insert = self.insert(into).on_conflict_do_nothing().returning(key)
        return len(connection.execute(insert, list(rows)).all())

    def settled(self) -> None:
        """Wait until what `put_slate` was given is written; for those who read the tables themselves."""
        self._slates.settled()

    def close(self) -> None:
        """See `EventStore.close`."""
        self._slates.settled()
        self.engine.dispose()

    def _prune(self, table: Table, column: str, moment: int) -> int:
        (key,) = table.primary_key
        some = select(key).where(table.c[column] < moment).limit(_PRUNE_STEP)
        erased = 0
        while step := self.transaction(
            lambda connection: connection.execute(delete(table).where(key.in_(some))).rowcount
        ):
            erased += step
        return erased

    def transaction(self, work: Callable[[Connection], _T], *, alone: bool = False) -> _T:
        """Do `work` in one transaction of a writer, again where another got in its way: all may be done twice.

        Args:
            work: What to do.
            alone: Take no lock of a writer, since `work` waits for the writers.
        """
        begin = "BEGIN IMMEDIATE" if not self._postgres else f"SELECT pg_advisory_xact_lock_shared({LOCK}, 2)"
        with answering(self.engine):
            for again in reversed(range(_TRIES)):
                try:
                    with self.engine.begin() as connection:
                        if not alone:
                            connection.execute(text(begin))
                        return work(connection)
                except DBAPIError as error:
                    if not again or getattr(error.orig, "sqlstate", None) not in _AGAIN:
                        raise
        raise AssertionError("unreachable")

    @staticmethod
    def _settled(connection: Connection) -> int:
        """Wait for the writers at work, and return the last row id that was given."""
        connection.execute(select(func.pg_advisory_xact_lock(LOCK, 2)))
        return connection.scalar(select(func.max(EVENTS.c.row_id))) or 0

    def insert(self, table: Table) -> Any:
        """Return the `INSERT` of the dialect, which alone knows `ON CONFLICT`."""
        make: Callable[[Table], Any] = postgresql.insert if self._postgres else sqlite.insert
        return make(table)

    def rows(self, query: Any, given: Mapping[str, Any] | None = None) -> list[Mapping[str, Any]]:
        """Return what a query finds."""
        with answering(self.engine), self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query, given).mappings()]
