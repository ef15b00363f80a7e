"""One raw value of a file -> text, a number, a moment, or several values. `None` is missing."""

from __future__ import annotations

import ast
import json
import math
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from catalog.readers.rejects import shown

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_NUMBER = re.compile(r"\s*[+-]?\d+(\.\d*)?([eE][+-]?\d+)?\s*")
_COMMA = re.compile(r",(?!\s*(?:Jr|Sr|II|III|IV)\b)")
_LITERAL_CHARACTERS = 10_000
DEAREST = 1e12
"""No price is higher, whatever its currency: a house in rials is below it, a fault of the file is not."""
_TRUE = {"true", "yes", "y", "1", "in stock", "available"}
_FALSE = {"false", "no", "n", "0", "out of stock", "unavailable", "sold out"}


class BadValue(ValueError):
    """A value that cannot be used: the class of fault it is counted under, and what would be valid."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def as_text(value: Any) -> str | None:
    """Return `value` as text, verbatim; blank is missing. A whole float loses its `.0`, so that ids stay ids."""
    if value is None or isinstance(value, str):
        return value if value and not value.isspace() else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def as_number(value: Any, name: str, *, least: float | None = None, most: float | None = None) -> float | None:
    """Return a finite float, at least `least` and at most `most`.

    Raises:
        BadValue: When it is no such number.
    """
    text = as_text(value)
    if text is None:
        return None
    valid = "a number" if least is None else f"a number of at least {least:g}"
    try:
        number = float(text)
    except ValueError:
        raise BadValue(f"bad {name}", f"{name} {shown(value)} is not a number; {valid} would be valid") from None
    if not math.isfinite(number) or (least is not None and number < least):
        raise BadValue(f"bad {name}", f"{name} {shown(value)}: {valid} would be valid")
    if most is not None and number > most:
        raise BadValue(f"bad {name}", f"{name} {shown(value)}: a number of at most {most:,.0f} would be valid")
    return number


def as_bool(value: Any, name: str) -> bool | None:
    """Return a truth value; true/false, yes/no, 1/0, in stock/out of stock and the like are understood.

    Raises:
        BadValue: When it is none of these.
    """
    text = as_text(value)
    if text is None:
        return None
    word = text.strip().casefold().replace("_", " ")
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise BadValue(f"bad {name}", f"{name} {shown(value)}: true or false would be valid")


def as_micros(text: str) -> int:
    """Return microseconds since the epoch, UTC, of an ISO 8601 text or of a time since the epoch.

    A number counts seconds; from 10^11 on milliseconds, from 10^14 microseconds, from 10^17
    nanoseconds. An ISO text without a zone is taken as UTC.

    Raises:
        BadValue: When it is neither, or not in the years 1 to 9999.
    """
    try:
        micros = _number_micros(float(text)) if _NUMBER.fullmatch(text) else _iso_micros(text.strip())
    except (ValueError, OverflowError):
        micros = _LAST + 1
    if not _FIRST <= micros <= _LAST:
        raise BadValue("bad timestamp", f"timestamp {shown(text)}: ISO 8601 or seconds since the epoch would be valid")
    return micros


def _number_micros(number: float) -> int:
    size = abs(number)
    per_second = 1 if size < 1e11 else 10**3 if size < 1e14 else 10**6 if size < 1e17 else 10**9
    return round(number * 1_000_000 / per_second)


def _iso_micros(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return ((moment if moment.utcoffset() is not None else moment.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND


def as_several(value: Any, *, commas: bool = False) -> tuple[str, ...]:
    """Return the values a cell holds, in order, each once.

    - a JSON list: its members, and those of lists within;
    - a text that is a list of quoted strings, with or without brackets (`'Beauty', "Women's"`,
      `["a", "b"]`): those strings;
    - a text with `|`: its pieces (`a|b|c`);
    - with `commas`, a text with commas: its pieces (`Tom Hanks, Tim Allen`; `, Jr.` stays with its name);
    - anything else: the one value.
    """
    if isinstance(value, (list, tuple)):
        pieces = [
            piece for each in value for piece in (as_several(each) if isinstance(each, list) else [as_text(each)])
        ]
    else:
        text = as_text(value)
        pieces = [*(_quoted(text) or _split(text, commas=commas))] if text else []
    return tuple(dict.fromkeys(piece.strip() for piece in pieces if piece and not piece.isspace()))


def _quoted(text: str) -> list[str] | None:
    text = text.strip()
    if text[0] not in "'\"[(" or len(text) > _LITERAL_CHARACTERS:
        return None
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if isinstance(found, str):  # one quoted string, or several that Python joins: only the first is a list of one
        return [found] if found == text[1:-1] else None
    several = isinstance(found, (list, tuple)) and all(isinstance(each, str) for each in found)
    return list(found) if several else None


def _split(text: str, *, commas: bool) -> list[str]:
    if "|" in text:
        return text.split("|")
    return _COMMA.split(text) if commas else [text]
