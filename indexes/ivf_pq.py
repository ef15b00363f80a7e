"""Approximate vector search for what memory cannot hold: FAISS's IVF-PQ, scored anew by mapped vectors."""

from __future__ import annotations

from math import ceil, sqrt
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from catalog.ids import IdMap, Rows
from catalog.nearest import library, threads
from catalog.vectors import EmbeddingTable, Floats, Mask
from indexes import exact
from indexes.config import IvfPqConfig, Kind, VectorIndexConfig
from indexes.faiss_library import read, selector, write
from indexes.stored import Stored, open_vectors
from indexes.unit import SLICE, unit_rows
from indexes.vector_index import VectorIndex

CODES = "index.faiss"

PASSED, READ, KEPT = 0.06, 0.4, 2
"""What a code costs, in gathered rows: one the filter drops, one that is scored, and one that is scored anew."""

CENTROIDS = 256
"""Centroids of a byte of code."""

ROUNDS = 10
"""Rounds that the lists are learned in."""

CODE_ROUNDS, CODE_SAMPLE = 10, 128
"""Rounds, and vectors a centroid, that codes are learned from: a byte stands for few numbers, and more than this took a
minute longer and found no better."""


class IvfPqIndex(VectorIndex):
    """Codes in lists; a search reads the lists nearest to the query, and scores the best codes by their true vectors.

    Behind a filter that lets a share s pass, `probes / s` lists are read; where that costs more than an exact search
    of what passes, that is done instead.

    Source: Jegou, Douze and Schmid, "Product quantization for nearest neighbor search", PAMI 2011.
    """

    kind: ClassVar[Kind] = "ivf_pq"

    def __init__(
        self, items: IdMap, stored: Stored, space: str, name: str, config: VectorIndexConfig, codes: Any
    ) -> None:
        super().__init__(items, stored, space, name, config)
        self._codes = codes

    @classmethod
    def build(cls, table: EmbeddingTable, config: VectorIndexConfig | None = None, name: str | None = None) -> Self:
        """Index a table; see `VectorIndex.build`. A table of unit rows that is mapped from disk stays there."""
        config, faiss = config or VectorIndexConfig(), library()
        chosen, unit = config.ivf_pq, unit_rows(table.vectors)
        code_bytes = max(1, ceil(table.dim / chosen.numbers_per_byte))
        width = code_bytes * chosen.numbers_per_byte
        lists = max(1, min(chosen.lists or round(2 * sqrt(len(unit))), len(unit) // 39))
        quantizer = faiss.IndexFlatIP(width)
        codes = faiss.IndexIVFPQ(quantizer, width, lists, code_bytes, 8, faiss.METRIC_INNER_PRODUCT)
        codes.own_fields = True
        quantizer.this.disown()
        codes.cp.niter = ROUNDS
        codes.cp.min_points_per_centroid = codes.pq.cp.min_points_per_centroid = 1
        codes.cp.max_points_per_centroid = chosen.train_rows
        codes.pq.cp.niter, codes.pq.cp.max_points_per_centroid = CODE_ROUNDS, CODE_SAMPLE
        with threads(config.build_threads):
            codes.train(_sample(unit, chosen, width))
            for start in range(0, len(unit), SLICE):
                codes.add(_wide(unit[start : start + SLICE], width))
        held = unit.astype(np.float16) if chosen.vectors == "half" else unit
        return cls(table.ids, Stored(held), table.space, name or table.space, config, codes)

    def propose(self, wanted: Floats, k: int, allowed: Mask | None, passing: int, share: float = 1.0) -> Rows | None:
        """Read the nearest lists, or leave it to an exact search where that costs less."""
        chosen, stored, lists = self.config.ivf_pq, len(self.stored), int(self._codes.nlist)
        share = passing / stored
        probes = min(lists, ceil(chosen.probes / share))
        ask = min(ceil(chosen.refine * k), passing)
        read_codes = stored * probes / lists
        if lists + read_codes * (PASSED + READ * share) + KEPT * ask >= exact.cost(passing, stored):
            return None
        parameters = library().SearchParametersIVF(nprobe=probes, sel=selector(allowed))
        rows: Rows = self._codes.search(_wide(wanted, self._codes.d), ask, params=parameters)[1]
        return rows

    def write_parts(self, folder: Path) -> None:
        """Write `index.faiss`, the lists and codes, and `vectors.npy`."""
        write(self._codes, folder / CODES)
        self.stored.save_vectors(folder)

    @classmethod
    def open_parts(cls, folder: Path, items: IdMap, space: str, name: str, config: VectorIndexConfig) -> Self:
        """Map codes and vectors."""
        return cls(items, open_vectors(folder), space, name, config, read(folder / CODES))


def _sample(unit: npt.NDArray[Any], chosen: IvfPqConfig, width: int) -> Floats:
    """Return the vectors to learn from, the same for the same table; fewer than the centroids come again and again."""
    rows = np.arange(len(unit))
    if len(rows) > chosen.train_rows:
        rows = np.sort(np.random.default_rng(0).choice(rows, chosen.train_rows, replace=False))
    return _wide(unit[np.resize(rows, max(len(rows), CENTROIDS))], width)


def _wide(vectors: npt.NDArray[Any], width: int) -> Floats:
    """Return float32 rows (n, width), zeros after the last number, which change no product."""
    missing = width - vectors.shape[1]
    return np.ascontiguousarray(np.pad(vectors, ((0, 0), (0, missing))) if missing else vectors, np.float32)
