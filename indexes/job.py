"""The index job: what later searches need, written once and skipped while it is current."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from catalog.errors import DataError, NotFoundError, did_you_mean
from catalog.ids import IdMap
from catalog.items import Catalog
from catalog.nouns import Caption
from catalog.progress import SILENT, Progress
from catalog.shop_data import load_shop
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace, content_key
from embedding.attribute_space import has_basis
from indexes.base import Index
from indexes.config import VectorIndexConfig
from indexes.keyword import KeywordConfig, KeywordIndex
from indexes.opening import build_vectors, open_vectors_index
from indexes.qdrant import QdrantIndex

KEYWORD = "keyword"
_FORMAT = 3
"""Part of every content key: raised when the meaning of the written files changes."""


@dataclass(frozen=True, slots=True)
class BuiltIndex:
    """One index of the workspace: how many items it holds, whether this run had to build it, and its kind."""

    name: str
    items: int
    built: bool
    kind: str = "bm25"


def build_indexes(
    workspace: Workspace,
    captions: Mapping[str, Iterable[Caption]],
    *,
    config: KeywordConfig | None = None,
    vectors: VectorIndexConfig | None = None,
    progress: Progress = SILENT,
) -> list[BuiltIndex]:
    """Write `indexes/keyword` and one `indexes/<space>` for every embedding space in the store that is searched.

    A space with a basis of its own (`attributes`) is for models alone.

    An index whose inputs (items, captions, vectors, configuration) are unchanged is left alone.
    Vectors of items the catalogue no longer has are left out.

    Raises:
        NotBuiltError: When the store has no catalogue.
    """
    catalog = load_shop(workspace).catalog
    spaces = [space for space in workspace.names("embeddings") if not has_basis(workspace, space)]
    progress.start("index", 1 + len(spaces))
    built = [_keyword(workspace, catalog, captions, config or KeywordConfig())]
    progress.advance(note=KEYWORD)
    for space in spaces:
        built.append(_vectors(workspace, catalog, space, vectors or VectorIndexConfig()))
        progress.advance(note=space)
    progress.finish()
    return built


def load_index(workspace: Workspace, name: str, vectors: VectorIndexConfig | None = None) -> Index:
    """Read one index: `keyword`, or a space's name, which is searched as `vectors` says, or as when it was built.

    Raises:
        NotBuiltError: When there is no index at all.
        NotFoundError: When there are others but not this one.
        DataError: When it is damaged.
    """
    names = workspace.names("indexes")
    if names and name not in names:
        raise NotFoundError(f"unknown index {name!r}. {did_you_mean(name, names)}")
    # A graph is walked by the numbers in its file: one that was changed could lead out of memory.
    with workspace.reading(f"indexes/{name}", whole=True) as folder:
        return _reader(name, folder, vectors)


def load_indexes(workspace: Workspace, vectors: VectorIndexConfig | None = None) -> dict[str, Index]:
    """Read every index of the workspace by name."""
    return {name: load_index(workspace, name, vectors) for name in workspace.names("indexes")}


def _reader(name: str, folder: Path, vectors: VectorIndexConfig | None) -> Index:
    return KeywordIndex.load(folder) if name == KEYWORD else open_vectors_index(folder, vectors)


def _keyword(
    workspace: Workspace, catalog: Catalog, captions: Mapping[str, Iterable[Caption]], config: KeywordConfig
) -> BuiltIndex:
    known = {item_id: tuple(said) for item_id, said in captions.items() if item_id in catalog}
    texts = {item_id: [caption.text for caption in said] for item_id, said in known.items()}
    key = content_key(_FORMAT, [asdict(item) for item in catalog], texts, config.model_dump())
    artifact = f"indexes/{KEYWORD}"
    if workspace.has(artifact, key):
        return BuiltIndex(KEYWORD, len(catalog), False)
    with workspace.writing(artifact, key, {"items": len(catalog)}) as folder:
        KeywordIndex.build(catalog, known, config).save(folder)
    return BuiltIndex(KEYWORD, len(catalog), True)


def _vectors(workspace: Workspace, catalog: Catalog, space: str, config: VectorIndexConfig) -> BuiltIndex:
    with workspace.reading(f"embeddings/{space}", whole=True) as folder:
        table = EmbeddingTable.load(folder, space)
    held = catalogue_order(table, catalog.ids)
    kind = config.choose(len(held.ids), held.dim)
    key = content_key(_FORMAT, held.ids.sha(), held.vectors.tobytes(), space, kind, config.shape(kind))
    artifact = f"indexes/{space}"
    if workspace.has(artifact, key):
        return BuiltIndex(space, len(held.ids), False, kind)
    before = workspace.manifest(artifact)
    meta = {"items": len(held.ids), "space": space, "kind": kind}
    with workspace.writing(artifact, key, meta) as folder:
        index = build_vectors(held, config)
        index.save(folder)
        if isinstance(index, QdrantIndex):
            meta["collection"] = index.collection
    if isinstance(index, QdrantIndex):  # what was served until now may still be
        index.sweep(keep=[str(before.meta.get("collection"))] if before else ())
    return BuiltIndex(space, len(held.ids), True, kind)


def catalogue_order(table: EmbeddingTable, items: IdMap) -> EmbeddingTable:
    """Return the vectors of the catalogue's items alone, in its order, so that ties fall as everywhere else."""
    vectors, present = table.align(items)
    return EmbeddingTable(IdMap(items.at(np.flatnonzero(present))), vectors[present], table.space)


def vector_kinds(workspace: Workspace) -> str:
    """Return which kind of index each space has, in a line: `flat (text-minilm), hnsw (picture-clip)`; "" for none."""
    kinds: dict[str, list[str]] = {}
    for name in workspace.names("indexes"):
        if name != KEYWORD:
            kinds.setdefault(_kind(workspace, name), []).append(name)
    return ", ".join(f"{kind} ({', '.join(names)})" for kind, names in sorted(kinds.items()))


def _kind(workspace: Workspace, name: str) -> str:
    try:
        manifest = workspace.manifest(f"indexes/{name}")
    except DataError:
        return "damaged"  # said at length where the store is examined
    return str(manifest.meta.get("kind", "flat")) if manifest else "gone"
