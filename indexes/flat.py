"""Exact vector search: cosine by inner product over unit vectors."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from catalog.ids import IdMap, Rows
from catalog.vectors import EmbeddingTable, Floats, Mask
from indexes.config import Kind, VectorIndexConfig
from indexes.stored import Stored, open_vectors
from indexes.unit import unit_rows
from indexes.vector_index import VectorIndex


class FlatIndex(VectorIndex):
    """Every vector is compared."""

    kind: ClassVar[Kind] = "flat"

    @classmethod
    def build(cls, table: EmbeddingTable, config: VectorIndexConfig | None = None, name: str | None = None) -> Self:
        """Index a table; see `VectorIndex.build`."""
        stored = Stored(unit_rows(table.vectors))
        return cls(table.ids, stored, table.space, name or table.space, config or VectorIndexConfig())

    def propose(self, wanted: Floats, k: int, allowed: Mask | None, passing: int, share: float = 1.0) -> Rows | None:
        """Search exactly."""
        return None

    def write_parts(self, folder: Path) -> None:
        """Write `vectors.npy`."""
        self.stored.save_vectors(folder)

    @classmethod
    def open_parts(cls, folder: Path, items: IdMap, space: str, name: str, config: VectorIndexConfig) -> Self:
        """Map `vectors.npy`."""
        return cls(items, open_vectors(folder), space, name, config)
