"""Kinds of things that a clause rules out without naming them: "no violence", "something sad"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from agent.understanding import everyday
from agent.understanding.mentions import Mention
from agent.understanding.terms import Term
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.words import Word, keys, singular


def refusal(word: Word, found: Sequence[Mention], vocabulary: Vocabulary) -> Mention | None:
    """Return what "no violence" rules out, but for kinds asked for in the same breath."""
    term = _unasked(everyday.refused(word.text, vocabulary), found)
    return Mention(word.start, word.end, term, "meaning", word.text, negated=True) if term is not None else None


def spoiling(
    text: str, found: Sequence[Mention], denied: Sequence[tuple[int, int]], vocabulary: Vocabulary
) -> list[Mention]:
    """Return what would spoil the mood a folded text asks for: nobody who wants to cry is shown a comedy."""
    match = _MOOD.search(text)
    if match is None or any(start <= match.start() < end for start, end in denied):
        return []
    term = _unasked(everyday.spoiling(keys(match.group()), vocabulary), found)
    return [Mention(*match.span(), term, "meaning", match.group(), negated=True)] if term is not None else []


def _unasked(term: Term | None, found: Sequence[Mention]) -> Term | None:
    """Return a term without the kinds that are asked for, None where nothing of it is left."""
    asked = {singular(value) for mention in found if not mention.negated for value in mention.term.values}
    values = tuple(value for value in term.values if singular(value) not in asked) if term is not None else ()
    return replace(term, values=values) if term is not None and values else None


_MOOD = re.compile(rf"\b(?:{'|'.join(each.replace(' ', '[ -]') for each in everyday.moods())})\b")
