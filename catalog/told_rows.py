"""Rows of what shoppers told, written and erased inside a transaction of the event store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, select, tuple_

from catalog.event_tables import TOLD, TRACES, from_micros, to_micros
from catalog.told import Told

MOST_TOLD = 200
"""Entries kept of one shopper; beyond it those told longest ago go."""

MOST_WORDS = 300
"""Characters kept of the shopper's words."""


def put_told(connection: Connection, insert: Any, tenant: str, user_id: str, told: Sequence[Told]) -> None:
    """Write entries, each in place of one of the same id.

    Args:
        connection: Inside a transaction.
        insert: The dialect's `INSERT` into `TOLD`.
        tenant: Whose shopper it is.
        user_id: Who told.
        told: What; the later of two of one id counts.

    Raises:
        DataError: When a moment has no time zone.
    """
    rows = {each.entry_id: _row(each, user_id, tenant) for each in told}
    keys = [column.name for column in TOLD.primary_key]
    changed = {name: insert.excluded[name] for name in (column.name for column in TOLD.columns) if name not in keys}
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=changed), list(rows.values()))
    theirs = (TOLD.c.tenant == tenant) & (TOLD.c.user_id == user_id)
    latest = select(TOLD.c.entry_id).where(theirs).order_by(TOLD.c.timestamp.desc(), TOLD.c.entry_id)
    beyond = list(connection.scalars(latest))[MOST_TOLD:]
    connection.execute(delete(TOLD).where(theirs, TOLD.c.entry_id.in_(beyond)))


def hold_to_most(connection: Connection) -> int:
    """Erase what any shopper told beyond `MOST_TOLD`, those told longest ago; return how many entries went."""
    place = func.row_number().over(
        partition_by=(TOLD.c.tenant, TOLD.c.user_id), order_by=(TOLD.c.timestamp.desc(), TOLD.c.entry_id)
    )
    keys = list(TOLD.primary_key)
    placed = select(*keys, place.label("place")).subquery()
    beyond = select(*(placed.c[key.name] for key in keys)).where(placed.c.place > MOST_TOLD)
    return connection.execute(delete(TOLD).where(tuple_(*keys).in_(beyond))).rowcount


def forget_told(connection: Connection, tenant: str, user_id: str, entry_id: str | None) -> int:
    """Erase one entry or all, with the shopper's traces that name it; return how many entries there were."""
    theirs = (TOLD.c.tenant == tenant) & (TOLD.c.user_id == user_id)
    if entry_id is not None:
        theirs &= TOLD.c.entry_id == entry_id
    gone = list(connection.scalars(select(TOLD.c.entry_id).where(theirs)))
    for each in gone:
        named = TRACES.c.trace.contains(each, autoescape=True)
        connection.execute(delete(TRACES).where(TRACES.c.tenant == tenant, TRACES.c.user_id == user_id, named))
    connection.execute(delete(TOLD).where(theirs))
    return len(gone)


def told_of(row: Mapping[str, Any]) -> Told:
    """Return the entry of a row."""
    names = ("kind", "facet", "value", "words", "session_id", "request_id", "about")
    return Told(**{name: row[name] for name in names}, told_at=from_micros(row["timestamp"]))


def _row(told: Told, user_id: str, tenant: str) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "user_id": user_id,
        "entry_id": told.entry_id,
        "kind": told.kind,
        "facet": told.facet,
        "value": told.value,
        "about": told.about,
        "words": told.words[:MOST_WORDS].replace("\0", "?"),
        "session_id": told.session_id,
        "request_id": told.request_id,
        "timestamp": to_micros(told.told_at, f"told {told.entry_id!r}"),
    }
