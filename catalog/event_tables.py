"""The tables of an event store, and how a noun becomes a row and back. Times are microseconds since the epoch, UTC."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, String, Table, Text

from catalog.errors import DataError, did_you_mean
from catalog.nouns import KINDS, Interaction, Slate

METADATA = MetaData()

_ROW_ID = BigInteger().with_variant(Integer, "sqlite")

EVENTS = Table(
    "events",
    METADATA,
    Column("row_id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("event_id", String, nullable=False, unique=True),
    Column("user_id", String, nullable=False),
    Column("session_id", String),
    Column("item_id", String, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("value", Float),
    Column("text", Text),
    Column("context", Text),
    Column("request_id", String),
    Index("events_by_user", "user_id", "timestamp"),
    Index("events_by_session", "session_id", "timestamp"),
    sqlite_autoincrement=True,  # the row of a forgotten event is never given again, so `since` stays true
)

SLATES = Table(
    "slates",
    METADATA,
    Column("request_id", String, primary_key=True),
    Column("user_id", String, index=True),
    Column("session_id", String),
    Column("timestamp", BigInteger, nullable=False),
    Column("items", Text, nullable=False),
    Column("propensities", Text, nullable=False),
)

TRACES = Table(
    "traces",
    METADATA,
    Column("trace_id", String, primary_key=True),
    Column("user_id", String, index=True),
    Column("trace", Text, nullable=False),
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime, what: str) -> int:
    """Return microseconds since the epoch.

    Raises:
        DataError: When `moment` has no time zone; `what` names its owner.
    """
    if moment.utcoffset() is None:
        raise DataError(f"{what}: timestamp {moment.isoformat()!r} has no time zone; aware UTC would be valid")
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the aware UTC moment."""
    return _EPOCH + timedelta(microseconds=micros)


def event_row(event: Interaction) -> dict[str, Any]:
    """Return the row of an event.

    Raises:
        DataError: When its kind is unknown or its timestamp naive.
    """
    what = f"event {event.event_id!r}"
    if event.kind not in KINDS:
        raise DataError(f"{what}: unknown kind {event.kind!r}. {did_you_mean(event.kind, list(KINDS))}")
    return {
        "event_id": event.event_id,
        "user_id": event.user_id,
        "session_id": event.session_id,
        "item_id": event.item_id,
        "timestamp": to_micros(event.timestamp, what),
        "kind": event.kind,
        "value": event.value,
        "text": event.text,
        "context": json.dumps(dict(event.context), ensure_ascii=False) if event.context else None,
        "request_id": event.request_id,
    }


def event_of(row: Mapping[str, Any]) -> Interaction:
    """Return the event of a row."""
    values = {name: value for name, value in row.items() if name != "row_id"}
    values["timestamp"] = from_micros(values["timestamp"])
    values["context"] = json.loads(values["context"]) if values["context"] else {}
    return Interaction(**values)


def slate_row(slate: Slate) -> dict[str, Any]:
    """Return the row of a slate.

    Raises:
        DataError: When its timestamp is naive, or items and propensities differ in number.
    """
    if len(slate.item_ids) != len(slate.propensities):
        raise DataError(
            f"slate {slate.request_id!r}: {len(slate.item_ids)} items and {len(slate.propensities)} propensities; "
            "one probability an item would be valid"
        )
    return {
        "request_id": slate.request_id,
        "user_id": slate.user_id,
        "session_id": slate.session_id,
        "timestamp": to_micros(slate.timestamp, f"slate {slate.request_id!r}"),
        "items": json.dumps(slate.item_ids, ensure_ascii=False),
        "propensities": json.dumps(slate.propensities),
    }


def slate_of(row: Mapping[str, Any]) -> Slate:
    """Return the slate of a row."""
    return Slate(
        request_id=row["request_id"],
        user_id=row["user_id"],
        session_id=row["session_id"],
        timestamp=from_micros(row["timestamp"]),
        item_ids=tuple(json.loads(row["items"])),
        propensities=tuple(json.loads(row["propensities"])),
    )
