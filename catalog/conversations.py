"""Conversations as rows beside the events: texts of which one turn at a time, in whichever process, may make the next.

A turn takes a conversation for some seconds, prolongs that while it lasts, and keeps what it made of it; the hold of a
process that was killed runs out. What the texts say is the agent's business.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, bindparam, delete, or_, select, update

from catalog.event_store import SqlEventStore
from catalog.event_tables import CONVERSATIONS as ROWS
from catalog.tenancy import current_tenant

SWEEP_SECONDS = 60.0
"""How often a process looks for what has expired."""


# Every page that a guest is shown asks this, and putting a statement together takes longer than SQLite's answer.
_OF_GUEST = select(ROWS.c.state).where(
    ROWS.c.tenant == bindparam("tenant"),
    ROWS.c.session_id == bindparam("session_id"),
    ROWS.c.user_id == "",
    ROWS.c.timestamp >= bindparam("since"),
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A row: `user_id` None is a guest, `state` None when nothing was said yet."""

    session_id: str
    user_id: str | None
    state: str | None
    version: int


class ConversationRows:
    """Conversations in the database of an event store; every call sees those of the running request's tenant.

    Args:
        store: Whose database.
        ttl_seconds: How long a conversation lives untouched.
        limit: Conversations kept, of all tenants.
        clock: Seconds since the epoch; the machines that share a database agree on it to a second or so.

    Every method raises ServiceError when the database cannot be reached.
    """

    def __init__(
        self, store: SqlEventStore, ttl_seconds: float, limit: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._store, self._ttl, self._limit, self._clock = store, ttl_seconds, limit, clock
        self._swept = clock()

    def take(self, session_id: str, user_id: str | None, holder: str, seconds: float) -> Conversation | None:
        """Hold a conversation for a turn; None while another turn holds it.

        A guest's conversation becomes the shopper's who goes on with it. One that is unknown or expired begins anew:
        version 0, no state.

        Args:
            session_id: Which.
            user_id: Who speaks.
            holder: Names the turn.
            seconds: How long, unless it is prolonged.
        """
        now, tenant, who = self._now(), current_tenant(), user_id or ""
        held = {"holder": holder, "held_until": now + _micros(seconds), "timestamp": now, "user_id": who}

        def work(connection: Connection) -> Conversation | None:
            row = self._locked(connection, session_id, who)
            if row is None and who:
                row = self._locked(connection, session_id, "")
            if row is not None and row["holder"] not in (None, holder) and row["held_until"] > now:
                return None
            if row is not None and row["timestamp"] < now - _micros(self._ttl):
                connection.execute(delete(ROWS).where(self._this(session_id, row["user_id"])))
                row = None
            if row is not None:
                connection.execute(update(ROWS).where(self._this(session_id, row["user_id"])).values(**held))
                return Conversation(session_id, user_id, row["state"], row["version"])
            new = {**held, "tenant": tenant, "session_id": session_id, "version": 0}
            begun = connection.execute(self._store.insert(ROWS).on_conflict_do_nothing(), new).rowcount
            return Conversation(session_id, user_id, None, 0) if begun else None

        self._sweep(now)
        return self._store.transaction(work)

    def prolong(self, session_id: str, user_id: str | None, holder: str, seconds: float) -> None:
        """Hold it for so long from now on."""
        until = {"held_until": self._now() + _micros(seconds)}
        self._change(update(ROWS).where(self._this(session_id, user_id), ROWS.c.holder == holder).values(**until))

    def let_go(self, session_id: str, user_id: str | None, holder: str) -> None:
        """Hold it no longer, and leave what stands."""
        free = update(ROWS).where(self._this(session_id, user_id), ROWS.c.holder == holder)
        self._change(free.values(holder=None, held_until=None))

    def keep(self, told: Conversation, holder: str, fingerprint: str) -> Conversation | Literal["kept", "gone", "lost"]:
        """Keep what a turn made of a conversation, and hold it no longer.

        Args:
            told: With the text to keep, and the version it was made of.
            holder: Names the turn.
            fingerprint: What it is recognised by from now on.

        Returns:
            `kept`; `gone` when it was erased meanwhile; `lost` when the hold ran out and another turn took it; or the
            conversation as it stands, still held, when it was edited meanwhile.
        """
        this = self._this(told.session_id, told.user_id)
        kept = {"state": told.state, "fingerprint": fingerprint, "timestamp": self._now(), "version": told.version + 1}

        def work(connection: Connection) -> Conversation | Literal["kept", "gone", "lost"]:
            mine = update(ROWS).where(this, ROWS.c.holder == holder, ROWS.c.version == told.version)
            if connection.execute(mine.values(**kept, holder=None, held_until=None)).rowcount:
                return "kept"
            row = self._locked(connection, told.session_id, told.user_id or "")
            if row is None:
                return "gone"
            return _of(row) if row["holder"] == holder else "lost"

        return self._store.transaction(work)

    def rewrite(self, told: Conversation) -> bool:
        """Put a text in the place of the one it was made of; return whether that one still stood there."""
        this = self._this(told.session_id, told.user_id) & (ROWS.c.version == told.version)
        return bool(self._change(update(ROWS).where(this).values(state=told.state, version=told.version + 1)))

    def said_by_guest(self, session_id: str) -> str | None:
        """Return the text of a guest's conversation as it was kept last; None where there is none."""
        since = self._now() - _micros(self._ttl)
        given = {"tenant": current_tenant(), "session_id": session_id, "since": since}
        found = self._store.rows(_OF_GUEST, given)
        return found[0]["state"] if found else None

    def find(self, session_id: str, user_id: str | None) -> Conversation | None:
        """Return a conversation as it was kept last."""
        found = self._store.rows(select(ROWS).where(self._this(session_id, user_id)))
        return _of(found[0]) if found else None

    def standing_at(self, fingerprint: str) -> Conversation | None:
        """Return the conversation touched last that is recognised by `fingerprint`."""
        query = select(ROWS).where(ROWS.c.tenant == current_tenant(), ROWS.c.fingerprint == fingerprint, self._live())
        found = self._store.rows(query.order_by(ROWS.c.timestamp.desc()).limit(1))
        return _of(found[0]) if found else None

    def of_user(self, user_id: str) -> list[Conversation]:
        """Return a shopper's conversations, the latest touched last."""
        query = select(ROWS).where(ROWS.c.tenant == current_tenant(), ROWS.c.user_id == user_id, self._live())
        return [_of(row) for row in self._store.rows(query.order_by(ROWS.c.timestamp))]

    def owners(self, session_id: str) -> list[tuple[str, str | None]]:
        """Return tenant and shopper of every conversation of this id, of all tenants."""
        query = select(ROWS.c.tenant, ROWS.c.user_id).where(ROWS.c.session_id == session_id, self._live())
        return [(row["tenant"], row["user_id"] or None) for row in self._store.rows(query)]

    def forget_user(self, user_id: str) -> int:
        """Erase a shopper's conversations; return how many there were."""
        return self._change(delete(ROWS).where(ROWS.c.tenant == current_tenant(), ROWS.c.user_id == user_id))

    def forget(self, session_id: str) -> bool:
        """Erase the conversations of one id; return whether there was one."""
        theirs = delete(ROWS).where(ROWS.c.tenant == current_tenant(), ROWS.c.session_id == session_id)
        return bool(self._change(theirs))

    def _sweep(self, now: int) -> None:
        """Erase what has expired, and what is beyond the limit."""
        if self._clock() - self._swept < SWEEP_SECONDS:
            return
        self._swept = self._clock()
        free = or_(ROWS.c.held_until.is_(None), ROWS.c.held_until < now)
        self._change(delete(ROWS).where(free, ROWS.c.timestamp < now - _micros(self._ttl)))
        beyond = select(ROWS.c.timestamp).order_by(ROWS.c.timestamp.desc()).offset(self._limit).limit(1)
        self._change(delete(ROWS).where(free, ROWS.c.timestamp <= beyond.scalar_subquery()))

    def _locked(self, connection: Connection, session_id: str, who: str) -> Mapping[str, Any] | None:
        query = select(ROWS).where(self._this(session_id, who)).with_for_update()
        found = connection.execute(query).mappings().one_or_none()
        return None if found is None else dict(found)

    def _change(self, statement: Any) -> int:
        return self._store.transaction(lambda connection: connection.execute(statement).rowcount)

    def _this(self, session_id: str, user_id: str | None) -> ColumnElement[bool]:
        mine = (ROWS.c.tenant == current_tenant()) & (ROWS.c.session_id == session_id)
        return mine & (ROWS.c.user_id == (user_id or ""))

    def _live(self) -> ColumnElement[bool]:
        return ROWS.c.timestamp >= self._now() - _micros(self._ttl)

    def _now(self) -> int:
        return _micros(self._clock())


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _of(row: Mapping[str, Any]) -> Conversation:
    return Conversation(row["session_id"], row["user_id"] or None, row["state"], row["version"])
