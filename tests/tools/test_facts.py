"""Facts against plain Python over the thirty items."""

import statistics
from collections import Counter
from typing import Any

import pytest

from catalog.errors import ToolRetry
from tools.toy_items import toy_items

ITEMS = toy_items()


def test_counts_and_prices_are_over_everything(ask: Any) -> None:
    facts = ask("catalogue_facts").facts
    prices = [i.price for i in ITEMS if i.price is not None]
    assert (facts["count"], facts["in_catalogue"]) == (30, 30)
    assert facts["in_stock"] == sum(i.availability is not False for i in ITEMS)
    assert facts["price"] == {
        "count": len(prices),
        "min": min(prices),
        "median": statistics.median(prices),
        "max": max(prices),
        "currency": "EUR",
    }
    assert facts["cheapest"]["item_id"] == min(ITEMS, key=lambda i: i.price or 1e9).item_id


def test_groups_count_values_of_what_passes(ask: Any) -> None:
    facts = ask("catalogue_facts", {"group_by": "color", "filters": {"category": "vase"}, "top": 2}).facts
    counted = Counter(c for i in ITEMS if "vases" in i.categories for c in i.attributes["colour"])
    assert facts["group_by"] == "colour"
    assert facts["groups"] == [{"value": "blue", "count": counted["blue"]}, {"value": "green", "count": 1}]
    assert facts["distinct"] == len(counted)
    brands = ask("catalogue_facts", {"group_by": "brand", "top": 100}).facts["groups"]
    assert {g["value"]: g["count"] for g in brands} == Counter(i.brand for i in ITEMS)


def test_an_unknown_group_is_refused_with_what_there_is(ask: Any) -> None:
    with pytest.raises(
        ToolRetry, match=r"'group_by' is 'size', which no item has\. Available: brand, category, colour"
    ):
        ask("catalogue_facts", {"group_by": "size"})


def test_a_count_of_none_names_what_blocks(ask: Any) -> None:
    result = ask("catalogue_facts", {"filters": {"category": ["mugs"], "price": {"max": 5}}})
    assert result.facts["count"] == 0 and "price" not in result.facts
    assert result.facts["blocking"] == {"field": "price", "value": {"max": 5.0}, "relaxed": 6}
    assert result.candidates == ()


def test_details_hold_the_whole_record(ask: Any) -> None:
    item = ask("item_details", {"item_id": "S01"}).facts["item"]
    assert item["title"] == "Merino scarf, blue"
    assert (item["price"], item["currency"], item["available"]) == (35.0, "EUR", True)
    assert item["variants"] == ["S02", "S03"]
    assert item["captions"] == ["A blue object, a soft wide shape, on a plain background."]
    assert "price" not in ask("item_details", {"item_id": "M06"}).facts["item"]


def test_comparison_splits_fields_into_differing_and_shared(ask: Any) -> None:
    facts = ask("compare_items", {"item_ids": ["M01", "M06"]}).facts
    assert facts["differ"]["price"] == {"M01": 9.5, "M06": None}
    assert facts["differ"]["attributes.colour"] == {"M01": ["blue"], "M06": ["grey"]}
    assert facts["same"]["brand"] == "Terrano"
    assert not set(facts["same"]) & set(facts["differ"])


@pytest.mark.parametrize("item_ids", [[], ["M01"], ["M01", "<M01>"]])
def test_a_comparison_needs_two(ask: Any, item_ids: list[str]) -> None:
    with pytest.raises(ToolRetry, match="two or more would be valid"):
        ask("compare_items", {"item_ids": item_ids})
