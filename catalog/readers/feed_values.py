"""Values as feeds write them: money, availability, a span of time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from catalog.readers.rejects import shown
from catalog.readers.values import DEAREST, BadValue, as_bool, as_micros, as_number

_CODE = r"[A-Za-z]{3}|[€£¥$]"
_MONEY = re.compile(rf"\s*({_CODE})?\s*([\d.,'’\s]*\d)\s*({_CODE})?\s*")
_SYMBOLS = {"€": "EUR", "£": "GBP"}
"""`$` and `¥` stand for several currencies, so they name none."""

_ORDERABLE = frozenset({"preorder", "backorder", "madetoorder", "presale"})
_IN_STOCK = frozenset({"instock", "limitedavailability", "onlineonly", "instoreonly", "availablefororder"})
_GONE = frozenset({"outofstock", "soldout", "discontinued", "reserved"})
_MONEY_CHARACTERS = 60
"""No price is longer; the pattern above takes its time with long runs of blanks."""


def as_money(text: str | None, name: str) -> tuple[float, str | None] | None:
    """Return amount and currency (ISO 4217) of a price with or without one.

    The last of several separators is the decimal one; a comma alone is one unless three digits follow it, a dot
    alone always is (Google's own writing).

    Raises:
        BadValue: When it is no price.

    Example:
        >>> as_money("12.99 EUR", "price"), as_money("EUR 1.299,50", "price"), as_money("1,299", "price")
        ((12.99, 'EUR'), (1299.5, 'EUR'), (1299.0, None))
    """
    if text is None:
        return None
    found = _MONEY.fullmatch(text) if len(text) <= _MONEY_CHARACTERS else None
    if found is None:
        raise BadValue(f"bad {name}", f"{name} {shown(text)} is no price; '12.99 EUR' would be valid")
    before, digits, after = found.groups()
    amount = as_number(_decimal(re.sub(r"[\s'’]", "", digits)), name, least=0, most=DEAREST)
    assert amount is not None
    code = after or before
    return amount, None if code is None else _SYMBOLS.get(code, code.upper() if code.isalpha() else None)


def _decimal(digits: str) -> str:
    """Return a number as Python writes it."""
    comma, dot = digits.rfind(","), digits.rfind(".")
    if comma >= 0 and dot >= 0:
        thousands = "," if dot > comma else "."
        return digits.replace(thousands, "").replace(",", ".")
    if digits.count(",") == 1 and len(digits) - comma != 4:
        return digits.replace(",", ".")
    if digits.count(".") > 1:
        return digits.replace(".", "")
    return digits.replace(",", "")


def as_availability(text: str | None) -> tuple[bool | None, str | None]:
    """Return whether something can be ordered, and the word for it where it is more than yes or no.

    `in_stock`, `in stock`, `https://schema.org/InStock` and yes/no are understood; what can be ordered before it is
    there (`preorder`, `backorder`) is available.

    Raises:
        BadValue: When it is none of these.
    """
    if text is None:
        return None, None
    word = re.sub(r"[\s_-]+", "", text.strip().rsplit("/", 1)[-1].casefold())
    if word in _ORDERABLE:
        return True, word
    if word in _IN_STOCK or word in _GONE:
        return word in _IN_STOCK, None
    try:
        return as_bool(text, "availability"), None
    except BadValue:
        valid = "in_stock, out_of_stock, preorder or backorder"
        raise BadValue("bad availability", f"availability {shown(text)}: {valid} would be valid") from None


def as_span(text: str, name: str) -> tuple[datetime, datetime]:
    """Return begin and end of `2026-11-01T00:00-0800/2026-11-15T23:59-0800`; a day alone as the end is the whole day.

    Raises:
        BadValue: When it is no such span.
    """
    try:
        begin, end = (part.strip() for part in text.split("/"))
        start, stop = _moment(begin), _moment(end)
    except ValueError:  # BadValue is one
        detail = f"{name} {shown(text)}: two ISO 8601 times with a slash between them would be valid"
        raise BadValue(f"bad {name}", detail) from None
    return start, stop + timedelta(days=1) if re.fullmatch(r"\d{4}-\d\d-\d\d", end) else stop


def as_moment(text: str, name: str) -> datetime:
    """Return the moment of an ISO 8601 text, UTC where it names no zone.

    Raises:
        BadValue: When it is none.
    """
    try:
        return _moment(text.strip())
    except BadValue:
        raise BadValue(f"bad {name}", f"{name} {shown(text)}: ISO 8601 would be valid") from None


def _moment(text: str) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=as_micros(text))
