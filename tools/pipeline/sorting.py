"""Explicit orders: by price, rating or date."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from catalog.errors import ToolRetry
from catalog.filters import PriceRange
from catalog.nouns import Item
from tools.pipeline.nouns import Sort
from tools.pipeline.score import Scored
from tools.shop import Shop

Key = Callable[[Item], tuple[float, ...] | None]

DATE_ATTRIBUTES = ("release_date", "released", "date_added", "date", "year")
"""Attributes that may date an item, first found first."""


def sorted_by(shop: Shop, scored: Sequence[Scored], sort: Sort) -> list[Scored]:
    """Order candidates as asked; those that lack the value come last, ties keep the order they came in.

    Raises:
        ToolRetry: When `newest` is asked of a shop whose items carry no date.
    """
    if sort == "newest" and not any(name in shop.facets.attribute_names for name in DATE_ATTRIBUTES):
        raise ToolRetry(
            "'sort' is 'newest': items of this shop carry no date; relevance, price_asc, price_desc or rating "
            "would be valid"
        )
    key = _KEYS[sort]
    valued = [(key(shop.catalog[each.item_id]), each) for each in scored]
    known = [(value, each) for value, each in valued if value is not None]
    return [each for _, each in sorted(known, key=lambda pair: pair[0])] + [
        each for value, each in valued if value is None
    ]


def by_price_distance(shop: Shop, scored: Sequence[Scored], price: PriceRange) -> list[Scored]:
    """Order candidates by how far their price lies outside the wanted range; those without a price come last."""
    low = price.min if price.min is not None else float("-inf")
    high = price.max if price.max is not None else float("inf")

    def distance(each: Scored) -> float:
        paid = shop.catalog[each.item_id].price
        return float("inf") if paid is None else max(low - paid, paid - high, 0.0)

    return sorted(scored, key=distance)


def _newest(item: Item) -> tuple[float, ...] | None:
    given = {name.casefold(): values for name, values in item.attributes.items()}
    for name in DATE_ATTRIBUTES:
        digits = "".join(c for c in (given.get(name) or ("",))[0] if c.isdigit())[:8]
        if len(digits) >= 4:
            return (-float(digits.ljust(8, "0")),)
    return None


_KEYS: dict[Sort, Key] = {
    "relevance": lambda item: (0.0,),
    "price_asc": lambda item: None if item.price is None else (item.price,),
    "price_desc": lambda item: None if item.price is None else (-item.price,),
    "rating": lambda item: None if item.rating is None else (-item.rating, -(item.rating_count or 0)),
    "newest": _newest,
}
