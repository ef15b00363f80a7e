"""Where a message names things by their titles: what was loved, what something is to be like, what is known."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.understanding.vocabulary import Vocabulary
from agent.understanding.words import Word, singular, split

MAX_TITLE = 12
"""Words of a title that are looked for."""

_BEFORE = re.compile(
    r"\b(?P<seen>(?:(?:(?:i|we)(?:'ve)?|have|had|already|just|recently) )+"
    r"(?:seen|watched|read|own|know|bought|got|have|had|played)|"
    r"(?:other than|besides|apart from))\b|"
    r"\b(?:loved?|(?<!'d )(?<!would )likes?|liked|enjoy(?:ed|s)?|adored?|(?:a )?fan of|"
    r"similar to|such as|comparable to|reminds? me of|"
    r"in the (?:style|vein|spirit) of|more of|watched|saw|favou?rites? (?:is|are|was|were))\b"
)
_LEAD = re.compile(r"[\s,:\"'(]*(?:(?:the )?(?:movies?|films?|books?|series|both|really|very much)\s+)?[\s:\"'(]*")
_JOINT = re.compile(r"[)\"'\s]*(?:,\s*(?:and |or )?|\band |\bor |&\s*)")


@dataclass(frozen=True, slots=True)
class Titled:
    """A title at [start, end) of a text, as the catalogue writes it; `seen` when the shopper knows it already."""

    start: int
    end: int
    title: str
    seen: bool = False


def titles(text: str, vocabulary: Vocabulary) -> list[Titled]:
    """Return the titles a folded text names where titles are named: after "I loved", "like", "I have seen".

    A single word that is a value of the catalogue's own ("I like blue") is that value and no title.
    """
    words = [word for word in split(text) if word.is_word]
    found: list[Titled] = []
    for match in _BEFORE.finditer(text):
        at = match.end()
        while True:
            lead = _LEAD.match(text, at)
            named = _at(text, lead.end() if lead else at, words, vocabulary)
            if named is None or any(each.start < named[1] and named[0] < each.end for each in found):
                break
            start, end, title = named
            found.append(Titled(start, end, title, seen=match["seen"] is not None))
            joint = _JOINT.match(text, end)
            if joint is None:
                break
            at = joint.end()
    return sorted(found, key=lambda each: each.start)


def blanked(text: str, named: list[Titled]) -> str:
    """Return a text with blanks, place for place, where titles stand, so that no word of theirs is a wish."""
    for each in named:
        text = text[: each.start] + " " * (each.end - each.start) + text[each.end :]
    return text


def _at(text: str, at: int, words: list[Word], vocabulary: Vocabulary) -> tuple[int, int, str] | None:
    """Return the longest title that begins at `at`."""
    rest = [word for word in words if word.start >= at][:MAX_TITLE]
    if not rest or rest[0].start != at:
        return None
    for length in range(len(rest), 0, -1):
        end = rest[length - 1].end
        title = vocabulary.title(text[at:end])
        if title and not (length == 1 and vocabulary.term((singular(rest[0].text),)) is not None):
            closed = re.compile(r"\s*\)").match(text, end) if "(" in text[at:end] else None
            return at, closed.end() if closed else end, title
    return None
