"""What an event store holds of an experiment, for its report: who was shown what by which arm, and what they did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from catalog.event_store import SqlEventStore
from catalog.event_tables import EVENTS, SLATES, from_micros, slate_of, to_micros
from catalog.nouns import Slate
from catalog.tenancy import current_tenant

_STEP = 5_000


@dataclass(frozen=True, slots=True)
class Deed:
    """An event as a report counts it."""

    user_id: str
    session_id: str | None
    item_id: str
    timestamp: datetime
    kind: str
    value: float | None
    request_id: str | None


def experiment_slates(store: SqlEventStore) -> Iterator[Slate]:
    """Yield what the tenant's shoppers were shown inside any experiment, oldest first."""
    store.settled()
    query = select(SLATES).where(SLATES.c.tenant == current_tenant(), SLATES.c.assignment.is_not(None))
    with store.engine.connect().execution_options(stream_results=True, yield_per=_STEP) as connection:
        for row in connection.execute(query.order_by(SLATES.c.timestamp, SLATES.c.request_id)).mappings():
            yield slate_of(dict(row))


def experiment_tenants(store: SqlEventStore) -> list[str]:
    """Return whose shoppers were shown something inside an experiment, by name."""
    query = select(SLATES.c.tenant).where(SLATES.c.assignment.is_not(None)).distinct().order_by(SLATES.c.tenant)
    return [str(row["tenant"]) for row in store.rows(query)]


def deeds_since(store: SqlEventStore, moment: datetime) -> Iterator[Deed]:
    """Yield what the tenant's shoppers did from a moment on, oldest first."""
    store.settled()
    names = ("user_id", "session_id", "item_id", "timestamp", "kind", "value", "request_id")
    query = select(*(EVENTS.c[name] for name in names)).where(
        EVENTS.c.tenant == current_tenant(), EVENTS.c.timestamp >= to_micros(moment, "since")
    )
    with store.engine.connect().execution_options(stream_results=True, yield_per=_STEP) as connection:
        for row in connection.execute(query.order_by(EVENTS.c.timestamp, EVENTS.c.row_id)).mappings():
            yield Deed(**{**row, "timestamp": from_micros(row["timestamp"])})
