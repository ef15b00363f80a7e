"""Finding, over thirty items a reader can check by eye (tools/toy_items.py)."""

from dataclasses import replace
from typing import Any

import pytest

from catalog.errors import ServiceError, ToolRetry, ToolUnavailable
from embedding.base import TextEmbedder
from tools.base import Shopper, ToolContext, ToolResult
from tools.doubles import TOY_NOW
from tools.registry import Registry
from tools.shop import Shop

BLUE = {"V01", "V06", "L02", "S01", "B03", "M01"}


def test_words_find(ids: Any) -> None:
    assert ids("search_items", {"query": "blue scarves"})[0] == "S01"
    assert ids("search_items", {"query": "leather"})[0] == "B01"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"attributes": {"colour": ["blue"]}}, BLUE),
        ({"attributes": {"colour": ["blue"]}, "category": ["vases", "mugs"]}, {"V01", "V06", "M01"}),
        ({"price": {"min": 5, "max": 10}}, {"M01", "M02"}),
        ({"category": ["bags"], "not": {"attributes": {"material": ["leather"]}}}, {"B02", "B03", "B04", "B06"}),
        ({"category": ["mugs"], "available": False}, {"M05"}),
        ({"brand": ["Setania"]}, {"S04", "S06", "B04"}),
    ],
)
def test_filters_alone_find_exactly_what_passes(ids: Any, filters: dict[str, Any], expected: set[str]) -> None:
    assert set(ids("search_items", {"filters": filters, "top_n": 30})) == expected


def test_filters_act_inside_the_search(ids: Any) -> None:
    found = ids("search_items", {"query": "blue glass", "filters": {"category": ["lamps"]}, "top_n": 30})
    assert found and all(item_id.startswith("L") for item_id in found)


def test_taste_settles_near_ties_but_never_beats_relevance(ask: Any) -> None:
    """Ben likes bags; a search for mugs still gives mugs first, though the model puts every bag far above them."""
    found = [c.item_id for c in ask("search_items", {"query": "mug"}, user="ben").candidates]
    assert {i[0] for i in found[:4]} == {"M"}


def test_out_of_stock_is_left_out_and_told(ask: Any) -> None:
    result = ask("search_items", {"query": "cat face mug", "top_n": 3})
    assert "M05" not in [c.item_id for c in result.candidates]
    assert result.facts["unavailable"] == ["M05"]
    assert result.trace["drops"]["M05"] == "out of stock"


def test_when_all_that_fits_is_out_of_stock_it_is_shown_as_such(ask: Any) -> None:
    result = ask("search_items", {"filters": {"attributes": {"colour": ["grey"], "material": ["wool"]}}})
    assert [c.item_id for c in result.candidates] == ["S03"]
    assert result.facts["blocking"] == {"field": "available", "value": True, "relaxed": 1}
    assert result.facts["nearest"] is True


def test_variants_share_one_place(ask: Any) -> None:
    result = ask("search_items", {"query": "merino scarf", "top_n": 30})
    assert len({"S01", "S02", "S03"} & {c.item_id for c in result.candidates}) == 1
    assert result.facts["variants"] == {"S01": ["S02"]}
    assert result.trace["drops"]["S02"] == "variant of S01"


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("price_asc", ["M02", "M01", "M03", "M04", "M06"]),  # the bowl without a price comes last
        ("price_desc", ["M04", "M03", "M01", "M02", "M06"]),
        ("rating", ["M01", "M03", "M04", "M02", "M06"]),
    ],
)
def test_sorts(ids: Any, sort: str, expected: list[str]) -> None:
    assert ids("search_items", {"filters": {"category": ["mugs"]}, "sort": sort}) == expected


def test_a_sorted_search_keeps_to_what_was_asked_for(ids: Any) -> None:
    assert ids("search_items", {"query": "bag", "sort": "price_asc"}) == ["B02", "B06", "B04", "B03", "B01"]


def test_newest_is_refused_where_nothing_is_dated(ask: Any) -> None:
    with pytest.raises(ToolRetry, match="items of this shop carry no date; relevance, price_asc"):
        ask("search_items", {"sort": "newest"})


def test_newest_reads_a_date_where_there_is_one(shop: Shop, ask: Any) -> None:
    from catalog.items import Catalog

    years = {"V01": "1999", "V02": "2021-05-03", "V03": "2020"}
    dated = [
        replace(i, attributes={**i.attributes, "year": (years[i.item_id],)}) if i.item_id in years else i
        for i in shop.catalog
    ]
    registry = Registry(replace(shop, catalog=Catalog(dated)))
    context = ToolContext(Shopper(), TOY_NOW, "r")
    found = registry.call("search_items", {"sort": "newest", "filters": {"category": ["vases"]}}, context)
    assert [c.item_id for c in found.candidates] == ["V02", "V03", "V01", "V05", "V06"]


@pytest.mark.parametrize("search", [{"query": "blue"}, {"sort": "price_desc"}, {}, {"like": ["V01"]}])
def test_pages_follow_each_other_without_gap_or_repeat(ask: Any, search: dict[str, Any]) -> None:
    seen: list[str] = []
    arguments: dict[str, Any] = {**search, "top_n": 7}
    whole = [c.item_id for c in ask("search_items", {**arguments, "top_n": 100}, user="ana").candidates]
    for _ in range(10):
        page = ask("search_items", arguments, user="ana")
        seen += [c.item_id for c in page.candidates]
        if "cursor" not in page.facts:
            break
        arguments["cursor"] = page.facts["cursor"]
    assert seen == whole


@pytest.mark.parametrize("cursor", ["nonsense", "7-000000000000", "-1-abc", "99999999999-abc"])
def test_a_foreign_cursor_is_refused(ask: Any, cursor: str) -> None:
    with pytest.raises(ToolRetry, match="not of this search; leave it out"):
        ask("search_items", {"query": "blue", "cursor": cursor})


def cosine_of(item_id: str, result: ToolResult) -> float:
    return next(float(r["features"]["cosine"]) for r in result.trace["ranked"] if r["item_id"] == item_id)


def test_examples_pull_and_counter_examples_push(ask: Any, ids: Any) -> None:
    assert ids("search_items", {"like": ["V02"], "top_n": 3})[0].startswith("V")
    pulled = ids("search_items", {"query": "bag", "like": ["B06"], "top_n": 30})
    assert "B06" not in pulled
    plain = cosine_of("V06", ask("search_items", {"query": "blue", "top_n": 30}))
    pushed = ask("search_items", {"query": "blue", "unlike": ["V01"], "top_n": 30})
    assert "V01" not in [c.item_id for c in pushed.candidates]
    assert cosine_of("V06", pushed) < plain


def test_the_trace_tells_every_source_with_rank_and_score(ask: Any) -> None:
    result = ask("search_items", {"query": "blue vase"}, user="ana")
    best = result.trace["ranked"][0]
    assert best["item_id"] == result.candidates[0].item_id
    assert {s["source"] for s in best["sources"]} == {"keyword", "text-hashing", "caption-toy-hashing"}
    assert all(s["rank"] >= 1 for s in best["sources"])
    assert {m["word"] for m in best["matched"]} == {"blue", "vase"}
    assert best["closest"]["why"] in {"purchase", "view"}
    assert [s["stage"] for s in result.trace["stages"]][:4] == ["shopper", "filter", "retrieve", "unite"]
    assert all(s["ms"] >= 0 for s in result.trace["stages"])


def test_without_the_embedder_words_still_find_and_the_answer_says_so(shop: Shop) -> None:
    class Unreachable(TextEmbedder):
        name, model, dim = "hashing", "none", 256

        def embed(self, texts: object) -> Any:
            raise ServiceError("embeddings at x: connection refused", retryable=True)

    registry = Registry(replace(shop, embedder=Unreachable()))
    result = registry.call("search_items", {"query": "leather"}, ToolContext(Shopper(), TOY_NOW, "r"))
    assert result.candidates[0].item_id == "B01"
    assert result.facts["degraded"] == ["meaning of words: embeddings at x: connection refused"]


def test_similar_leaves_the_item_and_its_variants_out(ids: Any) -> None:
    found = ids("similar_items", {"item_id": "`S01`", "top_n": 30})
    assert not {"S01", "S02", "S03"} & set(found)
    assert found[0].startswith("S")


def test_similar_in_look_and_in_words_differ(ids: Any) -> None:
    look = ids("similar_items", {"item_id": "M01", "aspect": "look", "top_n": 30})
    words = ids("similar_items", {"item_id": "M01", "aspect": "words", "top_n": 30})
    assert look != words
    assert set(look[:3]) & (BLUE | {"M02", "M03", "M04"})


def test_similar_but_cheaper(ids: Any, shop: Shop) -> None:
    found = ids("similar_items", {"item_id": "V06", "filters": {"category": ["vases"], "price": {"max": 30}}})
    assert set(found) == {"V01", "V03"}


def test_similar_in_look_needs_something_read_from_pictures(shop: Shop) -> None:
    blind = replace(shop, spaces={"text-hashing": shop.spaces["text-hashing"]})
    with pytest.raises(ToolUnavailable, match="nothing was read from the pictures of 'V01'"):
        Registry(blind).call(
            "similar_items", {"item_id": "V01", "aspect": "look"}, ToolContext(Shopper(), TOY_NOW, "r")
        )
