"""New items join a fitted model's id world behind the ones it knows."""

from __future__ import annotations

from collections.abc import Mapping

from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable


def with_new_items(items: IdMap, modalities: Mapping[str, EmbeddingTable]) -> tuple[IdMap, int]:
    """Return `items` followed by the ids of `modalities` it lacks (each once, tables in order), and how many."""
    new = list(dict.fromkeys(i for table in modalities.values() for i in table.ids if i not in items))
    return (IdMap([*items, *new], items.noun), len(new)) if new else (items, 0)
