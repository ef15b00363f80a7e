"""Unit vectors in the rows of the catalogue: who has one, and means of those who do."""

from __future__ import annotations

import numpy as np

from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable
from models.units import Units

TABLE = EmbeddingTable(IdMap(["b", "a", "zero"]), np.array([[0, 3], [2, 0], [0, 0]], np.float32), "plane")


def test_rows_are_the_catalogues_and_an_item_without_a_vector_is_blank() -> None:
    units = Units.of(TABLE, IdMap(["a", "none", "zero", "b"]))
    assert units.blank.tolist() == [False, True, True, False]
    assert units.vectors.tolist() == [[1, 0], [0, 0], [0, 0], [0, 1]]
    assert units.present(np.array([3, 1, 0, 3])).tolist() == [[0, 1], [1, 0], [0, 1]]


def test_a_mean_is_of_those_that_have_a_vector() -> None:
    units = Units.of(TABLE, IdMap(["a", "none", "zero", "b"]))
    mean = units.mean(np.array([0, 1, 3, 3, 3]))
    assert mean is not None
    assert mean.dtype == np.float32
    assert mean.tolist() == [1 / 4, 3 / 4]
    assert units.mean(np.array([1, 2])) is None
    assert units.mean(np.array([], np.int64)) is None
