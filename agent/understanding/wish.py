"""`Wish`: what one search is for, typed and inspectable, with its form as a filter and as a query."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.understanding.terms import Term

Sort = Literal["relevance", "price_asc", "price_desc", "rating", "newest"]


class Part(BaseModel):
    """Base of everything in an intent: frozen, closed, JSON-serialisable."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Limit(Part):
    """A price limit as the shopper put it.

    Attributes:
        low, high: The amounts named, None at an open end.
        strict: Whether the amount itself is left out: "under 40", "over 40".
    """

    low: float | None = None
    high: float | None = None
    strict: bool = False

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The lowest and the highest price that keep it; a strict one ends a cent beside its amount."""
        cent = 0.01 if self.strict else 0.0
        low = None if self.low is None else round(self.low + cent, 2)
        return low, None if self.high is None else max(round(self.high - cent, 2), 0.0)

    def closed_by(self, other: Limit) -> Limit | None:
        """Return this limit with its open end taken from `other`, None where the two do not make an interval."""
        low, high = (b if a is None else a for a, b in zip(self.bounds, other.bounds, strict=True))
        open_here = (self.low is None) != (self.high is None)
        open_there = (other.low is None) != (other.high is None) and (self.low is None) == (other.high is None)
        if not open_here or not open_there or low is None or high is None or low > high:
            return None
        return Limit(low=low, high=high)

    def words(self) -> str:
        """Return it in words: "under 40", "up to 40", "over 40", "from 40 on", "from 20 to 50"."""
        low, high = (None if end is None else f"{end:.2f}".removesuffix(".00") for end in (self.low, self.high))
        if low is not None and high is not None:
            return f"from {low} to {high}"
        if high is not None:
            return f"under {high}" if self.strict else f"up to {high}"
        return f"over {low}" if self.strict else f"from {low} on"


class Facets(Part):
    """Values by facet, spelt as the catalogue spells them; `words` are free words it has no facet for."""

    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    attributes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    sizes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether it names nothing."""
        return self == Facets()

    def values(self, term: Term) -> tuple[str, ...]:
        """Return the values of the facet `term` belongs to."""
        if term.kind == "attribute":
            return self.attributes.get(term.name, ())
        return {"category": self.categories, "brand": self.brands, "size": self.sizes}[term.kind]

    def put(self, term: Term, values: tuple[str, ...]) -> Facets:
        """Return a copy whose facet of `term` holds exactly `values`."""
        if term.kind == "attribute":
            attributes = {**self.attributes, term.name: values}
            return self.model_copy(update={"attributes": {n: v for n, v in attributes.items() if v}})
        field = {"category": "categories", "brand": "brands", "size": "sizes"}[term.kind]
        return self.model_copy(update={field: values})

    def plus(self, term: Term) -> Facets:
        """Return a copy with the values of `term` added."""
        return self.put(term, tuple(dict.fromkeys((*self.values(term), *term.values))))

    def minus(self, term: Term) -> Facets:
        """Return a copy without the values of `term`."""
        return self.put(term, tuple(value for value in self.values(term) if value not in term.values))

    def with_words(self, words: tuple[str, ...]) -> Facets:
        """Return a copy with `words` added."""
        return self.model_copy(update={"words": tuple(dict.fromkeys((*self.words, *words)))})

    def terms(self) -> tuple[Term, ...]:
        """Return its facets as terms, categories first."""
        found = [Term("category", "", self.categories), Term("brand", "", self.brands), Term("size", "", self.sizes)]
        found += [Term("attribute", name, values) for name, values in self.attributes.items()]
        return tuple(term for term in found if term.values)

    def wire(self) -> dict[str, Any]:
        """Return the parts a filter knows, in the wire's form."""
        parts = {
            "category": list(self.categories),
            "brand": list(self.brands),
            "attributes": {name: list(values) for name, values in self.attributes.items()},
        }
        return {name: value for name, value in parts.items() if value}


class Wish(Part):
    """One wish.

    Attributes:
        wanted: What fits; any value of a facet is enough.
        also: What must hold besides, where a filter can only say "any of" (an action film that is also a comedy).
            It is checked on what comes back.
        unwanted: What must not be.
        said: The shopper's own words for `wanted`, in order: the query.
        price_min: Lowest price that fits.
        price_max: Highest price that fits.
        limit: The price limit last stated. It outlives bounds that come from comparing ("cheaper") and one set aside.
        years: First and last year that fit, where titles carry one. It is checked on what comes back.
        year_gaps: Years between them that do not fit: "1991 or 1993".
        available: True when only what is in stock fits.
        sort: Order of the answer.
        count: How many items were asked for, None when the shopper did not say.
        recipient: Whom it is for ("mother").
        occasion: What it is for ("birthday").
        not_items: Handles of items the shopper has turned down.
        not_titles: Titles the shopper knows already.
        titled: Names of titles ("star wars"): what fits has one of them in its title. It is checked on what comes back.
        like: Titles that what fits resembles.
        unknown: Words nothing in the shop carries.
        noun: What the shopper calls the things wanted, as said: "crime films".
        strangers: Those of `unknown` that were named as a maker ("by Kubrick").
    """

    wanted: Facets = Facets()
    also: Facets = Facets()
    unwanted: Facets = Facets()
    said: tuple[str, ...] = ()
    price_min: float | None = None
    price_max: float | None = None
    limit: Limit | None = None
    years: tuple[int, int] | None = None
    year_gaps: tuple[tuple[int, int], ...] = ()
    available: bool | None = None
    sort: Sort = "relevance"
    count: int | None = None
    recipient: str | None = None
    occasion: str | None = None
    not_items: tuple[str, ...] = ()
    not_titles: tuple[str, ...] = ()
    titled: tuple[str, ...] = ()
    like: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    noun: str | None = None

    def dated(self, year: int) -> bool:
        """Whether a year is among those that fit; without any asked for, every year is."""
        if self.years is None:
            return True
        return self.years[0] <= year <= self.years[1] and not any(a <= year <= b for a, b in self.year_gaps)

    @property
    def narrow(self) -> bool:
        """Whether it says what kind of thing is wanted, or bounds it by a facet or a price."""
        bounded = self.price_min is not None or self.price_max is not None
        told = bool(self.like) or self.years is not None
        return bounded or told or not self.wanted.empty or not self.unwanted.empty

    def priced(self, low: float | None, high: float | None, limit: Limit | None = None) -> Wish:
        """Return a copy with these price bounds; `limit` is what was stated, None when nothing is."""
        return self.model_copy(update={"price_min": low, "price_max": high, "limit": limit})

    def within(self, price: float | None) -> bool:
        """Whether a price keeps the limit last stated; one that is unknown, and any price without a limit, does."""
        low, high = self.limit.bounds if self.limit is not None else (None, None)
        return price is None or ((low is None or price >= low) and (high is None or price <= high))

    def filters(self) -> dict[str, Any]:
        """Return the wish as `catalog.filters.Filters` in the wire's form, {} when nothing is asked."""
        filters = self.wanted.wire()
        price = {"min": self.price_min, "max": self.price_max}
        if self.price_min is not None or self.price_max is not None:
            filters["price"] = {end: value for end, value in price.items() if value is not None}
        if self.available is not None:
            filters["available"] = self.available
        if self.unwanted.wire():
            filters["not"] = self.unwanted.wire()
        return filters

    def query(self) -> str:
        """Return the wish as a few words for retrieval, "" when only filters speak.

        Whom it is for is no word of it: records speak of things, and "dad" would match by accident.
        """
        return " ".join(dict.fromkeys((*self.said, *self.wanted.words)))
