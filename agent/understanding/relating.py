"""Bounds that come from comparing with what was shown: "cheaper", "something newer"."""

from __future__ import annotations

import re
from typing import Literal

from agent.base import ShownItem
from agent.understanding.gist import Gist
from agent.understanding.merging import matches
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.wish import Wish

_YEAR = re.compile(r"\((\d{4})\)\s*$")
EVER = 1800, 2100
"""The years of a span that is open at an end."""
ENOUGH = 5
"""Things that make a list; where fewer lie beyond all that was shown, the middle of it is the bound."""


def relative(
    wish: Wish, part: Gist, anchors: list[ShownItem], before: Wish | None, vocabulary: Vocabulary
) -> tuple[Wish, Wish | None]:
    """Turn "cheaper" into a bound: below every anchor, with the middle one as the fallback.

    "More expensive" stays within the limit stated while anything of the kind is left there.
    """
    if part.relative in ("newer", "older"):
        return _dated(wish, part.relative, anchors, vocabulary), None
    prices = sorted(item.price for item in anchors if item.price is not None)
    if part.relative is None or part.price is not None:
        return wish, None
    if not prices:
        return wish.model_copy(update={"sort": "price_asc" if part.relative == "cheaper" else "price_desc"}), None
    middle = prices[len(prices) // 2]
    floor, ceiling = wish.limit.bounds if wish.limit is not None else (None, None)
    if part.relative == "cheaper":
        tops = [max(price - 0.01, 0.0) for price in (prices[0], middle)]
        low, high = (round(top if ceiling is None else min(top, ceiling), 2) for top in tops)
        tight = wish.model_copy(update={"price_max": low, "price_min": None, "sort": "relevance"})
        loose = tight.model_copy(update={"price_max": high})
        floored = loose.model_copy(update={"price_min": floor})
        if floor is not None and floor <= high and matches(floored, vocabulary):
            tight, loose = tight.model_copy(update={"price_min": floor if floor <= low else None}), floored
    else:
        tight = wish.model_copy(
            update={"price_min": round(prices[-1] + 0.01, 2), "price_max": ceiling, "sort": "relevance"}
        )
        loose = tight.model_copy(update={"price_min": round(middle + 0.01, 2)})
        if ceiling is not None and not matches(loose, vocabulary):
            tight, loose = (each.model_copy(update={"price_max": None}) for each in (tight, loose))
        elif ceiling is not None and not matches(tight, vocabulary):
            return loose, None
    if loose == tight:
        return tight, None
    found = matches(tight, vocabulary)
    return (tight, loose) if found else (loose, None)


def _dated(wish: Wish, than: Literal["newer", "older"], anchors: list[ShownItem], vocabulary: Vocabulary) -> Wish:
    """Return the wish for what is newer, or older, than all that was shown, or than the middle of it where that is all.

    Years are those in the titles; a wish for things without stays as it is.
    """
    years = sorted(int(found[1]) for item in anchors if (found := _YEAR.search(item.title)) is not None)
    if not years:
        return wish
    middle = years[len(years) // 2]
    spans = (years[-1] + 1, EVER[1]), (middle + 1, EVER[1])
    if than == "older":
        spans = (EVER[0], years[0] - 1), (EVER[0], middle - 1)
    for span in spans:
        if _fitting(wish, span, vocabulary) >= ENOUGH:
            return wish.model_copy(update={"years": span, "year_gaps": ()})
    return wish.model_copy(update={"years": spans[-1], "year_gaps": ()})


def newest(wish: Wish, vocabulary: Vocabulary) -> Wish | None:
    """Return the wish for its latest years, where titles carry years and enough fits; None where they carry none."""
    years = [int(year) for year in vocabulary.years(*EVER)]
    spans = ((year, EVER[1]) for year in sorted(years, reverse=True))
    found = next((span for span in spans if _fitting(wish, span, vocabulary) >= ENOUGH), None)
    return wish.model_copy(update={"years": found, "year_gaps": (), "sort": "relevance"}) if found else None


def _fitting(wish: Wish, span: tuple[int, int], vocabulary: Vocabulary) -> int:
    """Return how many things of a span of years a wish has."""
    titled = frozenset[int]().union(*(vocabulary.title_rows((year,)) for year in vocabulary.years(*span)))
    rows = matches(wish, vocabulary)
    return len(titled if rows is None else titled & rows)
