"""How far a "not" reaches."""

from __future__ import annotations

import re
from collections.abc import Sequence

_REFUSING = (
    r"(?:i )?(?:don'?t|doesn'?t|do(?:es)? not|didn'?t|wouldn'?t|won'?t|can'?t|cannot) (?:really )?(?:want|like|"
    r"need|care for|fancy|wear|stand|eat|have)"
)
_REFUSED = re.compile(rf"\b{_REFUSING}\b")
_NEGATOR = re.compile(
    rf"\b(?:{_REFUSING}"
    r"(?: any| a| an| the)?|"
    r"(?:anything|everything|any (?:colou?r|brand|kind|material)|all) (?:but|except|other than)|"
    r"(?<!why )(?:but |please )?(?:not|no|none)(?: (?:one|ones|any|anything))? (?:with|by|from|starring|featuring)\b|"
    r"(?:but |please )?(?:not|no)(?! (?:only|just|sure|bad|necessarily|idea|problem|preference|"
    r"thanks?|thank|matter|more than|less than|"
    r"over|under|above|below|later|really)\b)(?! ?[,.!])|"
    r"(?:(?:shouldn|mustn|couldn|won|wouldn|can)'?t|cannot) (?:be|have|come in|contain)|"
    r"without|except(?: for)?|excluding|exclude|other than|avoid(?:ing)?|instead of|rather than|"
    r"nothing(?: (?:with|of|about|in|from|by|like))?|never|minus|neither|nor|"
    r"(?:i )?(?:hates?|dislikes?|can'?t stand|detests?|loathes?)|"
    r"sick of|tired of|allergic to|free of|isn'?t|aren'?t|ain'?t|"
    r"stay away from|get rid of|remove|drop|leave out|skip(?: the)?|non)\b"
)
_STOP = re.compile(
    r"[.;!?]|,(?!\s*(?:(?:[a-z]+ ?){1,3},\s*){0,4}(?:[a-z]+ ){0,2}(?:or|nor)\b)|"
    r"\b(?:but|with|under|below|over|above|between|please|show|give|find|"
    r"i'?d|i want|i need|"
    r"instead(?! of)|just|only|for|something|maybe|that (?:is|are))\b"
)
_FREE = re.compile(r"\b([a-z]+)[ -]free\b")
_JOIN = re.compile(r"\s*(?:,|,?\s*(?:and|or|nor|&|/)(?:\s+(?:a|an|any|no|not|the))?)\s*")
_NOT_FREE = frozenset(["for", "feel", "carefree", "hands", "hassle", "stress"])


def scopes(text: str, skip: Sequence[tuple[int, int]] = ()) -> list[tuple[int, int]]:
    """Return the stretches [start, end) of a folded text that are negated; a negator inside `skip` is none.

    A scope runs from its negator to the next mark, turn of phrase ("but", "with", "under"...) or end. Lists go on:
    "not leather or suede" denies both; whether "no wool and brown" does is for the caller, who knows the facets.

    Example:
        >>> text = "a bag, not leather or suede but brown"
        >>> [text[a:b].strip() for a, b in scopes(text)]
        ['leather or suede']
    """
    found = []
    for match in _NEGATOR.finditer(text):
        if any(a <= match.start() < b for a, b in skip):
            continue
        stop = _STOP.search(text, match.end())
        found.append((match.end(), stop.start() if stop else len(text)))
    found += [(m.start(1), m.end(1)) for m in _FREE.finditer(text) if m.group(1) not in _NOT_FREE]
    return found


def refusals(text: str) -> list[tuple[int, int]]:
    """Return the stretches [start, end) of a folded text that only refuse: nothing that "can't stand red" is to stand.

    Example:
        >>> refusals("i can't stand red")
        [(0, 13)]
    """
    return [match.span() for match in _REFUSED.finditer(text)]


def joined(text: str, start: int, end: int) -> bool:
    """Whether nothing but "and", "or" or a comma stands between two mentions."""
    return start <= end and _JOIN.fullmatch(text, start, end) is not None
