"""Events that come after a clock was set back: what happens now does not happen before what happened already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from catalog.event_tables import EVENTS

LIVE = 60_000_000
"""Microseconds before the clock within which an event counts as of this moment; an earlier one came late."""

AHEAD = 24 * 3_600_000_000
"""Microseconds by which a clock may have run ahead to be followed; one that was a year ahead is not."""

_LATEST = select(func.max(EVENTS.c.timestamp)).where(
    EVENTS.c.timestamp > bindparam("now"), EVENTS.c.timestamp <= bindparam("most")
)
_OF_TENANT = _LATEST.where(EVENTS.c.tenant == bindparam("tenant"))
_OF_USER = _OF_TENANT.where(EVENTS.c.user_id == bindparam("who"))
_OF_SESSION = _OF_TENANT.where(EVENTS.c.session_id == bindparam("who"))


def onward(connection: Connection, tenant: str, rows: Sequence[dict[str, Any]], now: int) -> list[dict[str, Any]]:
    """Return the rows of new events, those of this moment at the latest known moment of their shopper or session.

    A clock that is set back gives a span twice. Without this, what a shopper takes back in its second time would count
    as done before it; rows of one moment stand in the order in which they came.

    Args:
        connection: Inside the transaction that writes the rows.
        tenant: Whose events they are.
        rows: With `user_id`, `session_id` and `timestamp` in microseconds.
        now: The clock, in microseconds.
    """
    bounds = {"now": now, "most": now + AHEAD}
    live = [row for row in rows if row["timestamp"] >= now - LIVE]
    if not live or connection.scalar(_LATEST, bounds) is None:  # by its own index: nearly always the end of it
        return list(rows)
    known: dict[tuple[str, str], int] = {}
    for name, query in (("user_id", _OF_USER), ("session_id", _OF_SESSION)):
        for who in {row[name] for row in live} - {None}:
            known[name, who] = connection.scalar(query, {**bounds, "tenant": tenant, "who": who}) or 0
    return [_at_latest(row, known) if row["timestamp"] >= now - LIVE else row for row in rows]


def _at_latest(row: dict[str, Any], known: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    latest = max(known.get((name, row[name]), 0) for name in ("user_id", "session_id"))
    return {**row, "timestamp": max(row["timestamp"], latest)}
