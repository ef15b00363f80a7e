"""Exact vector search with FAISS: cosine by inner product over unit vectors.

The only module that imports faiss.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np

from catalog.errors import DataError
from catalog.ids import IdMap, Rows
from catalog.nouns import Candidate
from catalog.vectors import EmbeddingTable, Floats, Mask
from indexes.base import Query
from indexes.ranking import best, check

TIE = 1e-6
"""Scores closer than this may be one score seen through two FAISS kernels."""


class FlatIndex:
    """Exact cosine search over one embedding table.

    Args:
        table: Vectors of any length (n, d); a zero vector scores 0 against everything.
        name: Becomes `Candidate.source`; the table's space by default.
    """

    def __init__(self, table: EmbeddingTable, name: str | None = None) -> None:
        faiss = _faiss()
        self.name = name or table.space
        self.space = table.space
        self.items: IdMap = table.ids
        self.dim = table.dim
        self._faiss: Any = faiss.IndexFlatIP(table.dim)
        self._faiss.add(_unit(table.vectors))
        # A view of FAISS's own memory: vectors are held once.
        flat = faiss.rev_swig_ptr(self._faiss.get_xb(), len(table.ids) * table.dim)
        self._vectors: Floats = flat.reshape(len(table.ids), table.dim)

    def search(self, query: Query, k: int, *, allowed: Mask | None = None) -> list[Candidate]:
        """Return up to `k` candidates by cosine; see `indexes.base.Index.search`."""
        kind = check(query, k, ("vector", "item_id"), self.name, allowed, len(self.items))
        if kind == "item_id":
            own = self.items.row(str(query.item_id))
            wanted = self._vectors[own]
            allowed = np.ones(len(self.items), np.bool_) if allowed is None else allowed.copy()
            allowed[own] = False
        else:
            wanted = self._checked(np.asarray(query.vector, np.float32))
        rows = self._nearest(wanted, k, allowed)
        if not len(rows):
            return []
        # The same arithmetic for every row, whatever kernel FAISS chose, so that equal vectors tie exactly.
        scores = np.einsum("nd,d->n", self._vectors[rows], wanted)
        return [Candidate(self.items.ids[rows[p]], float(scores[p]), self.name) for p in best(scores, k)]

    def _checked(self, vector: Floats) -> Floats:
        if vector.shape != (self.dim,) or not np.isfinite(vector).all():
            raise DataError(
                f"index {self.name!r}: query vector of shape {vector.shape!r}"
                f"{'' if np.isfinite(vector).all() else ' with a value that is not finite'}; "
                f"({self.dim},) of finite numbers would be valid"
            )
        return np.asarray(_unit(vector[None])[0])

    def _nearest(self, wanted: Floats, k: int, allowed: Mask | None) -> Rows:
        """Return the rows, ascending, of the `k` nearest and of everything that ties with the last."""
        faiss = _faiss()
        there = len(self.items) if allowed is None else int(allowed.sum())
        params = None
        if allowed is not None:
            bitmap = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
            params = faiss.SearchParameters(sel=bitmap)
        ask = k + 1
        while there:
            ask = min(ask, there)
            with _one_thread():
                scores, rows = self._faiss.search(wanted[None], ask, params=params)
            if ask == there or scores[0, k - 1] - scores[0, -1] > TIE:
                return np.sort(rows[0][rows[0] >= 0])
            ask *= 4
        return np.empty(0, np.int64)

    def save(self, folder: Path) -> None:
        """Write `vectors.npy`, `ids.parquet` and `index.json`."""
        EmbeddingTable(self.items, self._vectors, self.space).save(folder)
        (folder / "index.json").write_text(json.dumps({"name": self.name, "space": self.space}), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        meta = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        return cls(EmbeddingTable.load(folder, meta["space"]), meta["name"])


def _faiss() -> Any:
    """Load FAISS when it is first used; its bindings are untyped in places, hence Any."""
    import faiss

    return faiss


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    # Already unit rows stay bit for bit, so that a saved and loaded index answers the same.
    lengths[np.abs(lengths - 1) < 1e-6] = 1
    return np.ascontiguousarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep FAISS on one OpenMP thread: for a single query more are slower on a busy machine."""
    faiss = _faiss()
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
