"""Build the vector index a setting asks for, and open one by what its folder says it is."""

from __future__ import annotations

import json
from pathlib import Path

from catalog.errors import DataError
from catalog.vectors import EmbeddingTable
from indexes.config import Kind, VectorIndexConfig
from indexes.flat import FlatIndex
from indexes.hnsw import HnswIndex
from indexes.ivf_pq import IvfPqIndex
from indexes.qdrant import QdrantIndex
from indexes.scan import ScanIndex
from indexes.vector_index import INDEX, VectorIndex

KINDS: dict[Kind, type[VectorIndex]] = {
    "flat": FlatIndex,
    "scan": ScanIndex,
    "hnsw": HnswIndex,
    "ivf_pq": IvfPqIndex,
}
"""Those that hold their vectors themselves."""


def build_local(table: EmbeddingTable, config: VectorIndexConfig, name: str | None = None) -> VectorIndex:
    """Index a table here by the kind its size and the settings choose; `name` is the table's space by default."""
    return KINDS[config.choose(len(table.ids), table.dim)].build(table, config, name)


def build_vectors(
    table: EmbeddingTable, config: VectorIndexConfig, name: str | None = None
) -> VectorIndex | QdrantIndex:
    """Index a table, here or in a server; see `build_local`."""
    return QdrantIndex.build(table, config, name) if config.kind == "qdrant" else build_local(table, config, name)


def open_local(folder: Path, config: VectorIndexConfig | None = None) -> VectorIndex:
    """Open a saved vector index that holds its vectors.

    Args:
        folder: Where it was saved.
        config: How to search; None: as when it was built.

    Raises:
        DataError: When it is of another kind.
    """
    kind = kind_of(folder)
    if kind not in KINDS:
        raise DataError(f"{INDEX}: kind {kind!r}; {', '.join(KINDS)} would be valid")
    return KINDS[kind].load(folder, config)


def open_vectors_index(folder: Path, config: VectorIndexConfig | None = None) -> VectorIndex | QdrantIndex:
    """Open a saved vector index of any kind; see `open_local`."""
    return QdrantIndex.load(folder, config) if kind_of(folder) == "qdrant" else open_local(folder, config)


def kind_of(folder: Path) -> Kind:
    """Return what a saved vector index says it is."""
    found: Kind = json.loads((folder / INDEX).read_text(encoding="utf-8")).get("kind", "flat")
    return found
