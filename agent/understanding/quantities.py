"""Numbers in a message: price bounds, how many, and in which order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.understanding.lexicon import TENS, UNITS
from agent.understanding.wish import Limit, Sort
from catalog.amounts import amount

_UNIT_WORDS = "|".join(sorted(UNITS, key=len, reverse=True))
_NUMBER_WORD = rf"(?:(?:{'|'.join(TENS)})(?:[ -](?:{_UNIT_WORDS}))?|(?:(?:a|{_UNIT_WORDS}) )?hundred|{_UNIT_WORDS})"
_DIGITS = r"(?<!\d)\d{1,12}(?:[.,]\d{1,6}){0,4}"
_NUMBER = rf"(?:{_DIGITS}k?|{_NUMBER_WORD})"
_SIGN = r"[€$£¥]"
_CURRENCY = rf"(?:\s*{_SIGN}|\s*(?:euros?|eur|dollars?|usd|bucks|pounds?|gbp|quid|chf|yen)\b)"
_NO_UNIT = (
    r"(?![\w#]|\s?(?:cm|mm|m|km|inch(?:es)?|ft|feet|kg|g|grams?|ml|l|lit(?:re|er)s?|oz|min(?:utes?)?|hours?|h|days?|"
    r"years?|yrs?|months?|stars?|people|persons?|pieces|watts?|w|%|percent|degrees|times)\b)"
)
_ABOUT = r"(?:about |around |roughly |approximately |say )?"


def _money(name: str, digits_only: bool = False) -> str:
    return rf"(?:{_SIGN}\s*)?(?P<{name}>{_DIGITS if digits_only else _NUMBER}){_NO_UNIT}{_CURRENCY}?"


_A, _B = _money("a"), _money("b")
_C, _D = _money("c", digits_only=True), _money("d", digits_only=True)
_RANGE = re.compile(rf"\b(?:between|from)\s+{_A}\s*(?:and|to|-|&)\s*{_B}|(?<![\w.,]){_C}\s*(?:-|to)\s*{_D}")
_BELOW = re.compile(
    r"(?:(?<!\bnot )(?<!\bnothing )(?<!\bno )\b(?:under|below|less than|cheaper than|lower than|beneath|fewer than)|<)"
    rf"\s*{_ABOUT}{_A}"
)
_MOST = re.compile(
    r"\b(?:(?:can|should|must|could|may|will|would)(?:n'?t|not| not) (?:be|cost|go) (?:any )?(?:more than|over|above)|"
    r"(?:nothing|none|not? (?:one|ones|anything)) (?:over|above|more than|beyond|pricier than|dearer than)|"
    r"up to|at most|no more than|not more than|not over|not above|not exceeding|within|max(?:imum)?(?: of)?|"
    r"(?:my |our |a )?budget(?: is| of|:)*|(?:can |could |will |want to |wanna )?(?:only )?spend)\s*"
    rf"(?:up to |at most |max(?:imum)? |of |is )*{_ABOUT}{_A}"
)  # fmt: skip
_MOST_AFTER = re.compile(rf"{_A}\s*(?:or less|or under|or below|max(?:imum)?\b|tops\b|at most|budget\b)")
_ABOVE = re.compile(rf"(?:\b(?:over|above|more than|pricier than|upwards of)|>)\s*{_ABOUT}{_A}")
_LEAST = re.compile(
    r"\b(?:at least|from|starting at|min(?:imum)?(?: of)?|(?:not|nothing) (?:under|below|less than)|no less than)\s+"
    rf"{_A}"
)
_LEAST_AFTER = re.compile(rf"{_A}\s*(?:or more|and up|and above|or above|plus\b|\+)")
_NEAR = re.compile(rf"(?:\b(?:around|about|roughly|approximately|circa|close to|near)\s+|~\s*){_A}")
_PLAIN = re.compile(
    rf"\bfor\s+(?:{_SIGN}\s*(?P<a>{_NUMBER})|(?P<c>{_NUMBER}){_CURRENCY})"
    rf"|(?P<d>{_SIGN})\s*(?P<e>{_NUMBER})|(?<!\w)(?P<f>{_NUMBER}){_CURRENCY}"
)
_BUDGET = re.compile(r"\bbudget\b|\bspend\b")
_DECADES = {ten.removesuffix("y") + "ies": ten for ten in TENS}
_YEARS = re.compile(
    r"\b(?:(?:from |in |of )?(?:the )?'?(?P<decade>(?:19|20)?\d0)'?s\b|"
    rf"(?:from |in )?the (?P<word>{'|'.join(_DECADES)})\b|"
    r"(?P<edge>(?:older|earlier|newer|later) than |prior to |before |after |since |in |of |from |between )?"
    r"(?P<year>(?:19|20)\d\d)\b(?!\s*(?:€|eur|"
    r"dollars?|usd|pounds?))"
    r"(?:\s*(?:-|to|and|until)\s*(?P<until>(?:19|20)\d\d)\b)?)"
)
_EVER = 1800, 2100
_BESIDE = re.compile(r"\s*(?:,|and|or|to|-|/)?\s*(?:and |or )?\s*(?:even |maybe )?")
_YEAR = re.compile(r"(?:19|20)\d\d")

_COUNT = re.compile(
    rf"\b(?:just|only|simply)\s+(?P<one>one|a single one|1)\b(?!\s*(?:of|hundred))|\b(?:a|one) single\b"
    rf"|\btop\s+(?P<top>{_NUMBER})\b"
    rf"|\b(?P<many>{_NUMBER})\s+(?:more\s+|other\s+|different\s+)?(?:options?|suggestions?|ideas?|"
    rf"recommendations?|choices|things|items?|"
    r"products|results|alternatives)\b"
    rf"|\b(?:show|give|find|recommend|suggest)\s+(?:me\s+)?(?:just\s+|only\s+)?(?P<ask>{_NUMBER})\b(?!\s*(?:%|percent))"
    r"|\b(?P<couple>a couple)(?: of)?\b"
)
_SORTS: tuple[tuple[Sort, re.Pattern[str]], ...] = (
    ("price_asc", re.compile(
        r"\b(?:the )?(?:cheap(?:est)?|lowest[ -]priced?|least expensive|inexpensive|affordable|"
        r"budget[ -]friendly|low[ -]cost|"
        r"lowest price|not (?:too|so|very|overly|that) (?:expensive|pricey|costly|dear))(?: ones?)?\b(?! than)")),
    ("price_desc", re.compile(r"\b(?:most expensive|priciest|dearest|highest[ -]priced?|most luxurious)\b")),
    ("rating", re.compile(
        r"\b(?:best|top|highest|better|well|highly)[ -]?(?:rated|reviewed|rating|reviews)\b|\b(?:best|"
        r"good|great) reviews\b|"
        rf"\b(?:rated|rating)\s+(?:over|above|at least|of)?\s*{_NUMBER}|{_NUMBER}\s*(?:\+|or more|plus)?\s*stars?\b|"
        r"\bbest (?:ratings?|review)\b|\bmost loved\b")),
    ("newest", re.compile(r"\b(?:newest|what'?s new|latest|most recent|new arrivals?|just in|newly arrived|new in)\b")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PriceBound:
    """A price interval said in the text at [start, end); `budget` when named as the shopper's budget."""

    start: int
    end: int
    limit: Limit
    budget: bool = False

    @property
    def low(self) -> float | None:
        """Lowest price that fits."""
        return self.limit.bounds[0]

    @property
    def high(self) -> float | None:
        """Highest price that fits."""
        return self.limit.bounds[1]


@dataclass(frozen=True, slots=True)
class Count:
    """How many items were asked for."""

    start: int
    end: int
    number: int


@dataclass(frozen=True, slots=True)
class Order:
    """An order asked for."""

    start: int
    end: int
    sort: Sort


def price_bounds(text: str) -> list[PriceBound]:
    """Return the price bounds of a folded text, in their order, overlapping ones once.

    "Under 40" leaves 40 out, "up to 40" has it; "around 40" allows a fifth either way; a plain amount of money is
    the most one would pay.
    """
    found: list[PriceBound] = []
    for match in _RANGE.finditer(text):
        low, high = match.group("a") or match.group("c"), match.group("b") or match.group("d")
        if _YEAR.fullmatch(low) or _after(text, match.start(), "size", "ages", "age", "difference", "differences"):
            continue
        a, b = sorted((number(low), number(high)))
        found.append(_bound(match, Limit(low=a, high=b)))
    readings = (
        (_MOST, None, 1.0), (_MOST_AFTER, None, 1.0), (_BELOW, None, 1.0), (_LEAST, 1.0, None),
        (_LEAST_AFTER, 1.0, None), (_ABOVE, 1.0, None), (_NEAR, 0.8, 1.2), (_PLAIN, None, 1.0),
    )  # fmt: skip
    for pattern, low_share, high_share in readings:
        for match in pattern.finditer(text):
            if any(match.start() < b.end and b.start < match.end() for b in found):
                continue
            said = next(g for name, g in match.groupdict().items() if g and name != "d")
            if pattern is _LEAST and _YEAR.fullmatch(said):
                continue
            value = number(said)
            low_end = None if low_share is None else round(value * low_share, 2)
            high_end = None if high_share is None else round(value * high_share, 2)
            found.append(_bound(match, Limit(low=low_end, high=high_end, strict=pattern in (_BELOW, _ABOVE))))
    return sorted(found, key=lambda b: b.start)


def combined(bounds: Sequence[PriceBound]) -> PriceBound | None:
    """Return the bound a text ends on; one end takes the other end from the bound before it.

    Example:
        >>> found = combined(price_bounds("at least 200 but under 400"))
        >>> found.low, found.high
        (200.0, 399.99)
    """
    if not bounds:
        return None
    last = bounds[-1]
    for earlier in bounds[-2:-1]:
        if (limit := last.limit.closed_by(earlier.limit)) is not None:
            return replace(last, limit=limit, budget=last.budget or earlier.budget)
    return last


def counts(text: str) -> list[Count]:
    """Return how many items a folded text asks for."""
    found = []
    for match in _COUNT.finditer(text):
        said = match.group("top") or match.group("many") or match.group("ask")
        value = 2 if match.group("couple") else int(number(said)) if said else 1
        if 1 <= value <= 100:
            found.append(Count(match.start(), match.end(), value))
    return found


def orders(text: str) -> list[Order]:
    """Return the orders a folded text asks for."""
    found = [Order(m.start(), m.end(), sort) for sort, pattern in _SORTS for m in pattern.finditer(text)]
    return sorted(found, key=lambda o: o.start)


@dataclass(frozen=True, slots=True)
class Years:
    """Years a text speaks of: from `first` to `last` but for `gaps`, since "1991 or 1993" leaves 1992 out."""

    first: int
    last: int
    gaps: tuple[tuple[int, int], ...] = ()


def spans(text: str) -> tuple[Years | None, list[tuple[int, int]]]:
    """Return the years a folded text speaks of ("the 90s", "from 1990 to 1995", "before 1980"), and where.

    Years side by side are alternatives; "after 1990 and before 2000" are two ends of one span.

    Example:
        >>> spans("from 1991 or 1993")[0], spans("after 1990 and before 2000")[0]
        (Years(first=1991, last=1993, gaps=((1992, 1992),)), Years(first=1991, last=1999, gaps=()))
    """
    found: list[tuple[int, int]] = []
    places: list[tuple[int, int]] = []
    for match in _YEARS.finditer(text):
        if places and not _BESIDE.fullmatch(text, places[-1][1], match.start()):
            break
        found.append(_span(match))
        places.append(match.span())
    if not found:
        return None, places
    low, high = max(a for a, _ in found), min(b for _, b in found)
    if {a for a, _ in found} > {_EVER[0]} and {b for _, b in found} > {_EVER[1]} and low <= high:
        return Years(low, high), places
    found.sort()
    gaps, last = [], found[0][1]
    for start, end in found[1:]:
        if start > last + 1:
            gaps.append((last + 1, start - 1))
        last = max(last, end)
    return Years(found[0][0], last, tuple(gaps)), places


def _span(match: re.Match[str]) -> tuple[int, int]:
    """Return the years of one decade, year or pair of years."""
    if match["decade"]:
        first = int(match["decade"])
        first += (2000 if first <= 20 else 1900) if first < 100 else 0
        return first, first + 9
    if match["word"]:
        return 1900 + TENS[_DECADES[match["word"]]], 1909 + TENS[_DECADES[match["word"]]]
    year = int(match["year"])
    edge = (match["edge"] or "").strip()
    if edge in ("after", "since", "newer than", "later than"):
        return year + (edge != "since"), _EVER[1]
    if edge in ("before", "prior to", "older than", "earlier than"):
        return _EVER[0], year - 1
    return year, int(match["until"] or year)


def number(text: str) -> float:
    """Return the value of digits or English number words: "1,200", "9,50", "2k", "twenty-five", "a hundred".

    Example:
        >>> [number(t) for t in ("1,200", "9,50", "2k", "twenty-five", "three hundred", "0.5")]
        [1200.0, 9.5, 2000.0, 25.0, 300.0, 0.5]
    """
    if text[0].isdigit():
        return amount(text)
    words = re.split(r"[ -]", text)
    if words[-1] == "hundred":
        return 100.0 * (UNITS.get(words[0], 1) if len(words) > 1 else 1)
    return float(sum(TENS.get(word, UNITS.get(word, 0)) for word in words))


def _bound(match: re.Match[str], limit: Limit) -> PriceBound:
    return PriceBound(match.start(), match.end(), limit, bool(_BUDGET.search(match.group())))


def _after(text: str, at: int, *words: str) -> bool:
    return text[:at].rstrip().endswith(words)
