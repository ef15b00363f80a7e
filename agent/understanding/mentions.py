"""Where a message names something the catalogue knows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from agent.understanding import everyday
from agent.understanding.lexicon import COMPARATIVES, FILLERS, SAME
from agent.understanding.negation import joined, scopes
from agent.understanding.terms import Phrase, Term
from agent.understanding.vocabulary import MAX_PHRASE, Vocabulary
from agent.understanding.words import Word, keys, singular

_PURPOSE = re.compile(r"\s+(?:for|against|with|on|in|to put on)\s+(?:[a-z']+\s+){0,3}")
_ROLE = re.compile(r"\b(?:as|for)(?: an?| the| some| my)?\s*$")
_NOT = re.compile(r"\b(?:not|without)(?: an?| any)?\s*$")
_LANGUAGE = re.compile(r"\b(?:in|speak(?:s|ing)?|language is)\s+$")
_SPEAKING = re.compile(r"[ -](?:speaking|language|subtitles?|dub)")
_OF = re.compile(r"[ -](?!please\b|too\b|and\b|or\b|under\b|below\b|for\b|with\b|from\b|by\b|but\b|instead\b)[a-z]")
_BY = re.compile(r"\b(?:by|with|from|starring|featuring|and|or|directed by|of|without|no|not)\s+$")
How = Literal["exact", "root", "meaning", "near"]
"""By its name, a word of the same root, what everyday English means by it, or what comes near by sentence vectors."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of text [start, end) that names `term`; `negated` when the shopper does not want it."""

    start: int
    end: int
    term: Term
    how: How
    text: str
    negated: bool = False


class Meanings(Protocol):
    """Finds the value a word means when the catalogue has no such word."""

    def nearest(self, texts: Sequence[str]) -> list[Term | None]:
        """Return for each text the term it means, or None."""


def mentions(
    text: str,
    words: Sequence[Word],
    vocabulary: Vocabulary,
    meanings: Meanings | None = None,
    denied: Sequence[tuple[int, int]] | None = None,
) -> list[Mention]:
    """Return what `words` of a folded text name, longest phrases first, in order of place.

    Args:
        text: The folded text.
        words: Its words that nothing else has claimed.
        vocabulary: The catalogue's words.
        meanings: Synonyms for words no title has.
        denied: Stretches under a negation; by default those `negation.scopes` finds.
    """
    found: list[Mention] = []
    taken: set[int] = set()
    stretches = runs(text, words)
    for length in range(MAX_PHRASE, 0, -1):
        for run in stretches:
            for at in range(len(run) - length + 1):
                part = run[at : at + length]
                if any(word.start in taken for word in part):
                    continue
                term = _exact(text, part, vocabulary)
                if term is not None:
                    found.append(_mention(text, part, term, "exact"))
                    taken.update(word.start for word in part)
    left = [w for w in words if w.is_word and w.start not in taken and w.text not in FILLERS and len(w.text) > 2]
    for word in [word for word in left if word.text not in COMPARATIVES]:
        term = vocabulary.related(singular(word.text)) if singular(word.text) not in vocabulary.facet_words else None
        if term is not None:
            found.append(_mention(text, [word], term, "root"))
            left.remove(word)
    strange = [word for word in left if word.text.isalpha() and singular(word.text) not in vocabulary.title_words]
    if meanings is not None and strange:
        for word, term in zip(strange, meanings.nearest([word.text for word in strange]), strict=True):
            if term is not None:
                found.append(_mention(text, [word], term, "near"))
    kept = _without_purposes(text, sorted(found, key=lambda m: m.start))
    return _negated(text, kept, scopes(text) if denied is None else denied)


def _exact(text: str, part: Sequence[Word], vocabulary: Vocabulary) -> Term | None:
    phrase: Phrase = tuple(singular(word.text) for word in part)
    term = _country(text, part, vocabulary) or vocabulary.term(phrase)
    if term is not None and term.kind == "attribute" and everyday.whom(phrase) and vocabulary.exact(phrase) is None:
        # "Men" is a part of the shop before it is the end of "Denim Men".
        term = everyday.meant(phrase, vocabulary) or term
    term = term or vocabulary.term((SAME.get(phrase[0], ""),) if len(phrase) == 1 else ())
    term = term or everyday.meant(phrase, vocabulary) or _surname(text, part, vocabulary)
    if term is None or len(phrase) > 1:
        return term
    word = part[0]
    if term.kind == "size" or len(word.text) < 2:
        return term if text[: word.start].rstrip().endswith("size") else None
    if word.text in FILLERS and term.kind != "category":
        return term if _in_role(text[: word.start], term) else None
    return None if len(word.text) < 3 and term.kind == "attribute" else term


def _country(text: str, part: Sequence[Word], vocabulary: Vocabulary) -> Term | None:
    """Return where a "French film" comes from; "in French" speaks of its language.

    "French" alone may be either: it is read as the language, which more than the country's own have.
    """
    if len(part) > 1 or _LANGUAGE.search(text[: part[0].start]) or _SPEAKING.match(text, part[0].end):
        return None
    country = everyday.nation(part[0].text, vocabulary)
    spoken = vocabulary.exact((singular(part[0].text),)) if country and not _OF.match(text, part[0].end) else None
    return spoken or country


def _surname(text: str, part: Sequence[Word], vocabulary: Vocabulary) -> Term | None:
    """Return whom a last name alone means: "by Kubrick", "with Schwarzenegger"."""
    if len(part) > 1 or part[0].text in FILLERS:
        return None
    return vocabulary.surname(part[0].text, named=_BY.search(text[: part[0].start]) is not None)


def _in_role(before: str, term: Term) -> bool:
    """Whether what stands before an everyday word says that it is meant as the value: "not gift", "by Other"."""
    if term.kind == "attribute":
        return _ROLE.search(before) is not None or _NOT.search(before) is not None
    return before.rstrip().endswith(("brand", " by"))


def _without_purposes(text: str, found: list[Mention]) -> list[Mention]:
    """Leave out the kinds of things another is for: in "shampoo for dry hair" the hair is no wish of its own."""
    result: list[Mention] = []
    for mention in found:
        earlier = [m for m in result if m.term.kind == "category"]
        between = text[earlier[-1].end : mention.start] if earlier else ""
        if mention.term.kind == "category" and _PURPOSE.fullmatch(between) and not everyday.whom(keys(mention.text)):
            continue
        result.append(mention)
    return result


def _negated(text: str, found: list[Mention], denied_scopes: Sequence[tuple[int, int]]) -> list[Mention]:
    """Mark what stands in the scope of a negation, as far as its list goes; "no blue lamps" keeps the lamps."""
    result = list(found)
    for start, end in denied_scopes:
        inside = [i for i, m in enumerate(result) if start <= m.start < end]
        denied: list[int] = []
        for i in inside:
            mention = result[i]
            if denied:
                last = result[denied[-1]]
                adjacent = not text[last.end : mention.start].strip()
                if adjacent and mention.term.kind == "category" and last.term.kind != "category":
                    continue
                same = any(result[d].term.facet == mention.term.facet for d in denied)
                listed = joined(text, last.end, mention.start) and (same or " or " in text[last.end : mention.start])
                if not adjacent and not listed:
                    break
            denied.append(i)
        for i in denied:
            result[i] = Mention(
                result[i].start, result[i].end, result[i].term, result[i].how, result[i].text, negated=True
            )
    return result


def _mention(text: str, part: Sequence[Word], term: Term, how: How) -> Mention:
    start, end = part[0].start, part[-1].end
    return Mention(start, end, term, how, text[start:end])


def runs(text: str, words: Sequence[Word]) -> list[list[Word]]:
    """Return stretches of words with nothing but blanks, hyphens, "&" or "/" between them."""
    runs: list[list[Word]] = [[]]
    for word in words:
        if not word.is_word:
            continue
        if runs[-1] and text[runs[-1][-1].end : word.start].strip(" -&/'s"):
            runs.append([])
        runs[-1].append(word)
    return runs
