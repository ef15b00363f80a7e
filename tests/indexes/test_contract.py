"""One contract, every index."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import QdrantClient

from catalog.errors import DataError, NotFoundError
from catalog.ids import IdMap
from catalog.items import Catalog
from catalog.nouns import Item
from catalog.vectors import EmbeddingTable
from indexes.base import Index, Query
from indexes.config import Kind
from indexes.flat import FlatIndex
from indexes.keyword import KeywordIndex
from indexes.live import LiveIndex
from indexes.opening import KINDS
from indexes.qdrant import QdrantIndex

TITLES = ["red lamp", "red lamp", "blue lamp", "lamp", "red lamp", "green striped lamp"]
CATALOG = Catalog(Item(f"i{n}", title=title) for n, title in enumerate(TITLES))
COLOURS = {"red": [1, 0, 0], "blue": [0, 1, 0], "green": [0, 0, 1]}
VECTORS = np.array([np.sum([COLOURS.get(w, [0.1] * 3) for w in t.split()], axis=0) for t in TITLES], np.float32)


def keyword() -> tuple[Index, Query]:
    return KeywordIndex.build(CATALOG), Query(text="red lamps")


def flat() -> tuple[Index, Query]:
    return FlatIndex.build(EmbeddingTable(CATALOG.ids, VECTORS, "toy")), Query(vector=np.array([2, 0.1, 0], np.float32))


def of_kind(kind: Kind) -> Callable[[], tuple[Index, Query]]:
    def make() -> tuple[Index, Query]:
        return KINDS[kind].build(EmbeddingTable(CATALOG.ids, VECTORS, "toy")), flat()[1]

    make.__name__ = kind
    return make


def live() -> tuple[Index, Query]:
    """The same six items, by way of one that went, one that moved and two that came later."""
    first = EmbeddingTable(IdMap(["i0", "gone", "i1", "i2", "i3"]), VECTORS[[0, 0, 5, 2, 3]], "toy")
    index = LiveIndex(FlatIndex.build(first))
    index.add(EmbeddingTable(IdMap(["i1"]), VECTORS[[1]], "toy"))
    index.add(EmbeddingTable(IdMap(["i4", "i5"]), VECTORS[[4, 5]], "toy"))
    index.delete(["gone"])
    return index, flat()[1]


def qdrant() -> tuple[Index, Query]:
    return QdrantIndex.build(EmbeddingTable(CATALOG.ids, VECTORS, "toy")), flat()[1]


@pytest.fixture(autouse=True)
def a_server_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Qdrant's own client holds collections in memory when asked to."""
    client = QdrantClient(":memory:")
    monkeypatch.setattr("indexes.qdrant.connect", lambda config: client)


every_index = pytest.mark.parametrize(
    "make", [keyword, flat, of_kind("scan"), of_kind("hnsw"), of_kind("ivf_pq"), live, qdrant]
)
Make = Callable[[], tuple[Index, Query]]


def ids(index: Index, query: Query, k: int, allowed: list[bool] | None = None) -> list[str]:
    mask = None if allowed is None else np.array(allowed)
    return [c.item_id for c in index.search(query, k, allowed=mask)]


@every_index
@pytest.mark.parametrize("k", [0, -3])
def test_k_below_one_is_refused(make: Make, k: int) -> None:
    index, query = make()
    with pytest.raises(DataError, match=f"k={k}; 1 or more"):
        index.search(query, k)


@every_index
def test_a_million_gives_all(make: Make) -> None:
    index, query = make()
    assert sorted(ids(index, query, 1_000_000)) == [f"i{n}" for n in range(6)]


@every_index
def test_ties_go_to_the_lower_row_at_any_k(make: Make) -> None:
    index, query = make()
    everything = ids(index, query, 6)
    assert everything[:3] == ["i0", "i1", "i4"]  # the three equal red lamps
    for k in range(1, 7):
        assert ids(index, query, k) == everything[:k]


@every_index
def test_scores_never_rise_and_name_their_source(make: Make) -> None:
    index, query = make()
    found = index.search(query, 6)
    assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)
    assert {c.source for c in found} == {index.name}


@every_index
def test_only_allowed_rows_are_found(make: Make) -> None:
    index, query = make()
    assert ids(index, query, 2, [False, True, True, False, True, True]) == ["i1", "i4"]
    assert set(ids(index, query, 99, [False, True, True, False, False, False])) == {"i1", "i2"}


@every_index
def test_nothing_allowed_finds_nothing(make: Make) -> None:
    index, query = make()
    assert ids(index, query, 5, [False] * 6) == []


@every_index
def test_a_mask_of_another_length_is_refused(make: Make) -> None:
    index, query = make()
    with pytest.raises(DataError, match=r"allowed has shape \(2,\); \(6,\) would be valid"):
        ids(index, query, 5, [True, True])


@every_index
def test_by_id_leaves_the_item_itself_out(make: Make) -> None:
    index, _ = make()
    found = ids(index, Query(item_id="i0"), 2)
    assert found == ["i1", "i4"]
    assert "i0" not in ids(index, Query(item_id="i0"), 99)
    assert ids(index, Query(item_id="i0"), 99, [True] + [False] * 5) == []


@every_index
def test_unknown_id_is_not_found(make: Make) -> None:
    index, _ = make()
    with pytest.raises(NotFoundError, match="unknown item 'nope'"):
        index.search(Query(item_id="nope"), 3)


@every_index
@pytest.mark.parametrize("query", [Query(), Query(text="red", item_id="i0")])
def test_a_query_carries_exactly_one_thing(make: Make, query: Query) -> None:
    index, _ = make()
    with pytest.raises(DataError, match="exactly one of"):
        index.search(query, 3)


def test_the_wrong_kind_of_query_is_refused() -> None:
    with pytest.raises(DataError, match="carries vector; exactly one of text, item_id"):
        keyword()[0].search(Query(vector=VECTORS[0]), 3)
    with pytest.raises(DataError, match="carries text; exactly one of vector, item_id"):
        flat()[0].search(Query(text="red"), 3)


@every_index
def test_saved_and_loaded_answers_the_same(make: Make, tmp_path: Path) -> None:
    index, query = make()
    index.save(tmp_path)
    loaded = type(index).load(tmp_path)
    assert loaded.name == index.name
    assert loaded.items == index.items
    for each in (query, Query(item_id="i2")):
        assert loaded.search(each, 99) == index.search(each, 99)
