"""Vectors of what shoppers said, embedded once a store: the ranker's features of meaning ask for them at every load."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable, Floats
from catalog.workspace import Workspace, content_key
from embedding.base import TextEmbedder
from embedding.job import default_space
from models.intents.user_vectors import WANTS, Embed
from tools.shop import Shop


def meaning_of(shop: Shop, workspace: Workspace, name: str, rows: pl.DataFrame) -> tuple[EmbeddingTable, Embed] | None:
    """Return the items' texts as vectors and what embeds an intent beside them; None where texts have no vectors.

    Args:
        shop: Its embedder, and the space of its texts.
        workspace: Keeps the vectors as `intent-vectors/<intents>-<embedder>`.
        name: Name of the intents.
        rows: All of them, of whatever moment: a text's vector says nothing of when it was said.
    """
    table = shop.spaces.get(default_space(shop.embedder.name))
    if table is None:
        return None
    values = rows.filter(pl.col("kind").is_in(WANTS))["value"].unique().sort().to_list()
    return table, _looked_up(_kept(workspace, f"intent-vectors/{name}-{shop.embedder.name}", values, shop.embedder))


def _kept(workspace: Workspace, name: str, values: list[str], embedder: TextEmbedder) -> EmbeddingTable:
    key = content_key(embedder.model, values)
    if not workspace.has(name, key):
        vectors = np.asarray(embedder.embed(values), np.float32) if values else np.zeros((0, 1), np.float32)
        with workspace.writing(name, key) as folder:
            EmbeddingTable(IdMap(values), vectors, name).save(folder)
    with workspace.reading(name, whole=True) as folder:
        return EmbeddingTable.load(folder, name)


def _looked_up(table: EmbeddingTable) -> Embed:
    def embed(texts: Sequence[str]) -> Floats:
        found: Floats = table.vectors[table.ids.rows(list(texts))]
        return found

    return embed
