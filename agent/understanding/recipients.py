"""Whom something is for, where a catalogue has a part made for them: children, men, women."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from agent.understanding import everyday
from agent.understanding.lexicon import UNITS
from agent.understanding.mentions import Mention
from agent.understanding.terms import Term
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.words import keys, singular

CHILD = 12
"""Years up to which one is a child."""

_AGE = re.compile(
    rf"\b(?:an? |my |our |the )?(?P<age>\d{{1,2}}|{'|'.join(UNITS)})[ -](?P<unit>year|yr|month)s?[ -]olds?\b|"
    r"\bage[ds]? (?P<aged>\d{1,2})\b(?:\s*(?:-|to|and)\s*\d{1,2})?"
)
_CHILDREN = re.compile(
    r"\b(?:for|with|by) (?:(?:the|my|our|some|young|small|little|his|her|their) )*(?P<who>kids|kid|children|toddlers?|"
    r"little ones?)\b"
)


def made_for(text: str, vocabulary: Vocabulary, people: re.Pattern[str]) -> tuple[list[Mention], list[tuple[int, int]]]:
    """Return what the catalogue makes for those a folded text names, and the stretches that say so.

    Args:
        text: The folded text.
        vocabulary: The catalogue's words.
        people: Where a text says whom something is for, with groups `who` and `pronoun`.
    """
    found: list[Mention] = []
    spans: list[tuple[int, int]] = []
    for match in _AGE.finditer(text):
        number = match["age"] or match["aged"]
        years = (int(number) if number.isdigit() else UNITS[number]) if match["unit"] != "month" else 0
        spans.append(match.span())
        _note(found, match, everyday.made_for("baby" if years < 2 else "child", vocabulary) if years <= CHILD else ())
    for match in people.finditer(text):
        _note(found, match, everyday.made_for(match["who"] or match["pronoun"] or "", vocabulary))
    for match in _CHILDREN.finditer(text):
        spans.append(match.span())
        _note(found, match, everyday.made_for(match["who"], vocabulary))
    if (whole := everyday.family(text)) is not None:
        terms = everyday.made_for("child", vocabulary)
        spans.append(whole.span())
        # "Baby/Children" is a department for the little ones; "Children" is a kind of film the family sees together.
        _note(found, whole, tuple(term for term in terms if len(term.values[0].split("/")) == 1))
    return found, spans


def serving(
    found: Sequence[Mention], among: Sequence[Mention], words: Sequence[str], vocabulary: Vocabulary
) -> list[Mention]:
    """Return of the parts of a shop made for somebody the first, at each place, in which what is wanted lies.

    A shop may keep perfume by "Men's" and "Women's" and shavers by neither.

    Args:
        found: What the clause names.
        among: What else it names.
        words: Its free words.
        vocabulary: The catalogue's words.
    """
    kinds = [
        vocabulary.rows([m.term])
        for m in among
        if m.term.kind == "category" and not m.negated and not everyday.whom(keys(m.text))
    ]
    rows = [*kinds, *(vocabulary.title_rows((singular(word),)) for word in words)]

    def serves(mention: Mention) -> bool:
        part = vocabulary.rows([mention.term])
        return mention.negated or all(part & each for each in rows if each)

    first: dict[int, Mention] = {}
    for mention in found:
        if serves(mention):
            first.setdefault(mention.start, mention)
    return list(first.values())


_REFUSED = re.compile(r"\b(?:not|nothing|none|isn'?t|aren'?t|except|but not)\s*$")


def besides(
    text: str, made: Sequence[Mention], found: Sequence[Mention], denied: Sequence[tuple[int, int]]
) -> list[Mention]:
    """Return of `made` what the clause does not say otherwise, each part once."""
    kept: dict[tuple[str, ...], Mention] = {}
    for mention in made:
        named = any(set(mention.term.values) & set(each.term.values) for each in found)
        refused = any(start <= mention.start < end for start, end in denied)
        refused = refused or _REFUSED.search(text[: mention.start]) is not None
        if not named:
            kept.setdefault(mention.term.values, replace(mention, negated=refused))
    return list(kept.values())


def _note(found: list[Mention], match: re.Match[str], terms: Sequence[Term]) -> None:
    if not any(m.start < match.end() and match.start() < m.end for m in found):
        found += [Mention(match.start(), match.end(), term, "meaning", term.values[0]) for term in terms]
