"""Spelling mended before anything is read, so that "unedr 40" is a bound and "lmap" a lamp."""

from __future__ import annotations

from agent.understanding import lexicon
from agent.understanding.spelling import Speller
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.words import singular, split

_SIGNALS = (
    "under below above between around cheaper cheapest expensive compare similar something anything nothing without "
    "except another second third fourth first recommend suggest instead looking actually birthday mother father "
    "wedding please history bought colour material brand hello thanks available rated rating different others"
)
"""Words whose misspelling would change what is asked."""


class Mender:
    """Mends words the shop does not know and everyday English does not either."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._signals = Speller(dict.fromkeys(_SIGNALS.split(), 1))

    def mend(self, text: str) -> tuple[str, tuple[str, ...]]:
        """Return a folded text with misspelt words replaced, and a note for each."""
        pieces, notes, at = [], [], 0
        for word in split(text):
            if not word.text.isalpha() or len(word.text) < 4 or self._familiar(word.text):
                continue
            meant = self._vocabulary.correct(singular(word.text)) or self._signals.correct(word.text)
            if meant is not None:
                end = word.start + len(word.text)
                pieces += [text[at : word.start], meant]
                at = end
                notes.append(f"{word.text!r} read as {meant!r}")
        return "".join((*pieces, text[at:])), tuple(notes)

    def _familiar(self, word: str) -> bool:
        everyday = lexicon.FILLERS | lexicon.COMPARATIVES.keys() | lexicon.OPPOSITES.keys() | lexicon.ORDINALS.keys()
        return (
            word in everyday
            or singular(word) in everyday
            or word in _SIGNALS.split()
            or self._vocabulary.knows(singular(word))
        )
