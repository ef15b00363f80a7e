"""Vectors in a Qdrant server behind the index seam; the only module that imports `qdrant_client`.

The server holds the vectors and finds candidates; they come back with their vectors and are scored here, so that
scores and ties are those of every other index.
"""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

import numpy as np
import polars as pl

from catalog.errors import ConfigError, DataError, ServiceError
from catalog.id_files import read_ids
from catalog.ids import IdMap, Rows
from catalog.nouns import Candidate
from catalog.shown import shown_text
from catalog.vectors import EmbeddingTable, Floats, Mask
from catalog.workspace import content_key
from indexes.base import Neighbours, Query
from indexes.config import Kind, VectorIndexConfig
from indexes.exact import TIE
from indexes.qdrant_config import API_KEY, QdrantConfig
from indexes.ranking import best, check
from indexes.unit import unit_rows
from indexes.vector_index import IDS, INDEX


def connect(config: QdrantConfig) -> Any:
    """Return a client; nothing is sent yet.

    Raises:
        ConfigError: When `qdrant-client` is not installed.
    """
    try:
        from qdrant_client import QdrantClient
    except ImportError as error:
        raise ConfigError(
            "indexes.vectors.kind is 'qdrant' and qdrant-client is not installed: install the extra qdrant"
        ) from error
    with warnings.catch_warnings():
        if urlsplit(config.url).hostname in ("127.0.0.1", "::1", "localhost"):
            warnings.filterwarnings("ignore", "Api key is used with an insecure connection")
        return QdrantClient(
            url=config.url,
            api_key=os.environ.get(API_KEY) or None,
            timeout=ceil(config.timeout_seconds),
            check_compatibility=False,  # it would ask the server before anything is needed of it
        )


class QdrantIndex:
    """One collection of a Qdrant server; a point's id is its row.

    A filter travels as the row ids that pass, or that do not, whichever are fewer: 100,000 are about a megabyte.

    Args:
        items: The rows.
        dim: Width of a vector.
        space: Name of the embedding space.
        name: Becomes `Candidate.source`.
        collection: Its name on the server.
        config: Where the server is, and how it is searched.
        client: Who speaks to it.
    """

    kind: ClassVar[Kind] = "qdrant"

    def __init__(
        self,
        items: IdMap,
        dim: int,
        space: str,
        name: str,
        collection: str,
        config: VectorIndexConfig,
        client: Any,
    ) -> None:
        self.items, self.dim, self.space, self.name = items, dim, space, name
        self.collection, self.config, self._client = collection, config, client

    @classmethod
    def build(cls, table: EmbeddingTable, config: VectorIndexConfig | None = None, name: str | None = None) -> Self:
        """Send a table to the server, unless the very same stands there whole.

        Raises:
            ServiceError: When the server does not answer, or refuses.
        """
        config = config or VectorIndexConfig(kind="qdrant")
        chosen, client, unit = config.qdrant, connect(config.qdrant), unit_rows(table.vectors)
        from qdrant_client import models

        key = content_key(table.ids.sha(), unit.tobytes(), table.space)[:16]
        collection = f"{chosen.prefix}-{table.space}-{key}"
        with _speaking(chosen):
            standing = client.collection_exists(collection)
            if standing and client.count(collection, exact=True).count != len(unit):  # a build that was killed
                client.delete_collection(collection)
                standing = False
            if not standing:
                size = models.VectorParams(size=table.dim, distance=models.Distance.DOT)
                client.create_collection(collection, vectors_config=size)
                for start in range(0, len(unit), chosen.batch):
                    part = unit[start : start + chosen.batch]
                    points = models.Batch(ids=list(range(start, start + len(part))), vectors=part.tolist())
                    client.upsert(collection, points=points, wait=True)
        return cls(table.ids, table.dim, table.space, name or table.space, collection, config, client)

    def sweep(self, keep: Sequence[str] = ()) -> list[str]:
        """Delete the earlier collections of this space but those in `keep`, and return their names."""
        ours = re.compile(re.escape(f"{self.config.qdrant.prefix}-{self.space}-") + r"[0-9a-f]{16}")
        with _speaking(self.config.qdrant):
            names = [each.name for each in self._client.get_collections().collections]
            gone = [n for n in names if ours.fullmatch(n) and n != self.collection and n not in keep]
            for name in gone:
                self._client.delete_collection(name)
        return gone

    def search(self, query: Query, k: int, *, allowed: Mask | None = None) -> list[Candidate]:
        """Return up to `k` candidates by cosine; see `indexes.base.Index.search`."""
        if check(query, k, ("vector", "item_id"), self.name, allowed, len(self.items)) == "item_id":
            own = self.items.row(str(query.item_id))
            with _speaking(self.config.qdrant):
                wanted = np.array(
                    self._client.retrieve(self.collection, [own], with_vectors=True)[0].vector, np.float32
                )
            allowed = np.ones(len(self.items), np.bool_) if allowed is None else allowed.copy()
            allowed[own] = False
        else:
            wanted = self._checked(np.asarray(query.vector, np.float32)[None])[0]
        rows, scores = self._nearest(wanted[None], k, allowed)[0]
        found = zip(rows.tolist(), scores.tolist(), strict=True)
        return [Candidate(self.items.ids[row], score, self.name) for row, score in found]

    def search_many(self, vectors: Floats, k: int, *, allowed: Mask | None = None) -> Neighbours:
        """Return the `k` nearest of each vector, in one request; see `indexes.base.VectorSearch.search_many`."""
        check(Query(text=""), k, ("text",), self.name, allowed, len(self.items))
        wanted = self._checked(np.asarray(vectors, np.float32))
        out = Neighbours(np.full((len(wanted), k), -1, np.int64), np.full((len(wanted), k), -np.inf, np.float32))
        for number, (rows, scores) in enumerate(self._nearest(wanted, k, allowed)):
            out.rows[number, : len(rows)], out.scores[number, : len(rows)] = rows, scores
        return out

    def _nearest(self, wanted: Floats, k: int, allowed: Mask | None) -> list[tuple[Rows, Floats]]:
        there = len(self.items) if allowed is None else int(np.count_nonzero(allowed))
        found: list[tuple[Rows, Floats]] = [(np.empty(0, np.int64), np.empty(0, np.float32))] * len(wanted)
        open_queries, ask = list(range(len(wanted))), k + 1
        while there and open_queries:
            ask, again = min(ask, there), []
            for number, (rows, vectors) in zip(
                open_queries, self._ask(wanted[open_queries], ask, allowed), strict=True
            ):
                scores = np.einsum("nd,d->n", vectors, wanted[number])
                # Everything that ties with the last must be seen before the lower rows can be chosen.
                if len(rows) == ask < there and scores.min() >= np.partition(scores, ask - k)[ask - k] - TIE:
                    again.append(number)
                order = best(scores, k)
                found[number] = rows[order], scores[order]
            open_queries, ask = again, ask * 4
        return found

    def _ask(self, wanted: Floats, limit: int, allowed: Mask | None) -> list[tuple[Rows, Floats]]:
        """Return rows, ascending, and vectors of what the server finds for each query."""
        from qdrant_client import models

        passing = None
        if allowed is not None:
            few = np.count_nonzero(allowed) * 2 <= len(allowed)
            condition = models.HasIdCondition(has_id=np.flatnonzero(allowed if few else ~allowed).tolist())
            passing = models.Filter(must=[condition]) if few else models.Filter(must_not=[condition])
        how = models.SearchParams(exact=self.config.qdrant.exact)
        requests = [
            models.QueryRequest(query=each.tolist(), limit=limit, filter=passing, params=how, with_vector=True)
            for each in wanted
        ]
        with _speaking(self.config.qdrant):
            answers = self._client.query_batch_points(self.collection, requests)
        out = []
        for answer in answers:
            points = sorted(answer.points, key=lambda point: int(point.id))
            vectors = np.array([point.vector for point in points], np.float32).reshape(len(points), self.dim)
            out.append((np.array([int(point.id) for point in points], np.int64), vectors))
        return out

    def _checked(self, vectors: Floats) -> Floats:
        if vectors.ndim != 2 or vectors.shape[1] != self.dim or not np.isfinite(vectors).all():
            raise DataError(
                f"index {self.name!r}: query vector of shape {vectors.shape[1:]!r}; "
                f"({self.dim},) of finite numbers would be valid"
            )
        return unit_rows(vectors)

    def save(self, folder: Path) -> None:
        """Write the ids, and where the vectors are."""
        pl.DataFrame({"item_id": list(self.items)}, schema={"item_id": pl.String}).write_parquet(folder / IDS)
        meta = {"kind": self.kind, "name": self.name, "space": self.space, "dim": self.dim}
        meta |= {"collection": self.collection, "config": self.config.model_dump()}
        (folder / INDEX).write_text(json.dumps(meta), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, config: VectorIndexConfig | None = None) -> Self:
        """Read what `save` wrote; the server is asked at the first search."""
        meta = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        items = read_ids(folder / IDS)
        config = config or VectorIndexConfig(**meta["config"])
        client = connect(config.qdrant)
        return cls(items, int(meta["dim"]), meta["space"], meta["name"], meta["collection"], config, client)


@contextmanager
def _speaking(config: QdrantConfig) -> Iterator[None]:
    """Turn what goes wrong between us and the server into one line."""
    from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

    place = f"Qdrant at {shown_text(config.url)!r}"
    try:
        yield
    except UnexpectedResponse as error:
        content = error.content.decode("utf-8", "replace") if isinstance(error.content, bytes) else str(error.content)
        text = shown_text(content)[:200]
        again = error.status_code is not None and (error.status_code == 429 or error.status_code >= 500)
        raise ServiceError(f"{place} answered {error.status_code}: {text}", retryable=again) from error
    except ResponseHandlingException as error:
        raise ServiceError(f"{place} does not answer: {shown_text(str(error))[:200]}", retryable=True) from error
