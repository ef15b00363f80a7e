"""Typing errors: the nearest known word within an edit distance that grows with length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_SOUNDS = "ae ai ao au ei eo eu io iu ou ck sz sc fv gj dt bp mn iy vw"
_SLIPS = frozenset(
    {frozenset(row[i : i + 2]) for row in _ROWS for i in range(len(row) - 1)}
    | {frozenset((a, b)) for top, low in pairwise(_ROWS) for i, b in enumerate(low)
       for a in top[i : i + 2]}
    | {frozenset(pair) for pair in _SOUNDS.split()}
)  # fmt: skip
"""Letters one slips between: neighbours on the keyboard, or alike in sound. "Boots" is no slip for "books"."""


_BESIDE = frozenset(
    pair for row in _ROWS for at in range(len(row) - 1) for pair in (row[at : at + 2], row[at : at + 2][::-1])
)
MASHED = 0.8
"""Share of a word's letters that lie beside the one before in a row of the keyboard, from which nobody meant a word."""


def mashed(word: str) -> bool:
    """Whether fingers ran over the keyboard ("asdfgh", "xkcd"): no word of any language, and no slip for one.

    Of four letters all must lie in one run ("were" goes there and back), and a word without a vowel is none.
    """
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return False
    if not set(word) & set("aeiouy"):
        return True
    if len(word) == 4:
        return any(word in row or word[::-1] in row for row in _ROWS)
    steps = [word[at : at + 2] for at in range(len(word) - 1)]
    return sum(step in _BESIDE for step in steps) >= MASHED * len(steps)


class Speller:
    """Finds the known word a misspelt one was meant to be.

    Deletion neighbourhoods (the SymSpell idea): a word and its misspelling share a string with letters left out, so
    that one dictionary look-up replaces a pass over the vocabulary.

    Args:
        counts: Known words and how often the catalogue has them; of two equally near ones the more frequent wins.
    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = {word: n for word, n in counts.items() if len(word) >= 4 and word.isalpha()}
        self._near: dict[str, list[str]] = {}
        for word in self._counts:
            for short in _deletions(word, _reach(word)):
                self._near.setdefault(short, []).append(word)

    def correct(self, word: str) -> str | None:
        """Return the known word meant by `word`, or None when none is near enough or `word` is known."""
        found = self.nearest(word)
        return found[1] if found else None

    def nearest(self, word: str) -> tuple[int, str] | None:
        """Return the known word meant by `word` with the edits between them, or None as `correct` does.

        Words of 4 letters may differ by a swap of neighbours, up to 7 by one edit, longer ones by two; the first
        letter stands, but for a swap.
        """
        reach = _reach(word)
        if not 4 <= len(word) <= 24 or not word.isalpha() or word in self._counts:
            return None
        best: tuple[int, int, str] | None = None
        for short in _deletions(word, reach):
            for known in self._near.get(short, ()):
                steps = damerau(word, known)
                if steps > min(reach, _reach(known)) or not _plausible(word, known, steps):
                    continue
                rank = (steps, -self._counts[known], known)
                best = rank if best is None or rank < best else best
        return (best[0], best[2]) if best else None


def damerau(a: str, b: str) -> int:
    """Return the edits between two words; a swap of neighbours counts once (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        two_before, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, two_before[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _reach(word: str) -> int:
    return 2 if len(word) >= 8 else 1


def _plausible(word: str, known: str, steps: int) -> bool:
    if min(len(word), len(known)) <= 4:
        return sorted(word) == sorted(known)
    if word[0] != known[0] and not (steps == 1 and word[:2] == known[1::-1]):
        return False
    if steps != 1 or len(word) != len(known) or sorted(word) == sorted(known):
        return True
    return next(frozenset(pair) for pair in zip(word, known, strict=True) if pair[0] != pair[1]) in _SLIPS


def _deletions(word: str, reach: int) -> Iterable[str]:
    found = {word}
    edge = {word}
    for _ in range(reach):
        edge = {w[:i] + w[i + 1 :] for w in edge for i in range(len(w))}
        found |= edge
    return found
