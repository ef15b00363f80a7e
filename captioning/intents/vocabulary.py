"""What a shop's catalogue calls things: phrases of attributes, categories, titles and captions, with their facets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from captioning.intents.language import Language, Token, english, tokens
from catalog.nouns import Item

Phrase = tuple[str, ...]
LONGEST = 4
LEAST_ITEMS = 3
"""A title's or caption's word that fewer items share is a name or a slip."""


def stem(word: str) -> str:
    """Return a word without the -s of its plural: "stripes" and "stripe" are one.

    Example:
        >>> [stem(word) for word in ("stripes", "dress", "glasses")]
        ['stripe', 'dress', 'glass']
    """
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


class Vocabulary:
    """Phrases by their stems.

    Args:
        facets: Phrase (stems) -> facet, "" where a phrase has none.
    """

    def __init__(self, facets: Mapping[Phrase, str]) -> None:
        self.facets = dict(facets)

    def __len__(self) -> int:
        return len(self.facets)

    @classmethod
    def of(cls, items: Iterable[Item], captions: Iterable[str] = (), language: Language | None = None) -> Vocabulary:
        """Return the phrases of a catalogue; what attributes and categories say goes before loose words."""
        language = language or english()
        stated: dict[Phrase, str] = {}
        loose: Counter[Phrase] = Counter()
        for item in items:
            for facet, value in _stated(item):
                phrase = _phrase(value)
                if 0 < len(phrase) <= LONGEST and not all(word in language.function for word in phrase):
                    stated.setdefault(phrase, facet)
            loose.update(set(_words(item.title or "", language)))
        for caption in captions:
            loose.update(set(_words(caption, language)))
        found = {phrase: "" for phrase, count in loose.items() if count >= LEAST_ITEMS}
        return cls({**dict(sorted(found.items())), **stated})

    def matches(self, words: Sequence[Token]) -> list[tuple[int, int, str]]:
        """Return first token, one behind the last, and facet of each phrase found, the longest first at each place."""
        stems = [stem(token.word) for token in words]
        found, at = [], 0
        while at < len(stems):
            for length in range(min(LONGEST, len(stems) - at), 0, -1):
                facet = self.facets.get(tuple(stems[at : at + length]))
                if facet is not None:
                    found.append((at, at + length, facet))
                    at += length - 1
                    break
            at += 1
        return found

    def facet(self, words: Sequence[str]) -> str | None:
        """Return the facet of a phrase, else of its last word that has one; None where nothing tells."""
        stems = [stem(word) for word in words]
        for phrase in (tuple(stems), *((word,) for word in reversed(stems))):
            if facet := self.facets.get(phrase):
                return facet
        return None


def _stated(item: Item) -> Iterator[tuple[str, str]]:
    for name, values in item.attributes.items():
        for value in values:
            yield name, value
    for category in item.categories:
        yield "category", category
    if item.brand:
        yield "brand", item.brand


def _phrase(text: str) -> Phrase:
    return tuple(stem(token.word) for token in tokens(text) if token.word[0].isalnum())


def _words(text: str, language: Language) -> list[Phrase]:
    known = language.function | language.frame
    each = (token.word for token in tokens(text))
    return [(stem(w),) for w in each if len(w) > 2 and w[0].isalpha() and w not in known and not language.opinion(w)]
