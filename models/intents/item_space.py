"""What shoppers say of items, as an embedding table that any model reads as a modality."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import numpy as np
import polars as pl

from catalog.errors import NothingToDo
from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable
from models.intents.words import IntentWords, intent_words, unit
from models.item_statistics import before

DIMS, LEAST_ITEMS = 64, 3


def item_intents(
    intents: pl.DataFrame,
    items: IdMap,
    *,
    as_of: datetime | None,
    sources: Collection[str] | None = None,
    dims: int = DIMS,
    least_items: int = LEAST_ITEMS,
    space: str = "intents",
) -> EmbeddingTable:
    """Return one vector an item of whose intents there are any: TF-IDF of their words, in the leading directions.

    Args:
        intents: Rows of `catalog.intents.INTENTS`; whoever splits a log at random must take out rows of test pairs.
        items: The id world; intents of others are left out.
        as_of: Only what was said before this moment; None: everything, which no evaluation in time may read.
        sources: Kinds of texts that count (`review`, `query`, ...); None: all.
        dims: Most columns.
        least_items: Words that fewer items share are left out.
        space: Name of the space.

    Raises:
        NothingToDo: When no two items share a word.

    Source:
        Latent semantic indexing, Deerwester et al. 1990.
    """
    said = intents if as_of is None else before(intents, as_of)
    if sources is not None:
        said = said.filter(pl.col("source").is_in(sorted(sources)))
    rows: list[list[str]] = [[] for _ in items]
    at = items.rows(said["item_id"].to_list(), missing=-1)
    for row, value in zip(at.tolist(), said["value"].to_list(), strict=True):
        if row >= 0:
            rows[row] += dict.fromkeys(intent_words(value))
    words = IntentWords.of(rows, least=least_items)
    if not words.words:
        raise NothingToDo(f"space {space!r}: no word is said of {least_items} or more of the {len(items):,} items")
    table = unit(words.vectors(rows)).toarray()
    present = np.flatnonzero(table.any(axis=1))
    dense = table[present]
    if dense.shape[1] > dims:
        left, sizes, _ = np.linalg.svd(dense, full_matrices=False)
        dense = (left * sizes)[:, :dims]
    ids = IdMap([items.ids[row] for row in present.tolist()])
    return EmbeddingTable(ids, np.ascontiguousarray(dense, np.float32), space)
