"""In which order the planner shows what fits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from agent.base import ShownItem
from agent.planner_calls import MAX_ASKED, Call
from agent.understanding.wish import Facets, Sort, Wish
from agent.understanding.words import keys, singular

ROOM = 4
"""How many times more items are asked for where the planner orders them itself."""

YEAR = re.compile(r"\((\d{4})\)\s*$")
"""The year a title ends with."""

ASIDE = 2
"""Places that an item gives way for every kind it is of besides the one asked for."""


def by_kind(wish: Wish) -> bool:
    """Whether a wish names kinds and nothing else a search could order by."""
    alone = wish.wanted.model_copy(update={"categories": ()}) == Facets()
    return bool(wish.wanted.categories) and alone and wish.also.empty and not wish.query() and wish.sort == "relevance"


def by_topic(wish: Wish) -> bool:
    """Whether a wish has single words that a record may hold as a value: "films about the mafia"."""
    return bool(_topics(wish)) and wish.sort == "relevance" and not wish.titled


def about(items: Sequence[ShownItem], wish: Wish) -> list[ShownItem]:
    """Return items with those first whose records name the topic; a title may only happen to have the word."""
    topics = _topics(wish)

    def named(item: ShownItem) -> int:
        values = {keys(value) for given in item.attributes.values() for value in given}
        return sum((word,) in values for word in topics)

    return sorted(items, key=named, reverse=True) if by_topic(wish) else list(items)


def _topics(wish: Wish) -> tuple[str, ...]:
    return tuple(singular(word) for word in wish.wanted.words if " " not in word)


def roomy(call: Call) -> Call:
    """Return a call that asks for more items than are shown."""
    number = int(call.arguments.get("top_n") or 0)
    return replace(call, arguments={**call.arguments, "top_n": min(ROOM * number, MAX_ASKED)}) if number else call


def among_kinds(items: Sequence[ShownItem], wish: Wish, *, unknown: bool) -> list[ShownItem]:
    """Return items of a shop whose things are of several kinds each, ordered by what a wish says of kinds.

    Of several kinds asked for side by side each has its turn. Of one, what is most of all of that kind comes first:
    of comedies the plain ones before a fantasy film that is one too; but where the order rests on the shopper's own
    taste it stays.

    Args:
        items: What fits, best first.
        wish: What is wanted.
        unknown: Whether the order rests on what others choose.
    """
    if not by_kind(wish):
        return list(items)
    kinds = wish.wanted.categories
    if len(kinds) > 1:
        rows: dict[str, list[ShownItem]] = {kind: [] for kind in kinds}
        for item in items:
            mine = [kind for kind in kinds if kind in item.categories]
            rows[min(mine, key=lambda kind: len(rows[kind]), default=kinds[0])].append(item)
        return [item for row in zip_longest(*rows.values()) for item in row if item is not None]
    if not unknown:
        return list(items)
    places = {item.handle: place + ASIDE * (len(item.categories) - 1) for place, item in enumerate(items)}
    return sorted(items, key=lambda item: places[item.handle])


def ordered(
    items: Sequence[ShownItem], by: Sort | None, rows: Mapping[str, Mapping[str, Any]]
) -> tuple[ShownItem, ...]:
    """Return items in the order asked for, those without the figure last; ties keep their order."""
    if by not in ("price_asc", "price_desc", "rating", "newest"):
        return tuple(items)

    def figure(item: ShownItem) -> float:
        if by == "newest":
            return -float(found[1]) if (found := YEAR.search(item.title)) is not None else float("inf")
        value = item.price if by != "rating" else rows.get(item.handle, {}).get("rating")
        return float("inf") if value is None else float(value) * (1 if by == "price_asc" else -1)

    return tuple(sorted(items, key=figure))


def of_title(title: str, items: Sequence[ShownItem]) -> ShownItem | None:
    """Return the item of exactly this title, else the first."""
    exact = (item for item in items if keys(item.title) == keys(title))
    return next(exact, items[0] if items else None)
