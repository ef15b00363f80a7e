"""Values as feeds write them: money, availability, a span of time, and HTML as text."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

from catalog.readers.rejects import shown
from catalog.readers.values import DEAREST, BadValue, as_bool, as_micros, as_number

_CODE = r"[A-Za-z]{3}|[€£¥$]"
_MONEY = re.compile(rf"\s*({_CODE})?\s*([\d.,'’\s]*\d)\s*({_CODE})?\s*")
_SYMBOLS = {"€": "EUR", "£": "GBP"}
"""`$` and `¥` stand for several currencies, so they name none."""

_ORDERABLE = frozenset({"preorder", "backorder", "madetoorder", "presale"})
_IN_STOCK = frozenset({"instock", "limitedavailability", "onlineonly", "instoreonly", "availablefororder"})
_GONE = frozenset({"outofstock", "soldout", "discontinued", "reserved"})

_BLOCKS = frozenset({
    "address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "figure", "h1", "h2", "h3", "h4", "h5", "h6",
    "hr", "li", "ol", "p", "pre", "section", "table", "td", "th", "tr", "ul",
})  # fmt: skip
_UNSAID = frozenset({"script", "style", "template", "noscript", "iframe", "svg", "head"})
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|&(#\d+|#x[0-9a-fA-F]+|[a-zA-Z]+\d?);")


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
    found = _MONEY.fullmatch(text)
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


def as_plain(text: str | None) -> str | None:
    r"""Return HTML as text: a line a block, no scripts, no tags; what has no tag stays as it is.

    Example:
        >>> as_plain("<p>Holds <b>tea</b>&nbsp;&amp; more.</p><ul><li>Blue</li></ul>")
        'Holds tea & more.\nBlue'
    """
    if text is None or not _TAG.search(text):
        return text
    reader = _TextOf()
    reader.feed(text)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.said).split("\n"))
    return "\n".join(line for line in lines if line) or None


class _TextOf(HTMLParser):
    """Collects the text between tags."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._unsaid: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in _UNSAID:
            self._unsaid.append(tag)
        elif tag in _BLOCKS:
            self.said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unsaid:
            del self._unsaid[self._unsaid.index(tag) :]
        elif tag in _BLOCKS:
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unsaid:
            self.said.append(data.replace("\n", " ").replace("\r", " "))
