"""Paging that cannot lie: pages neither overlap nor miss anything, and all tell the total that they add up to."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from catalog.errors import ToolRetry
from catalog.items import Catalog
from catalog.vectors import EmbeddingTable
from indexes.fields import item_fields
from indexes.flat import FlatIndex
from indexes.keyword import KeywordIndex
from tools.base import Shopper, ToolContext
from tools.doubles import TOY_NOW, HashingEmbedder, toy_shop
from tools.registry import Registry
from tools.shop import Shop
from tools.toy_items import toy_items

COPIES = 20
"""Times the toy stock stands in the large shop: 600 items, more than a source proposes for one page."""

SEARCHES: tuple[dict[str, Any], ...] = (
    {"query": "blue vase"},
    {"query": "a warm scarf", "filters": {"price": {"max": 150}}},
    {"query": "mug", "sort": "price_asc"},
    {"query": "lamp", "filters": {"not": {"brand": ["Hako"]}}, "sort": "rating"},
    {"sort": "price_desc"},
    {"sort": "rating", "filters": {"category": ["bags"]}},
    {"filters": {"category": ["lamps"], "available": True}},
    {"like": ["V01-3"], "unlike": ["V05-1"]},
    {},
)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    small = toy_shop(tmp_path_factory.mktemp("large"))
    rng = Random(7)
    items = [
        replace(
            item,
            item_id=f"{item.item_id}-{n}",
            parent_id=item.parent_id and f"{item.parent_id}-{n}",
            title=f"{item.title} {rng.choice(['one', 'two', 'three'])}",
            price=item.price and round(rng.uniform(5, 200), 2),
            images=(),
        )
        for n in range(COPIES)
        for item in toy_items()
    ]
    catalog, embedder = Catalog(items), HashingEmbedder()
    texts = embedder.embed([" ".join(item_fields(item).values()) for item in items])
    table = EmbeddingTable(catalog.ids, texts, "text-hashing")
    indexes = {"keyword": KeywordIndex.build(catalog, {}), "text-hashing": FlatIndex.build(table)}
    spaces = {"text-hashing": table}
    yield replace(small, catalog=catalog, captions={}, spaces=spaces, indexes=indexes, recommender=None)
    small.events.close()


def pages(shop: Shop, arguments: dict[str, Any], sizes: tuple[int, ...]) -> list[Any]:
    """Every page of a search; the sizes are taken in turn."""
    registry, context = Registry(shop), ToolContext(Shopper("ana"), TOY_NOW, "r")
    found: list[Any] = []
    cursor = None
    while cursor is not None or not found:
        asked = {**arguments, "top_n": sizes[len(found) % len(sizes)], "cursor": cursor}
        found.append(registry.call("search_items", asked, context))
        cursor = found[-1].facts.get("cursor")
    return found


@pytest.mark.parametrize("sizes", [(100,), (30,), (7, 64, 1)], ids=str)
@pytest.mark.parametrize("arguments", SEARCHES, ids=str)
def test_pages_add_up_to_the_total_that_each_of_them_tells(
    large: Shop, arguments: dict[str, Any], sizes: tuple[int, ...]
) -> None:
    found = pages(large, arguments, sizes)
    ids = [candidate.item_id for page in found for candidate in page.candidates]
    assert len(ids) == len(set(ids))
    assert {page.facts["total"] for page in found} == {len(ids)}
    assert all(len(page.candidates) == sizes[n % len(sizes)] for n, page in enumerate(found[:-1]))
    if arguments.get("sort", "").startswith("price"):
        prices = [price for item_id in ids if (price := large.catalog[item_id].price) is not None]
        assert prices == sorted(prices, reverse=arguments["sort"] == "price_desc")


def test_browsing_reaches_everything(large: Shop) -> None:
    ids = {candidate.item_id for page in pages(large, {"sort": "price_asc"}, (100,)) for candidate in page.candidates}
    # One variant a parent, and what is out of stock set aside: of 30 toy items five are, one of them a scarf of three.
    assert len(ids) == COPIES * (30 - 5 - 1)


def test_a_page_is_the_same_however_one_comes_to_it(large: Shop) -> None:
    whole = [c.item_id for page in pages(large, {"query": "blue lamp"}, (30,)) for c in page.candidates]
    parts = [c.item_id for page in pages(large, {"query": "blue lamp"}, (30, 11)) for c in page.candidates]
    assert whole == parts


@pytest.mark.parametrize("change", [{"query": "red vase"}, {"sort": "rating"}, {"filters": {"brand": ["Hako"]}}])
def test_a_cursor_belongs_to_its_search(large: Shop, change: dict[str, Any]) -> None:
    registry, context = Registry(large), ToolContext(Shopper(), TOY_NOW, "r")
    cursor = registry.call("search_items", {"query": "blue vase"}, context).facts["cursor"]
    with pytest.raises(ToolRetry, match="not of this search; leave it out to begin"):
        registry.call("search_items", {"query": "blue vase", **change, "cursor": cursor}, context)


@pytest.mark.parametrize(
    "cursor", ["", "10", "10-200", "10-999999-{}", "-1-200-{}", "１０-200-{}", "1e3-200-{}", "x" * 999]
)
def test_a_cursor_that_was_changed_is_refused(large: Shop, cursor: str) -> None:
    registry, context = Registry(large), ToolContext(Shopper(), TOY_NOW, "r")
    stamp = registry.call("search_items", {"query": "blue vase"}, context).facts["cursor"].rpartition("-")[2]
    with pytest.raises(ToolRetry, match="'cursor' is"):
        registry.call("search_items", {"query": "blue vase", "cursor": cursor.format(stamp)}, context)
