from pathlib import Path

import numpy as np
import pytest

from catalog.errors import DataError, NotBuiltError, NotFoundError
from catalog.ids import IdMap
from catalog.log import log_frame
from catalog.nouns import Caption, Item
from catalog.shop_data import ShopData, save_shop
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace
from indexes.base import Query
from indexes.config import HnswConfig, VectorIndexConfig
from indexes.hnsw import HnswIndex
from indexes.job import BuiltIndex, build_indexes, load_index, load_indexes, vector_kinds
from indexes.keyword import KeywordConfig

ITEMS = (Item("007", title="Blue vase"), Item("b", title="Red lamp"), Item("c", title="Bag"))


def store(root: Path, items: tuple[Item, ...] = ITEMS) -> Workspace:
    workspace = Workspace(root)
    save_shop(workspace, ShopData.of("toy", items, log_frame([])))
    return workspace


def embed(workspace: Workspace, space: str, ids: str | list[str], seed: int = 0) -> None:
    vectors = np.random.default_rng(seed).normal(size=(len(ids), 4)).astype(np.float32)
    with workspace.writing(f"embeddings/{space}", f"{seed:064x}") as folder:
        EmbeddingTable(IdMap(ids), vectors, space).save(folder)


def test_builds_keyword_and_every_space_then_skips_what_is_current(tmp_path: Path) -> None:
    workspace = store(tmp_path)
    embed(workspace, "text-x", ["c", "gone", "007"])
    assert build_indexes(workspace, {}) == [
        BuiltIndex("keyword", 3, True),
        BuiltIndex("text-x", 2, True, "flat"),
    ]
    assert [b.built for b in build_indexes(workspace, {})] == [False, False]
    assert sorted(load_indexes(workspace)) == ["keyword", "text-x"]
    assert load_index(workspace, "text-x").items.ids == ("007", "c")  # the catalogue's order, without "gone"
    assert [c.item_id for c in load_index(workspace, "keyword").search(Query(text="vases"), 5)] == ["007"]


def test_new_vectors_words_or_settings_rebuild_only_what_they_touch(tmp_path: Path) -> None:
    workspace = store(tmp_path)
    embed(workspace, "text-x", ["007", "b", "c"])
    build_indexes(workspace, {})
    embed(workspace, "text-x", ["007", "b", "c"], seed=1)
    assert [b.built for b in build_indexes(workspace, {})] == [False, True]
    said = {"c": (Caption("c", "c.png", "striped", "pixels", "p", "m"),)}
    assert [b.built for b in build_indexes(workspace, said)] == [True, False]
    assert [c.item_id for c in load_index(workspace, "keyword").search(Query(text="stripes striped"), 5)] == ["c"]
    assert [b.built for b in build_indexes(workspace, said, config=KeywordConfig(b=0.1))] == [True, False]


def test_the_setting_chooses_the_kind_and_a_change_of_what_is_built_rebuilds(tmp_path: Path) -> None:
    workspace = store(tmp_path)
    embed(workspace, "text-x", ["007", "b", "c"])

    def build(kind: str, **hnsw: float) -> BuiltIndex:
        return build_indexes(workspace, {}, vectors=VectorIndexConfig.model_validate({"kind": kind, "hnsw": hnsw}))[1]

    assert build("auto") == BuiltIndex("text-x", 3, True, "flat")
    assert build("flat") == BuiltIndex("text-x", 3, False, "flat")
    assert build("hnsw") == BuiltIndex("text-x", 3, True, "hnsw")
    assert vector_kinds(workspace) == "hnsw (text-x)"
    assert build("hnsw", breadth=3) == BuiltIndex("text-x", 3, False, "hnsw")  # changes searches alone
    assert build("hnsw", neighbours=8) == BuiltIndex("text-x", 3, True, "hnsw")
    wider = VectorIndexConfig(hnsw=HnswConfig(breadth=4))
    served = load_index(workspace, "text-x", wider)
    assert isinstance(served, HnswIndex) and served.config == wider
    assert [c.item_id for c in served.search(Query(item_id="b"), 5)] != []


def test_a_graph_that_was_changed_on_disk_is_not_walked(tmp_path: Path) -> None:
    workspace = store(tmp_path)
    embed(workspace, "text-x", ["007", "b", "c"])
    build_indexes(workspace, {}, vectors=VectorIndexConfig(kind="hnsw"))
    path = workspace.path("indexes/text-x") / "index.faiss"
    whole = bytearray(path.read_bytes())
    whole[-30] ^= 0xFF
    path.write_bytes(bytes(whole))
    with pytest.raises(DataError, match=r"index\.faiss.*run vitrine index again"):
        load_index(workspace, "text-x")


def test_without_a_catalogue_the_error_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(NotBuiltError, match="vitrine generate or vitrine import"):
        build_indexes(Workspace(tmp_path), {})


def test_loading_says_what_there_is(tmp_path: Path) -> None:
    workspace = store(tmp_path)
    with pytest.raises(NotBuiltError, match="run vitrine index first"):
        load_index(workspace, "keyword")
    build_indexes(workspace, {})
    with pytest.raises(NotFoundError, match="Did you mean 'keyword'"):
        load_index(workspace, "keywords")
