"""Text to search terms: folded, stopped and lightly stemmed, the same for items and wishes."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import snowballstemmer

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

STOPWORDS: frozenset[str] = frozenset(
    stop
    for line in (
        "a an and any are as at be but by can do does for from have her his i if in is it its like me my of on or our",
        "please she so some something that the their them these they this to want was we what which who with would",
        "you your",
    )
    for stop in line.split()
)

_SPELLINGS = {
    "color": "colour", "colors": "colour", "gray": "grey", "jewelry": "jewellery", "aluminum": "aluminium",
    "scarves": "scarf", "shelves": "shelf", "knives": "knife", "leaves": "leaf", "halves": "half",
    "men": "man", "women": "woman", "children": "child", "feet": "foot", "teeth": "tooth",
}  # fmt: skip
"""Variants and irregular plurals that no suffix rule joins."""


def fold(text: str) -> str:
    """Return `text` without case, accents and compatibility forms ("Café Ⅳ" -> "cafe iv")."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def stem(word: str) -> str:
    """Return a folded English word without plural or -ed, so that "vases" meets "vase" and "striped" meets "stripes".

    Other suffixes stay: a full stemmer would make "lighting" the word "light".

    Source: the S-stemmer of Harman, "How effective is suffixing?" (1991), with "dresses", "boxes"
    and "movies" made to meet their singulars; -ed by Snowball's English stemmer.
    """
    if word in _SPELLINGS:
        return _SPELLINGS[word]
    if len(word) > 4 and word.endswith("ed"):
        stemmed: str = _ed_stemmer().stemWord(word)
        return stemmed
    if len(word) > 4 and word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    if len(word) > 4 and word.endswith("ie"):
        return word[:-2] + "y"
    return word


@lru_cache(maxsize=1)
def _ed_stemmer() -> snowballstemmer.EnglishStemmer:
    import snowballstemmer

    return snowballstemmer.stemmer("english")


def words(text: str) -> list[tuple[str, str]]:
    """Return `(term, word)` of every searchable word in order; `word` is as written, `term` what is indexed."""
    return [(term, word) for word in _WORD.findall(text) for term in _terms_of(word)]


@lru_cache(maxsize=1 << 17)
def _terms_of(word: str) -> tuple[str, ...]:
    """Words repeat all over a catalogue, so each is folded and stemmed once."""
    plain = re.sub(r"['’]s$", "", fold(word))
    return tuple(stem(part) for part in re.split(r"['’]", plain) if part and part not in STOPWORDS)


def terms(text: str) -> list[str]:
    """Return the search terms of `text` in order.

    Example:
        >>> terms("The blue Scarves of Zoë's café")
        ['blue', 'scarf', 'zoe', 'cafe']
    """
    return [term for word in _WORD.findall(text) for term in _terms_of(word)]
