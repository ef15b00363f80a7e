from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from catalog.filters import Filters
from catalog.items import Catalog
from catalog.nouns import Item

BOOT = Item(
    "boot", price=80, brand="Ann", categories=("Shoes", "Boots"),
    attributes={"Colour": ("red", "Black"), "material": ("leather",)}, availability=True,
)  # fmt: skip
CARD = Item("card", brand=None, categories=("Gifts",))
SOLD = Item("sold", price=20, categories=("Shoes",), attributes={"colour": ("blue",)}, availability=False)
CATALOG = Catalog([BOOT, CARD, SOLD])


@pytest.mark.parametrize(
    ("asked", "passing"),
    [
        ({}, ["boot", "card", "sold"]),
        ({"price": {"max": 80}}, ["boot", "sold"]),
        ({"price": {"min": 20.01}}, ["boot"]),
        ({"price": {"min": 20, "max": 20}}, ["sold"]),
        ({"price": {}}, ["boot", "card", "sold"]),
        ({"brand": ["ANN", "Bob"]}, ["boot"]),
        ({"category": ["shoes"]}, ["boot", "sold"]),
        ({"category": ["boots", "gifts"]}, ["boot", "card"]),
        ({"attributes": {"colour": ["black", "green"]}}, ["boot"]),
        ({"attributes": {"COLOUR": ["red"], "material": ["wool"]}}, []),
        ({"available": True}, ["boot", "card"]),
        ({"available": False}, ["sold"]),
        ({"category": ["shoes"], "price": {"max": 50}}, ["sold"]),
        ({"not": {"attributes": {"material": ["leather"]}}}, ["card", "sold"]),
        ({"not": {"brand": ["Ann"], "attributes": {"colour": ["blue"]}}}, ["card"]),
        ({"category": ["shoes"], "not": {"price": {"min": 50}}}, ["sold"]),
        ({"not": {}}, ["boot", "card", "sold"]),
    ],
)
def test_what_passes(asked: dict[str, Any], passing: list[str]) -> None:
    filters = Filters.model_validate(asked)
    assert [item.item_id for item in CATALOG if filters.matches(item)] == passing
    mask = CATALOG.mask(filters)
    assert mask is None or [item.item_id for item, yes in zip(CATALOG, mask, strict=True) if yes] == passing


def test_nothing_asked_is_no_mask() -> None:
    assert CATALOG.mask(None) is None and CATALOG.mask(Filters()) is None
    assert Filters().empty and not Filters(available=True).empty


@pytest.mark.parametrize(
    "asked",
    [
        {"colour": ["red"]}, {"price": {"min": 5, "max": 1}}, {"price": {"min": -1}}, {"price": {"max": float("nan")}},
        {"price": {"least": 3}}, {"brand": "Ann"}, {"not": {"colour": ["red"]}},
    ],
)  # fmt: skip
def test_what_is_not_the_language_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Filters.model_validate(asked)


def test_a_list_longer_than_anybody_asks_for_is_refused_by_its_length():
    many = [f"b{n}" for n in range(1001)]
    assert Filters.model_validate({"brand": many[:1000]}).brand[0] == "b0"
    for asked in ({"brand": many}, {"category": many}, {"attributes": {"colour": many}}, {"not": {"brand": many}}):
        with pytest.raises(ValidationError, match="up to 1000 together would be valid"):
            Filters.model_validate(asked)
    with pytest.raises(ValidationError, match="up to 1000 together would be valid"):
        Filters.model_validate({"attributes": {name: [] for name in many}})
