"""From a message to folded words with places: the only view of the text the rest of the understanding has."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

MAX_CHARS = 2000
"""A wish longer than this is read up to here."""

_WORD = re.compile(r"#\s?\d{1,6}|\d+(?:[.,]\d+)*|[^\W\d_]+(?:['][^\W\d_]+)*|\d*[^\W_]+|[€$£¥]|[.,;:!?&+/-]")
_QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "–": "-", "—": "-", "‐": "-", "‑": "-", "…": "."})
_IRREGULAR = {
    "scarves": "scarf", "knives": "knife", "shelves": "shelf", "wolves": "wolf", "leaves": "leaf", "loaves": "loaf",
    "halves": "half", "wives": "wife", "thieves": "thief", "elves": "elf", "men": "man", "women": "woman",
    "children": "child", "mice": "mouse", "feet": "foot", "teeth": "tooth", "people": "person", "series": "series",
    "species": "species", "tomatoes": "tomato", "potatoes": "potato", "heroes": "hero", "buses": "bus",
    "gases": "gas", "lenses": "lens", "movies": "movie", "cookies": "cookie", "hoodies": "hoodie", "beanies": "beanie",
    "ties": "tie", "pies": "pie", "selfies": "selfie", "zombies": "zombie", "colors": "colour", "color": "colour",
    "gray": "grey", "jewelry": "jewellery", "pajamas": "pyjama",
}  # fmt: skip
_SPELLINGS = frozenset({"colors", "color", "gray", "jewelry"})
_ENDINGS = ("ation", "ing", "ion", "ish", "ed", "en", "y")


@dataclass(frozen=True, slots=True)
class Word:
    """One word, number or mark of the folded text, with its place in it."""

    text: str
    start: int
    end: int

    @property
    def is_word(self) -> bool:
        """Whether it carries letters or digits."""
        return self.text[0].isalnum()


def fold(message: str) -> str:
    r"""Return `message` as one lower-case line: no control characters, accents or typographic quotes, bounded length.

    Example:
        >>> fold("Café\x00 “Bowl” — l’été")
        'cafe "bowl" - l\'ete'
    """
    if message.isascii() and message.isprintable():
        # Nearly every title and description of an English catalogue; the long way costs ten times as much.
        return " ".join(message[: 4 * MAX_CHARS].replace("`", "'").lower().split())[:MAX_CHARS]
    text = message[: 4 * MAX_CHARS].translate(_QUOTES).replace("“", '"').replace("”", '"')
    text = unicodedata.normalize("NFKD", text).casefold()
    text = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text if unicodedata.category(c) != "Mn")
    return " ".join(text.split())[:MAX_CHARS]


def split(text: str) -> tuple[Word, ...]:
    """Return the words of a folded text, marks included; a possessive 's is cut off."""
    found = []
    for match in _WORD.finditer(text):
        word = match.group()
        found.append(Word(word.removesuffix("'s") or word, match.start(), match.end()))
    return tuple(found)


def keys(text: str) -> tuple[str, ...]:
    """Return the singular words of any text, marks left out: the form under which phrases are compared."""
    return tuple(singular(word.text) for word in split(fold(text)) if word.is_word)


def singular(word: str) -> str:
    """Return an English noun in the singular, British spelling; other words come back as they are.

    Example:
        >>> [singular(w) for w in ("vases", "dresses", "brushes", "comedies", "scarves", "glass", "colors")]
        ['vase', 'dress', 'brush', 'comedy', 'scarf', 'glass', 'colour']
    """
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1]


def plural(phrase: str) -> str:
    """Return a phrase with its last word in the plural; one that is plural, or has none, comes back as it is.

    Example:
        >>> [plural(w) for w in ("vase", "dress", "crime film", "comedy", "scarf", "trousers", "series", "toy")]
        ['vases', 'dresses', 'crime films', 'comedies', 'scarves', 'trousers', 'series', 'toys']
    """
    *before, word = phrase.split(" ")
    if singular(word) != word or word in _IRREGULAR:
        return phrase
    known = next((many for many, one in _IRREGULAR.items() if one == word and many not in _SPELLINGS), None)
    if known is None and word.endswith(("s", "x", "ch", "sh")):
        known = word + "es"
    if known is None and word.endswith("y") and word[-2:-1] not in "aeiou":
        known = word[:-1] + "ies"
    return " ".join((*before, known or word + "s"))


def stem(word: str) -> str:
    """Return the root a word shares with its adjective, so that `stripes` meets `striped`, and `wooden` `wood`."""
    root = singular(word)
    for ending in _ENDINGS:
        if root.endswith(ending) and len(root) - len(ending) >= 4:
            root = root[: -len(ending)]
            break
    root = root.removesuffix("e") if len(root) > 4 else root
    return root[:-1] if len(root) > 4 and root[-1] == root[-2] else root
