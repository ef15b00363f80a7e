"""`EmbeddingTable`: vectors with their ids and the space they live in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from catalog.errors import DataError
from catalog.id_files import read_ids
from catalog.ids import IdMap, Rows
from catalog.mapped import mapped

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

LARGEST = 1e15
"""Greatest size of a value: float32 still holds the squared length of a vector of such values."""


@dataclass(frozen=True, eq=False)
class EmbeddingTable:
    """One vector an item, all of one `space` (a readable name such as `text-minilm`).

    Attributes:
        ids: Item ids, row i of `vectors` belongs to `ids.ids[i]`.
        vectors: (n, d) float32, d at least 1 where there is a row, no value beyond `LARGEST` in size.
        space: Name of the space; tables of two spaces never mix.

    Raises:
        DataError: When shapes disagree, vectors have no width, or a value is not finite or beyond `LARGEST`.
    """

    ids: IdMap
    vectors: Floats
    space: str

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.ids):
            raise DataError(
                f"space {self.space!r}: vectors of shape {self.vectors.shape} for {len(self.ids)} ids; "
                f"({len(self.ids)}, d) would be valid"
            )
        if len(self.ids) and not self.dim:
            raise DataError(f"space {self.space!r}: {len(self.ids)} vectors of width 0; at least 1 would be valid")
        if self.vectors.dtype != np.float32:
            object.__setattr__(self, "vectors", as_float32(self.vectors))
        if _all_usable(self.vectors):
            return
        row = int(np.flatnonzero(~usable_rows(self.vectors))[0])
        vector = self.vectors[row]
        fault = "is not finite"
        if np.isfinite(vector).all():
            fault = f"holds {vector[np.abs(vector).argmax()]:.4g}"
        raise DataError(
            f"space {self.space!r}: vector of item {self.ids.ids[row]!r} (row {row}) {fault}; "
            f"numbers from {-LARGEST:g} to {LARGEST:g} would be valid"
        )

    @property
    def dim(self) -> int:
        """Width d of a vector."""
        return int(self.vectors.shape[1])

    def align(self, ids: IdMap) -> tuple[Floats, Mask]:
        """Return vectors in the order of `ids` (n, d), zeros where absent, and the mask (n,) of those present."""
        rows = self.ids.rows(ids.ids, missing=-1)
        present = rows >= 0
        out = np.zeros((len(ids), self.dim), np.float32)
        out[present] = self.vectors[rows[present]]
        return out, present

    def vector(self, item_id: str) -> Floats:
        """Return the (d,) vector of one item; raises NotFoundError when it has none."""
        found: Floats = self.vectors[self.ids.row(item_id)]
        return found

    def joined(self, other: EmbeddingTable) -> EmbeddingTable:
        """Return both tables as one (ids disjoint).

        Raises:
            DataError: When the spaces differ, or an id stands in both.
        """
        if other.space != self.space or other.dim != self.dim:
            raise DataError(
                f"cannot mix space {self.space!r} ({self.dim} wide) with {other.space!r} ({other.dim} wide)"
            )
        return EmbeddingTable(IdMap([*self.ids, *other.ids]), np.concatenate([self.vectors, other.vectors]), self.space)

    def save(self, folder: Path) -> None:
        """Write `vectors.npy` and `ids.parquet` into an existing folder."""
        np.save(folder / "vectors.npy", self.vectors, allow_pickle=False)
        pl.DataFrame({"item_id": list(self.ids)}, schema={"item_id": pl.String}).write_parquet(folder / "ids.parquet")

    @classmethod
    def load(cls, folder: Path, space: str) -> EmbeddingTable:
        """Open what `save` wrote; `vectors` are mapped, and so cannot be written to."""
        return cls(read_ids(folder / "ids.parquet"), mapped(folder / "vectors.npy"), space)


def save_frames(folder: Path, frames: Iterable[pl.DataFrame], rows: int, dim: int, space: str) -> None:
    """Write what `EmbeddingTable.save` writes, from tables of `item_id` and `vector`, one at a time.

    Args:
        folder: An existing folder.
        frames: Tables whose rows are `rows` in all.
        rows: n.
        dim: d.
        space: Name of the space, for the error.

    Raises:
        DataError: When a vector is not usable.
    """
    ids = []
    with (folder / "vectors.npy").open("wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.float32)), "fortran_order": False}
        np.lib.format.write_array_header_1_0(file, {**header, "shape": (rows, dim)})
        for frame in frames:
            vectors = np.ascontiguousarray(frame["vector"].to_numpy(), np.float32).reshape(len(frame), dim)
            EmbeddingTable(IdMap(frame["item_id"].to_list()), vectors, space)  # judges the values
            file.write(vectors.tobytes())
            ids.append(frame["item_id"])
    column = pl.concat(ids) if ids else pl.Series("item_id", [], pl.String)
    pl.DataFrame({"item_id": column}).write_parquet(folder / "ids.parquet")


def as_float32(array: npt.NDArray[Any]) -> Floats:
    """Return numbers (n, d) as float32; what it cannot hold becomes infinite, which no table takes."""
    with np.errstate(over="ignore"):
        return np.asarray(array, np.float32)


def unit_rows(vectors: Floats) -> Floats:
    """Return rows of length 1, (n, d); a row of zeros stays zeros."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    return unit


def distinct(vectors: Floats) -> Rows | None:
    """Return for each row (n, d) float32 the first row of the same numbers, or None when no two rows are the same."""
    words = np.ascontiguousarray(vectors).view(np.uint32).astype(np.uint64)
    keys = np.zeros(len(vectors), np.uint64)
    rng = np.random.default_rng(0)
    for column in words.T:
        keys += column * np.uint64(2 * int(rng.integers(2**62)) + 1)  # wraps, as a hash may
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    if len(first) == len(vectors):
        return None
    representative = np.asarray(first[inverse], np.int64)
    differing = (vectors[representative] != vectors).any(axis=1)  # two vectors of one key
    representative[differing] = np.flatnonzero(differing)
    return representative


def usable_rows(vectors: Floats) -> Mask:
    """Return which rows (n,) of (n, d) an `EmbeddingTable` takes: finite, and no value beyond `LARGEST` in size."""
    return np.asarray((np.abs(vectors) <= LARGEST).all(axis=1))


def _all_usable(vectors: Floats) -> bool:
    # Two reductions without a temporary matrix; a NaN is neither above nor below.
    return not vectors.size or bool(vectors.min() >= -LARGEST and vectors.max() <= LARGEST)
