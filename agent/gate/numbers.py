"""Every number a sentence states must have a source: a record, a tool's facts, or the shopper's own words."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.figures import figure
from agent.gate.grounds import NUMBER, Grounds, Record
from agent.gate.references import CLOSE, OPEN
from agent.gate.segments import Segment, part_at
from agent.gate.vocabulary import tokens
from agent.money import PRICE, WORDED, amount, number, price_text


@dataclass(frozen=True)
class Fault:
    """A claim that does not hold: where it stands, why, and the true text where there is exactly one."""

    start: int
    end: int
    reason: str
    truth: str | None = None


_UPPER = re.compile(
    r"\b(?:under|below|less than|cheaper than|up to|at most|max(?:imum)?(?: of)?|within|no more than|not over)\s*$",
    re.IGNORECASE,
)
_LOWER = re.compile(r"\b(?:over|above|more than|at least|from|starting at|min(?:imum)?(?: of)?)\s*$", re.IGNORECASE)
_BETWEEN = re.compile(r"\bbetween\s*$|\bbetween\b.{0,20}\band\s*$|\bfrom\b.{0,20}\bto\s*$|\d\s*[-–]\s*$", re.IGNORECASE)
_GAP = re.compile(
    r"^\s*(?:less|more|cheaper|dearer|below|above|under|over|difference|apart|saved?|savings)\b", re.IGNORECASE
)
_DIFFERENCE = re.compile(r"\b(?:difference|gap)\b[^,;:.!?]*$", re.IGNORECASE)
_TOTAL = re.compile(r"\b(?:together|in total|combined|altogether|in all|total|sum)\b", re.IGNORECASE)
_AGAINST = re.compile(r"\b(?:vs\.?|versus|against|compared)\b", re.IGNORECASE)
_RATING = re.compile(
    r"(?<![\w.])(?P<a>\d(?:[.,]\d+)?)\s*(?:(?:/|out of)\s*5(?:\s*stars?)?|-?\s*stars?\b|★)"
    r"|\brat(?:ed|ing)\b(?! by)[^.\d]{0,15}(?P<b>\d(?:[.,]\d+)?)(?!\d)(?:\s*(?:/|out of)\s*5\b)?(?:\s*stars?)?",
    re.IGNORECASE,
)
_REVIEWS = re.compile(r"(?<![\w.])(?P<n>\d[\d,]*)\s*(?:reviews?|ratings?|customers|shoppers)\b", re.IGNORECASE)
_MANY = re.compile(
    r"\b(?P<many>dozens|hundreds|thousands|tens of thousands|millions) of (?:\w+ )?(?:reviews?|ratings?|"
    r"customers|shoppers|"
    r"people|buyers|votes)\b|\b(?P<none>no|zero|without(?: any)?|hasn['’]t any|"
    r"not a single) (?:\w+ )?(?:reviews?|ratings?)\b"
    r"|\b(?P<un>unrated|unreviewed|not (?:been )?(?:yet )?(?:rated|reviewed))\b",
    re.IGNORECASE,
)
_ROUND = {"dozens": 24, "hundreds": 200, "thousands": 2000, "tens of thousands": 20_000, "millions": 2_000_000}
_OFF = re.compile(r"\d+(?:\.\d+)?\s?(?:%|percent)", re.IGNORECASE)
_CUT = re.compile(r"\s*(?:off|discount|less|cheaper|reduction|saving|price|of(?!\s+\w))", re.IGNORECASE)
_CUT_AHEAD = re.compile(r"\b(?:save|saves|saving|reduced by|discount of|off)\s*$", re.IGNORECASE)
_REST = re.compile(r"\s+(?:more|others?)\b", re.IGNORECASE)
_LISTED = re.compile(r"^\s*(?:[-*•]\s*)?\d{1,2}[.):]\s")
_MIXED = re.compile(r"(?<!\w)(?=[\dOoIl]*\d)(?=\d*[OoIl])[\dOoIl]{2,}(?:[.,]\d+)?(?!\w)")
_MONEY = re.compile(r"\s?(?:euros?|eur|dollars?|usd|pounds?|gbp|bucks|[$€£])(?!\w)", re.IGNORECASE)
_MONEY_AHEAD = re.compile(r"(?:[$€£]|\b(?:costs?|only|just|priced at|eur|usd|gbp))\s?$", re.IGNORECASE)
_ORDINAL = re.compile(r"(?<![\w.])\d{1,2}(?:st|nd|rd|th)\b", re.IGNORECASE)


def number_faults(
    text: str, parts: list[Segment], grounds: Grounds, named: int, settled: Sequence[tuple[int, int]] = ()
) -> list[Fault]:
    """Return the numbers of a marked sentence that nothing backs.

    Args:
        text: The sentence with items marked.
        parts: Its segments.
        grounds: What may be leaned on.
        named: How many items the answer named so far, which it may count.
        settled: Stretches whose numbers were checked elsewhere.
    """
    seen = [*settled, *(match.span() for match in re.finditer(f"{OPEN}\\d+{CLOSE}", text))]
    listed = _LISTED.match(text)
    if listed:
        seen.append(listed.span())
    faults: list[Fault] = []
    checks = (_worded, _reviewed, _ratings, _reviews, _percent, _prices)
    for check in checks:
        for span, fault in check(text, parts, grounds):
            if not _overlaps(span, seen):
                seen.append(span)
                if fault is not None:
                    faults.append(fault)
    for match in _MIXED.finditer(text):
        if _MONEY.match(text, match.end()) or _MONEY_AHEAD.search(text[: match.start()]):
            faults.append(Fault(*match.span(), f"figure {match.group()!r} is written with letters"))
    seen.extend(match.span() for match in _ORDINAL.finditer(text))
    for match in NUMBER.finditer(text):
        if not _overlaps(match.span(), seen) and not _backed(number(match.group()), match, parts, grounds, named):
            faults.append(Fault(*match.span(), f"number {match.group()!r} has no source"))
    return faults


Checked = Iterator[tuple[tuple[int, int], Fault | None]]


def _worded(text: str, parts: list[Segment], grounds: Grounds) -> Checked:
    for match in WORDED.finditer(text):
        known = grounds.knows_phrase(match.group())
        yield match.span(), None if known else Fault(*match.span(), f"price in words {match.group()!r}")


def _ratings(text: str, parts: list[Segment], grounds: Grounds) -> Checked:
    for match in _RATING.finditer(text):
        written = match["a"] or match["b"]
        value, digits = number(written), len(re.split(r"[.,]", written)[1]) if re.search(r"[.,]", written) else 0
        subjects = part_at(parts, match.start()).subjects
        true = [r.item.rating for r in subjects if r.item.rating is not None]
        holds = bool(subjects) and len(true) == len(subjects) and all(round(r, digits) == value for r in true)
        if holds or (not subjects and value in grounds.wish_numbers | grounds.fact_numbers):
            yield match.span(), None
            continue
        at = match.start("a" if match["a"] else "b")
        truth = figure(true[0]) if len(subjects) == 1 and true and part_at(parts, match.start()).sure else None
        yield match.span(), Fault(at, at + len(written), f"rating {written!r} is not the record's", truth)


def _reviews(text: str, parts: list[Segment], grounds: Grounds) -> Checked:
    for match in _REVIEWS.finditer(text):
        value = number(match["n"])
        subjects = part_at(parts, match.start()).subjects
        counts = [float(r.item.rating_count) for r in subjects if r.item.rating_count is not None]
        if (subjects and counts == [value] * len(subjects)) or value in grounds.fact_numbers:
            yield match.span(), None
            continue
        reviewed = re.search(r"review|rating", match.group(), re.IGNORECASE)
        truth = figure(counts[0]) if len(subjects) == 1 and counts and reviewed else None
        yield match.span(), Fault(*match.span("n"), f"count {match['n']!r} is not the record's", truth)


def _reviewed(text: str, parts: list[Segment], grounds: Grounds) -> Checked:
    """Check how many reviewed it where no figure says so."""
    for match in _MANY.finditer(text):
        subjects = part_at(parts, match.start()).subjects
        counts = [record.item.rating_count or 0 for record in subjects]
        if match["many"]:
            holds = bool(counts) and min(counts) >= _ROUND[match["many"].casefold()]
        else:
            holds = not any(counts) and not any(r.item.rating is not None for r in subjects)
        known = holds or grounds.knows_phrase(match.group())
        yield match.span(), None if known else Fault(*match.span(), f"{match.group()!r} is not what the record says")


def _percent(text: str, parts: list[Segment], grounds: Grounds) -> Checked:
    for match in _OFF.finditer(text):
        value = number(re.split(r"[\s%p]", match.group())[0])
        # "100% cotton" may stand in a description, which says what the percentage is of; a price cut may not.
        cut = _CUT.match(text, match.end()) or _CUT_AHEAD.search(text[: match.start()])
        subjects = () if cut else part_at(parts, match.start()).subjects
        of_what = tokens(re.split(r"[,;:.!?(]", text[match.end() :])[0])[:1]
        said = f" {value:g} {of_what[0]} " if of_what else None
        described = said is not None and any(said in re.sub(r" per ?cent ", " ", r.phrase) for r in subjects)
        known = value in grounds.fact_numbers or described
        yield match.span(), None if known else Fault(*match.span(), f"percentage {match.group()!r} has no source")


def _prices(text: str, parts: list[Segment], grounds: Grounds) -> Checked:
    for match in PRICE.finditer(text):
        part = part_at(parts, match.start())
        yield match.span(), _price(text, match, part, parts, grounds)


def _price(text: str, match: re.Match[str], part: Segment, parts: list[Segment], grounds: Grounds) -> Fault | None:
    value, before, after = amount(match), text[: match.start()], text[match.end() :]
    subjects = part.subjects
    said = grounds.wish_numbers | grounds.fact_numbers
    prices = [r.item.price for r in subjects if r.item.price is not None]
    whole = bool(subjects) and len(prices) == len(subjects)
    if _UPPER.search(before) or _LOWER.search(before) or _BETWEEN.search(before) or _ranged(after):
        if not part.sure:
            return None if value in said else Fault(*match.span(), f"limit {match.group()!r} has no source")
        if value in grounds.wish_numbers or value in grounds.fact_numbers:
            broken = _UPPER.search(before) and whole and any(p > value for p in prices) and not _denied(text)
            return Fault(*match.span(), f"an item costs more than {match.group()!r}") if broken else None
        holds = whole and (
            all(p <= value for p in prices) if _UPPER.search(before) else all(p >= value for p in prices)
        )
        return None if holds else Fault(*match.span(), f"limit {match.group()!r} does not hold")
    everyone = {record for each in parts for record in each.subjects}
    total = sum(record.item.price or 0.0 for record in everyone)
    if len(everyone) > 1 and _TOTAL.search(text) and _same(round(total, 2), value):
        return None
    if _GAP.match(after) or _DIFFERENCE.search(before):
        near = {record for each in parts for record in (*each.subjects, *each.ahead)}
        known = [r.item.price for r in near if r.item.price is not None]
        gaps = {round(abs(a - b), 2) for a, b in itertools.combinations(known, 2)}
        return None if round(value, 2) in gaps else Fault(*match.span(), f"difference {match.group()!r} is not so")
    if whole and all(_same(p, value) for p in prices):
        currency = _currency_fault(match, subjects)
        return currency
    if part.ahead and _leads(after) and all(_same(r.item.price, value) for r in part.ahead):
        return None
    if not subjects:
        return None if value in said else Fault(*match.span(), f"price {match.group()!r} has no source")
    if not part.sure and any(_same(p, value) for p in prices):
        return None
    if not part.sure and value in said:
        return None
    truth = None
    if part.sure and len(subjects) == 1 and not _leads(after):
        truth = price_text(subjects[0].item.price, subjects[0].item.currency)
        if truth and match["d"]:
            return Fault(match.start("d"), match.end(), f"price {match.group()!r} is not the record's", truth)
    return Fault(*match.span(), f"price {match.group()!r} is not the record's", truth)


_CURRENCY = {"$": "USD", "us$": "USD", "dollar": "USD", "us dollar": "USD", "buck": "USD", "€": "EUR", "euro": "EUR",
             "£": "GBP", "pound": "GBP", "quid": "GBP", "¥": "JPY", "yen": "JPY", "₹": "INR", "rupee": "INR",
             "swiss franc": "CHF", "ca$": "CAD", "a$": "AUD", "canadian dollar": "CAD", "australian dollar": "AUD",
             "yuan": "CNY", "zł": "PLN", "zloty": "PLN", "złoty": "PLN"}  # fmt: skip
_SHARED = {"kr": "SEK NOK DKK", "krona": "SEK", "kronor": "SEK", "krone": "NOK DKK", "kroner": "NOK DKK",
           "dollar": "USD CAD AUD NZD SGD HKD", "$": "USD CAD AUD NZD SGD HKD MXN", "franc": "CHF",
           "¥": "JPY CNY"}  # fmt: skip
"""Names that several currencies go by."""


def _currency_fault(match: re.Match[str], subjects: tuple[Record, ...]) -> Fault | None:
    """The right number in the wrong money is a wrong price."""
    unit = (match["pre"] or match["post"] or match["last"] or "").casefold()
    single = unit if unit in _CURRENCY or unit in _SHARED else unit.rstrip("s")
    meant = set(_SHARED.get(single, _CURRENCY.get(single, unit.upper())).split())
    true = {r.item.currency for r in subjects}
    if not unit or true <= meant:
        return None
    truth = price_text(subjects[0].item.price, subjects[0].item.currency) if len(true) == 1 else None
    start = match.start("d") if match["d"] else match.start()
    return Fault(start, match.end(), f"{match.group()!r} is not in the record's currency", truth)


def _same(price: float | None, value: float) -> bool:
    return price is not None and abs(price - value) < 0.005


def _leads(after: str) -> bool:
    """Whether an item follows at once, so that the price may be its own: `24 EUR: #2`."""
    return re.match(rf"\s*[:–—-]?\s*{OPEN}", after) is not None


def _ranged(after: str) -> bool:
    return (
        re.match(r"\s*(?:[-–]|to)\s*(?:[$€£¥₹]\s?)?\d|\s*(?:or (?:less|under|more|over)|budget|limit)\b", after)
        is not None
    )


def _denied(text: str) -> bool:
    return (
        re.search(r"\b(?:no|not|nothing|none|above|over|without|although|but)\b|n['’]t\b", text, re.IGNORECASE)
        is not None
    )


def _backed(value: float, match: re.Match[str], parts: list[Segment], grounds: Grounds, named: int) -> bool:
    part = part_at(parts, match.start())
    if value in grounds.wish_numbers or value in grounds.fact_numbers:
        return True
    if _REST.match(match.string, match.end()) and value <= max(grounds.fact_numbers, default=0):
        return True
    if part.subjects and any(value in record.numbers for record in part.subjects):
        return True
    if _AGAINST.search(match.string) and any(value in record.numbers for each in parts for record in each.subjects):
        return True
    everyone = sum(len(each.subjects) for each in parts[:1])
    return value == grounds.found or (value.is_integer() and 0 < value <= max(named, everyone))


def _overlaps(span: tuple[int, int], seen: list[tuple[int, int]]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in seen)
