"""Searches whose filters say all there is to the wish: taste has its say, what the shopper knows stands last."""

from dataclasses import replace
from typing import Any

import pytest

from catalog.filters import Filters
from tools.base import Shopper
from tools.doubles import TOY_NOW
from tools.pipeline.nouns import PipelineRequest
from tools.pipeline.run import run
from tools.shop import Shop

BAGS = {"B01", "B02", "B03", "B04", "B06"}  # in stock


def test_what_the_shopper_owns_or_returned_stands_last(ids: Any) -> None:
    for query in (None, "bags"):
        found = ids("search_items", {"query": query, "filters": {"category": ["bags"]}}, user="ben")
        assert set(found) == BAGS
        assert set(found[-2:]) == {"B01", "B04"}


def test_every_page_together_holds_each_item_once(ask: Any) -> None:
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        arguments = {"filters": {"category": ["bags"]}, "top_n": 2, "cursor": cursor}
        page = ask("search_items", {k: v for k, v in arguments.items() if v is not None}, user="ben")
        seen += [each.item_id for each in page.candidates]
        cursor = page.facts.get("cursor")
    assert sorted(seen) == sorted(BAGS)
    assert set(seen[-2:]) == {"B01", "B04"}


def test_what_fits_is_never_denied_even_if_it_is_owned(ids: Any) -> None:
    leather = {"category": ["bags"], "attributes": {"material": ["leather"]}}
    assert ids("search_items", {"query": "leather bags", "filters": leather}, user="ben") == ["B01"]


def test_words_that_no_filter_holds_come_before_taste(ids: Any) -> None:
    found = ids("search_items", {"query": "saddle leather", "filters": {"category": ["bags"]}}, user="ben")
    assert found[0] == "B01"


def test_items_that_have_a_value_named_in_words_come_first_and_hide_no_other(ids: Any) -> None:
    vases = {"category": ["vases"]}  # V01 is of glass, V06 blue and ceramic, V02, V03 and V05 ceramic
    for user in (None, "ana", "ben"):
        glass = ids("search_items", {"query": "glass", "filters": vases}, user=user)
        assert (glass[0], set(glass)) == ("V01", {"V01", "V02", "V03", "V05", "V06"})
        both = ids("search_items", {"query": "blue ceramic vase", "filters": vases}, user=user)
        assert (both[0], len(both)) == ("V06", 5)


def test_taste_has_half_where_filters_say_it_all_and_a_tenth_elsewhere(shop: Shop) -> None:
    def shares(query: str) -> list[float]:
        mugs = PipelineRequest(Shopper("ana"), TOY_NOW, query=query, filters=Filters(category=("mugs",)))
        rows = [(each.score, each.features["relevance"], each.features["taste"]) for each in run(shop, mugs).ranked]
        return [(score - relevance) / (taste - relevance) for score, relevance, taste in rows if taste != relevance]

    assert shares("mugs") == pytest.approx([0.5] * 5, abs=1e-4)
    assert shares("everyday mugs") == pytest.approx([0.1] * 5, abs=1e-4)


def test_what_stands_last_is_not_brought_forward_for_diversity(shop: Shop) -> None:
    everything = PipelineRequest(Shopper("ben"), TOY_NOW, filters=Filters(available=True), top_n=30)
    shown = [each.item_id for each in run(shop, everything).ranked]
    against = shop.catalog.ids.rows(sorted(shown[:4]))
    after = [each.item_id for each in run(shop, replace(everything, barred=against)).ranked]
    assert sorted(after) == sorted(shown) and set(after[-6:]) == {*shown[:4], "B01", "B04"}
