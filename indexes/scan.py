"""Approximate vector search that looks at every vector, in half a byte a number: FAISS's fast scan, scored anew."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from catalog.ids import IdMap, Rows
from catalog.nearest import library, threads
from catalog.vectors import EmbeddingTable, Floats, Mask, distinct
from indexes import exact
from indexes.config import Kind, VectorIndexConfig
from indexes.faiss_library import read, write
from indexes.stored import SLOTS, Stored, open_vectors
from indexes.unit import SLICE, unit_rows
from indexes.vector_index import VectorIndex

CODES = "index.faiss"

SAMPLE = 65_536
"""Vectors the levels are learned from; sixteen levels a number need no more."""

PASSED, KEPT = 35, 2
"""What a scan costs, in gathered rows: one for so many codes looked at in passing, and so many for each row scored
anew."""

FEW = 1_000
"""Below so many vectors an exact search costs less."""


class ScanIndex(VectorIndex):
    """Codes of four bits a number, compared in registers; the best `spare * k` are scored by their true vectors.

    It looks at all there is, so that it misses next to nothing where a graph or lists lose their way, and takes time in
    proportion. Behind a filter that lets a share s pass, `spare * k / s` are scored; where that costs more than an
    exact search of what passes, that is done instead. The codes stand in lists of what is near each other, so that who
    is content with most of the best may look at a share of them.

    Source: André, Kermarrec and Le Scouarnec, "Cache locality is not enough: high-performance nearest neighbor search
    with product quantization fast scan", VLDB 2015.
    """

    kind: ClassVar[Kind] = "scan"

    def __init__(
        self, items: IdMap, stored: Stored, space: str, name: str, config: VectorIndexConfig, codes: Any
    ) -> None:
        super().__init__(items, stored, space, name, config)
        self._codes = codes
        self._lists = int(getattr(codes, "nlist", 0))  # an index of before 2026-11-22 has none

    @classmethod
    def build(cls, table: EmbeddingTable, config: VectorIndexConfig | None = None, name: str | None = None) -> Self:
        """Index a table; see `VectorIndex.build`. Seconds for 200,000 vectors of 64 on one thread."""
        config = config or VectorIndexConfig()
        unit = unit_rows(table.vectors)
        # Of vectors that are one and the same only so many would be found, and not those of the lowest rows.
        first, slots = distinct(unit), None
        if first is not None:
            kept = np.unique(first)
            unit, slots = unit[kept], np.searchsorted(kept, first)
        lists = min(config.scan.lists or max(1, round(len(unit) ** 0.5 / 2)), len(unit))
        codes = library().index_factory(table.dim, f"IVF{lists},PQ{table.dim}x4fs", library().METRIC_INNER_PRODUCT)
        sample = np.linspace(0, len(unit) - 1, min(SAMPLE, len(unit))).astype(np.int64)
        codes.by_residual = False
        codes.cp.min_points_per_centroid = codes.pq.cp.min_points_per_centroid = 1
        with threads(config.build_threads):
            codes.train(np.ascontiguousarray(unit[np.resize(sample, max(len(sample), 16))], np.float32))
            for start in range(0, len(unit), SLICE):
                codes.add(np.ascontiguousarray(unit[start : start + SLICE], np.float32))
        return cls(table.ids, Stored(unit, slots), table.space, name or table.space, config, codes)

    def propose(self, wanted: Floats, k: int, allowed: Mask | None, passing: int, share: float = 1.0) -> Rows | None:
        """Look at the codes, or leave it to an exact search where that costs less."""
        stored = len(self.stored.vectors)
        share = min(1.0, share * stored / passing) if self._lists else 1.0
        ask = min(stored, ceil(self.config.scan.spare * k * stored / passing))
        if stored < FEW or share * stored / PASSED + KEPT * ask >= exact.cost(passing, stored):
            return None
        how = library().IVFSearchParameters(nprobe=ceil(share * self._lists)) if self._lists else None
        rows: Rows = self._codes.search(np.ascontiguousarray(wanted, np.float32), ask, params=how)[1]
        return rows

    def asked_beside(self, beside: int) -> int:
        """Return fewer than `beside`: each is proposed with its spare."""
        return ceil(beside / self.config.scan.spare)

    def write_parts(self, folder: Path) -> None:
        """Write `index.faiss`, the codes, `vectors.npy`, and `slots.npy` where rows share a vector."""
        write(self._codes, folder / CODES)
        self.stored.save_vectors(folder)
        if self.stored.slots is not None:
            np.save(folder / SLOTS, self.stored.slots, allow_pickle=False)

    @classmethod
    def open_parts(cls, folder: Path, items: IdMap, space: str, name: str, config: VectorIndexConfig) -> Self:
        """Read the codes and map the vectors."""
        stored = open_vectors(folder)
        if (folder / SLOTS).exists():
            stored = Stored(stored.vectors, np.load(folder / SLOTS, allow_pickle=False))
        return cls(items, stored, space, name, config, read(folder / CODES))
