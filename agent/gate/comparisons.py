"""What a sentence says of one item against another: cheaper, better rated, the same, alike, the cheapest of all."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from functools import partial

from agent.gate.grounds import Grounds, Record
from agent.gate.numbers import Fault
from agent.gate.references import MARK, OPEN
from agent.gate.segments import Segment, part_at
from agent.gate.vocabulary import kind_of, tokens
from catalog.nouns import Item

_THAN = re.compile(
    r"\b(?:(?P<less>cheaper|less expensive|lower[- ]priced|more affordable|costs? less|lower in price)"
    r"|(?P<more>more expensive|dearer|pricier|costlier|higher[- ]priced|costs? more)"
    r"|(?P<better>rated (?:higher|better)|(?:better|higher)[- ]rated|(?:better|higher) (?:ratings?|scores?)|more stars)"
    r"|(?P<worse>rated (?:lower|worse)|(?:worse|lower)[- ]rated|(?:worse|lower) (?:ratings?|scores?)|fewer stars)"
    r"|(?P<many>more (?:reviews|ratings))|(?P<few>fewer (?:reviews|ratings)))\s+than\b"
    r"(?P<all>\s+(?:any|all|every|the (?:rest|others?)|anything|everything|most))?",
    re.IGNORECASE,
)
_NOTHING = re.compile(r"\b(?:nothing|none|no)\b[^,;:.!?]*$", re.IGNORECASE)
_TIMES = re.compile(
    r"\b(?P<ratio>twice|double|half|a third(?: of)?|(?:3|three) times|(?:4|four) times)\s+(?:as (?:expensive|dear|much|"
    r"pricey|cheap) as|(?:of )?(?:the (?:price|cost) of|what))",
    re.IGNORECASE,
)
_RATIOS = {"twice": 2.0, "double": 2.0, "half": 0.5, "a third": 1 / 3, "3": 3.0, "three": 3.0, "4": 4.0, "four": 4.0}
_SAME = re.compile(r"\b(?:the )?(?:very )?same (?P<what>\w+) as\b", re.IGNORECASE)
_IDENTICAL = re.compile(r"\b(?:(?:exactly |just )?the same (?:item |product |thing )?as|identical to)\b", re.IGNORECASE)
_ALIKE = re.compile(
    r"\b(?:similar (?:in \w+ )?to|(?:just|much|exactly|looks?|feels?|almost|a lot) like|resembles?|akin to|"
    r"comparable to)\b",
    re.IGNORECASE,
)
_NOT = re.compile(r"\b(?:not|no|never|hardly|un)\s*(?:\w+\s+)?$|n['’]t\s+(?:\w+\s+)?$", re.IGNORECASE)
_EXTREME = re.compile(
    r"\b(?:(?P<low>cheapest|least expensive|lowest[- ]priced|most affordable)|(?P<high>most expensive|dearest|priciest)"
    r"|(?P<best>(?:best|highest|top)[- ]rated)|(?P<known>most[- ](?:popular|reviewed|rated|loved)))\b",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    r"\b(?:(?:in|of) (?:the|our|this)(?: \w+)? (?:shop|store|catalogue|catalog|range)"
    r"|we (?:have|carry|sell|stock|offer)|overall|anywhere)\b",
    re.IGNORECASE,
)
_OURS = re.compile(r"\bour (?:very )?(?:cheapest|least|lowest|most|dearest|priciest|best|highest|top)\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[^,;:.!?]*")

Figure = Callable[[Record], float | None]
Holds = Callable[[float, float], bool]


def comparison_faults(
    text: str, parts: list[Segment], grounds: Grounds, carried: tuple[Record, ...], answered: tuple[str, ...]
) -> Iterator[Fault]:
    """Yield comparisons that the records do not bear out.

    Args:
        text: The sentence with items marked.
        parts: Its segments.
        grounds: What may be leaned on.
        carried: Items a pronoun at its head stands for.
        answered: Items the answer named so far, which an extreme is held against.
    """
    for match in _THAN.finditer(text):
        name = next(kind for kind in _KINDS if match[kind])
        figure, better = _KINDS[name]
        left, right = _sides(text, match, parts, carried)
        if match["all"]:
            right = tuple(record for record in grounds.issued() if record not in left)
        if right and not left and not match["all"] and _NOTHING.search(text[: match.start()]):
            left, better = right, _OR_EQUAL[better]
            right = tuple(record for record in grounds.issued() if record not in left and figure(record) is not None)
        if left and right and not _every(left, right, figure, better) and not _negated(text, match):
            yield _fault(match)
    for match in _TIMES.finditer(text):
        left, right = _sides(text, match, parts, carried)
        ratio = _RATIOS[re.sub(r" (?:of|times)$", "", match["ratio"].casefold())]
        if not (left and right and _every(left, right, _price, partial(_times, ratio))):
            yield _fault(match)
    yield from _likenesses(text, parts, grounds, carried)
    yield from _extremes(text, parts, grounds, answered)


def _likenesses(text: str, parts: list[Segment], grounds: Grounds, carried: tuple[Record, ...]) -> Iterator[Fault]:
    for pattern, holds in ((_SAME, _same), (_IDENTICAL, _identical), (_ALIKE, _alike)):
        for match in pattern.finditer(text):
            left, right = _sides(text, match, parts, carried)
            if not left or not right or _negated(text, match):
                continue
            if not holds(match, left, right, grounds):
                yield _fault(match)


def _sides(
    text: str, match: re.Match[str], parts: list[Segment], carried: tuple[Record, ...]
) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """Return who is compared with whom: before the words and right after them; empty where none is named."""
    part = part_at(parts, match.start())
    first = part.start == 0 and bool(part.ahead)
    left = carried if first else part.subjects
    near = re.match(rf"[^,;:.!?{OPEN}]{{0,25}}{OPEN}", text[match.end() :])
    return left, part.ahead if near else ()


def _price(record: Record) -> float | None:
    return record.item.price


def _rating(record: Record) -> float | None:
    return record.item.rating


def _reviews(record: Record) -> float | None:
    return None if record.item.rating_count is None else float(record.item.rating_count)


_KINDS: dict[str, tuple[Figure, Holds]] = {
    "less": (_price, operator.lt), "more": (_price, operator.gt), "better": (_rating, operator.gt),
    "worse": (_rating, operator.lt), "many": (_reviews, operator.gt), "few": (_reviews, operator.lt),
}  # fmt: skip


_OR_EQUAL: dict[Holds, Holds] = {operator.lt: operator.le, operator.gt: operator.ge}
"""Of "nothing is cheaper than": the item named is the cheapest itself, or as cheap."""


def _every(left: tuple[Record, ...], right: tuple[Record, ...], figure: Figure, holds: Holds) -> bool:
    ours, theirs = [figure(record) for record in left], [figure(record) for record in right]
    return all(a is not None and b is not None and b != 0 and holds(a, b) for a in ours for b in theirs)


def _times(ratio: float, a: float, b: float) -> bool:
    """Whether one is about `ratio` times the other."""
    return abs(a / b - ratio) < 0.05 * ratio


def _same_in(what: str, left: tuple[Record, ...], right: tuple[Record, ...]) -> bool:
    """Whether all share the price, the maker, the kind or the values of an attribute."""
    everyone = (*left, *right)
    items = [record.item for record in everyone]
    if what in ("price", "cost", "amount", "money"):
        return len({item.price for item in items}) == 1 and items[0].price is not None
    if what in ("brand", "maker", "manufacturer", "label"):
        return len({item.brand for item in items}) == 1 and items[0].brand is not None
    if what in ("rating", "score"):
        return len({item.rating for item in items}) == 1 and items[0].rating is not None
    if what in ("category", "kind", "type", "sort", "range", "collection", "family"):
        return bool(set.intersection(*(set(item.categories) for item in items)))
    shared = [_values(record, what) for record in everyone]
    return not any(shared) or bool(frozenset.intersection(*shared))


def _values(record: Record, what: str) -> frozenset[str]:
    named = (v for name, values in record.item.attributes.items() if what in tokens(name) for v in values)
    return record.explicit(kind_of(what) or what) | frozenset(token for value in named for token in tokens(value))


def _same(match: re.Match[str], left: tuple[Record, ...], right: tuple[Record, ...], grounds: Grounds) -> bool:
    return _same_in(tokens(match["what"])[0], left, right)


def _identical(match: re.Match[str], left: tuple[Record, ...], right: tuple[Record, ...], grounds: Grounds) -> bool:
    """Whether all are one item, or variants of one."""
    return len({record.item.parent_id or record.item.item_id for record in (*left, *right)}) == 1


def _alike(match: re.Match[str], left: tuple[Record, ...], right: tuple[Record, ...], grounds: Grounds) -> bool:
    """Whether each pair shares the narrowest category, a value or the maker, or came from one look-up."""
    return all(_near(a.item, b.item) or grounds.found_together(a, b) for a in left for b in right)


def _near(one: Item, other: Item) -> bool:
    narrow = set(one.categories[-1:]) & set(other.categories) or set(other.categories[-1:]) & set(one.categories)
    values = {v for vs in one.attributes.values() for v in vs} & {v for vs in other.attributes.values() for v in vs}
    return bool(narrow or values) or (one.brand is not None and one.brand == other.brand)


def _negated(text: str, match: re.Match[str]) -> bool:
    return _NOT.search(text[: match.start()]) is not None


def _fault(match: re.Match[str]) -> Fault:
    return Fault(*match.span(), f"{match.group()!r} is not what the records say")


def _extremes(text: str, parts: list[Segment], grounds: Grounds, answered: tuple[str, ...]) -> Iterator[Fault]:
    """Check extremes: no item they are said among lies nearer to the end than those they are said of.

    Among are the items of the sentence; those of a list a tool gave, or else of the answer so far, that are of the
    kind named; and all of the catalogue where the sentence says so.
    """
    everyone = tuple(dict.fromkeys(record for part in parts for record in part.subjects))
    for match in _EXTREME.finditer(text):
        part = part_at(parts, match.start())
        meant = part.ahead if part.start == 0 and part.ahead else part.subjects
        told = f" {' '.join(tokens(match.group()))} " in grounds.facts
        if not meant or (match["known"] and told):
            continue
        clause = _CLAUSE.match(text, match.end())
        words = [word for word in tokens(MARK.sub(" ", clause.group() if clause else "")) if grounds.names_kind(word)]
        if not any(_stands(match, meant, field, words) for field in _fields(text, everyone, grounds, answered, meant)):
            yield _fault(match)


def _fields(
    text: str, everyone: tuple[Record, ...], grounds: Grounds, answered: tuple[str, ...], meant: tuple[Record, ...]
) -> Iterator[tuple[Record, ...]]:
    """Yield each set of items that an extreme may be meant among."""
    if _WHOLE.search(text) or _OURS.search(text):
        yield tuple(grounds.record(item.item_id) for item in grounds.catalog)
        return
    lists = [
        tuple(grounds.record(i) for i in ids) for ids in grounds.lists if all(r.item.item_id in ids for r in meant)
    ]
    yield from ((*everyone, *each) for each in lists)
    if not lists:
        yield (*everyone, *(grounds.record(item_id) for item_id in answered))


def _stands(match: re.Match[str], meant: tuple[Record, ...], field: tuple[Record, ...], words: list[str]) -> bool:
    among = [record for record in field if record in meant or all(word in record.words for word in words)]
    figures = [figure for record in among if (figure := _extreme(record, match)) is not None]
    return all((figure := _extreme(record, match)) is not None and figure <= min(figures) for record in meant)


def _extreme(record: Record, match: re.Match[str]) -> float | None:
    """Return the figure an extreme is about, lower being nearer to it."""
    if match["best"] or match["known"]:
        figure = _rating(record) if match["best"] else _reviews(record)
        return None if figure is None else -figure
    price = record.item.price
    return price if price is None or match["low"] else -price
