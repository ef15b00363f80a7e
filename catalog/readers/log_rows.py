"""Rows of a file -> the interaction log."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from catalog.columns import INTERACTIONS, Schema
from catalog.errors import did_you_mean
from catalog.nouns import KINDS, Kind
from catalog.readers.fields import Mapped, labels
from catalog.readers.recordings import Recordings
from catalog.readers.rejects import Rejects, shown
from catalog.readers.rows import BATCH_ROWS, Rows, batches
from catalog.readers.values import BadValue, as_micros, as_number, as_text

_KINDS = frozenset(KINDS)
_PARTS = {"0": 0, "1": 1, "2": 2}


@dataclass(frozen=True)
class LogRules:
    """What a log is read by.

    Attributes:
        mapped: What becomes of the columns.
        items: The file's item key -> external item id; None takes every key as an id.
        kind: Kind of a row that names none.
        refused: Keys that stand in the item table in rows that were rejected.
        recordings: Resolves the column that names a recording; None leaves it as it is.
    """

    mapped: Mapped
    items: Mapping[str, str] | None
    kind: Kind
    refused: Collection[str] = ()
    recordings: Recordings | None = None


def default_kind(mapped: Mapped) -> Kind:
    """Return the kind of rows that name none: `rating` where there is a value, else `click`, the least claim."""
    return "click" if mapped.source("value") is None else "rating"


def read_log(source: Rows, rules: LogRules, rejects: Rejects) -> pl.DataFrame:
    """Return the log of a table file, with its `x_label*` columns as Int64; see `log_frames`."""
    return pl.concat([pl.DataFrame(schema=log_schema(source)), *log_frames(source, rules, rejects)])


def log_schema(source: Rows) -> Schema:
    """Return the columns of the log a table file gives."""
    return {**INTERACTIONS, **dict.fromkeys(labels(source.columns), pl.Int64)}


def log_frames(source: Rows, rules: LogRules, rejects: Rejects, size: int = BATCH_ROWS) -> Iterator[pl.DataFrame]:
    """Yield the log of a table file in pieces of up to `size` rows.

    A row without `event_id` is named by its file and line (`movies.inter:2`). Without a timestamp
    column the order of the file stands for the time, one second a row. Columns that are no noun go
    into `context`.
    """
    schema = {**log_schema(source), "timestamp": pl.Int64}
    reader = _Reader(source, rules, labels(source.columns))
    for batch in batches(source, rejects, size):
        rows = []
        for line, row in batch:
            try:
                rows.append(reader.read(line, row))
            except BadValue as error:
                rejects.add(source.name, line, error.reason, error.detail, row)
        frame = pl.DataFrame(rows, schema=schema, orient="row")
        yield frame.with_columns(pl.col("timestamp").cast(INTERACTIONS["timestamp"]))


class _Reader:
    """Turns one row into the tuple of a log row; remembers the event ids it has met."""

    def __init__(self, source: Rows, rules: LogRules, given_labels: list[str]) -> None:
        column = rules.mapped.source
        self.file, self.rules, self.labels = source.name, rules, given_labels
        self.event, self.user, self.session = column("event_id"), column("user_id"), column("session_id")
        self.item, self.timestamp, self.kind = column("item_id"), column("timestamp"), column("kind")
        self.value, self.text, self.request = column("value"), column("text"), column("request_id")
        self.plain = rules.mapped.used | {*given_labels, ""}
        self.met: set[str] = set()

    def read(self, line: int, row: Mapping[str, Any]) -> tuple[Any, ...]:
        user = _needed(row, self.user, "user")
        item = self._item(row)
        micros = line * 1_000_000 if self.timestamp is None else as_micros(_needed(row, self.timestamp, "timestamp"))
        kind = self._kind(row)
        value = None if self.value is None else as_number(row.get(self.value), "value")
        parts = [_part(row, name) for name in self.labels]
        session, text, request = (_optional(row, each) for each in (self.session, self.text, self.request))
        event = self._event(line, row)
        return (event, user, session, item, micros, kind, value, text, self._context(row), request, *parts)

    def _event(self, line: int, row: Mapping[str, Any]) -> str:
        event = _optional(row, self.event)
        if event is None:
            return f"{self.file}:{line}"
        if event in self.met:
            raise BadValue("repeated event id", f"event id {shown(event)} stands in an earlier line already")
        self.met.add(event)
        return event

    def _item(self, row: Mapping[str, Any]) -> str:
        key = _needed(row, self.item, "item")
        if self.rules.items is None:
            return key
        item = self.rules.items.get(key)
        if item is None and key in self.rules.refused:
            raise BadValue("rejected item", f"item {shown(key)} was rejected: its row of the item table is no item")
        if item is None:
            raise BadValue(
                "unknown item", f"item {shown(key)} is none of the {len(self.rules.items)} in the item table"
            )
        return item

    def _kind(self, row: Mapping[str, Any]) -> str:
        text = _optional(row, self.kind)
        if text is None:
            return self.rules.kind
        kind = text.strip().casefold()
        if kind not in _KINDS:
            raise BadValue("unknown kind", f"unknown kind {shown(text)}. {did_you_mean(kind, list(KINDS))}")
        return kind

    def _context(self, row: Mapping[str, Any]) -> str | None:
        if row.keys() <= self.plain:
            return None
        rest = {name: value for name, value in row.items() if name not in self.plain and not _blank(value)}
        if self.rules.recordings is not None:
            self.rules.recordings.place(rest)
        return json.dumps(rest, ensure_ascii=False, default=str) if rest else None


def _optional(row: Mapping[str, Any], column: str | None) -> str | None:
    return None if column is None else as_text(row.get(column))


def _needed(row: Mapping[str, Any], column: str | None, what: str) -> str:
    text = _optional(row, column)
    if text is None:
        raise BadValue(f"missing {what}", f"column {column!r} is empty")
    return text


def _part(row: Mapping[str, Any], column: str) -> int:
    part = _PARTS.get(as_text(row.get(column)) or "")
    if part is None:
        raise BadValue(
            "bad label", f"{column} {shown(row.get(column))}: 0 (train), 1 (valid) or 2 (test) would be valid"
        )
    return part


def _blank(value: Any) -> bool:
    return as_text(value) is None or (isinstance(value, float) and not math.isfinite(value))
