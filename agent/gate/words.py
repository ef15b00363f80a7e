"""Colours, materials, brands, stock and promises a sentence states, against the records it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.gate.grounds import Grounds, Record
from agent.gate.numbers import Fault
from agent.gate.references import MARK
from agent.gate.segments import Segment
from agent.gate.vocabulary import spans, tokens
from tools.titles import TERMS

_NOT = re.compile(
    r"\b(?:not|no|non|without|never|free of|faux|fake|imitation|vegan|isn['’]t|aren['’]t)[\s-]*(?:\w+\s+)?$", re.I
)
_ASIDE = re.compile(
    r"\b(?:no|not|nothing|none|without|instead|nearest|closest|except|unlike|rather|although|though|neither|nor|"
    r"asked|looking|wanted|excluded?|avoid\w*|skip\w*|left out)\b|n['’]t\b",
    re.IGNORECASE,
)
_IN_STOCK = re.compile(
    r"\b(?:(?:back )?in stock|available (?:now|today|right now|immediately)"
    r"|(?:is|are|both|all) (?:still |currently )?available\b(?! (?:in|at|for|as|from)\b))",
    re.IGNORECASE,
)
_OUT_OF_STOCK = re.compile(
    r"\b(?:out of stock|sold out|unavailable|not (?:currently )?available|not in stock|no longer available)\b",
    re.IGNORECASE,
)
_QUALITY = re.compile(
    r"\b(?:award[- ]winning|best[- ]?sell(?:ers?|ing)|limited edition|exclusive(?:ly)?|certified|waterproof|"
    r"water[- ]resistant|machine[- ]washable|dishwasher[- ]safe|hypoallergenic|organic|handmade|hand[- ]made|"
    r"fair[- ]trade)\b",
    re.IGNORECASE,
)
"""What a thing is praised for: its description may say it."""
_ONE_SIZE = r"(?:XX?S|X{1,3}L|[SML]|\d{1,3})"
_SIZE = re.compile(rf"\b[Ss]izes?\s+(?P<a>{_ONE_SIZE}(?:\s*(?:,|/|and|or|to|-|–)\s*{_ONE_SIZE})*)\b")


_EXTREME = re.compile(
    r"\b(?:(?P<low>cheapest|least expensive|lowest[- ]priced|most affordable)|(?P<high>most expensive|dearest|priciest)"
    r"|(?P<best>(?:best|highest|top)[- ]rated))\b",
    re.IGNORECASE,
)


def word_faults(text: str, parts: list[Segment], grounds: Grounds) -> list[Fault]:
    """Return the stated attributes, brands, sizes, stock, extremes and promises that the records do not bear out."""
    faults: list[Fault] = []
    for check in (_attributes, _brands, _sizes, _stock, _extremes, _promises):
        faults.extend(check(text, parts, grounds))
    return faults


def _attributes(text: str, parts: list[Segment], grounds: Grounds) -> Iterator[Fault]:
    aside = _ASIDE.search(text) is not None
    for word, start, end in spans(text):
        kind = grounds.words.values.get(word)
        if kind is None or _in_brand(text, start, grounds):
            continue
        part = _part(parts, start)
        said = f" {word} " in grounds.wishes or f" {word} " in grounds.facts
        if not part.subjects:
            if not (said or grounds.knows_word(word)):
                yield Fault(start, end, f"{kind} {text[start:end]!r} has no source")
        elif _NOT.search(text[:start]):
            if any(word in record.explicit(kind) for record in part.subjects):
                yield Fault(start, end, f"the record does say {kind} {text[start:end]!r}")
        elif not _holds(word, kind, part) and not (said and aside):
            yield Fault(start, end, f"{kind} {text[start:end]!r} is not the record's")


def _holds(word: str, kind: str, part: Segment) -> bool:
    if not part.sure:
        return any(record.supports(word, kind) for record in part.subjects)
    return all(record.supports(word, kind) for record in part.subjects)


def _brands(text: str, parts: list[Segment], grounds: Grounds) -> Iterator[Fault]:
    words = spans(text)
    longest = 4
    for at, (_, start, _) in enumerate(words):
        for size in range(min(longest, len(words) - at), 0, -1):
            key = " ".join(w for w, _, _ in words[at : at + size])
            end = words[at + size - 1][2]
            if key not in grounds.words.brands or MARK.search(text[start:end]):
                continue
            if not text[start].isupper() and grounds.words.brands[key][:1].isupper():
                continue
            part = _part(parts, start)
            if not _brand_holds(key, part.subjects, grounds, text):
                yield Fault(start, end, f"brand {text[start:end]!r} is not the record's")
            break


def _brand_holds(key: str, subjects: tuple[Record, ...], grounds: Grounds, text: str) -> bool:
    spaced = f" {key} "
    if not subjects:
        return spaced in grounds.wishes or spaced in grounds.facts or grounds.knows_phrase(key)
    if any(spaced in record.phrase for record in subjects):
        return True
    return (spaced in grounds.wishes or spaced in grounds.facts) and _ASIDE.search(text) is not None


def _in_brand(text: str, start: int, grounds: Grounds) -> bool:
    """Whether the word is capitalised inside a brand's name, e.g. "Red" in "Red Wing"."""
    if not text[start].isupper():
        return False
    words = spans(text)
    at = next(i for i, (_, a, _) in enumerate(words) if a == start)
    for first in range(max(0, at - 2), at + 1):
        for last in range(at + 1, min(len(words), at + 3) + 1):
            key = " ".join(w for w, _, _ in words[first:last])
            if last - first > 1 and key in grounds.words.brands:
                return True
    return False


def _sizes(text: str, parts: list[Segment], grounds: Grounds) -> Iterator[Fault]:
    for match in _SIZE.finditer(text):
        part = _part(parts, match.start())
        named = re.findall(r"XX?S|X{1,3}L|[SML]|\d{1,3}", match["a"])
        for size in named:
            key = size.casefold()
            said = f" {key} " in grounds.wishes or f" {key} " in grounds.facts
            offered = [{s.casefold() for s in record.item.sizes} | record.explicit("size") for record in part.subjects]
            if (offered and all(key in have for have in offered)) or (said and (not offered or _ASIDE.search(text))):
                continue
            yield Fault(*match.span(), f"size {size!r} is not the record's")
            break


def _stock(text: str, parts: list[Segment], grounds: Grounds) -> Iterator[Fault]:
    out = [match.span() for match in _OUT_OF_STOCK.finditer(text)]
    for start, end in out:
        yield from _stock_fault(text, start, end, False, parts, grounds)
    for match in _IN_STOCK.finditer(text):
        if any(start < match.end() and match.start() < end for start, end in out) or _NOT.search(text[: match.start()]):
            continue
        yield from _stock_fault(text, *match.span(), True, parts, grounds)


def _stock_fault(
    text: str, start: int, end: int, stated: bool, parts: list[Segment], grounds: Grounds
) -> Iterator[Fault]:
    part = _part(parts, start)
    if part.subjects and all(record.item.availability is stated for record in part.subjects):
        return
    if not part.subjects and grounds.knows_phrase(text[start:end]):
        return
    yield Fault(start, end, f"{text[start:end]!r} is not what the record says of its stock")


def _extremes(text: str, parts: list[Segment], grounds: Grounds) -> Iterator[Fault]:
    """Check extremes: the cheapest has a price, and no item of the same sentence a lower one."""
    everyone = {record for part in parts for record in part.subjects}
    for match in _EXTREME.finditer(text):
        part = _part(parts, match.start())
        meant = part.ahead if part.start == 0 and part.ahead else part.subjects
        figures = [_figure(record, match) for record in meant]
        rest = [figure for record in everyone if (figure := _figure(record, match)) is not None]
        if any(figure is None or figure > min(rest) for figure in figures):
            yield Fault(*match.span(), f"{match.group()!r} is not what the records say")


def _figure(record: Record, match: re.Match[str]) -> float | None:
    """Return the figure an extreme is about, lower being nearer to it."""
    if match["best"]:
        return None if record.item.rating is None else -record.item.rating
    price = record.item.price
    return price if price is None or match["low"] else -price


def _promises(text: str, parts: list[Segment], grounds: Grounds) -> Iterator[Fault]:
    for match in TERMS.finditer(text):
        yield from _promise(text, match, parts, grounds, termed=True)
    for match in _QUALITY.finditer(text):
        yield from _promise(text, match, parts, grounds, termed=False)


def _promise(
    text: str, match: re.Match[str], parts: list[Segment], grounds: Grounds, *, termed: bool
) -> Iterator[Fault]:
    words = tokens(match.group())
    subjects = _part(parts, match.start()).subjects
    held = [frozenset(record.names.split()) if termed else record.words for record in subjects]
    backed = bool(held) and all(set(words) <= each for each in held)
    told = f" {' '.join(words)} " in grounds.facts
    asked = f" {' '.join(words)} " in grounds.wishes and (
        _ASIDE.search(text) is not None or text.rstrip().endswith("?")
    )
    if not (backed or told or asked):
        yield Fault(*match.span(), f"{match.group()!r} is in no record")


def _part(parts: list[Segment], at: int) -> Segment:
    return next((part for part in parts if part.start <= at < part.end), parts[-1])
