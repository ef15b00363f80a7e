"""Spelling mended before anything is read, so that "unedr 40" is a bound and "lmap" a lamp."""

from __future__ import annotations

import re
from functools import cache

from agent.understanding import lexicon
from agent.understanding.spelling import Speller
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.words import singular, split

_SIGNALS = (
    "under below above between around cheaper cheapest expensive compare similar something anything nothing without "
    "except another second third fourth first recommend suggest instead looking actually birthday mother father "
    "wedding please history bought colour material brand hello thanks available rated rating different others number "
    "changed thought rather discount occasion"
)
"""Words whose misspelling would change what is asked."""

_LONG = 6
"""Letters from which any word of everyday speech is worth mending; shorter ones lie too near to other words."""

_STRETCHED = re.compile(r"([a-z])\1{2,}")


_COMPOSED = re.compile(r"[a-z]{3,}(?:proof|resistant|repellent|friendly|washable|free)")
"""Qualities, which are spelt as they are though no record has them: "waterproof" is no slip for "weatherproof"."""


class Mender:
    """Mends words the shop does not know and everyday English does not either."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        long = {word for word in lexicon.FILLERS if len(word) >= _LONG}
        self._signals = Speller(dict.fromkeys((*long, *_SIGNALS.split()), 1))

    def mend(self, text: str) -> tuple[str, tuple[str, ...]]:
        """Return a folded text with misspelt words replaced, and a note for each.

        A word of the shop is "read as", for the shopper to be told; one of everyday speech is only "taken for".
        """
        pieces, notes, at = [], [], 0
        for word in split(text):
            if not word.text.isalpha() or len(word.text) < 4 or self._familiar(word.text):
                continue
            meant, everyday = self._meant(word.text)
            if meant is not None:
                end = word.start + len(word.text)
                pieces += [text[at : word.start], meant]
                at = end
                notes.append(f"{word.text!r} {'taken for' if everyday else 'read as'} {meant!r}")
        return "".join((*pieces, text[at:])), tuple(notes)

    def _meant(self, word: str) -> tuple[str | None, bool]:
        """Return the nearest word, one of everyday speech before one as near of the shop, and whether it is such."""
        short = _STRETCHED.sub(r"\1", word)
        if short != word and self._familiar(short):
            return short, True
        found = [(near[0], rank, near[1]) for rank, near in enumerate((
            self._signals.nearest(word), self._vocabulary.nearest(singular(word)), self._vocabulary.nearest(word),
        )) if near]  # fmt: skip
        if not found:
            return None, False
        _, rank, meant = min(found)
        return meant, rank == 0 or meant in _everyday()

    def _familiar(self, word: str) -> bool:
        one = singular(word)
        return (
            word in _everyday()
            or _COMPOSED.fullmatch(word) is not None
            or one in _everyday()
            or self._vocabulary.knows(one)
            or bool(self._vocabulary.facet_named(one))
        )


@cache
def _everyday() -> frozenset[str]:
    others = (lexicon.COMPARATIVES, lexicon.OPPOSITES, lexicon.ORDINALS, lexicon.UNITS, lexicon.TENS)
    return lexicon.FILLERS.union(_SIGNALS.split(), *others)
