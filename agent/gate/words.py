"""Colours, materials, brands, stock and promises a sentence states, against the records it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.gate.grounds import Grounds, Record
from agent.gate.numbers import Fault
from agent.gate.promises import promise_faults
from agent.gate.references import MARK
from agent.gate.segments import Segment, part_at
from agent.gate.stock import stock_faults
from agent.gate.vocabulary import CLOSED, FOREIGN, FOREIGN_GRAMMAR, spans, tokens

_FOREIGN = {tokens(word)[0]: meant for word, meant in FOREIGN.items()}
NOT = re.compile(
    r"\b(?:not|no|non|without|never|anything but|far from|free of|faux|fake|imitation|vegan|isn['’]t|"
    r"aren['’]t)[\s-]*(?:(?!(?:but|and|only|just)\b)\w+\s+){0,3}$",
    re.I,
)
_ASIDE = re.compile(
    r"\b(?:no|not|nothing|none|without|instead|nearest|closest|except|unlike|rather|although|though|neither|nor|"
    r"asked|looking|wanted|excluded?|avoid\w*|skip\w*|left out)\b|n['’]t\b",
    re.IGNORECASE,
)
_ONE_SIZE = r"(?:XX?S|X{1,3}L|[SML]|\d{1,3})"
_SIZE = re.compile(rf"\b[Ss]izes?\s+(?P<a>{_ONE_SIZE}(?:\s*(?:,|/|and|or|to|-|–)\s*{_ONE_SIZE})*)\b")


def word_faults(text: str, parts: list[Segment], grounds: Grounds) -> list[Fault]:
    """Return the stated attributes, brands, sizes, stock and promises that the records do not bear out."""
    faults: list[Fault] = []
    for check in (_attributes, _brands, _sizes, stock_faults, promise_faults):
        faults.extend(check(text, parts, grounds))
    return faults


def _attributes(text: str, parts: list[Segment], grounds: Grounds) -> Iterator[Fault]:
    aside = _ASIDE.search(text) is not None
    words = spans(text)
    foreign = any(word in FOREIGN_GRAMMAR for word, _, _ in words)
    for word, start, end in words:
        kind = grounds.words.values.get(word)
        if kind is None and foreign and (meant := _FOREIGN.get(word)) is not None:
            word, kind = meant, CLOSED[meant]
        if kind is None or _in_brand(text, start, grounds):
            continue
        part = part_at(parts, start)
        said = f" {word} " in grounds.wishes or f" {word} " in grounds.facts
        if not part.subjects:
            if not (said or grounds.knows_word(word)):
                yield Fault(start, end, f"{kind} {text[start:end]!r} has no source")
        elif NOT.search(text[:start]):
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
            part = part_at(parts, start)
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
        part = part_at(parts, match.start())
        named = re.findall(r"XX?S|X{1,3}L|[SML]|\d{1,3}", match["a"])
        for size in named:
            key = size.casefold()
            said = f" {key} " in grounds.wishes or f" {key} " in grounds.facts
            offered = [{s.casefold() for s in record.item.sizes} | record.explicit("size") for record in part.subjects]
            if (offered and all(key in have for have in offered)) or (said and (not offered or _ASIDE.search(text))):
                continue
            yield Fault(*match.span(), f"size {size!r} is not the record's")
            break
