"""The graph on real sentence vectors, titles of 12,101 products, many of them near-twins."""

import os
from pathlib import Path

import numpy as np
import pytest

from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable
from indexes.base import Query
from indexes.config import VectorIndexConfig
from indexes.flat import FlatIndex
from indexes.hnsw import HnswIndex

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def titles() -> EmbeddingTable:
    beside = Path(__file__).parents[3] / "shared" / "data"
    path = Path(os.environ.get("TEST_DATA", beside)) / "beauty" / "text_feat.npy"
    if not path.exists():
        pytest.skip(f"real data {str(path)!r} is not here; $TEST_DATA names its folder")
    vectors = np.load(path, allow_pickle=False).astype(np.float32)
    return EmbeddingTable(IdMap(map(str, range(len(vectors)))), vectors, "titles")


def test_the_graph_finds_what_an_exact_search_does(titles: EmbeddingTable, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, flat = HnswIndex.build(titles, VectorIndexConfig()), FlatIndex.build(titles)
    monkeypatch.setattr("indexes.exact.cost", lambda *_: np.inf)  # so few would be searched exactly
    hits = 0
    for item_id in range(0, len(titles.ids), 200):
        true = flat.search(Query(item_id=str(item_id)), 20)
        found = graph.search(Query(item_id=str(item_id)), 20)
        hits += sum(each.score >= true[-1].score - 1e-6 for each in found)
    assert hits / (20 * len(range(0, len(titles.ids), 200))) >= 0.98
