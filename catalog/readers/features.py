"""Feature arrays that come with a data set (`*_feat.npy`) -> embedding tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.nouns import Item
from catalog.readers.rejects import Rejects
from catalog.vectors import EmbeddingTable

PATTERN = "*_feat.npy"

Array = npt.NDArray[Any]


def load_features(folder: Path) -> dict[str, Array]:
    """Return every `*_feat.npy` of a folder by its stem (`image_feat`), memory-mapped.

    Raises:
        DataError: When a file is not a two-dimensional array of numbers.
    """
    return {path.stem: _load(path) for path in sorted(folder.glob(PATTERN))}


def feature_table(
    space: str, array: Array, items: Mapping[int, Item], n_rows: range, rejects: Rejects
) -> EmbeddingTable:
    """Return the vectors of the items by their row; a row that is not finite is rejected, its item has no vector.

    Args:
        space: Name of the space.
        array: (n, d).
        items: Row -> item.
        n_rows: The numbers n that would be valid: one row an item, more only for rejected items.
        rejects: Gets the rows that are not finite.

    Raises:
        DataError: When n is not valid.
    """
    if len(array) not in n_rows:
        raise DataError(
            f"{space}.npy has {len(array)} rows for {n_rows.start} items; shape ({n_rows.start}, d) would be valid"
        )
    rows = np.fromiter(items, np.int64, len(items))
    vectors = np.asarray(array[rows], np.float32)
    finite = np.isfinite(vectors).all(axis=1)
    for row in rows[~finite].tolist():
        detail = f"the vector of item {items[row].item_id!r} is not finite"
        rejects.add(f"{space}.npy", row + 1, "bad vector", detail, {"itemID": row})
    ids = IdMap(items[row].item_id for row in rows[finite].tolist())
    return EmbeddingTable(ids, vectors[finite], space)


def _load(path: Path) -> Array:
    try:
        array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"feature file {str(path)!r} cannot be read: {error}") from error
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise DataError(
            f"feature file {str(path)!r}: shape {array.shape} of {array.dtype}; (n_items, d) numbers would be valid"
        )
    return array
