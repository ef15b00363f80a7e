"""Vectors made elsewhere: `.npy` with a list of ids, or Parquet with the columns item_id and vector."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable, Floats, as_float32
from catalog.workspace import Workspace, content_key


def import_vectors(
    workspace: Workspace, path: Path, *, space: str, ids: Path | IdMap | None = None, known: IdMap | None = None
) -> EmbeddingTable:
    """Write `embeddings/<space>` from a file and return the table.

    Args:
        workspace: Where the space is kept.
        path: `.npy` (n, d), or Parquet with `item_id` and `vector` (a list or array of numbers).
        space: Name of the space.
        ids: For `.npy`: the ids of its rows in order, as a file (`.txt` one a line, `.json` a list, or
            Parquet/CSV with the column item_id) or an IdMap.
        known: When given, vectors of other items are refused, since they are most often a mistake.

    Raises:
        DataError: When a file is missing or of another kind, the numbers of rows disagree, vectors differ
            in width, a value is missing or not finite, an id is repeated or unknown.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"vectors {str(path)!r}: no such file; a .npy or .parquet file would be valid")
    match path.suffix.lower():
        case ".npy":
            if ids is None:
                raise DataError(
                    f"vectors {str(path)!r}: a .npy file has no ids; name the file that lists them in order"
                )
            vectors = _read_npy(path)
            names = ids if isinstance(ids, IdMap) else _read_ids(Path(ids))
        case ".parquet":
            names, vectors = _read_parquet(path)
        case other:
            raise DataError(f"vectors {str(path)!r}: {other!r} is not known; .npy or .parquet would be valid")
    if len(names) != len(vectors):
        raise DataError(f"vectors {str(path)!r}: {len(vectors)} rows for {len(names)} ids")
    if known is not None and (strange := [i for i in names if i not in known]):
        raise DataError(
            f"vectors {str(path)!r}: {len(strange)} of {len(names)} ids are not in the catalogue, e.g. {strange[0]!r}"
        )
    table = EmbeddingTable(names, vectors, space)
    key = content_key("own", space, names.sha(), table.vectors.tobytes())
    meta = {"space": space, "model": "brought", "file": path.name, "dim": table.dim, "rows": len(names)}
    with workspace.writing(f"embeddings/{space}", key, meta) as folder:
        table.save(folder)
    return table


def _read_npy(path: Path) -> Floats:
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:  # numpy's own words recommend unpickling
        raise DataError(f"vectors {str(path)!r}: not a plain .npy array of numbers") from error
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype.kind not in "fiu":
        shape = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise DataError(f"vectors {str(path)!r}: {shape}; numbers of shape (n, d) would be valid")
    return as_float32(array)


def _read_parquet(path: Path) -> tuple[IdMap, Floats]:
    table = _table(path)
    if "vector" not in table.columns:
        raise DataError(f"vectors {str(path)!r}: no column 'vector'; it has {', '.join(table.columns)}")
    names = _id_column(table, path)
    column = table["vector"]
    if not isinstance(column.dtype, pl.List | pl.Array) or not column.dtype.inner.is_numeric():
        raise DataError(f"vectors {str(path)!r}: column 'vector' is {column.dtype}; a list of numbers would be valid")
    column = column.cast(pl.List(pl.Float32))
    holes = column.is_null() | column.list.eval(pl.element().is_null()).list.any()
    if holes.any():
        row = int(holes.arg_true()[0])
        raise DataError(f"vectors {str(path)!r}: the vector of item {names.ids[row]!r} (row {row}) misses values")
    widths = column.list.len().to_numpy()
    if len(odd := np.flatnonzero(widths != widths[:1])):
        row = int(odd[0])
        raise DataError(
            f"vectors {str(path)!r}: item {names.ids[row]!r} (row {row}) is {widths[row]} wide, "
            f"the first is {widths[0]}"
        )
    return names, column.explode(empty_as_null=False).to_numpy().astype(np.float32).reshape(len(names), -1)


def _read_ids(path: Path) -> IdMap:
    if not path.is_file():
        raise DataError(f"ids {str(path)!r}: no such file; a .txt, .json, .csv or .parquet file would be valid")
    match path.suffix.lower():
        case ".txt":
            return IdMap(path.read_text(encoding="utf-8").splitlines())
        case ".json":
            try:
                listed = json.loads(path.read_text(encoding="utf-8"))
            except ValueError as error:
                raise DataError(f"ids {str(path)!r}: not JSON: {error}") from error
            if not isinstance(listed, list):
                raise DataError(f"ids {str(path)!r}: {type(listed).__name__}; a list of strings would be valid")
            return IdMap(listed)
        case ".csv" | ".parquet":
            return _id_column(_table(path), path)
        case other:
            raise DataError(f"ids {str(path)!r}: {other!r} is not known; .txt, .json, .csv or .parquet would be valid")


def _table(path: Path) -> pl.DataFrame:
    try:
        # Ids stay verbatim: a CSV column is never guessed to be a number.
        return pl.read_csv(path, infer_schema=False) if path.suffix.lower() == ".csv" else pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{str(path)!r}: cannot be read: {error}") from error


def _id_column(table: pl.DataFrame, path: Path) -> IdMap:
    if "item_id" not in table.columns:
        raise DataError(f"{str(path)!r}: no column 'item_id'; it has {', '.join(table.columns)}")
    return IdMap(table["item_id"].to_list())
