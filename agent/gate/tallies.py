"""Counts a sentence states ("there are 6 blue mugs under 20") against what a tool counted, and under which filters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from agent.gate.vocabulary import phrase
from agent.money import number

if TYPE_CHECKING:
    from agent.gate.grounds import Grounds

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_UNIT = r"(?:euros?|eur|dollars?|usd|pounds?|gbp|bucks|[$€£¥₹])"
_A, _B, _C = (
    rf"{_UNIT}?\s?(?P<{name}>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:[.,]\d{{1,2}})?)(?!\d)(?:\s?{_UNIT}(?!\w))?"
    for name in "abc"
)
_CLAIM = re.compile(
    r"\b(?:there(?: is| are|['’]s|['’]re)|(?:we|i|you|shop|store|catalogue) (?:ha(?:ve|s)|carr(?:y|ies)|stocks?|sells?|"
    r"offers?|find|found|count(?:ed)?|see))\s+(?:only |just |exactly |a total of |in total )?"
    rf"(?P<n>\d[\d,]*|{'|'.join(_WORDS)})\b(?P<what>(?:[\s-]+[^\W\d_][\w'’-]*){{0,10}}?)\s+(?:"
    r"(?:(?P<under>under|below|less than|cheaper than|lower than)|(?P<over>over|above|more than)"
    r"|(?P<most>up to|at most|no more than|not more than|not over|within|max(?:imum)?(?: of)?)"
    r"|(?P<least>at least|starting (?:at|from)|not under|no less than|from|between))\s+(?:about )?"
    rf"{_A}(?:\s*(?:and|to|[-–])\s*{_B})?|(?:for |at )?{_C}\s+(?P<tail>or (?:less|under|below|more|above|over)))",
    re.IGNORECASE,
)
_LEAD = re.compile(r"(?:^|[,;:])\s*(?:in|of|for|among)\s+[^,;:]*,?\s*$", re.IGNORECASE)
_REST = re.compile(r"(?:(?!\b(?:and|but|while)\b)[^,;:.!?(])*", re.IGNORECASE)
_NOT = re.compile(r"\b(?:not|without|non|no)\b", re.IGNORECASE)
_STOCK = re.compile(r"\b(?:in stock|available)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Span:
    """Prices from `low` to `high`; a `strict` one leaves both ends out."""

    low: float = float("-inf")
    high: float = float("inf")
    strict: bool = False

    def __contains__(self, price: float) -> bool:
        return self.low < price < self.high if self.strict else self.low <= price <= self.high

    @property
    def bounded(self) -> bool:
        """Whether it leaves any price out."""
        return self.low > float("-inf") or self.high < float("inf")


@dataclass(frozen=True)
class Tally:
    """What one call counted.

    Attributes:
        count: How many items passed.
        in_stock: How many of them are in stock, None when the call does not say.
        span: Prices the filters let pass.
        ends: Lowest and highest price of what passed, None when nothing that passed has one.
        words: Every other value of the filters, as `phrase` writes it.
        denied: Values that were filtered out, likewise.
        unpriced: Whether an item without a price was counted.
    """

    count: int
    in_stock: int | None = None
    span: Span = Span()
    ends: tuple[float, float] | None = None
    words: str = " "
    denied: str = " "
    unpriced: bool = False

    def agrees(self, span: Span, grounds: Grounds) -> bool:
        """Whether this many items cost what `span` says: nothing counted lies outside, nothing else inside."""
        outside = (span.bounded and self.unpriced) or any(end not in span for end in self.ends or ())
        missed = (item.price for item in grounds.catalog if item.price is not None and item.price not in self.span)
        return not outside and not any(price in span for price in missed)


def tallies(facts: Mapping[str, Any]) -> Iterator[Tally]:
    """Yield what a tool's facts counted: the whole, then each group's value."""
    count, filters, price = facts.get("count"), facts.get("filters") or {}, facts.get("price") or {}
    if not isinstance(count, int):
        return
    asked = filters.get("price") or {}
    whole = Tally(
        count,
        facts.get("in_stock"),
        Span(asked.get("min", float("-inf")), asked.get("max", float("inf"))),
        (price["min"], price["max"]) if price else None,
        phrase(" ".join(_texts({name: value for name, value in filters.items() if name not in ("price", "not")}))),
        phrase(" ".join(_texts(filters.get("not") or {}))),
        count > price.get("count", 0),
    )
    yield whole
    for group in facts.get("groups", ()):
        yield replace(whole, count=group["count"], in_stock=None, words=whole.words + phrase(str(group["value"])))


@dataclass(frozen=True)
class Claim:
    """A count with a price limit, as a sentence states it at [start, end).

    Attributes:
        at, until: Where the figure stands.
        count: The figure.
        what: The words that say what was counted, before and after the limit.
        span: Prices it speaks of.
        stocked: Whether it counts only what is in stock.
    """

    start: int
    end: int
    at: int
    until: int
    count: int
    what: str
    span: Span
    stocked: bool

    def about(self, tally: Tally, grounds: Grounds) -> bool:
        """Whether a tally counted this: every kind and quality named was filtered by, and the limits agree."""
        wanted, *refused = _NOT.split(self.what)
        named = all(name in tally.words for name in _names(wanted, grounds))
        left_out = all(name in tally.denied for part in refused for name in _names(part, grounds))
        return named and left_out and tally.agrees(self.span, grounds)

    def borne_out(self, tally: Tally) -> bool:
        """Whether the figure is the tally's."""
        return self.count == tally.count or (self.stocked and self.count == tally.in_stock)


def claims(text: str) -> Iterator[Claim]:
    """Yield the counts with a price limit that a sentence states."""
    for match in _CLAIM.finditer(text):
        said = match["n"].casefold()
        count = _WORDS.index(said) if said in _WORDS else int(said.replace(",", ""))
        lead, rest = _LEAD.search(text[: match.start()]), _REST.match(text, match.end())
        what = " ".join((match["what"], rest.group() if rest else "", lead.group() if lead else ""))
        yield Claim(*match.span(), *match.span("n"), count, what, _span(match), _STOCK.search(what) is not None)


def _span(match: re.Match[str]) -> Span:
    amount = number(match["a"] or match["c"])
    if match["b"]:
        low, high = sorted((amount, number(match["b"])))
        return Span(low, high)
    tail = (match["tail"] or "").casefold()
    if match["under"] or match["most"] or tail.endswith(("less", "under", "below")):
        return Span(high=amount, strict=bool(match["under"]))
    return Span(low=amount, strict=bool(match["over"]))


def _names(text: str, grounds: Grounds) -> Iterator[str]:
    """Yield the kinds, qualities and brands of the shop that `text` names."""
    said = phrase(text)
    yield from (kind for kind in grounds.words.kinds if kind in said)
    yield from (f" {word} " for word in said.split() if word in grounds.words.values)
    yield from (f" {key} " for key, brand in grounds.words.brands.items() if f" {key} " in said and brand in text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
