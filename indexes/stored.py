"""The vectors of an index: each distinct one once, where a graph wants that, and which rows have it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from catalog.ids import Rows
from catalog.vectors import Floats, Mask
from indexes.faiss_library import products
from indexes.unit import SLICE

VECTORS, SLOTS = "vectors.npy", "slots.npy"


class Stored:
    """Unit vectors by row.

    Args:
        vectors: (m, d) float32 or float16, perhaps mapped from disk.
        slots: (n,) which of `vectors` a row has; None: row i has vector i.
        owner: Whose memory `vectors` is a view of, where numpy does not know it.
    """

    def __init__(self, vectors: npt.NDArray[Any], slots: Rows | None = None, owner: object = None) -> None:
        self.vectors = np.asarray(vectors)  # a view of a mapped file without the slower class around it
        self.slots = slots
        self._owner = owner

    def __len__(self) -> int:
        return len(self.vectors) if self.slots is None else len(self.slots)

    @property
    def dim(self) -> int:
        """Width d."""
        return int(self.vectors.shape[1])

    def at(self, rows: Rows) -> Floats:
        """Return the vectors (m, d) float32 of rows (m,)."""
        return np.asarray(self.vectors.take(rows if self.slots is None else self.slots[rows], axis=0), np.float32)

    def products(self, wanted: Floats) -> Floats:
        """Return the inner product of every row with (d,), (n,)."""
        if self.vectors.dtype == np.float32:
            out = products(self.vectors, wanted)
        else:
            out = np.empty(len(self.vectors), np.float32)
            for start in range(0, len(out), SLICE):
                part = slice(start, start + SLICE)
                out[part] = products(np.ascontiguousarray(self.vectors[part], np.float32), wanted)
        return out if self.slots is None else out[self.slots]

    def mask(self, allowed: Mask | None) -> Mask | None:
        """Return which vectors (m,) some allowed row (n,) has."""
        if allowed is None or self.slots is None:
            return allowed
        out = np.zeros(len(self.vectors), np.bool_)
        out[self.slots[allowed]] = True
        return out

    def rows_of(self, numbers: Rows) -> Rows:
        """Return every row that has one of the vectors `numbers`."""
        if self.slots is None:
            return numbers
        order, starts = self._members
        first, counts = starts[numbers], starts[numbers + 1] - starts[numbers]
        ends = counts.cumsum()
        within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
        return np.asarray(order[np.repeat(first, counts) + within])

    @cached_property
    def _members(self) -> tuple[Rows, Rows]:
        assert self.slots is not None
        order = np.argsort(self.slots, kind="stable")
        starts = np.searchsorted(self.slots[order], np.arange(len(self.vectors) + 1))
        return np.asarray(order, np.int64), np.asarray(starts, np.int64)

    def save_vectors(self, folder: Path) -> None:
        """Write `vectors.npy`."""
        np.save(folder / VECTORS, self.vectors, allow_pickle=False)


def open_vectors(folder: Path) -> Stored:
    """Map what `save_vectors` wrote."""
    return Stored(np.load(folder / VECTORS, mmap_mode="r", allow_pickle=False))
