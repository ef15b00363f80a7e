"""What a shopper calls the things wanted: "crime films", "a dress"; an answer says it back in the right number."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.understanding import lexicon
from agent.understanding.mentions import Mention
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.words import keys, singular

_THINGS = r"(?:movie|film|flick|book|album|song|game|series|show)s?"
_AFTER = re.compile(rf"\s+(?P<things>{_THINGS})\b")
_BARE = re.compile(r"\b(?:films?|movies?|books?|albums?|songs?|games?)\b")
_PEOPLE = re.compile(rf"(?:{lexicon.PEOPLE})(?:'s)?")
_BEFORE = re.compile(r"\b(?:an?|another|one|each|every)\s+(?:[a-z'-]+\s+){0,3}$")


def called(text: str, found: Sequence[Mention], vocabulary: Vocabulary) -> str | None:
    """Return what a folded text calls the things it wants, None where it has no noun for them.

    A kind is a noun in the plural, after an article, or before "film", "book" and their like.
    """
    kinds = sorted((m for m in found if m.term.kind == "category" and not m.negated), key=lambda m: m.start)
    kinds = [mention for mention in kinds if not _PEOPLE.fullmatch(mention.text)]
    if not kinds:
        bare = _BARE.search(text)
        return bare.group() if bare else None
    chain = [kinds[0]]
    for mention in kinds[1:]:
        apart = text[chain[-1].end : mention.start].strip()
        if apart and not any(mention.term.values == each.term.values for each in chain):
            return None  # several kinds side by side have no one name
        if not apart:
            chain.append(mention)
    start, last = chain[0].start, chain[-1]
    after = _AFTER.match(text, last.end)
    if after is not None:
        return text[start : after.end()]
    own = vocabulary.term(keys(last.text)) is not None
    plural = singular(last.text) != last.text
    return text[start : last.end] if own and (plural or _BEFORE.search(text[:start])) else None
