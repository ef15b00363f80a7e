"""References to what was shown: handles, ordinals, pronouns, "the red one", "the cheapest of these"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from agent.understanding.lexicon import ORDINALS, UNITS
from agent.understanding.wish import Sort

_ORDINAL = "|".join(ORDINALS)
_NUMBER = rf"\d{{1,3}}|{'|'.join(w for w, n in UNITS.items() if 0 < n <= 10)}"
_NOT_A_POSITION = (
    r"(?!\s+(?:time|week|month|year|night|name|hand|class|aid|order|purchase|of all|birthday|date|home|day|grade)\b)"
)

_HANDLE = re.compile(r"#\s?(?P<handle>\d{1,6})(?!\w)")
_NUMBERED = re.compile(rf"\b(?:number|no\.?|nr\.?|item|option|result|choice)\s*#?\s*(?P<at>{_NUMBER})\b")
_PAIR = re.compile(
    r"\b(?:compare|comparing|differences?(?: between)?|versus|vs)\s+(?P<a>\d{1,2})\s*(?:and|with|to|or|versus|vs|&|,)"
    r"\s*(?P<b>\d{1,2})\b"
)
_SLICE = re.compile(rf"\b(?P<edge>first|last|top|bottom|other)\s+(?P<many>{_NUMBER})\b(?:\s+(?:ones|items|options))?")
_AT = re.compile(
    rf"\b(?P<ordinal>{_ORDINAL}|second[ -](?:to[ -])?last|last|middle)\b{_NOT_A_POSITION}(?:\s+(?:one|item|option)\b)?"
)
_RANKED = re.compile(
    rf"\b(?:the )?(?P<ordinal>{_ORDINAL})[ -](?P<by>cheapest|(?:least|most) expensive|dearest|priciest|"
    r"(?:lowest|highest)[ -]priced)(?: (?:one|item|option))?\b"
)
_GROUP = re.compile(
    r"\b(?:(?:all|any|either|both|each|none)(?: of (?:these|those|them|the two|the three))|both(?: ones)?|"
    r"(?:these|those)(?: ones| two| three)?|them|the ones (?:above|you showed(?: me)?)|(?:of|among|"
    r"between) the (?:two|three|lot))\b"
)
_OTHER = re.compile(r"\bthe other(?: one)?\b(?! (?:day|ones))")
_ONE = re.compile(r"\b(?:this|that|the same)(?: one| item| product| thing)\b")
_DESCRIBED = re.compile(r"\bthe (?P<words>(?:[a-z][a-z'-]*\s+){1,3})(?:one|ones)\b(?! (?:that|which|of))")
_SUPERLATIVE: tuple[tuple[Sort, re.Pattern[str]], ...] = (
    ("price_asc", re.compile(
        r"\b(?:cheap(?:er|est)|(?:less|least) (?:expensive|costly|pricey)|(?:more|most) affordable|"
        r"(?:lowest|lower|smallest|smaller)[ -]?pric(?:es?|ed|e tag)|costs? (?:me )?(?:the )?(?:less|least)|"
        r"(?:is|are|goes|sells) for less|saves? (?:me )?(?:more|most)|less money|least money)\b")),
    ("price_desc", re.compile(
        r"\b(?:(?:more|most) (?:expensive|costly|pricey)|pric(?:ier|iest)|dear(?:er|est)|costl(?:ier|iest)|"
        r"(?:highest|higher)[ -]?pric(?:es?|ed|e tag)|costs? (?:me )?(?:the )?(?:more|most)|more money|most money)\b")),
    ("rating", re.compile(
        r"\b(?:(?:best|top|highest|higher|better|most)[ -]?(?:rated|reviewed|rating|reviews|stars)|rated (?:the )?"
        r"(?:highest|higher|best|better)|more stars|more popular|most popular)\b")),
    ("newest", re.compile(r"\b(?:newest|newer|latest|most recent)\b")),
)  # fmt: skip
_PRONOUN = re.compile(r"\b(?:it|this|that)\b(?!'s)")

Shape = Literal["item", "group", "pronoun", "described"]


@dataclass(frozen=True, slots=True)
class Reference:
    """A stretch of text that points at shown items.

    Attributes:
        start: First character.
        end: One past the last.
        shape: How it points; a bare pronoun counts only where an act needs an item.
        positions: Places in the last list, from 0; negative from its end.
        handle: An explicit `#n`.
        words: The description of "the red one".
        by: What its places are counted by, as in "the second cheapest"; None for the order of the list.
    """

    start: int
    end: int
    shape: Shape
    positions: tuple[int, ...] = ()
    handle: str | None = None
    words: str = ""
    by: Sort | None = None


def references(text: str, listed: int) -> list[Reference]:
    """Return the references of a folded text, given how many items the last list had, in order of place."""
    found: list[Reference] = []

    def note(match: re.Match[str], shape: Shape, **more: object) -> None:
        if not any(match.start() < r.end and r.start < match.end() for r in found):
            found.append(Reference(match.start(), match.end(), shape, **more))  # type: ignore[arg-type]

    for match in _HANDLE.finditer(text):
        note(match, "item", handle=f"#{int(match['handle'])}", positions=(int(match["handle"]) - 1,))
    if listed:
        for match in _PAIR.finditer(text):
            note(match, "item", positions=(int(match["a"]) - 1, int(match["b"]) - 1))
        for match in _NUMBERED.finditer(text):
            note(match, "item", positions=(_value(match["at"]) - 1,))
        for match in _RANKED.finditer(text):
            note(match, "item", positions=(_place(match["ordinal"], listed),), by=superlative(match["by"]))
        for match in _SLICE.finditer(text):
            many = min(_value(match["many"]), listed)
            rear = match["edge"] in ("last", "bottom", "other")
            note(match, "item", positions=tuple(range(listed - many, listed) if rear else range(many)))
        for match in _AT.finditer(text):
            note(match, "item", positions=(_place(match["ordinal"], listed),))
        for match in _GROUP.finditer(text):
            note(match, "group", positions=tuple(range(listed)))
        for match in _OTHER.finditer(text):
            note(match, "item", positions=(1 if listed > 1 else 0,))
        for match in _ONE.finditer(text):
            note(match, "pronoun")
        for match in _DESCRIBED.finditer(text):
            note(match, "described", words=match["words"].strip())
        for match in _PRONOUN.finditer(text):
            note(match, "pronoun")
    return sorted(found, key=lambda r: r.start)


def superlative(text: str) -> Sort | None:
    """Return by what a text chooses among items ("which is cheaper" -> `price_asc`), or None."""
    return next((sort for sort, pattern in _SUPERLATIVE if pattern.search(text)), None)


def _value(text: str) -> int:
    return int(text) if text.isdigit() else int(UNITS[text])


def _place(ordinal: str, listed: int) -> int:
    if ordinal in ORDINALS:
        return ORDINALS[ordinal] - 1
    if ordinal.startswith("second"):
        return max(listed - 2, 0)
    return listed // 2 if ordinal == "middle" else listed - 1
