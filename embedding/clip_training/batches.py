"""Which items stand together in a step, and which of them are no negatives of each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from catalog.vectors import Mask
from embedding.clip_training.rows import Ints


def batches(rows: Ints, categories: Sequence[str], *, size: int, hard: float, rng: np.random.Generator) -> list[Ints]:
    """Return every row once, in steps of about `size`.

    Rows of one category stand together in runs of `hard * size`, so that a step has to tell apart what looks alike;
    the runs themselves are in random order.

    Args:
        rows: Rows of the items to learn from.
        categories: Of every item, by row.
        size: Rows of a step.
        hard: From 0 (no two belong together but by chance) to 1 (a step is of one category).
        rng: Draws the order.
    """
    run = max(1, round(size * hard))
    by_category: dict[str, list[int]] = {}
    for row in rng.permutation(rows):
        by_category.setdefault(categories[row], []).append(int(row))
    runs = [each[at : at + run] for each in by_category.values() for at in range(0, len(each), run)]
    order = np.array([row for at in rng.permutation(len(runs)) for row in runs[at]], np.int64)
    return [part for part in np.array_split(order, max(1, round(len(order) / size))) if len(part) > 1]


def not_negatives(said: Ints, shown: Ints, groups: Ints) -> Mask:
    """Return (b, b) which texts (columns) are no negatives of which pictures (rows), the diagonal among them.

    Those are texts that stand with the picture's own item word for word, and texts of the same parent.

    Args:
        said: (b, parts) every text of each item, as numbers; -1 is none.
        shown: (b,) which text of each item this step shows.
        groups: (b,) one number a parent.
    """
    found: Mask = (said[:, None, :] == shown[None, :, None]).any(2) | (groups[:, None] == groups[None, :])
    return found


def held_out(groups: Ints, share: float, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return rows to learn from and rows held out, about `share` of them; what has one parent is never divided."""
    order = rng.permutation(int(groups.max()) + 1)
    sizes = np.bincount(groups)[order]
    taken = max(1, int(np.searchsorted(np.cumsum(sizes), share * len(groups), side="right")))
    out = np.isin(groups, order[: min(taken, len(order) - 1)])
    return np.flatnonzero(~out), np.flatnonzero(out)


def folds(groups: Ints, count: int, rng: np.random.Generator) -> Ints:
    """Return (n,) the fold of each row: parents in random order, each into the smallest fold so far."""
    parents = rng.permutation(int(groups.max()) + 1)
    sizes = np.bincount(groups)
    filled = np.zeros(count, np.int64)
    fold_of = np.zeros(len(parents), np.int64)
    for parent in parents:
        fold_of[parent] = filled.argmin()
        filled[fold_of[parent]] += sizes[parent]
    return fold_of[groups]
