"""Feature arrays that come with a data set (`*_feat.npy`) -> embedding tables."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.nouns import Item
from catalog.readers.rejects import Rejects
from catalog.vectors import LARGEST, EmbeddingTable, as_float32, usable_rows

PATTERN = "*_feat.npy"

ABSENT_FILE = "without_vectors.json"
"""Feature stem -> rows of items that have no vector; our export writes it, since an array has a row for every item."""

Array = npt.NDArray[Any]


def load_features(folder: Path) -> dict[str, Array]:
    """Return every `*_feat.npy` of a folder by its stem (`image_feat`), memory-mapped.

    Raises:
        DataError: When a file is not a two-dimensional array of numbers, or has no column.
    """
    return {path.stem: _load(path) for path in sorted(folder.glob(PATTERN))}


def feature_table(
    space: str,
    array: Array,
    items: Mapping[int, Item],
    n_rows: range,
    rejects: Rejects,
    absent: Collection[int] = (),
) -> EmbeddingTable:
    """Return the vectors of the items by their row; a row that no table takes is rejected, its item has no vector.

    A row of zeros is a vector like any other, unless it is one of `absent`.

    Args:
        space: Name of the space.
        array: (n, d).
        items: Row -> item.
        n_rows: The numbers n that would be valid: one row an item, more only for rejected items.
        rejects: Gets the rows that are not finite or hold a value beyond `LARGEST`.
        absent: Rows of items without a vector; one that is not all zeros was filled since, and counts.

    Raises:
        DataError: When n is not valid.
    """
    if len(array) not in n_rows:
        raise DataError(
            f"{space}.npy has {len(array)} rows for {n_rows.start} items; shape ({n_rows.start}, d) would be valid"
        )
    rows = np.fromiter(items, np.int64, len(items))
    vectors = as_float32(array[rows])
    usable = usable_rows(vectors)
    for at in np.flatnonzero(~usable).tolist():
        row = int(rows[at])
        fault = f"exceeds {LARGEST:g} in size" if np.isfinite(vectors[at]).all() else "is not finite"
        detail = f"the vector of item {items[row].item_id!r} {fault}"
        rejects.add(f"{space}.npy", row + 1, "bad vector", detail, {"itemID": row})
    there = usable & ~(np.isin(rows, list(absent)) & ~vectors.any(axis=1))
    ids = IdMap(items[row].item_id for row in rows[there].tolist())
    return EmbeddingTable(ids, vectors[there], space)


def load_absent(folder: Path) -> dict[str, frozenset[int]]:
    """Return the rows without a vector by feature stem, as `ABSENT_FILE` names them; nothing where there is none.

    Raises:
        DataError: When the file is anything else.
    """
    path = folder / ABSENT_FILE
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if all(type(row) is int for rows in said.values() for row in rows):
            return {stem: frozenset(rows) for stem, rows in said.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError):
        pass
    raise DataError(f'file {str(path)!r}: rows by feature, as {{"image_feat": [3, 17]}}, would be valid')


def _load(path: Path) -> Array:
    try:
        array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"feature file {str(path)!r} cannot be read: {error}") from error
    if array.ndim != 2 or array.dtype.kind not in "fiu" or (len(array) and not array.shape[1]):
        raise DataError(
            f"feature file {str(path)!r}: shape {array.shape} of {array.dtype}; (n_items, d) numbers would be valid, "
            "d at least 1"
        )
    return array
