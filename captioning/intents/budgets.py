"""Budgets by grammar: an amount of money, and whether it is a bound ("under 50 euros", "80 to 100", "about $30")."""

from __future__ import annotations

import re
from collections.abc import Iterator

from catalog.amounts import amount
from catalog.intents import IntentSpan, TextSource, shown_value

_SYMBOL = r"[$€£¥₹]"
_CODE = r"(?:usd|eur|gbp|chf|jpy|inr|euros?|dollars?|pounds?|bucks|quid|francs?|kroner?|kronor|rupees?|yen)\b"
_NUMBER = r"\d{1,3}(?:[,.\u00a0\u202f]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"
_MONEY = rf"(?:{_SYMBOL}\s?(?:{_NUMBER})(?:k\b)?|(?:{_NUMBER})(?:k\b)?\s?(?:{_SYMBOL}|{_CODE}))"
_AMOUNT = rf"(?:{_MONEY}|(?:{_NUMBER})(?:k\b)?)"
_BOUNDS = {
    "max": r"under|below|less than|up to|at most|no more than|not more than|max(?:imum)?(?: of)?|within|cheaper than|"
    r"not over|no higher than",
    "min": r"over|above|more than|at least|min(?:imum)?(?: of)?|upwards of",
    "about": r"around|about|roughly|approximately|approx\.?|circa|near|~",
}
_CUE = "|".join(f"(?P<{name}>{words})" for name, words in _BOUNDS.items())
_UNIT = (
    r"(?!\s?(?:%|percent|cm|mm|m\b|km|inch|in\b|\"|'|ft|feet|foot|kg|g\b|lbs?|oz|ml|l\b|litres?|liters?|watts?|w\b|hours?|"
    r"hrs?|minutes?|mins?|seconds?|days?|weeks?|months?|years?|times|pages?|people|pieces?|pcs|stars?|degrees?|°))"
)
_RANGE = re.compile(
    rf"(?:between\s+)?(?P<low>{_AMOUNT})\s?(?:-|–|—|to|and)\s?(?P<high>{_MONEY})"
    rf"|between\s+(?P<low2>{_AMOUNT})\s+and\s+(?P<high2>{_AMOUNT}){_UNIT}",
    re.IGNORECASE,
)
_BOUND = re.compile(
    rf"(?<![\w])(?:{_CUE})\s*(?P<amount>{_MONEY}|(?:{_NUMBER})(?:k\b)?(?![\d.,]*\d){_UNIT})", re.IGNORECASE
)
_TOLD = re.compile(
    rf"\b(?:budget|price limit|limit|spend|spending)(?:\s+(?:is|of|was|up to|at|around|about|to|between))*\s*:?\s*"
    rf"(?P<amount>{_AMOUNT}){_UNIT}|(?P<amount2>{_AMOUNT})\s+(?:budget|max(?:imum)?|tops|or (?:less|under|below))\b",
    re.IGNORECASE,
)
_ALONE = re.compile(_MONEY, re.IGNORECASE)


def budgets(text: str, source: TextSource) -> list[IntentSpan]:
    """Return the budgets a text names, by place.

    A price alone ("it cost 40 euros") is none: a bound, the word budget or a search is needed. A bare number counts
    behind a bound, unless a unit follows.

    Example:
        >>> [(b.aspect, b.amount) for b in budgets("a vase under 50 euros", "query")]
        [('max', 50.0)]
    """
    taken: list[tuple[int, int]] = []
    spans: list[IntentSpan] = []
    for found in _all(text, source):
        if all(found[0].end <= start or end <= found[0].start for start, end in taken):
            taken.append((found[0].start, found[0].end))
            spans += found
    return sorted(spans, key=lambda span: (span.start, span.aspect or ""))


def _all(text: str, source: TextSource) -> Iterator[list[IntentSpan]]:
    for match in _RANGE.finditer(text):
        low, high = match["low"] or match["low2"], match["high"] or match["high2"]
        if _value(low) < _value(high):
            yield [
                _span(text, match.start(), match.end(), "min", low),
                _span(text, match.start(), match.end(), "max", high),
            ]
    for match in _TOLD.finditer(text):
        yield [_span(text, match.start(), match.end(), "max", match["amount"] or match["amount2"])]
    for match in _BOUND.finditer(text):
        bound = next(name for name in _BOUNDS if match[name])
        yield [_span(text, match.start(), match.end(), bound, match["amount"])]
    if source == "query":
        for match in _ALONE.finditer(text):
            yield [_span(text, match.start(), match.end(), "about", match[0])]


def _span(text: str, start: int, end: int, bound: str, amount: str) -> IntentSpan:
    return IntentSpan("budget", shown_value(text[start:end]), start, end, bound, amount=_value(amount))


def _value(words: str) -> float:
    found = re.search(_NUMBER, words)
    assert found is not None
    return amount(found[0]) * (1000 if re.search(r"k\b", words[found.end() :], re.IGNORECASE) else 1)
