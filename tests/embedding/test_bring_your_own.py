import json

import numpy as np
import polars as pl
import pytest

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.workspace import Workspace
from embedding.bring_your_own import import_vectors
from embedding.job import load_embeddings

VECTORS = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
IDS = ["007", "b", "c"]


def write_ids(folder, kind):
    path = folder / f"ids.{kind}"
    if kind == "txt":
        path.write_text("\n".join(IDS))
    elif kind == "json":
        path.write_text(json.dumps(IDS))
    else:
        frame = pl.DataFrame({"item_id": IDS})
        frame.write_csv(path) if kind == "csv" else frame.write_parquet(path)
    return path


@pytest.mark.parametrize("kind", ["txt", "json", "csv", "parquet"])
def test_npy_with_a_file_of_ids(tmp_path, kind):
    np.save(tmp_path / "v.npy", VECTORS.astype(np.float64))
    workspace = Workspace(tmp_path / "store")
    import_vectors(workspace, tmp_path / "v.npy", space="mine", ids=write_ids(tmp_path, kind))
    table = load_embeddings(workspace, "mine")
    assert table.ids.ids == tuple(IDS)
    assert np.array_equal(table.vectors, VECTORS)


@pytest.mark.parametrize("dtype", [pl.List(pl.Float64), pl.Array(pl.Float32, 2), pl.List(pl.Int64)])
def test_parquet(tmp_path, dtype):
    frame = pl.DataFrame({"item_id": IDS, "vector": VECTORS.astype(int).tolist()}, schema_overrides={"vector": dtype})
    frame.write_parquet(tmp_path / "v.parquet")
    table = import_vectors(Workspace(tmp_path), tmp_path / "v.parquet", space="mine")
    assert table.ids.ids == tuple(IDS) and np.array_equal(table.vectors, VECTORS)


def refused(tmp_path, path, line, **changes):
    store = tmp_path / "store"
    with pytest.raises(DataError, match=line):
        import_vectors(Workspace(store), path, space="mine", **changes)
    assert not store.exists()


def test_bad_npy(tmp_path):
    path = tmp_path / "v.npy"
    refused(tmp_path, path, "no such file", ids=IdMap(IDS))
    np.save(path, VECTORS)
    refused(tmp_path, path, "has no ids")
    refused(tmp_path, path, "3 rows for 2 ids", ids=IdMap(["a", "b"]))
    refused(tmp_path, path, "1 of 3 ids are not in the catalogue, e.g. 'c'", ids=IdMap(IDS), known=IdMap(["007", "b"]))
    refused(tmp_path, path, "ids .*no such file", ids=tmp_path / "none.txt")
    np.save(path, VECTORS[0])
    refused(tmp_path, path, r"float32 \(2,\); numbers of shape", ids=IdMap(IDS))
    np.save(path, np.array([["a"]]))
    refused(tmp_path, path, "numbers of shape", ids=IdMap(IDS))
    np.save(path, np.where(VECTORS == 4, np.nan, VECTORS))
    refused(tmp_path, path, "item 'b' .row 1. is not finite", ids=IdMap(IDS))
    path.write_bytes(b"nothing like it")
    refused(tmp_path, path, "not a plain .npy", ids=IdMap(IDS))
    refused(tmp_path, tmp_path / "ids.txt", "no such file")


def test_bad_parquet(tmp_path):
    path = tmp_path / "v.parquet"

    def written(**columns):
        pl.DataFrame(columns, strict=False).write_parquet(path)
        return path

    refused(tmp_path, written(id=["a"], vector=[[1.0]]), "no column 'item_id'; it has id, vector")
    refused(tmp_path, written(item_id=["a"], v=[[1.0]]), "no column 'vector'")
    refused(tmp_path, written(item_id=["a"], vector=["x"]), "a list of numbers would be valid")
    refused(tmp_path, written(item_id=["a", "b"], vector=[[1.0], [1.0, 2.0]]), "item 'b' .row 1. is 2 wide")
    refused(tmp_path, written(item_id=["a", "b"], vector=[[1.0, 2.0], [1.0, None]]), "item 'b' .row 1. misses values")
    refused(tmp_path, written(item_id=["a", "a"], vector=[[1.0], [2.0]]), "'a' stands at rows 0 and 1")
    refused(tmp_path, written(item_id=[1], vector=[[1.0]]), "not a string")
    path.write_text("not parquet")
    refused(tmp_path, path, "cannot be read")
