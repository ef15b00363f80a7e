"""Blocking against plain counting over the thirty items."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.filters import Filters, PriceRange
from catalog.items import Catalog
from indexes.facets import FacetIndex
from tools.relaxation import Constraint, blocking, constraints
from tools.toy_items import toy_items

ITEMS = toy_items()
FACETS = FacetIndex(Catalog(ITEMS))


def blocked(**parts: object) -> tuple[str, object, int, tuple[str, ...]] | None:
    found = blocking(constraints(Filters(**parts), FACETS))  # type: ignore[arg-type]
    return None if found is None else (found.field, found.value, found.relaxed, found.also)


def test_nothing_asked_or_something_left_blocks_nothing() -> None:
    assert blocked() is None
    assert blocked(category=("mugs",), price=PriceRange(max=10)) is None


def test_the_one_constraint_that_leaves_nothing_is_named() -> None:
    assert blocked(category=("mugs",), price=PriceRange(max=5)) == ("price", {"max": 5.0}, 6, ())
    assert blocked(category=("lamps",), attributes={"colour": ("blue",)}, brand=("Nikee",)) == (
        "brand",
        ["Nikee"],
        1,
        (),
    )


def test_the_most_specific_relaxation_wins() -> None:
    # A green bag below 100: without the colour five bags, without the category three green things.
    green = [i for i in ITEMS if "green" in i.attributes["colour"] and i.price is not None and i.price <= 100]
    bags = [i for i in ITEMS if "bags" in i.categories and i.price is not None and i.price <= 100]
    assert (len(green), len(bags)) == (3, 5)
    found = blocked(category=("bags",), attributes={"colour": ("green",)}, price=PriceRange(max=100))
    assert found == ("category", ["bags"], 3, ())


def test_when_no_single_one_is_enough_two_are_named() -> None:
    found = blocked(brand=("Nikee",), attributes={"colour": ("purple",)}, category=("mugs",))
    assert found == ("brand", ["Nikee"], 6, ("attributes.colour",))


def test_a_not_can_block() -> None:
    found = blocked(category=("mugs",), **{"not": {"price": {"max": 100}}, "price": PriceRange(max=50)})
    assert found is not None and found[0] in {"price", "not.price"}


def test_what_the_wish_is_about_is_given_up_last() -> None:
    asked = constraints(Filters(price=PriceRange(max=5), category=("bags",)), FACETS)
    core = Constraint("query", "a single thing", FACETS.mask(Filters(brand=("Corrier",))), "core")  # type: ignore[arg-type]
    found = blocking([*asked, core])
    assert found is not None and found.field == "price"


FIELDS = {
    "price": st.sampled_from([None, PriceRange(max=5), PriceRange(min=300), PriceRange(max=40)]),
    "brand": st.sampled_from([(), ("Lumen",), ("Nikee",)]),
    "category": st.sampled_from([(), ("mugs",), ("bags", "vases")]),
    "available": st.sampled_from([None, True, False]),
    "attributes": st.sampled_from([{}, {"colour": ("blue",)}, {"colour": ("purple",), "material": ("glass",)}]),
}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.fixed_dictionaries(FIELDS))
def test_blocking_is_named_exactly_when_nothing_passes_and_its_count_is_true(parts: dict[str, object]) -> None:
    filters = Filters(**parts)  # type: ignore[arg-type]
    found = blocking(constraints(filters, FACETS))
    assert (found is None) == any(filters.matches(item) for item in ITEMS)
    if found is None:
        return
    empty = Filters()
    update: dict[str, object] = {}
    for field in (found.field, *found.also):
        name, _, inner = field.partition(".")
        kept = update.get(name, parts[name])
        update[name] = {k: v for k, v in kept.items() if k != inner} if inner else getattr(empty, name)  # type: ignore[union-attr]
    freed = Filters(**{**parts, **update})  # type: ignore[arg-type]
    assert found.relaxed == sum(freed.matches(item) for item in ITEMS) > 0
