"""Arrays as they lie on the disk, and ids that are in memory once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from catalog.errors import DataError
from catalog.id_files import ids_once, known_ids, read_ids
from catalog.ids import IdMap
from catalog.mapped import mapped
from catalog.vectors import EmbeddingTable


@pytest.mark.parametrize("shape", [(3, 2), (0, 2), (0,), ()])
def test_an_array_comes_back_read_only(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)
    np.save(tmp_path / "a.npy", array)
    found = mapped(tmp_path / "a.npy")
    np.testing.assert_array_equal(found, array)
    assert type(found) is np.ndarray and found.dtype == np.float32 and not found.flags.writeable


def test_what_would_have_to_be_unpickled_or_is_cut_short_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"[Oo]bject"):
        mapped(tmp_path / "a.npy")
    np.save(tmp_path / "b.npy", np.zeros(1000))
    (tmp_path / "b.npy").write_bytes((tmp_path / "b.npy").read_bytes()[:500])
    with pytest.raises(ValueError):  # in numpy's words, which differ from version to version
        mapped(tmp_path / "b.npy")


def test_a_replaced_file_stays_what_it_was_for_who_has_it_open(tmp_path: Path) -> None:
    table = EmbeddingTable(IdMap(["a", "b"]), np.eye(2, dtype=np.float32), "x")
    table.save(tmp_path)
    found = EmbeddingTable.load(tmp_path, "x")
    (tmp_path / "vectors.npy").unlink()
    np.save(tmp_path / "vectors.npy", np.zeros((2, 2), np.float32))
    np.testing.assert_array_equal(found.vectors, np.eye(2))
    with pytest.raises(ValueError, match="read-only"):
        found.vectors[0, 0] = 5


def saved(folder: Path, name: str, ids: list[str]) -> Path:
    (folder / name).mkdir()
    EmbeddingTable(IdMap(ids), np.zeros((len(ids), 1), np.float32), "x").save(folder / name)
    return folder / name / "ids.parquet"


def test_the_same_ids_are_one_object_inside_the_block_alone(tmp_path: Path) -> None:
    one, two, other = (saved(tmp_path, n, ids) for n, ids in (("1", ["a", "b"]), ("2", ["a", "b"]), ("3", ["b", "a"])))
    catalogue = IdMap(["b", "a"])
    with ids_once():
        known_ids(catalogue)
        assert read_ids(one) is read_ids(two) and read_ids(other) is catalogue
        assert read_ids(other, noun="user") is not catalogue
    assert read_ids(one) is not read_ids(two) and read_ids(one) == read_ids(two)


def test_ids_that_stand_there_twice_are_refused(tmp_path: Path) -> None:
    pl.DataFrame({"item_id": ["a", "a"]}).write_parquet(tmp_path / "ids.parquet")
    with pytest.raises(DataError, match="'a' stands at rows 0 and 1"):
        read_ids(tmp_path / "ids.parquet")
