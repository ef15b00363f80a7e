"""Item-item cosine over who took what, computed a block of items at a time."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from catalog.progress import SILENT, Progress
from models.sparse_rows import csr_of

BLOCK_CELLS = 8_000_000


def cosine_neighbours(
    history: sparse.csr_array, neighbours: int, shrinkage: float, *, progress: Progress = SILENT
) -> sparse.csr_array:
    """Return the `neighbours` most similar items of each item, (n_items, n_items) float32.

    Row i holds `n_ij / (sqrt(n_i * n_j) + shrinkage)` for its best j, the item itself left out.
    Memory is one dense block of about 8 million cells beside the result.

    Args:
        history: Binary (n_users, n_items).
        neighbours: How many to keep a row; pairs never taken together are not kept.
        shrinkage: At least 0.
        progress: Told once a block.
    """
    n_items = history.shape[1]
    takers = history.T.tocsr()
    root = np.sqrt(np.asarray(history.sum(axis=0), np.float32))
    keep = min(neighbours, max(n_items - 1, 1))
    block = max(1, BLOCK_CELLS // max(n_items, 1))
    progress.start("itemknn", -(-n_items // block))
    parts = []
    for start in range(0, n_items, block):
        rows = np.arange(start, min(start + block, n_items))
        counts = (takers[rows] @ history).toarray()
        scores = counts / np.maximum(root[rows, None] * root[None, :] + shrinkage, np.float32(1e-12))
        scores[np.arange(len(rows)), rows] = 0
        if keep < n_items:
            beaten = np.argpartition(-scores, keep - 1, axis=1)[:, keep:]
            np.put_along_axis(scores, beaten, 0, axis=1)
        parts.append(csr_of(scores, scores.shape))
        progress.advance()
    progress.finish()
    return csr_of(sparse.vstack(parts, format="csr"), (n_items, n_items))
