"""What a shopper says about the shop's memory of them: show it, forget a part of it, forget it all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agent.understanding.words import fold, keys, singular
from catalog.told import Told

_POLITE = (
    r"(?:(?:please|no|ok(?:ay)?|hey|hi|and|now|so|could you|can you|would you|i want you to|tell me|show me)[,]? )*"
)
_END = r"(?:[,]? (?:please|now|then|thanks|thank you|again))*[ .!?]*"
_SHOW = re.compile(
    rf"{_POLITE}(?:what (?:do|can|did) you (?:(?:know|remember|keep|store)(?: (?:about|of|on) me)?|"
    r"have (?:about|of|on) me)|"
    r"what (?:have|did) i (?:told|tell) you(?: about (?:me|myself))?|do you (?:know|remember) (?:anything about )?me|"
    r"do you remember (?:what i told you|my (?:sizes?|budget|taste|preferences))|"
    r"(?:what(?: is|'s) )?(?:in )?my (?:profile|memory|preferences)|what you (?:know|remember) about me)"
    rf"{_END}"
)
_VERB = r"(?:forget|delete|erase|remove|clear|wipe)"
_ALL = re.compile(
    rf"{_POLITE}{_VERB} (?:everything|it all|(?:all )?(?:of )?(?:my (?:data|profile|memory|preferences|details|"
    r"information|info)|about me|"
    r"(?:what(?:ever)?|that) (?:i (?:have |'ve )?told you|you (?:know|remember))|me))"
    r"(?: (?:that )?(?:you (?:know|remember|have)|i (?:have |'ve )?told you|about me|on me|of me))*"
    rf"{_END}"
)
_PART = re.compile(
    rf"{_POLITE}{_VERB} (?:about )?(?:my (?:(?:own|old) )?(?P<what>(?:[a-z]+ )?(?:sizes?|budget|limit|likes?|dislikes?|"
    r"tastes?|favou?rites?(?: [a-z]+)?))|(?:that )?i (?P<said>.+?))"
    rf"{_END}"
)
_IT = re.compile(
    rf"{_POLITE}(?:{_VERB}|don'?t (?:remember|keep|store)|do not (?:remember|keep|store)) "
    rf"(?:about )?(?:it|(?P<that>that|this)|them|those|these|all (?:of )?(?:it|that|this|them)){_END}"
)
_KIND = (("dislike", "dislike"), ("like", "like"), ("favourite", "like"), ("favorite", "like"), ("size", "size"))


EVERYTHING = "everything"
"""Waived, it sets all that was told before aside."""
_WAIVE = re.compile(
    r"\b(?:(?:ignore|disregard|regardless of|no matter|whatever|never ?mind|forget about|forget|don'?t care about|"
    r"don'?t mind|in spite of|despite|even above|even over|above|over) (?:my |the |your )?(?:usual )?"
    r"(?P<after>price|budget|cost|limit|sizes?|colou?rs?|brands?|materials?|preferences|profile|tastes?|"
    r"what i (?:said|told)\w*)|any (?P<any>price|sizes?|colou?rs?|brands?|materials?)|"
    r"(?P<before>price|budget|money|cost|sizes?|colou?rs?|brands?|materials?) "
    r"(?:doesn'?t|does not|don'?t|isn'?t|is) (?:really )?(?:matter|important|no (?:object|issue|problem)))\b"
)

_WHOLE = re.compile(
    r"\W*\b(?:please )?(?:ignore|disregard|regardless of|no matter|forget about|in spite of|despite) "
    r"(?:my |the )?(?:usual )?(?:preferences|profile|tastes?|what i (?:said|told you)(?: before| earlier)?)\b",
    re.IGNORECASE,
)


def waives(message: str) -> tuple[str, ...]:
    """Return the facets a message says do not matter now, "price" for the budget, `EVERYTHING` for all that was told.

    Example:
        >>> waives("a dress, never mind my budget"), waives("any colour"), waives("ignore my preferences")
        (('price',), ('colour',), ('everything',))
    """
    found = []
    for match in _WAIVE.finditer(fold(message)):
        word = singular((match["after"] or match["any"] or match["before"]).split()[0])
        word = "price" if word in ("budget", "cost", "limit", "money") else word
        found.append(EVERYTHING if word in ("preference", "profile", "taste", "what") else word)
    return tuple(dict.fromkeys(found))


def without_waiver(message: str) -> str:
    """Return a message without the words that set all that was told before aside: they are no part of the wish."""
    found = _WHOLE.search(message)
    return message if found is None else f"{message[: found.start()]} {message[found.end() :]}".strip(" ,.;") or message


@dataclass(frozen=True, slots=True)
class AboutMe:
    """What is asked of the memory.

    Attributes:
        asks: To see it, or to forget what `entries` are.
        entries: What is to be forgotten.
        all: Whether everything was meant, and the wish of today with it.
        what: What was to be forgotten, in the shopper's words.
    """

    asks: Literal["show", "forget"]
    entries: tuple[Told, ...] = ()
    all: bool = False
    what: str = ""


def about_me(message: str, told: Sequence[Told], before: str = "") -> AboutMe | None:
    """Return what a message asks of the memory; None when it asks for something else.

    Args:
        message: As it was said.
        told: What is remembered. "Forget everything" is about it only where there is something.
        before: The shopper's message before this one: "forget it" behind "what do you know about me?" means all that
            was shown, "forget that" behind "I hate red" means just this.
    """
    text = fold(message)
    pointing = _IT.fullmatch(text)
    if pointing is not None and told and _SHOW.fullmatch(fold(before)):
        return AboutMe("forget", tuple(told), all=True, what="everything")
    if pointing is not None and pointing["that"] and before:
        just = tuple(each for each in told if each.words and each.words in before)
        return AboutMe("forget", just, what="that") if just else None
    if _SHOW.fullmatch(text):
        return AboutMe("show")
    if _ALL.fullmatch(text):
        meant = bool(told) or re.search(r"\b(?:me|my|i)\b", text) is not None
        return AboutMe("forget", tuple(told), all=True, what="everything") if meant else None
    part = _PART.fullmatch(text)
    if part is None:
        return None
    if part["what"]:
        return AboutMe("forget", _named(part["what"], told), what=f"your {part['what']}")
    said = set(keys(part["said"]))
    found = tuple(each for each in told if said and set(keys(each.value)) <= said)
    return AboutMe("forget", found, what="that") if found else None


def _named(what: str, told: Sequence[Told]) -> tuple[Told, ...]:
    if "taste" in what:
        return tuple(each for each in told if each.kind in ("like", "dislike"))
    kind = next((kind for word, kind in _KIND if word in what), "budget")
    found = tuple(each for each in told if each.kind == kind)
    words = keys(what)
    if kind == "size" and len(words) > 1:  # "my shoe size"
        return tuple(each for each in found if each.about and keys(each.about)[-1:] == words[:1])
    if kind == "like" and len(words) > 1 and words[0].startswith("favo"):  # "my favourite colour"
        return tuple(each for each in found if each.facet.removeprefix("attribute.") == words[1])
    return found
