"""What the shopper may want, and on what ground."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from catalog.errors import ToolRetry
from catalog.nouns import Interaction, Kind
from tools.base import Shopper, ToolContext
from tools.doubles import TOY_NOW
from tools.registry import Registry
from tools.shop import Shop
from tools.taste import anonymous_id


def put(
    shop: Shop, user: str, item_id: str, kind: Kind, session: str | None = None, value: float | None = None
) -> None:
    stamp = TOY_NOW - timedelta(seconds=1)
    shop.events.put([Interaction(f"{user}{item_id}{kind}{session}", user, item_id, stamp, kind, session, value)])


def test_a_stranger_gets_what_is_popular_and_is_told(ask: Any, shop: Shop) -> None:
    result = ask("recommend_items", {"top_n": 1})
    in_stock = [i for i in shop.catalog if i.availability]
    assert result.candidates[0].item_id == max(in_stock, key=lambda i: i.rating_count or 0).item_id == "M02"
    assert result.facts["ground"] == "popularity"
    assert "nothing is known" in result.text


def test_a_known_shopper_is_served_by_history(ask: Any) -> None:
    result = ask("recommend_items", {"top_n": 3}, user="ben")
    assert result.facts["ground"] == "history"
    assert result.candidates[0].item_id.startswith("B")


def test_the_owned_the_returned_and_variants_of_the_owned_are_left_out(ids: Any) -> None:
    assert not {"B01", "B04"} & set(ids("recommend_items", {"top_n": 30}, user="ben"))
    assert not {"S01", "S02", "S03"} & set(ids("recommend_items", {"top_n": 30}, user="ana"))


def test_a_dismissal_counts_at_once(ids: Any, shop: Shop) -> None:
    before = ids("recommend_items", {"top_n": 30}, user="ana")
    put(shop, "ana", before[0], "dismiss")
    assert before[0] not in ids("recommend_items", {"top_n": 30}, user="ana")


def test_a_low_rating_speaks_against_and_a_high_one_for(ids: Any, shop: Shop) -> None:
    put(shop, "cleo", "L02", "rating", value=1.0)
    assert "L02" not in ids("recommend_items", {"top_n": 30}, user="cleo")
    put(shop, "dora", "L02", "rating", value=5.0)
    assert ids("recommend_items", {"top_n": 3}, user="dora")[0].startswith("L")


def test_the_session_of_a_stranger_counts_at_once(ask: Any, shop: Shop) -> None:
    fresh = ask("recommend_items", {"top_n": 3}, session="s-9", recent=("L06",))
    assert fresh.facts["ground"] == "session"
    assert fresh.candidates[0].item_id.startswith("L")
    put(shop, anonymous_id("s-9"), "V02", "view", session="s-9")
    assert ask("recommend_items", {"top_n": 1}, session="s-9").candidates[0].item_id.startswith("V")


def test_a_session_id_gives_away_nothing_of_another_shopper(ask: Any, shop: Shop) -> None:
    put(shop, "ana", "V02", "purchase", session="shared")
    assert ask("recommend_items", {"top_n": 3}, session="shared").facts["ground"] == "popularity"
    assert ask("shopper_history", {}, user="ben", session="shared").facts["events"][0]["item_id"] != "V02"


def test_what_is_yet_to_come_is_not_known(ask: Any, shop: Shop) -> None:
    later = Interaction("later", "cleo", "L02", TOY_NOW + timedelta(days=1), "purchase")
    shop.events.put([later])
    assert ask("recommend_items", {"top_n": 3}, user="cleo").facts["ground"] == "popularity"


def test_exclude_and_filters_hold(ids: Any) -> None:
    everything = ids("recommend_items", {"top_n": 30})
    assert set(ids("recommend_items", {"exclude": everything[:5], "top_n": 30})) - {"S02"} == set(everything[5:])
    assert set(ids("recommend_items", {"filters": {"category": "mug"}})) == {"M01", "M02", "M03", "M04", "M06"}


def test_when_everything_is_excluded_nothing_is_offered_instead(ask: Any) -> None:
    mugs = ["M01", "M02", "M03", "M04", "M05", "M06"]
    result = ask("recommend_items", {"filters": {"category": ["mugs"]}, "exclude": mugs})
    assert result.candidates == ()
    assert result.facts["blocking"]["field"] == "exclude"


def test_the_same_call_gives_the_same_answer(ids: Any) -> None:
    assert ids("recommend_items", {"top_n": 30}, user="ana") == ids("recommend_items", {"top_n": 30}, user="ana")


def test_without_a_model_likeness_and_popularity_serve(shop: Shop) -> None:
    registry = Registry(replace(shop, recommender=None))

    def ask(user: str | None) -> Any:
        return registry.call("recommend_items", {"top_n": 3}, ToolContext(Shopper(user), TOY_NOW, "r"))

    assert ask(None).facts["ground"] == "popularity"
    result = ask("ana")
    assert result.facts["ground"] == "session"
    assert {s["source"] for s in result.trace["ranked"][0]["sources"]} == {
        "popularity", "liked:text-hashing", "liked:caption-toy-hashing",
    }  # fmt: skip


def test_no_two_neighbours_need_be_alike(shop: Shop) -> None:
    def spread(diversity: float) -> int:
        config = shop.pipeline.model_copy(update={"diversity": diversity})
        context = ToolContext(Shopper(recent=("M02",)), TOY_NOW, "r")
        found = Registry(replace(shop, pipeline=config)).call("recommend_items", {"top_n": 5}, context)
        return len({shop.catalog[c.item_id].categories[-1] for c in found.candidates})

    assert spread(0.9) > spread(0.0)


def test_rank_items_returns_exactly_what_it_was_given(ask: Any, ids: Any) -> None:
    given = ["<V01>", "B02", "M05", "S01", "S02"]  # out of stock and variants included
    assert sorted(ids("rank_items", {"item_ids": given})) == sorted(["V01", "B02", "M05", "S01", "S02"])
    assert ids("rank_items", {"item_ids": given, "query": "red scarf"})[0] == "S02"
    assert ids("rank_items", {"item_ids": ["V01", "B02"]}, user="ben")[0] == "B02"


def test_rank_items_needs_items(ask: Any) -> None:
    with pytest.raises(ToolRetry, match="'item_ids' is empty"):
        ask("rank_items", {"item_ids": []})
