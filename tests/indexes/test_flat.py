"""Exact search against numpy brute force."""

import numpy as np
import pytest

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable
from indexes.base import Query
from indexes.flat import FlatIndex

IDS = IdMap(f"i{n}" for n in range(500))
VECTORS = np.random.default_rng(7).normal(size=(500, 33)).astype(np.float32) * 3
TABLE = EmbeddingTable(IDS, VECTORS, "noise")


@pytest.mark.parametrize("k", [1, 10, 499, 500, 5000])
@pytest.mark.parametrize("share", [None, 0.5, 0.01])
def test_equals_brute_force_cosine(k: int, share: float | None) -> None:
    rng = np.random.default_rng(k)
    wish = rng.normal(size=33).astype(np.float32)
    allowed = None if share is None else rng.random(500) < share
    cosine = VECTORS @ wish / np.linalg.norm(VECTORS, axis=1) / np.linalg.norm(wish)
    rows = np.arange(500) if allowed is None else np.flatnonzero(allowed)
    expected = rows[np.argsort(-cosine[rows], kind="stable")][:k]

    found = FlatIndex.build(TABLE).search(Query(vector=wish), k, allowed=allowed)

    assert [c.item_id for c in found] == IDS.at(expected)
    np.testing.assert_allclose([c.score for c in found], cosine[expected], atol=1e-6)


def test_many_equal_vectors_come_in_row_order() -> None:
    table = EmbeddingTable(IDS, np.tile(VECTORS[:1], (500, 1)), "same")
    found = FlatIndex.build(table).search(Query(vector=VECTORS[0]), 7)
    assert [c.item_id for c in found] == [f"i{n}" for n in range(7)]


def test_a_zero_vector_scores_zero_and_breaks_nothing() -> None:
    vectors = np.array([[1, 0], [0, 0], [-1, 0]], np.float32)
    found = FlatIndex.build(EmbeddingTable(IdMap("abc"), vectors, "s")).search(
        Query(vector=np.array([5, 0], np.float32)), 3
    )
    assert [(c.item_id, c.score) for c in found] == [("a", 1.0), ("b", 0.0), ("c", -1.0)]


@pytest.mark.parametrize("vector", [np.ones(3, np.float32), np.full(33, np.nan, np.float32), np.ones((1, 33))])
def test_a_vector_of_another_width_or_not_finite_is_refused(vector: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"\(33,\) of finite numbers would be valid"):
        FlatIndex.build(TABLE).search(Query(vector=vector), 3)


def test_the_query_and_the_table_are_left_as_they_were() -> None:
    wish, before = np.full(33, 2, np.float32), VECTORS.copy()
    allowed = np.ones(500, np.bool_)
    FlatIndex.build(TABLE).search(Query(vector=wish), 3)
    FlatIndex.build(TABLE).search(Query(item_id="i3"), 3, allowed=allowed)
    assert (wish == 2).all() and allowed.all() and (before == VECTORS).all()


def test_searching_leaves_the_thread_setting_alone() -> None:
    import faiss

    before = faiss.omp_get_max_threads()
    FlatIndex.build(TABLE).search(Query(vector=VECTORS[0]), 3)
    assert faiss.omp_get_max_threads() == before


@pytest.mark.parametrize("size", [1e-40, 1e-25, 1e25, 1e38])
def test_a_cosine_does_not_depend_on_how_long_a_query_is(size: float) -> None:
    vectors = np.array([[1, 1], [1, -1]], np.float32)
    index = FlatIndex.build(EmbeddingTable(IdMap("ab"), vectors, "s"))
    found = index.search(Query(vector=np.array([size, size], np.float32)), 2)
    assert [(c.item_id, c.score) for c in found] == [("a", pytest.approx(1)), ("b", pytest.approx(0))]


def test_a_cosine_does_not_depend_on_how_short_a_vector_is() -> None:
    vectors = np.array([[1e-30, 1e-30], [0, 0], [3, 0]], np.float32)
    found = FlatIndex.build(EmbeddingTable(IdMap("abc"), vectors, "s")).search(Query(vector=np.ones(2, np.float32)), 3)
    assert {c.item_id: c.score for c in found} == pytest.approx({"a": 1, "b": 0, "c": 0.5**0.5})


def test_rows_in_place_of_a_mask_are_refused() -> None:
    with pytest.raises(DataError, match=r"allowed is of 'int64'; bool would be valid"):
        FlatIndex.build(TABLE).search(Query(vector=VECTORS[0]), 3, allowed=np.ones(500, np.int64))  # type: ignore[arg-type]
