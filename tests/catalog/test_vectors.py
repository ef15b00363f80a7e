from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from catalog.errors import DataError, NotFoundError
from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable, unit_rows


def table(ids: str, start: float = 0, space: str = "s") -> EmbeddingTable:
    vectors = np.arange(start, start + 2 * len(ids), dtype=np.float32).reshape(-1, 2)
    return EmbeddingTable(IdMap(ids), vectors, space)


def test_align_gives_the_order_asked_and_zeros_where_there_is_none() -> None:
    vectors, present = table("abc").align(IdMap("cxa"))
    assert vectors.tolist() == [[4, 5], [0, 0], [0, 1]] and present.tolist() == [True, False, True]
    assert vectors.dtype == np.float32


def test_a_vector_by_id() -> None:
    assert table("ab").vector("b").tolist() == [2, 3]
    with pytest.raises(NotFoundError, match="'z'"):
        table("ab").vector("z")


def test_joined_refuses_another_space_width_or_the_same_id() -> None:
    both = table("ab").joined(table("cd", 10))
    assert both.ids.ids == tuple("abcd") and both.vector("c").tolist() == [10, 11]
    with pytest.raises(DataError, match="cannot mix space 's'"):
        table("ab").joined(table("cd", space="t"))
    with pytest.raises(DataError, match="3 wide"):
        table("ab").joined(EmbeddingTable(IdMap("c"), np.zeros((1, 3), np.float32), "s"))
    with pytest.raises(DataError, match="'b' stands at rows"):
        table("ab").joined(table("bc"))


def test_saved_and_loaded(tmp_path: Path) -> None:
    table("abc").save(tmp_path)
    again = EmbeddingTable.load(tmp_path, "s")
    assert again.ids == IdMap("abc") and np.array_equal(again.vectors, table("abc").vectors)
    empty = EmbeddingTable(IdMap([]), np.zeros((0, 4), np.float32), "s")
    empty.save(tmp_path)
    assert EmbeddingTable.load(tmp_path, "s").vectors.shape == (0, 4)


def test_doubles_become_floats_and_bad_input_is_refused() -> None:
    assert EmbeddingTable(IdMap("a"), np.ones((1, 2)), "s").vectors.dtype == np.float32  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"vectors of shape \(1, 2\) for 2 ids; \(2, d\) would be valid"):
        EmbeddingTable(IdMap("ab"), np.ones((1, 2), np.float32), "s")
    with pytest.raises(DataError, match=r"vector of item 'b' \(row 1\) is not finite"):
        EmbeddingTable(IdMap("ab"), np.array([[1], [np.inf]], np.float32), "s")
    with pytest.raises(DataError, match="not finite"):
        EmbeddingTable(IdMap("a"), np.array([[1e300]]), "s")  # type: ignore[arg-type]


def test_values_too_large_to_square_and_vectors_without_a_width_are_refused() -> None:
    edge = np.array([[1e15, -1e15]], np.float32)
    assert EmbeddingTable(IdMap("a"), edge, "s").vectors is edge
    with pytest.raises(DataError, match=r"'s': vector of item 'b' \(row 1\) holds -2e\+15; .* 1e\+15 would be valid"):
        EmbeddingTable(IdMap("ab"), np.array([[1, 2], [3, -2e15]]), "s")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="'s': 2 vectors of width 0; at least 1 would be valid"):
        EmbeddingTable(IdMap("ab"), np.zeros((2, 0), np.float32), "s")
    assert EmbeddingTable(IdMap([]), np.zeros((0, 0), np.float32), "s").dim == 0


def test_rows_of_length_one_and_rows_of_zeros_that_stay():
    rows = np.array([[3.0, 4.0], [0.0, 0.0], [0.0, -2.0]], np.float32)
    assert unit_rows(rows).tolist() == [[np.float32(0.6), np.float32(0.8)], [0.0, 0.0], [0.0, -1.0]]
    assert rows[0, 0] == 3.0 and unit_rows(rows).dtype == np.float32 and unit_rows(rows[:0]).shape == (0, 2)
