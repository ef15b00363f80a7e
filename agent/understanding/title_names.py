"""The names a title goes by: as written, and as one says it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.understanding.terms import Phrase
from agent.understanding.words import fold, singular, split

_ARTICLE = r"the|a|an|la|le|les|l'|el|los|las|il|lo|der|die|das|un|une"
_INVERTED = re.compile(rf"^(.+), ({_ARTICLE})( \(\d{{4}}\))?$")
_BRACKETS = re.compile(r"\(([^()]*)\)")
_ALIAS = re.compile(r"^(?:a\.?k\.?a\.?|also known as)\s+")
_SUBTITLE = re.compile(r"\s*:\s+|\s+or:\s+|\s+-\s+")


def names(title: str) -> Iterator[Phrase]:
    """Yield the phrases a title goes by, the most exact first: as written, without year, without article, singular.

    Example:
        >>> list(names("Mug, The (1999)"))[:3]
        [('the', 'mug', '1999'), ('mug', '1999'), ('the', 'mug')]
    """
    words = tuple(word.text for word in split(_INVERTED.sub(r"\2 \1\3", fold(title))) if word.is_word)
    dated = len(words) > 1 and words[-1].isdigit() and len(words[-1]) == 4
    for plain in (words, tuple(singular(word) for word in words)):
        for name in (plain, plain[:-1] if dated else plain):
            yield name
            if len(name) > 1 and name[0] in ("the", "a", "an"):
                yield name[1:]


def called(title: str) -> Iterator[Phrase]:
    """Yield the phrases one says for a title, after its `names`: without brackets, what they hold, without subtitle.

    Example:
        >>> [" ".join(name) for name in called("Amelie (Fabuleux destin, Le) (2001)")][-2:]
        ['le fabuleux destin', 'le fabuleux destin']
        >>> ("gone",) in called("Gone: A Story (2001)"), ("a", "story") in called("Gone: A Story (2001)")
        (True, True)
    """
    yield from names(title)
    text = fold(title)
    bare = " ".join(_BRACKETS.sub(" ", text).split())
    inside = [held for held in _BRACKETS.findall(text) if not held.strip().isdigit()]
    if bare != text and bare:
        yield from names(bare)
    for held in inside:
        yield from names(_ALIAS.sub("", held.strip()))
    main, *rest = _SUBTITLE.split(bare)
    if rest and main:
        yield from names(main)
        if len(rest[-1].split()) > 1 and not re.search(r"\d", rest[-1]):
            yield from names(rest[-1])


def stands_in(phrase: Phrase, words: Phrase) -> bool:
    """Whether the words of a phrase stand together, in order, among `words`."""
    return any(words[at : at + len(phrase)] == phrase for at in range(len(words) - len(phrase) + 1))
