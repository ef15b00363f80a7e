"""New items join a fitted model's id world behind the ones it knows, and which of them a score says anything of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable, Floats, Mask


def with_new_items(items: IdMap, modalities: Mapping[str, EmbeddingTable]) -> tuple[IdMap, int]:
    """Return `items` followed by the ids of `modalities` it lacks (each once, tables in order), and how many."""
    new = list(dict.fromkeys(i for table in modalities.values() for i in table.ids if i not in items))
    return (IdMap([*items, *new], items.noun), len(new)) if new else (items, 0)


def grounded(items: IdMap, counts: Floats, placed: frozenset[str], reads_content: bool) -> Mask:
    """Return which items a score says anything of, (n_items,) bool.

    Args:
        items: Of the model, later ones included.
        counts: (n_items,) positives of each in training; 0 for later ones.
        placed: Later items that features gave a place.
        reads_content: Whether features give a place to items that nobody took.
    """
    if reads_content:
        return np.ones(len(items), np.bool_)
    mask = np.asarray(counts > 0, np.bool_)
    mask[items.rows(sorted(placed))] = True
    return mask
