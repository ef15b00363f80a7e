"""What every vector index of ours shares: filters, exact search where it is the cheaper, true cosines, ties.

An index proposes rows; here they are scored by their true vectors, so that a score is a cosine whoever proposed it.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import polars as pl

from catalog.errors import DataError
from catalog.id_files import read_ids
from catalog.ids import IdMap, Rows
from catalog.nearest import on_gpu, threads
from catalog.nouns import Candidate
from catalog.vectors import EmbeddingTable, Floats, Mask
from indexes import exact
from indexes.base import Neighbours, Query
from indexes.config import Kind, VectorIndexConfig
from indexes.ranking import best, check
from indexes.stored import Stored
from indexes.unit import unit_rows

INDEX, IDS = "index.json", "ids.parquet"


class VectorIndex(ABC):
    """Cosine search over one embedding table; a zero vector scores 0 against everything.

    Args:
        items: The rows.
        stored: Their unit vectors.
        space: Name of the embedding space.
        name: Becomes `Candidate.source`.
        config: How it is searched.
    """

    kind: ClassVar[Kind]

    def __init__(self, items: IdMap, stored: Stored, space: str, name: str, config: VectorIndexConfig) -> None:
        if len(items) != len(stored):
            raise DataError(f"index {name!r}: {len(stored)} vectors for {len(items)} ids; as many would be valid")
        self.items, self.stored, self.space, self.name, self.config = items, stored, space, name, config
        self.dim = stored.dim

    @classmethod
    @abstractmethod
    def build(cls, table: EmbeddingTable, config: VectorIndexConfig | None = None, name: str | None = None) -> Self:
        """Index a table; the same table and configuration give the same index on one thread.

        Args:
            table: Vectors of any length (n, d).
            config: How it is built and searched.
            name: Becomes `Candidate.source`; the table's space by default.
        """

    @abstractmethod
    def propose(self, wanted: Floats, k: int, allowed: Mask | None, passing: int, share: float = 1.0) -> Rows | None:
        """Return stored vectors (q, m) that are likely the nearest, -1 where there are fewer; None: search exactly.

        Args:
            wanted: (q, d) unit vectors.
            k: How many are needed, at most `passing`.
            allowed: (n_stored,) bool, or None for all.
            passing: How many that are.
            share: Of what it would look at for its best answer, how much is enough; an index may look at more.
        """

    def asked_beside(self, beside: int) -> int:
        """Return for how many more `propose` is asked so that `beside` rows may be dropped."""
        return beside

    def search(self, query: Query, k: int, *, allowed: Mask | None = None) -> list[Candidate]:
        """Return up to `k` candidates by cosine; see `indexes.base.Index.search`."""
        if check(query, k, ("vector", "item_id"), self.name, allowed, len(self.items)) == "item_id":
            own = self.items.row(str(query.item_id))
            wanted = self.stored.at(np.array([own]))[0]
            allowed = np.ones(len(self.items), np.bool_) if allowed is None else allowed.copy()
            allowed[own] = False
        else:
            wanted = self._checked(np.asarray(query.vector, np.float32)[None])[0]
        with threads(1):
            rows, scores = self._nearest(wanted[None], k, allowed)[0]
        found = zip(rows.tolist(), scores.tolist(), strict=True)
        return [Candidate(self.items.ids[row], score, self.name) for row, score in found]

    def search_rows(
        self, vector: Floats, k: int, *, allowed: Mask | None = None, share: float = 1.0, beside: int = 0
    ) -> tuple[Rows, Floats]:
        """Return rows and cosines of up to `k` items, best first, as `search` does, without an object for each.

        With a `share` below 1 an index may look at that part of what it has and miss some; their cosines are true.
        Up to `beside` more are returned in their places, for an asker who will drop as many.
        """
        check(Query(vector=vector), k, ("vector",), self.name, allowed, len(self.items))
        wanted = self._checked(np.asarray(vector, np.float32)[None])
        with threads(1):
            return self._nearest(wanted, k, allowed, share=share, beside=beside)[0]

    def search_many(self, vectors: Floats, k: int, *, allowed: Mask | None = None) -> Neighbours:
        """Return the `k` nearest of each vector; see `indexes.base.VectorSearch.search_many`."""
        check(Query(text=""), k, ("text",), self.name, allowed, len(self.items))
        wanted = self._checked(np.asarray(vectors, np.float32))
        with threads(self.config.batch_threads):
            found = self._nearest(wanted, k, allowed, many=True)
        out = Neighbours(np.full((len(wanted), k), -1, np.int64), np.full((len(wanted), k), -np.inf, np.float32))
        for number, (rows, scores) in enumerate(found):
            out.rows[number, : len(rows)], out.scores[number, : len(rows)] = rows, scores
        return out

    def _nearest(
        self,
        wanted: Floats,
        k: int,
        allowed: Mask | None,
        *,
        many: bool = False,
        share: float = 1.0,
        beside: int = 0,
    ) -> list[tuple[Rows, Floats]]:
        """Return rows and scores of each query, best first, ties by lower row."""
        passing = len(self.items) if allowed is None else int(np.count_nonzero(allowed))
        if passing == len(self.items):
            allowed = None
        asked, k = k + self.asked_beside(beside), min(k + beside, passing)
        if not k:
            return [(np.empty(0, np.int64), np.empty(0, np.float32))] * len(wanted)
        device = self.config.batch_device if many else "cpu"
        proposed = None
        if not on_gpu(device):
            mask = self.stored.mask(allowed)
            passing = len(self.stored.vectors) if mask is None else int(np.count_nonzero(mask))
            proposed = self.propose(wanted, min(asked, passing), mask, passing, share)
        if proposed is None and many:
            rows = exact.candidates_of_many(self.stored, wanted, k, allowed, device, self.config.batch_threads)
        elif proposed is None:
            rows = [exact.candidates(self.stored, each, k, allowed) for each in wanted]
        else:
            rows = [self._passing(each, allowed) for each in proposed]
        return [self._ranked(each, own, k, allowed) for each, own in zip(wanted, rows, strict=True)]

    def _passing(self, proposed: Rows, allowed: Mask | None) -> Rows:
        rows = self.stored.rows_of(proposed[proposed >= 0])
        return rows if allowed is None else rows[allowed[rows]]

    def _ranked(self, wanted: Floats, rows: Rows, k: int, allowed: Mask | None) -> tuple[Rows, Floats]:
        if len(rows) < k:  # the filter let fewer of what is near pass than there are
            rows = exact.candidates(self.stored, wanted, k, allowed)
        rows = np.sort(rows)
        # The same arithmetic for every row, whoever proposed it, so that equal vectors tie exactly.
        scores = np.einsum("nd,d->n", self.stored.at(rows), wanted)
        order = best(scores, k)
        return rows[order], scores[order]

    def _checked(self, vectors: Floats) -> Floats:
        finite = bool(np.isfinite(vectors).all())
        if vectors.ndim != 2 or vectors.shape[1] != self.dim or not finite:
            fault = "" if finite else " with a value that is not finite"
            raise DataError(
                f"index {self.name!r}: query vector of shape {vectors.shape[1:]!r}{fault}; "
                f"({self.dim},) of finite numbers would be valid"
            )
        return unit_rows(vectors)

    def save(self, folder: Path) -> None:
        """Write `ids.parquet`, the vectors and what the kind needs, and `index.json` last."""
        pl.DataFrame({"item_id": list(self.items)}, schema={"item_id": pl.String}).write_parquet(folder / IDS)
        self.write_parts(folder)
        meta = {"kind": self.kind, "name": self.name, "space": self.space, "config": self.config.model_dump()}
        (folder / INDEX).write_text(json.dumps(meta), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, config: VectorIndexConfig | None = None) -> Self:
        """Open what `save` wrote, its large parts memory-mapped.

        Args:
            folder: Where it was saved.
            config: How to search; None: as when it was built.
        """
        meta = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        items = read_ids(folder / IDS)
        config = config or VectorIndexConfig(**meta.get("config", {}))
        return cls.open_parts(folder, items, meta["space"], meta["name"], config)

    @abstractmethod
    def write_parts(self, folder: Path) -> None:
        """Write vectors and structure."""

    @classmethod
    @abstractmethod
    def open_parts(cls, folder: Path, items: IdMap, space: str, name: str, config: VectorIndexConfig) -> Self:
        """Open what `write_parts` wrote."""

    @cached_property
    def label(self) -> str:
        """What `vitrine doctor` shows."""
        return f"{self.kind}, {len(self.items):,} vectors of {self.dim}"
