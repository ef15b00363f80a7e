"""The columns must say what `Filters.matches` says, for any catalogue and any filter."""

import statistics

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.filters import Filters, PriceRange
from catalog.items import Catalog
from catalog.nouns import Item
from indexes.facets import FacetCount, FacetIndex

WORDS = st.sampled_from(["red", "RED", "Blue", "straße", "STRASSE", "İ", "", "x"])
NAMES = st.sampled_from(["colour", "Colour", "size", "material"])
SOME = st.lists(WORDS, max_size=3).map(tuple)
PRICES = st.none() | st.sampled_from([0.0, 4.99, 5.0, 10.0]) | st.floats(0, 20)
ATTRIBUTES = st.dictionaries(NAMES, SOME, max_size=3)

ITEMS = st.builds(
    Item,
    st.just("?"),
    price=PRICES,
    brand=st.none() | WORDS,
    categories=SOME,
    attributes=ATTRIBUTES,
    availability=st.none() | st.booleans(),
)
RANGES = st.none() | st.tuples(PRICES, PRICES).map(
    lambda p: PriceRange(min=min(p), max=max(p)) if None not in p else PriceRange(min=p[0], max=p[1])
)
PLAIN = st.builds(
    Filters, price=RANGES, brand=SOME, category=SOME, attributes=ATTRIBUTES, available=st.none() | st.booleans()
)
FILTERS = st.tuples(PLAIN, st.none() | PLAIN).map(lambda pair: pair[0].model_copy(update={"not_": pair[1]}))


def numbered(items: list[Item]) -> Catalog:
    from dataclasses import replace

    return Catalog(replace(item, item_id=f"i{n}") for n, item in enumerate(items))


@settings(max_examples=300, deadline=None)
@given(st.lists(ITEMS, max_size=6).map(numbered), FILTERS)
def test_mask_equals_matches(catalog: Catalog, filters: Filters) -> None:
    mask = FacetIndex(catalog).mask(filters)
    if mask is None:
        mask = np.ones(len(catalog), np.bool_)
    assert mask.tolist() == [filters.matches(item) for item in catalog]


SHOP = Catalog(
    [
        Item("a", price=5.0, brand="Hako", categories=("home", "mugs"), attributes={"Colour": ("Blue",)}),
        Item("b", price=9.0, brand="hako", categories=("home",), attributes={"colour": ("blue", "red", "BLUE")}),
        Item("c", brand="Tramp", categories=("bags",)),
        Item("d", price=9.0),
        Item("e", price=20.0, attributes={"colour": ("red",)}),
    ]
)


def test_counts_join_spellings_and_sort_by_count() -> None:
    facets = FacetIndex(SHOP)
    assert facets.counts("brand") == [FacetCount("Hako", 2), FacetCount("Tramp", 1)]
    assert facets.counts("COLOUR") == [FacetCount("Blue", 2), FacetCount("red", 2)]
    assert facets.counts("colour", np.array([True, False, True, True, False])) == [FacetCount("Blue", 1)]
    assert facets.counts("size") == []
    assert facets.facets == ("brand", "category", "colour")


def test_price_span_is_over_priced_items_with_extremes() -> None:
    span = FacetIndex(SHOP).price_span()
    assert span is not None
    assert (span.count, span.min, span.max) == (4, 5.0, 20.0)
    assert span.median == statistics.median([5, 9, 9, 20])
    assert (span.cheapest, span.dearest) == ("a", "e")


def test_equal_extremes_go_to_the_lower_row() -> None:
    span = FacetIndex(SHOP).price_span(np.array([False, True, True, True, False]))
    assert span is not None and (span.cheapest, span.dearest) == ("b", "b")


def test_no_price_no_span() -> None:
    facets = FacetIndex(SHOP)
    assert facets.price_span(np.array([False, False, True, False, False])) is None
    assert FacetIndex(Catalog([])).price_span() is None
