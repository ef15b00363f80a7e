"""The tables of an event store, and how a noun becomes a row and back. Times are microseconds since the epoch, UTC."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, String, Table, Text, UniqueConstraint

from catalog.errors import DataError, did_you_mean
from catalog.event_base import DeadLetter
from catalog.nouns import KINDS, Assignment, Interaction, Slate
from catalog.tenancy import OPEN_TENANT

METADATA = MetaData(naming_convention={"uq": "uq_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"})

_ROW_ID = BigInteger().with_variant(Integer, "sqlite")


def _tenant() -> Column[str]:
    return Column("tenant", String, nullable=False, server_default=OPEN_TENANT)


EVENTS = Table(
    "events",
    METADATA,
    Column("row_id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("event_id", String, nullable=False),
    Column("user_id", String, nullable=False),
    Column("session_id", String),
    Column("item_id", String, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("value", Float),
    Column("text", Text),
    Column("context", Text),
    Column("request_id", String),
    _tenant(),
    UniqueConstraint("tenant", "event_id"),
    Index("events_by_user", "tenant", "user_id", "timestamp"),
    Index("events_by_session", "tenant", "session_id", "timestamp"),
    Index("events_by_time", "timestamp"),
    sqlite_autoincrement=True,  # the row of a forgotten event is never given again, so `since` stays true
)

SLATES = Table(
    "slates",
    METADATA,
    Column("request_id", String, primary_key=True),
    Column("user_id", String),
    Column("session_id", String),
    Column("timestamp", BigInteger, nullable=False),
    Column("items", Text, nullable=False),
    Column("propensities", Text, nullable=False),
    _tenant(),
    Column("assignment", Text),
    Index("slates_by_user", "tenant", "user_id"),
    Index("slates_by_session", "tenant", "session_id", "user_id"),  # a guest has none: else all guests' are met
    Index("slates_by_time", "timestamp"),
)

TRACES = Table(
    "traces",
    METADATA,
    Column("trace_id", String, primary_key=True),
    Column("user_id", String),
    Column("trace", Text, nullable=False),
    _tenant(),
    Column("session_id", String),
    Column("timestamp", BigInteger, nullable=False, server_default="0"),
    Index("traces_by_user", "tenant", "user_id"),
    Index("traces_by_session", "tenant", "session_id", "user_id"),  # a guest has none: else all guests' are met
    Index("traces_by_time", "timestamp"),
)

SIGN_INS = Table(
    "sign_ins",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("session_id", String, primary_key=True),
    Column("user_id", String, primary_key=True),
    Column("timestamp", BigInteger, nullable=False),
    Index("sign_ins_by_user", "tenant", "user_id"),
)
"""Who signed in on a session, and when last; a guest's late events are given to them by it."""

DEAD_LETTERS = Table(
    "dead_letters",
    METADATA,
    Column("row_id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("tenant", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("payload", Text, nullable=False),
    Column("field", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("event_id", String),
    Column("user_id", String),
    Column("session_id", String),
    Column("times", Integer, nullable=False),
    UniqueConstraint("tenant", "digest"),
    Index("dead_letters_by_user", "tenant", "user_id"),
    Index("dead_letters_by_time", "received_at"),
    sqlite_autoincrement=True,
)

TOLD = Table(
    "told",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("user_id", String, primary_key=True),
    Column("entry_id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("facet", String, nullable=False),
    Column("value", String, nullable=False),
    Column("about", String),
    Column("words", Text, nullable=False),
    Column("session_id", String),
    Column("request_id", String),
    Column("timestamp", BigInteger, nullable=False),
    Index("told_by_time", "timestamp"),
)
"""What shoppers told of themselves (`catalog.told`)."""

CONVERSATIONS = Table(
    "conversations",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("session_id", String, primary_key=True),
    Column("user_id", String, primary_key=True),
    Column("state", Text),
    Column("fingerprint", String),
    Column("version", Integer, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("holder", String),
    Column("held_until", BigInteger),
    Index("conversations_by_user", "tenant", "user_id"),
    Index("conversations_by_fingerprint", "fingerprint"),
    Index("conversations_by_time", "timestamp"),
)
"""Conversations that several workers share (`catalog.conversations`); a guest's `user_id` is empty."""

MOST_PAYLOAD = 16_384
"""Characters kept of an event that was not taken."""

_PLACE = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")
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


def event_row(event: Interaction, tenant: str) -> dict[str, Any]:
    """Return the row of an event.

    Raises:
        DataError: When its kind is unknown, its timestamp naive, or a text holds a NUL, which PostgreSQL cannot keep.
    """
    what = f"event {event.event_id!r}"
    for name in ("event_id", "user_id", "session_id", "item_id", "text", "request_id"):
        if "\0" in (getattr(event, name) or ""):
            raise DataError(f"{what}: {name} holds a NUL character; text without it would be valid")
    if event.kind not in KINDS:
        raise DataError(f"{what}: unknown kind {event.kind!r}. {did_you_mean(event.kind, list(KINDS))}")
    return {
        "tenant": tenant,
        "event_id": event.event_id,
        "user_id": event.user_id,
        "session_id": event.session_id,
        "item_id": event.item_id,
        "timestamp": to_micros(event.timestamp, what),
        "kind": event.kind,
        "value": event.value,
        "text": event.text,
        "context": json.dumps(dict(event.context)) if event.context else None,
        "request_id": event.request_id,
    }


def event_of(row: Mapping[Any, Any]) -> Interaction:
    """Return the event of a row."""
    context = row["context"]
    return Interaction(
        event_id=row["event_id"],
        user_id=row["user_id"],
        item_id=row["item_id"],
        timestamp=from_micros(row["timestamp"]),
        kind=row["kind"],
        session_id=row["session_id"],
        value=row["value"],
        text=row["text"],
        context=json.loads(context) if context else {},
        request_id=row["request_id"],
    )


def slate_row(slate: Slate, tenant: str) -> dict[str, Any]:
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
        "tenant": tenant,
        "request_id": slate.request_id,
        "user_id": slate.user_id,
        "session_id": slate.session_id,
        "timestamp": to_micros(slate.timestamp, f"slate {slate.request_id!r}"),
        "items": json.dumps(slate.item_ids, ensure_ascii=False),
        "propensities": json.dumps(slate.propensities),
        "assignment": json.dumps(asdict(slate.assignment)) if slate.assignment else None,
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
        assignment=Assignment(**json.loads(row["assignment"])) if row["assignment"] else None,
    )


def letter_row(letter: DeadLetter, tenant: str) -> dict[str, Any]:
    """Return the row of a dead letter; what cannot be written down of its ids is left out."""
    return {
        "tenant": tenant,
        "digest": hashlib.sha256(letter.payload.encode("utf-8", "backslashreplace")).hexdigest(),
        "payload": _plain(letter.payload)[:MOST_PAYLOAD],
        "field": _plain(letter.field)[:256],
        "reason": _plain(letter.reason)[:2000],
        "received_at": to_micros(letter.received_at, "dead letter"),
        "event_id": _writable(letter.event_id),
        "user_id": _writable(letter.user_id),
        "session_id": _writable(letter.session_id),
        "times": letter.times,
    }


def letter_of(row: Mapping[str, Any]) -> DeadLetter:
    """Return the dead letter of a row."""
    names = ("payload", "field", "reason", "event_id", "user_id", "session_id", "times")
    place = f"{row['received_at']}-{row['row_id']}"
    received_at = from_micros(row["received_at"])
    return DeadLetter(**{name: row[name] for name in names}, received_at=received_at, place=place)


def letter_place(place: str) -> tuple[int, int]:
    """Return the time and the row of a dead letter's `place`; raises DataError when it is none."""
    read = _PLACE.fullmatch(place)
    if read is None:
        raise DataError(f"dead letters after {place!r}: the `place` of the last one of a page would be valid")
    return int(read[1]), int(read[2])


def _writable(value: str | None) -> str | None:
    return value if value is not None and len(value) <= 256 and value == _plain(value) else None


def _plain(text: str) -> str:
    """Return the text as every database can keep it: no half surrogate pair, no NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "?")
