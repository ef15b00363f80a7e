"""Qdrant behind the seam: its client's in-memory mode for what is found, a server on loopback for what goes wrong."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import QdrantClient

from catalog.errors import ConfigError, DataError, ServiceError
from catalog.ids import IdMap
from catalog.log import log_frame
from catalog.nouns import Item
from catalog.shop_data import ShopData, save_shop
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace
from indexes.base import Query
from indexes.config import VectorIndexConfig
from indexes.flat import FlatIndex
from indexes.job import build_indexes, load_index, vector_kinds
from indexes.qdrant import QdrantIndex
from indexes.qdrant_config import QdrantConfig

N = 300
VECTORS = np.random.default_rng(1).normal(size=(N, 12)).astype(np.float32)
TABLE = EmbeddingTable(IdMap(f"i{n}" for n in range(N)), VECTORS, "s")


def config(**chosen: object) -> VectorIndexConfig:
    return VectorIndexConfig(kind="qdrant", qdrant=QdrantConfig.model_validate({"batch": 64, **chosen}))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> QdrantClient:
    client = QdrantClient(":memory:")
    monkeypatch.setattr("indexes.qdrant.connect", lambda config: client)
    return client


@pytest.mark.parametrize("share", [None, 0.9, 0.5, 0.05, 0.0])
def test_it_finds_what_an_exact_search_does(server: QdrantClient, share: float | None) -> None:
    index, flat = QdrantIndex.build(TABLE, config()), FlatIndex.build(TABLE)
    allowed = None if share is None else np.random.default_rng(2).random(N) < share
    for query in (Query(vector=VECTORS[3] * 5), Query(item_id="i7")):
        here, there = flat.search(query, 9, allowed=allowed), index.search(query, 9, allowed=allowed)
        assert [c.item_id for c in there] == [c.item_id for c in here]
        assert [c.score for c in there] == pytest.approx([c.score for c in here], abs=1e-6)
    here, there = (each.search_many(VECTORS[:4], 9, allowed=allowed) for each in (flat, index))
    assert (here.rows == there.rows).all()


def test_many_equal_vectors_come_in_row_order(server: QdrantClient) -> None:
    index = QdrantIndex.build(EmbeddingTable(TABLE.ids, np.tile(VECTORS[:1], (N, 1)), "same"), config())
    assert [c.item_id for c in index.search(Query(vector=VECTORS[0]), 4)] == ["i0", "i1", "i2", "i3"]


def test_a_build_that_was_killed_is_made_again_and_a_whole_one_is_not(server: QdrantClient) -> None:
    index = QdrantIndex.build(TABLE, config())
    server.delete(index.collection, points_selector=[5])
    QdrantIndex.build(TABLE, config())
    assert server.count(index.collection).count == N
    server.upsert = lambda *_, **__: pytest.fail("sent again")  # type: ignore[method-assign]
    assert QdrantIndex.build(TABLE, config()).collection == index.collection


def test_the_job_builds_serves_and_sweeps_what_nobody_serves(server: QdrantClient, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    save_shop(workspace, ShopData.of("toy", tuple(Item(f"i{n}") for n in range(N)), log_frame([])))
    strangers = ["vitrine-text-x-y-0123456789abcdef", "other"]
    for name in strangers:
        QdrantIndex.build(TABLE, config())
        server.create_collection(name, vectors_config=_size(2))
    collections = []
    for turn in range(3):
        with workspace.writing("embeddings/text-x", f"{turn:064x}") as folder:
            EmbeddingTable(TABLE.ids, VECTORS + turn, "text-x").save(folder)
        assert build_indexes(workspace, {}, vectors=config())[1].kind == "qdrant"
        loaded = load_index(workspace, "text-x")
        assert isinstance(loaded, QdrantIndex)
        collections.append(loaded.collection)
        assert loaded.search(Query(item_id="i9"), 3) != []
    left = {each.name for each in server.get_collections().collections}
    assert {*strangers, *collections[1:]} <= left and collections[0] not in left
    assert vector_kinds(workspace) == "qdrant (text-x)"


def _size(dim: int) -> object:
    from qdrant_client import models

    return models.VectorParams(size=dim, distance=models.Distance.DOT)


def test_a_query_of_another_width_is_refused(server: QdrantClient) -> None:
    with pytest.raises(DataError, match=r"\(12,\) of finite numbers would be valid"):
        QdrantIndex.build(TABLE, config()).search(Query(vector=np.ones(3, np.float32)), 3)


def test_a_server_that_is_not_there_is_one_line() -> None:
    with pytest.raises(ServiceError, match=r"Qdrant at 'http://127.0.0.1:1' does not answer") as caught:
        QdrantIndex.build(TABLE, config(url="http://127.0.0.1:1", timeout_seconds=1))
    assert caught.value.retryable and "\n" not in str(caught.value)


@pytest.mark.parametrize(("status", "retryable"), [(403, False), (503, True)])
def test_what_a_server_refuses_with_is_told_without_the_key(
    status: int, retryable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINE_QDRANT_API_KEY", "sesame")
    with answering(status) as (url, seen), pytest.raises(ServiceError, match=f"answered {status}: no entry") as caught:
        QdrantIndex.build(TABLE, config(url=url))
    assert caught.value.retryable is retryable and "sesame" not in str(caught.value)
    assert seen == ["sesame"]


@contextmanager
def answering(status: int) -> Iterator[tuple[str, list[str | None]]]:
    seen: list[str | None] = []

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("api-key"))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"no entry")

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "qdrant_client", None)
    with pytest.raises(ConfigError, match="install the extra qdrant"):
        QdrantIndex.build(TABLE, config())
