"""A wish as one vector a space: the query, plus examples, minus counter-examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from catalog.errors import ServiceError
from catalog.ids import Rows
from catalog.vectors import EmbeddingTable, Floats
from tools.pipeline.config import PipelineConfig
from tools.pipeline.nouns import PipelineRequest
from tools.shop import Shop
from tools.spaces import spaces_of, takes_words


def wish_vectors(
    shop: Shop, request: PipelineRequest, config: PipelineConfig, degraded: list[str]
) -> dict[str, Floats]:
    """Return the wished-for direction (d,) of every space that can express the wish.

    `wish = unit(query) + mean(like) - unlike_weight * mean(unlike)`. When the embedder is out of reach
    the query is left to the keywords, and `degraded` says so.

    Source: Rocchio, "Relevance feedback in information retrieval" (1971).
    """
    spaces = request.spaces if request.spaces is not None else spaces_of(shop)
    worded = _embedded(shop, request.query, degraded) if request.query else None
    wishes: dict[str, Floats] = {}
    for space in spaces:
        table = shop.table(space)
        parts = [mean_unit(table, request.like)]
        if worded is not None and takes_words(shop, space):
            parts.append(worded)
        if space in request.vectors:
            parts.append(_unit(request.vectors[space]))
        wanted = [part for part in parts if part is not None]
        if wanted:
            against = mean_unit(table, request.unlike)
            push = 0 if against is None else config.unlike_weight * against
            wishes[space] = np.asarray(np.sum(wanted, axis=0) - push, np.float32)
    return wishes


def taste_vectors(
    shop: Shop, liked: Sequence[str], disliked: Sequence[str], config: PipelineConfig
) -> Mapping[str, Floats]:
    """Return the direction (d,) of a shopper's latest likes in every space that has some of them."""
    wishes = {}
    for space in spaces_of(shop):
        likes = mean_unit(shop.spaces[space], liked[-config.liked_depth :])
        if likes is not None:
            against = mean_unit(shop.spaces[space], disliked)
            push = 0 if against is None else config.unlike_weight * against
            wishes[space] = np.asarray(likes - push, np.float32)
    return wishes


def cosines(table: EmbeddingTable, wish: Floats, item_ids: Sequence[str]) -> Floats:
    """Return the cosine (n,) of each item with `wish`; 0 for an item without a vector."""
    rows = table.ids.rows(item_ids, missing=-1)
    vectors = table.vectors[rows]
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(wish)
    values = np.einsum("nd,d->n", vectors, wish) / np.where(lengths > 0, lengths, 1)
    return np.asarray(np.where(rows >= 0, values, 0), np.float32)


def cosines_at(shop: Shop, space: str, wish: Floats, rows: Rows) -> Floats:
    """Return the cosine (n,) of the items at catalogue rows with `wish`; 0 for an item without a vector."""
    table, at = shop.table(space), shop.table_rows[space][rows]
    vectors = table.vectors[at]
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(wish)
    values = np.einsum("nd,d->n", vectors, wish) / np.where(lengths > 0, lengths, 1)
    return np.asarray(np.where(at >= 0, values, 0), np.float32)


def units_at(shop: Shop, space: str, rows: Rows) -> Floats:
    """Return the unit vectors (n, d) of the items at catalogue rows, zeros for those without one."""
    return units_of(shop.table(space), shop.table_rows[space][rows])


def unit_rows(table: EmbeddingTable, item_ids: Sequence[str]) -> Floats:
    """Return the unit vectors (n, d) of items, zeros for those without one."""
    return units_of(table, table.ids.rows(item_ids, missing=-1))


def units_of(table: EmbeddingTable, at: Rows) -> Floats:
    """Return the unit vectors (n, d) at rows of a table, zeros for those at -1."""
    vectors: Floats = table.vectors.take(at, axis=0)  # a copy, so written in place from here on
    vectors[at < 0] = 0
    lengths = np.sqrt(np.add.reduce(vectors * vectors, axis=1, keepdims=True))
    vectors /= np.where(lengths > 0, lengths, 1)
    return vectors


def mean_unit(table: EmbeddingTable, item_ids: Sequence[str]) -> Floats | None:
    """Return the mean of the items' unit vectors (d,), or None when none of them has one."""
    known = [item_id for item_id in item_ids if item_id in table.ids]
    return np.asarray(unit_rows(table, known).mean(axis=0), np.float32) if known else None


def _embedded(shop: Shop, query: str, degraded: list[str]) -> Floats | None:
    try:
        return np.asarray(shop.embedder.embed_queries([query])[0], np.float32)
    except ServiceError as error:
        degraded.append(f"meaning of words: {error}")
        return None


def _unit(vector: Floats) -> Floats:
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / (length or 1.0), np.float32)
