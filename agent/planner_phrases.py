"""Turns of phrase the planner's sentences share."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.catching_up import GONE
from agent.planner_turn import Step, Turn
from agent.understanding import lexicon
from agent.understanding.wish import Limit, Wish
from agent.understanding.words import plural, singular

UNDATED = "The shop does not say how new things are."
_PEOPLE = re.compile(rf"(?:{lexicon.PEOPLE})(?:'s)?")


def listing(parts: Sequence[str], word: str = "and") -> str:
    """Return parts as prose: "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}" if parts else ""


def handles(names: Sequence[str]) -> str:
    """Return handles as prose: "#1, #2 and #3"."""
    return listing(list(names))


def things(wish: Wish, number: int) -> str:
    """Return what a wish is for, in the number: "lamps", "crime film", "item"; as the shopper calls it where known."""
    if wish.noun is not None:
        return _one(wish.noun) if number == 1 else plural(wish.noun)
    names = [category.casefold() for category in wish.wanted.categories]
    if (
        len(names) == 1
        and not wish.also.categories
        and singular(names[0]) != names[0]
        and number != 1
        and not _PEOPLE.fullmatch(names[0])
    ):
        return names[0]
    return "item" if number == 1 else "items"


def counted(wish: Wish, number: int) -> str:
    """Return what was counted, as the filters had it: "blue mugs", "vase by Terrano", "items that are not leather"."""
    wanted = wish.wanted
    kinds = [_one(name.casefold()) if number == 1 else name.casefold() for name in wanted.categories]
    many = number == 1 or all(singular(name) != name for name in kinds)
    noun = listing(kinds) if kinds and many else " ".join((*kinds[:1], things(Wish(), number)))
    if wish.noun is not None and len(kinds) < 2:
        noun = things(wish, number)
    alternatives = [listing([value.casefold() for value in values], "or") for values in wanted.attributes.values()]
    refused = [value.casefold() for values in wish.unwanted.attributes.values() for value in values]
    refused += [name.casefold() for name in wish.unwanted.categories]
    parts = [*alternatives, noun]
    parts += [f"by {listing(wanted.brands, 'or')}"] if wanted.brands else []
    parts += [f"not by {listing(wish.unwanted.brands, 'or')}"] if wish.unwanted.brands else []
    parts += [f"that {'is' if number == 1 else 'are'} not {listing(refused, 'or')}"] if refused else []
    return " ".join(parts)


def _one(noun: str) -> str:
    *before, word = noun.split(" ")
    return " ".join((*before, singular(word)))


def limited(wish: Wish) -> str:
    """Return the price limit that was counted within, as it was asked where it was asked."""
    low, high, stated = wish.price_min, wish.price_max, wish.limit
    if low is None and high is None:
        return ""
    limit = stated if stated is not None and stated.bounds == (low, high) else Limit(low=low, high=high)
    return f" {limit.words()}"


def vary(forms: Sequence[str], turn: Turn) -> str:
    """Return one of `forms`, the next one each turn."""
    return forms[(turn.understanding.state.turns - 1) % len(forms)]


def unanswered(step: Step, turn: Turn) -> str:
    """Say why nothing was found out: an item that was deleted since it was shown has no handle any more."""
    named = {getattr(step.act, "handle", None), *getattr(step.act, "handles", ())}
    gone = [item for item in turn.understanding.state.shown if item.handle in named and item.title == GONE]
    if not gone:
        return "I could not look that up just now."
    return "That is no longer sold here." if len(named - {None}) == 1 else "One of them is no longer sold here."
