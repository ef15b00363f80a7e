"""Whose a guest's events are once somebody has signed in on the session.

A guest's event belongs to who signed in on its session at or after the moment it happened: the earliest such sign-in
known when either of the two arrives. What was given to a shopper stays theirs. Who signs in on a session that was
another's gets what its guest did since, never what the first shopper did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, union, update

from catalog.event_tables import EVENTS, SIGN_INS, SLATES, TRACES

GUEST = "session:"
_STEP = 200
"""Values in one `IN`, below every engine's bound."""


def guest_id(session_id: str) -> str:
    """Return the user id under which events of a shopper who is not signed in rest."""
    return f"{GUEST}{session_id}"


def claimed(connection: Connection, tenant: str, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of new events with those of guests who have signed in since given to the shopper."""
    sessions = {row["session_id"] for row in rows if _is_guest(row)}
    if not sessions:
        return list(rows)
    known: dict[str, list[tuple[int, str]]] = {}
    for some in _steps(sorted(sessions)):
        query = select(SIGN_INS).where(SIGN_INS.c.tenant == tenant, SIGN_INS.c.session_id.in_(some))
        for found in connection.execute(query).mappings():
            known.setdefault(found["session_id"], []).append((found["timestamp"], found["user_id"]))
    given = []
    for row in rows:
        later = [each for each in known.get(row["session_id"], ()) if each[0] >= row["timestamp"]]
        given.append({**row, "user_id": min(later)[1]} if later and _is_guest(row) else row)
    return given


def sign_in(connection: Connection, tenant: str, rows: Iterable[Mapping[str, Any]], insert: Any) -> None:
    """Sign in the shoppers of `rows` (events or slates) on their sessions and give them what its guest did before.

    Args:
        connection: Inside the transaction that writes the rows.
        tenant: Whose shoppers they are.
        rows: With `session_id`, `user_id`, `timestamp`.
        insert: The dialect's `INSERT` into `SIGN_INS`.
    """
    latest: dict[tuple[str, str], int] = {}
    for row in rows:
        if row["session_id"] is not None and row["user_id"] is not None and not _is_guest(row):
            pair = (row["session_id"], row["user_id"])
            latest[pair] = max(latest.get(pair, row["timestamp"]), row["timestamp"])
    if not latest:
        return
    # In one order everywhere: two batches that name the same sessions wait for each other and never in a circle.
    pairs = sorted(latest.items())
    signed = [{"tenant": tenant, "session_id": s, "user_id": u, "timestamp": at} for (s, u), at in pairs]
    upsert = insert.on_conflict_do_update(
        index_elements=[SIGN_INS.c.tenant, SIGN_INS.c.session_id, SIGN_INS.c.user_id],
        set_={"timestamp": insert.excluded.timestamp},
        where=insert.excluded.timestamp > SIGN_INS.c.timestamp,
    )
    connection.execute(upsert, signed)
    moments = [{"guest": guest_id(s), "of": s, "who": u, "at": at} for (s, u), at in pairs]
    waiting = _unclaimed(connection, tenant, sorted({s for (s, _), _ in pairs}))
    # The earliest sign-in first: what is given once stays given.
    theirs = [each for each in sorted(moments, key=itemgetter("at", "who")) if each["of"] in waiting]
    if not theirs:
        return
    ours = (EVENTS.c.tenant == tenant) & (EVENTS.c.user_id == bindparam("guest"))
    give = update(EVENTS).where(ours & (EVENTS.c.timestamp <= bindparam("at"))).values(user_id=bindparam("who"))
    connection.execute(give, [{name: each[name] for name in ("guest", "at", "who")} for each in theirs])
    for table in (SLATES, TRACES):
        ours = (table.c.tenant == tenant) & (table.c.session_id == bindparam("of")) & table.c.user_id.is_(None)
        give = update(table).where(ours & (table.c.timestamp <= bindparam("at"))).values(user_id=bindparam("who"))
        connection.execute(give, [{name: each[name] for name in ("of", "at", "who")} for each in theirs])


def news(connection: Connection, tenant: str, rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the rows whose sign-in would change more than its own time; most of a visit would sign in for nothing."""
    of = [row for row in rows if row["session_id"] and row["user_id"]]
    sessions = sorted({row["session_id"] for row in of})
    known: set[tuple[str, str]] = set()
    for some in _steps(sessions):
        query = select(SIGN_INS.c.session_id, SIGN_INS.c.user_id)
        query = query.where(SIGN_INS.c.tenant == tenant, SIGN_INS.c.session_id.in_(some))
        known.update((session, user) for session, user in connection.execute(query))
    waiting = _unclaimed(connection, tenant, sessions)
    return [row for row in of if row["session_id"] in waiting or (row["session_id"], row["user_id"]) not in known]


def _unclaimed(connection: Connection, tenant: str, sessions: list[str]) -> set[str]:
    """Return the sessions whose guest left anything."""
    found: set[str] = set()
    for some in _steps(sessions):
        found.update(connection.scalars(union(*_waiting(tenant, some))))
    return found


def _waiting(tenant: str, sessions: list[str]) -> list[Select[tuple[str | None]]]:
    """Return the queries for the sessions, of these, whose guest left events, slates or traces."""
    guests = [guest_id(each) for each in sessions]
    return [
        select(EVENTS.c.session_id).where(EVENTS.c.tenant == tenant, EVENTS.c.user_id.in_(guests)),
        *(
            select(table.c.session_id).where(
                table.c.tenant == tenant, table.c.session_id.in_(sessions), table.c.user_id.is_(None)
            )
            for table in (SLATES, TRACES)
        ),
    ]


def _is_guest(row: Mapping[str, Any]) -> bool:
    return row["session_id"] is not None and row["user_id"] == guest_id(row["session_id"])


def _steps(values: list[str]) -> Iterable[list[str]]:
    return (values[at : at + _STEP] for at in range(0, len(values), _STEP))
