"""What other shops learned in production: each of these was somebody's complaint."""

from typing import Any

import pytest

from catalog.errors import ToolRetry
from tools.limits import MAX_ITEMS
from tools.shop import Shop


@pytest.mark.parametrize("written", ["<B01>", "'B01'", "`B01`", '"B01"', "b01"])
def test_quoted_ids_resolve(ask: Any, written: str) -> None:
    assert ask("item_details", {"item_id": written}).facts["item"]["title"] == "Saddle leather bag"


def test_the_most_expensive_thing_is_a_fact_of_the_whole_catalogue(ask: Any, ids: Any, shop: Shop) -> None:
    dearest = max((i for i in shop.catalog if i.price is not None), key=lambda i: i.price or 0)
    facts = ask("catalogue_facts").facts
    assert facts["dearest"]["item_id"] == dearest.item_id == "L04"
    assert facts["dearest"]["price"] == facts["price"]["max"] == 249.0
    assert ids("search_items", {"sort": "price_desc", "top_n": 1}) == ["L04"]


def test_anything_between_five_and_ten(ask: Any, ids: Any) -> None:
    between = {"price": {"min": 5, "max": 10}}
    assert ask("catalogue_facts", {"filters": between}).facts["count"] == 2
    assert set(ids("search_items", {"filters": between})) == {"M01", "M02"}


def test_comparing_two_things_the_shop_does_not_carry_says_so_once(ask: Any) -> None:
    with pytest.raises(ToolRetry) as caught:
        ask("compare_items", {"item_ids": ["Rolex", "Omega"]})
    text = str(caught.value)
    assert text.count("does not have") == 1
    assert "'Rolex'" in text and "'Omega'" in text


def test_comparing_a_stocked_with_an_unstocked_item_works(ask: Any) -> None:
    differ = ask("compare_items", {"item_ids": ["S01", "S03"]}).facts["differ"]
    assert differ["available"] == {"S01": True, "S03": False}
    assert differ["attributes.colour"] == {"S01": ["blue"], "S03": ["grey"]}


@pytest.mark.parametrize(
    ("filters", "blocking", "nearest"),
    [
        ({"category": ["mugs"], "price": {"max": 5}}, {"field": "price", "value": {"max": 5.0}}, "M02"),
        ({"category": ["lamps"], "price": {"min": 300}}, {"field": "price", "value": {"min": 300.0}}, "L04"),
        (
            {"category": ["lamps"], "attributes": {"colour": ["purple"]}},
            {"field": "attributes.colour", "value": ["purple"]},
            None,
        ),
        ({"brand": ["Nikee"], "category": ["vases"]}, {"field": "brand", "value": ["Nikee"]}, None),
    ],
)
def test_not_found_names_the_one_field_that_blocks_and_offers_the_nearest(
    ask: Any, filters: dict[str, Any], blocking: dict[str, Any], nearest: str | None
) -> None:
    result = ask("search_items", {"filters": filters})
    assert {k: result.facts["blocking"][k] for k in ("field", "value")} == blocking
    assert result.facts["nearest"] is True
    assert result.facts["blocking"]["relaxed"] >= len(result.candidates) > 0
    assert nearest is None or result.candidates[0].item_id == nearest
    assert blocking["field"] in result.text


def test_a_price_that_keeps_out_what_the_words_name_is_the_blocking_field(ask: Any) -> None:
    """Mugs do pass a price limit of ten, but nobody asked for mugs."""
    result = ask("search_items", {"query": "vase", "filters": {"price": {"max": 10}}})
    assert result.facts["blocking"] == {"field": "price", "value": {"max": 10.0}, "relaxed": 5}
    assert [c.item_id for c in result.candidates] == ["V01", "V03", "V02", "V05", "V06"]  # by distance to the price


def test_what_the_shop_has_no_word_for_is_told(ask: Any) -> None:
    result = ask("search_items", {"query": "zeppelin"})
    assert result.facts["nearest"] is True
    assert result.facts["unknown_words"] == ["zeppelin"]
    assert "'zeppelin'" in result.text


def test_a_misspelt_brand_brings_the_real_one(ask: Any) -> None:
    result = ask("search_items", {"filters": {"brand": ["Lumin"]}})
    assert result.facts["unknown"] == [{"field": "brand", "value": "Lumin", "closest": ["Lumen"]}]


def test_stock_is_never_denied(ask: Any, shop: Shop) -> None:
    """Every stocked item is found first, or as a variant of the first, by its own title."""
    for item in shop.catalog:
        result = ask("search_items", {"query": item.title, "top_n": 5})
        first = result.candidates[0].item_id
        group = {first, *result.facts.get("variants", {}).get(first, ())}
        if item.availability:
            assert item.item_id in group, item.title
        else:
            assert item.item_id in result.facts["unavailable"], item.title


def test_everything_a_search_returns_fits_into_every_other_tool(ask: Any, ids: Any) -> None:
    found = ids("search_items", {"top_n": MAX_ITEMS})
    assert len(found) == 24  # all but five out of stock and one variant
    assert set(ids("rank_items", {"item_ids": found})) == set(found)
    assert len(ask("compare_items", {"item_ids": found}).candidates) == len(found)
    assert not set(ids("recommend_items", {"exclude": found, "top_n": MAX_ITEMS})) & set(found)
    ask("search_items", {"like": found, "unlike": found})


def test_what_the_shopper_typed_cannot_break_a_tool(ask: Any) -> None:
    for wild in ("'; DROP TABLE items; --", "\x00\x1b[31m", "💥" * 200, "%s %d {0}", "a" * 1000, "\n\n", "#1"):
        ask("search_items", {"query": wild})
        ask("search_items", {"filters": {"brand": [wild], "category": [wild]}})
