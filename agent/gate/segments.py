"""Which items each stretch of a sentence speaks of."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.gate.grounds import Grounds, Record
from agent.gate.references import MARK

_JOIN = re.compile(r"[\s,;&/*_\"“”'‘’()\[\]]*(?:\b(?:and|or|und|oder|et|y)\b)?[\s,;&/*_\"“”'‘’()\[\]]*", re.IGNORECASE)
_LIKE = re.compile(
    r"\S.*(?:,\s*(?:(?:just|exactly) )?(?:like|as (?:does|do|is|are)|same as)|[,\s]\s*(?:and )?so (?:does|do|is|are))"
    r"\s*[*\"“]*$",
    re.IGNORECASE | re.DOTALL,
)
_ALSO = re.compile(r"\W*(?:too|as well|likewise|also)\b\W*(?:$|[,;.!])", re.IGNORECASE)
"""What is said of one item is said of the next as well: "costs 24 EUR, like", "is blue and #2 too"."""


@dataclass(frozen=True)
class Segment:
    """A stretch of a sentence and the items it speaks of.

    Attributes:
        start, end: Where it stands in the sentence.
        subjects: Records it speaks of; a claim must hold for each.
        ahead: Records named right after it, which a price may belong to ("24 EUR: #2").
        sure: Whether the items were named in this very sentence.
    """

    start: int
    end: int
    subjects: tuple[Record, ...]
    ahead: tuple[Record, ...] = ()
    sure: bool = True


def segments(text: str, grounds: Grounds, carried: tuple[Record, ...]) -> list[Segment]:
    """Split a marked sentence at the items it names.

    What follows an item belongs to it, items joined by "and" or a comma share what follows, and what precedes the
    first item belongs to all. A sentence that names none speaks of `carried`, the items of the sentence before.
    """
    marks = list(MARK.finditer(text))
    groups: list[list[re.Match[str]]] = []
    for found in marks:
        if groups and _JOIN.fullmatch(text[groups[-1][-1].end() : found.start()]):
            groups[-1].append(found)
        else:
            groups.append([found])
    if not groups:
        return [Segment(0, len(text), carried, sure=False)]
    records = [_records(group, grounds) for group in groups]
    everyone = tuple(dict.fromkeys(record for group in records for record in group))
    result = [Segment(0, groups[0][0].start(), everyone, records[0])]
    for at, group in enumerate(groups):
        end = groups[at + 1][0].start() if at + 1 < len(groups) else len(text)
        ahead = records[at + 1] if at + 1 < len(groups) else ()
        likened = ahead if _LIKE.search(text[group[-1].end() : end]) or _also(text, end, groups[at + 1 :]) else ()
        result.append(Segment(group[-1].end(), end, tuple(dict.fromkeys((*records[at], *likened))), ahead))
    return result


def _also(text: str, end: int, later: list[list[re.Match[str]]]) -> bool:
    """Whether the next items are only added to what was said: "and #2 too"."""
    return bool(later) and _ALSO.match(text, later[0][-1].end()) is not None and text[:end].rstrip().endswith("and")


def part_at(parts: list[Segment], at: int) -> Segment:
    """Return the segment that holds a place."""
    return next((part for part in parts if part.start <= at < part.end), parts[-1])


def _records(group: list[re.Match[str]], grounds: Grounds) -> tuple[Record, ...]:
    ids = (grounds.book.item(f"#{found.group(1)}") for found in group)
    return tuple(dict.fromkeys(grounds.record(item_id) for item_id in ids if item_id is not None))
