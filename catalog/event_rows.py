"""Whether a row of a backup can be kept and read again, before it is written: SQLite takes anything anywhere."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Float, Integer, String, Table

from catalog.event_tables import from_micros
from catalog.nouns import KINDS
from catalog.told import KINDS as TOLD_KINDS

_JSON: Mapping[tuple[str, str], type] = {
    ("events", "context"): dict,
    ("slates", "items"): list,
    ("slates", "propensities"): list,
    ("slates", "assignment"): dict,
    ("traces", "trace"): dict,
}
"""Columns whose text is read as JSON, and what it must be."""
_MOMENTS = frozenset({"timestamp", "received_at"})
_KINDS: Mapping[tuple[str, str], Sequence[str]] = {("events", "kind"): KINDS, ("told", "kind"): TOLD_KINDS}
_LARGEST = 2**63


def row_fault(table: Table, row: Mapping[str, Any]) -> str | None:
    """Return which column of a row no store can keep or read again, and why; None when all can."""
    for name, value in {"tenant": None, **row}.items():
        if (value is not None or name == "tenant") and (fault := _fault(table, name, value)) is not None:
            return f"{name} of {table.name} {fault}"
    if table.name == "told" and row.get("kind") == "budget" and not _is_amount(row.get("value")):
        return f"value of told is {_shown(row.get('value'))}; with a budget an amount of money would be valid"
    return None


def _fault(table: Table, name: str, value: Any) -> str | None:
    kind = table.columns[name].type
    if isinstance(kind, Float):
        sound = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return None if sound else f"is {_shown(value)}; a finite number would be valid"
    if isinstance(kind, Integer):
        whole = isinstance(value, int) and not isinstance(value, bool) and -_LARGEST <= value < _LARGEST
        if not whole or (name in _MOMENTS and not _is_moment(value)):
            return f"is {_shown(value)}; {'microseconds' if name in _MOMENTS else 'a number'} would be valid"
        return None
    assert isinstance(kind, String)
    if not isinstance(value, str):
        return f"is {_shown(value)}; a text would be valid"
    kinds = _KINDS.get((table.name, name))
    if kinds is not None and value not in kinds:
        return f"is {_shown(value)}; one of {', '.join(kinds)} would be valid"
    try:
        value.encode()
        wanted = _JSON.get((table.name, name))
        sound = wanted is None or isinstance(json.loads(value), wanted)
    except (ValueError, RecursionError):  # half a surrogate pair, no JSON, JSON too deep to be read
        sound = False
    return None if sound else f"is {_shown(value)}, which cannot be read again"


def _is_moment(micros: int) -> bool:
    try:
        from_micros(micros)
    except OverflowError:
        return False
    return True


def _is_amount(value: Any) -> bool:
    try:
        return 0 <= float(value) < math.inf
    except (TypeError, ValueError):
        return False


def _shown(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
