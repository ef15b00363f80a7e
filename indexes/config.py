"""Which vector index serves a space, and how it is built and searched."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from catalog.nearest import Device
from indexes.qdrant_config import QdrantConfig

Kind = Literal["flat", "scan", "hnsw", "ivf_pq", "qdrant"]


class HnswConfig(BaseModel):
    """A graph of near vectors: Malkov and Yashunin, arXiv 1603.09320."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    neighbours: int = Field(32, ge=4, le=128)
    """Links a vector has on each upper level, twice as many on the lowest; more find better and cost memory."""
    ef_construction: int = Field(120, ge=8)
    """Candidates looked at when a vector is linked; more find better and build slower."""
    ef_search: int = Field(64, ge=1)
    """Least number of candidates a search keeps."""
    breadth: float = Field(2.0, ge=1, le=1_000)
    """Candidates a search keeps for each item asked for; behind a filter divided by the share that passes."""


class ScanConfig(BaseModel):
    """Every vector in half a byte a number: André, Kermarrec and Le Scouarnec, VLDB 2015."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    spare: float = Field(6.0, ge=1, le=1_000)
    """Candidates that are scored anew by their true vectors, for each item asked for; behind a filter divided by the
    share that passes."""
    lists: int | None = Field(None, ge=1)
    """Lists the codes stand in, for callers that look at a share of them; None: half the root of their number."""


class IvfPqConfig(BaseModel):
    """Lists of short codes: Jegou, Douze and Schmid, "Product quantization for nearest neighbor search" (2011)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lists: int | None = Field(None, ge=1)
    """Lists the vectors are divided into; None: twice the root of their number."""
    numbers_per_byte: int = Field(4, ge=1, le=64)
    """Numbers of a vector that one byte of its code stands for: 4 is a sixteenth of the memory."""
    probes: int = Field(64, ge=1)
    """Lists a search reads; behind a filter divided by the share that passes."""
    refine: float = Field(4.0, ge=1, le=1_000)
    """Candidates that are scored anew by their true vectors, for each item asked for."""
    vectors: Literal["float", "half"] = "float"
    """The true vectors, on disk and memory-mapped: 4 bytes a number, or 2, whose cosines are right to about 0.0005."""
    train_rows: int = Field(262_144, ge=256)
    """Vectors the lists and codes are learned from."""


class VectorIndexConfig(BaseModel):
    """The index of every embedding space."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["auto", "flat", "scan", "hnsw", "ivf_pq", "qdrant"] = "auto"
    """`flat` is exact; `scan` looks at every vector in half a byte a number; `hnsw` a graph; `ivf_pq` short codes in
    lists, for what memory cannot hold; `qdrant` a Qdrant server; `auto` is one of the first four by size."""
    flat_numbers: int = Field(8_000_000, ge=0)
    """Most numbers (vectors times their width) that `auto` searches exactly, in about a millisecond: 125,000 vectors of
    64, 20,800 of 384."""
    scan_numbers: int = Field(64_000_000, ge=0)
    """Most numbers that `auto` gives to `scan`: 1,000,000 vectors of 64."""
    hnsw_numbers: int = Field(256_000_000, ge=0)
    """Most numbers that `auto` gives to `hnsw`: 4,000,000 vectors of 64; more go to `ivf_pq`."""
    scan: ScanConfig = ScanConfig()
    """The scan."""
    hnsw: HnswConfig = HnswConfig()
    """The graph."""
    ivf_pq: IvfPqConfig = IvfPqConfig()
    """The short codes."""
    qdrant: QdrantConfig = QdrantConfig()
    """The server."""
    build_threads: int = Field(1, ge=1, le=256)
    """Threads that build; a graph built by more than one is another graph each time."""
    batch_threads: int = Field(0, ge=0, le=256)
    """Threads that search many queries at once; 0: as many as there are. One query is always searched by one."""
    batch_device: Device = "cpu"
    """Where many queries are searched at once: a GPU searches exactly, by brute force; `auto`: where one is."""

    def choose(self, rows: int, dim: int) -> Kind:
        """Return the kind for so many vectors of a width.

        Example:
            >>> VectorIndexConfig().choose(10_000, 64), VectorIndexConfig().choose(200_000, 64)
            ('flat', 'scan')
        """
        if self.kind == "qdrant":
            return "qdrant"
        if not rows:
            return "flat"  # nothing to link, and nothing to learn codes from
        if self.kind != "auto":
            return self.kind
        if rows * dim <= self.flat_numbers:
            return "flat"
        if rows * dim <= self.scan_numbers:
            return "scan"
        return "hnsw" if rows * dim <= self.hnsw_numbers else "ivf_pq"

    def shape(self, kind: Kind) -> dict[str, object]:
        """Return the settings that change what is built, for content keys; the others change only searches."""
        built = {
            "flat": set[str](),
            "scan": {"lists"},
            "hnsw": {"neighbours", "ef_construction"},
            "ivf_pq": {"lists", "numbers_per_byte", "vectors", "train_rows"},
            "qdrant": {"url", "prefix"},
        }[kind]
        return {name: value for name, value in getattr(self, kind, self.hnsw).model_dump().items() if name in built}


class IndexSettings(BaseModel):
    """Words and vectors to candidates."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vectors: VectorIndexConfig = VectorIndexConfig()
    """The index of every embedding space."""
