"""A stream of text becomes whole sentences, so that what is said can be checked before it is shown."""

from __future__ import annotations

import re

from agent.gate.vocabulary import word_set

_END = re.compile(r"[.!?…][\"'”’»*_)\]]*\s+|\n+")
_SHORT = word_set(
    "mr mrs ms dr st no nr vs e.g i.e eg ie approx incl excl ca etc fig vol ltd inc co corp jr sr prof max min"
)
LONGEST = 600


class SentenceBuffer:
    """Collects deltas and gives back whole sentences with the blanks that follow them.

    Example:
        >>> buffer = SentenceBuffer()
        >>> buffer.push("It costs 4."), buffer.push("50 EUR. And"), buffer.rest()
        ([], ['It costs 4.50 EUR. '], 'And')
    """

    def __init__(self) -> None:
        self._text = ""

    def push(self, delta: str) -> list[str]:
        """Add text; return the sentences that are now whole."""
        self._text += delta
        found: list[str] = []
        start = 0
        for match in _END.finditer(self._text):
            if match.end() == len(self._text) and not match.group().endswith("\n"):
                continue
            if match.group().startswith(".") and self._abbreviated(start, match.start()):
                continue
            found.append(self._text[start : match.end()])
            start = match.end()
        self._text = self._text[start:]
        while len(self._text) > LONGEST:
            cut = self._text.rfind(" ", 0, LONGEST) + 1 or LONGEST
            found.append(self._text[:cut])
            self._text = self._text[cut:]
        return found

    def rest(self) -> str:
        """Return what never ended, and forget it."""
        rest, self._text = self._text, ""
        return rest

    def _abbreviated(self, start: int, dot: int) -> bool:
        """Whether the dot belongs to an abbreviation or to a list number (`1. `)."""
        before = self._text[start:dot]
        last = re.search(r"[\w.]+$", before)
        if last is None:
            return False
        word = last.group()
        if re.fullmatch(r"[A-HJ-Z](?:\.[A-Z])*", word):
            return True  # an initial, "M. Night Shyamalan"
        return word.casefold() in _SHORT or (word.isdigit() and not before[: last.start()].strip())
