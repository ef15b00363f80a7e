"""Bounds that come from comparing: "cheaper" than what was shown."""

from __future__ import annotations

from agent.base import ShownItem
from agent.understanding.gist import Gist
from agent.understanding.merging import matches
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.wish import Wish


def relative(
    wish: Wish, part: Gist, anchors: list[ShownItem], before: Wish | None, vocabulary: Vocabulary
) -> tuple[Wish, Wish | None]:
    """Turn "cheaper" into a bound: below every anchor, with the middle one as the fallback.

    "More expensive" stays within the limit stated while anything of the kind is left there.
    """
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
