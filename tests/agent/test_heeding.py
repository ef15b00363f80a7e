"""What was told, as it counts for lists that no conversation asked for: the same as in a chat."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from agent.memory.heeding import heeded
from agent.understanding.vocabulary import Vocabulary
from catalog.filters import Filters
from catalog.items import Catalog
from catalog.told import Told
from tools.toy_items import toy_items

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SIZES = {"S01": ("S", "M"), "S02": ("M",), "S04": ("M", "L"), "S05": ("L",)}
SHOP = Vocabulary(Catalog([replace(item, sizes=SIZES.get(item.item_id, ())) for item in toy_items()]))


def told(kind: Any, facet: str, value: str, about: str | None = None) -> Told:
    return Told(kind, facet, value, "...", NOON, "s1", "r1", about)


RED = told("dislike", "attribute.colour", "red")
LEATHER = told("dislike", "attribute.material", "leather")
BUDGET = told("budget", "price", "50")
SIZE_M = told("size", "size", "M")
BLUE = told("like", "attribute.colour", "blue")


def barred(entries: list[Told], **filters: Any) -> set[str]:
    found = heeded(Filters(**filters), entries, SHOP)
    return {toy_items()[row].item_id for row in found.barred}


def test_dislikes_and_a_budget_keep_items_out() -> None:
    assert barred([RED]) == {"L05", "S02", "B04"}
    assert barred([RED, LEATHER]) == {"L05", "S02", "B04", "B01"}
    # Above 50; and the tea bowl, whose price nobody knows.
    assert barred([BUDGET]) == {"V06", "L01", "L02", "L04", "S04", "S06", "B01", "B03", "B04", "M06"}


def test_a_size_counts_where_the_kind_of_thing_comes_in_sizes() -> None:
    assert barred([SIZE_M]) == set() == barred([SIZE_M], category=("vases",))
    assert barred([SIZE_M], category=("Scarves",)) == {"S05"}  # S03 and S06 say nothing of sizes


@pytest.mark.parametrize(
    "filters",
    [
        {"attributes": {"Colour": ("RED",)}},
        {"attributes": {"colour": ("blue", "green")}},
        {"not_": Filters(attributes={"colour": ("grey",)})},
    ],
)
def test_what_the_filters_say_of_a_facet_wins(filters: dict[str, Any]) -> None:
    assert barred([RED], **filters) == set()
    assert heeded(Filters(**filters), [BLUE], SHOP).liked == ()


def test_a_price_that_is_asked_for_sets_the_budget_aside_alone() -> None:
    assert barred([BUDGET, RED], price={"min": 60}) == {"L05", "S02", "B04"}


def test_what_is_nowhere_among_the_wanted_keeps_nothing_out() -> None:
    assert heeded(Filters(category=("mugs",)), [RED], SHOP).kept == ()
    assert heeded(Filters(brand=("Nobody",), attributes={"era": ("new",)}), [RED], SHOP).kept == ()


def test_what_is_liked_goes_first_and_is_named_where_the_first_has_it() -> None:
    found = heeded(Filters(), [BLUE], SHOP)
    vase, bag = (next(i for i in toy_items() if i.item_id == item_id) for item_id in ("V01", "B01"))
    assert (found.likings(vase), found.likings(bag)) == (1, 0)
    assert found.account(set_aside=False, first=vase) == {"liked": [BLUE.entry_id]}
    assert found.sentence("s1", set_aside=False, first=bag) == ""
