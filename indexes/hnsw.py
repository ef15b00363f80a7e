"""Approximate vector search by a graph: FAISS's HNSW over the distinct vectors of a table."""

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
from indexes.faiss_library import read, selector, write
from indexes.stored import SLOTS, Stored
from indexes.unit import unit_rows
from indexes.vector_index import VectorIndex

GRAPH = "index.faiss"

HEAP = 150
"""FAISS keeps candidates in a heap it reads from end to end: `ef` of them cost as much as `ef * ef / HEAP` rows."""


class HnswIndex(VectorIndex):
    """A graph of near vectors, and exact search where a filter makes that the cheaper.

    Behind a filter that lets a share s pass, `ef / s` candidates are kept, of which `ef` pass. That grows as s falls,
    while an exact search of what passes shrinks: the cheaper of the two is taken, so that recall holds at every share.
    Where less passes near the query than is asked for (a filter that goes with the vectors), it is exact as well.

    Source: Malkov and Yashunin, arXiv 1603.09320.
    """

    kind: ClassVar[Kind] = "hnsw"

    def __init__(
        self, items: IdMap, stored: Stored, space: str, name: str, config: VectorIndexConfig, graph: Any
    ) -> None:
        super().__init__(items, stored, space, name, config)
        self._graph = graph

    @classmethod
    def build(cls, table: EmbeddingTable, config: VectorIndexConfig | None = None, name: str | None = None) -> Self:
        """Index a table; see `VectorIndex.build`. About 40 s for 200,000 vectors of 64 on one thread."""
        config, faiss = config or VectorIndexConfig(), library()
        unit = unit_rows(table.vectors)
        # A graph that links a vector to its nearest loses its way where thousands are one and the same: they fill each
        # other's links and lead nowhere. With a fifth of 30,000 in four such heaps recall@200 fell from 0.99 to 0.79.
        first, slots = distinct(unit), None
        if first is not None:
            kept = np.unique(first)
            unit, slots = unit[kept], np.searchsorted(kept, first)
        graph = faiss.IndexHNSWFlat(table.dim, config.hnsw.neighbours, faiss.METRIC_INNER_PRODUCT)
        graph.hnsw.efConstruction = config.hnsw.ef_construction
        with threads(config.build_threads):
            graph.add(unit)
        return cls(table.ids, _stored(graph, slots), table.space, name or table.space, config, graph)

    def propose(self, wanted: Floats, k: int, allowed: Mask | None, passing: int, share: float = 1.0) -> Rows | None:
        """Walk the graph, or leave it to an exact search where that costs less."""
        chosen, stored = self.config.hnsw, len(self.stored.vectors)
        ef = min(stored, ceil(max(chosen.ef_search, chosen.breadth * k) * stored / passing))
        if ef * chosen.neighbours + ef * ef / HEAP >= exact.cost(passing, stored):
            return None
        parameters = library().SearchParametersHNSW(efSearch=ef, sel=selector(allowed))
        rows: Rows = self._graph.search(wanted, min(ceil(chosen.breadth * k), passing), params=parameters)[1]
        return rows

    def write_parts(self, folder: Path) -> None:
        """Write `index.faiss`, which holds the graph and the distinct vectors, and `slots.npy` where rows share one."""
        write(self._graph, folder / GRAPH)
        if self.stored.slots is not None:
            np.save(folder / SLOTS, self.stored.slots, allow_pickle=False)

    @classmethod
    def open_parts(cls, folder: Path, items: IdMap, space: str, name: str, config: VectorIndexConfig) -> Self:
        """Map the graph."""
        graph = read(folder / GRAPH)
        slots = np.load(folder / SLOTS, allow_pickle=False) if (folder / SLOTS).exists() else None
        return cls(items, _stored(graph, slots), space, name, config, graph)


def _stored(graph: Any, slots: Rows | None) -> Stored:
    """View the vectors in the graph's own memory: they are held once."""
    faiss = library()
    storage = faiss.downcast_index(graph.storage)
    flat = faiss.rev_swig_ptr(storage.get_xb(), graph.ntotal * graph.d)
    flat.flags.writeable = False
    return Stored(flat.reshape(graph.ntotal, graph.d), slots, owner=graph)
