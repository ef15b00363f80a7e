"""Tokens, clauses and the few English words the trained extractor starts from."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from catalog.workspace import content_key

FILE = "words.toml"
_TOKEN = re.compile(r"\d+[.,]\d+|\w+(?:['’-]\w+)*|[^\w\s]")
_BREAK = frozenset('.!?;:,()\n…—–"')
_TURN = frozenset({"but", "though", "although", "however", "yet", "whereas", "except", "while"})
_SENTENCE = frozenset(".!?;\n…")


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a mark, in lower case, and where it stands."""

    word: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Clause:
    """The words between two breaks of a sentence.

    Attributes:
        tokens: Its words.
        sentence: Number of the sentence in the text, from 0.
        turned: How often a word such as `but` turned the sentence before or at this clause.
    """

    tokens: tuple[Token, ...]
    sentence: int
    turned: int = 0


@dataclass(frozen=True)
class Language:
    """The words of `words.toml`.

    Attributes:
        function, frame: Words an aspect is not made of.
        good, bad: Opinions for and against.
        negations: Words that turn an opinion round.
        implied: Opinion -> the facet it is about by itself.
        facets: Word -> facet, for what every shop's shoppers write of.
        carriers: Sentences in which any phrase of a shop may stand in place of `{}`.
        unknown: What stands in them in place of `?`.
        sha: Hash of the file.
    """

    function: frozenset[str]
    frame: frozenset[str]
    good: frozenset[str]
    bad: frozenset[str]
    negations: frozenset[str]
    implied: dict[str, str]
    facets: dict[str, str]
    carriers: tuple[str, ...]
    unknown: tuple[str, ...]
    sha: str

    def opinion(self, word: str) -> bool:
        """Whether a word is an opinion."""
        return word in self.good or word in self.bad


@lru_cache(maxsize=1)
def english() -> Language:
    """Return the words that come along."""
    data = files("captioning.intents").joinpath(FILE).read_bytes()
    raw = tomllib.loads(data.decode())
    return Language(
        frozenset(raw["function"].split()),
        frozenset(raw["frame"].split()),
        frozenset(raw["for"].split()),
        frozenset(raw["against"].split()),
        frozenset(raw["not"].split()),
        {word: facet for facet, words in raw["implied"].items() for word in words.split()},
        {word: facet for facet, words in raw["facets"].items() for word in words.split()},
        tuple(line for line in raw["carriers"].splitlines() if line),
        tuple(raw["unknown"].split()),
        content_key(data),
    )


def tokens(text: str) -> list[Token]:
    """Return words and marks with their places; a line's end is a mark as well.

    Example:
        >>> [token.word for token in tokens("Too tight, isn't it?")]
        ['too', 'tight', ',', "isn't", 'it', '?']
    """
    found = [Token(m[0].lower().replace("’", "'"), m.start(), m.end()) for m in _TOKEN.finditer(text)]
    ends = [Token("\n", m.start(), m.end()) for m in re.finditer(r"\n+", text)]
    return sorted([*found, *ends], key=lambda token: token.start) if ends else found


def clauses(words: list[Token]) -> Iterator[Clause]:
    """Yield the clauses of a text: between marks, and from words that turn it (`but`, `though`, ...)."""
    held: list[Token] = []
    sentence = turned = 0
    for token in words:
        if token.word in _BREAK or token.word in _TURN:
            if held:
                yield Clause(tuple(held), sentence, turned)
            turns = token.word in _TURN
            held = [token] if turns else []
            turned += turns
            if token.word in _SENTENCE:
                sentence, turned = sentence + 1, 0
        else:
            held.append(token)
    if held:
        yield Clause(tuple(held), sentence, turned)
