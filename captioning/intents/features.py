"""What the two linear models see: of a clause what it says for or against, of a word where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from captioning.intents.language import Language, Token
from captioning.intents.vocabulary import Vocabulary

REACH = 4
"""Words behind a negation that it turns round."""
THING = "<thing>"
"""Stands for a phrase of the shop, so that nothing is learned against leather as such."""


def clause_features(words: Sequence[Token], vocabulary: Vocabulary, language: Language) -> list[str]:
    """Return the words and pairs of a clause, `not:` before those that a negation turns round, each once.

    Phrases of the shop are `<thing>`; opinions of the language are told as `+` or `-` besides.
    """
    said = _masked(words, vocabulary, language)
    found: list[str] = []
    left = 0
    for word in said:
        if word in language.negations:
            left = REACH
            found.append("<not>")
            continue
        turned = "not:" * (left > 0)
        left -= 1
        if language.opinion(word):
            good = (word in language.good) == (not turned)
            found += [f"{turned}{word}", "+" if good else "-"]
        elif word not in language.function and word != THING:
            found.append(f"{turned}{word}")
    found += [f"{a} {b}" for a, b in pairwise(said)]
    if said and said[-1] in language.negations:
        found.append("<not at the end>")
    return sorted(set(found))


def _masked(words: Sequence[Token], vocabulary: Vocabulary, language: Language) -> list[str]:
    inside = {at for start, end, _ in vocabulary.matches(words) for at in range(start, end)}
    said: list[str] = []
    for at, token in enumerate(words):
        if at not in inside or language.opinion(token.word):
            said.append(token.word)
        elif not said or said[-1] != THING:
            said.append(THING)
    return said


def word_features(words: Sequence[Token], at: int, language: Language, *, named: bool) -> list[str]:
    """Return what is around the word at `at`, how it ends, and, where `named`, the word itself."""
    word = words[at].word
    before, after = _kind(words, at - 1, language), _kind(words, at + 1, language)
    found = [
        f"before {before}", f"after {after}", f"around {before} {after}", f"before2 {_kind(words, at - 2, language)}",
        f"after2 {_kind(words, at + 2, language)}", f"is {_own(word, language)}",
        f"ends {word[-3:]}", f"ends {word[-2:]}",
    ]  # fmt: skip
    found += [f"word {word}"] if named else []
    found += ["first"] if at == 0 else []
    found += ["last"] if at == len(words) - 1 else []
    return found


def _own(word: str, language: Language) -> str:
    if word in language.function:
        return "function"
    if language.opinion(word):
        return "opinion"
    if word in language.frame:
        return "frame"
    if word in language.facets:
        return "facet"
    return "number" if word[0].isdigit() else "mark" if not word[0].isalpha() else "word"


def _kind(words: Sequence[Token], at: int, language: Language) -> str:
    """Return a neighbour: a word of the language as itself, any other by its kind."""
    if not 0 <= at < len(words):
        return "<edge>"
    word = words[at].word
    if word in language.function:
        return word
    return f"<{_own(word, language)}>"
