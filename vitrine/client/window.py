"""What the catalogue says of itself: the shop in a few words, and what its items can be told apart by."""

from __future__ import annotations

from vitrine.client.answers import Answer


class FacetValue(Answer):
    """A value as the catalogue writes it, and how many of the counted items carry it."""

    value: str
    count: int


class Facet(Answer):
    """Category, brand or an attribute; counted as if nothing of this facet were chosen."""

    name: str
    values: list[FacetValue]


class PriceSpan(Answer):
    """Lowest and highest price of the counted items."""

    min: float
    max: float


class Facets(Answer):
    """How many items pass, and what they can be told apart by."""

    total: int
    facets: list[Facet]
    price: PriceSpan | None


class Shop(Answer):
    """The shop in a few words: what it sells, which mind answers, wishes to begin with."""

    name: str
    items: int
    on_offer: int
    categories: list[str]
    currency: str | None
    mind: str
    examples: list[str]
    hears: bool
    sees: bool
