"""Item-item Gram matrices of the train rows: taken by the same shopper, and taken close together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from catalog.log import Interactions
from catalog.vectors import Floats
from models.sparse_rows import csr_of


def shopper_weights(history: sparse.csr_array, power: float) -> Floats:
    """Return `n ** -power` of each shopper's n items, (n_users,), scaled so that the mean over interactions is 1.

    The scale keeps the diagonal's mass, so that regularisation and content weights mean the same at any power.
    """
    counts = np.diff(history.indptr).astype(np.float64)
    weights = np.maximum(counts, 1.0) ** -power
    return np.asarray(weights * (counts.sum() / max(float(weights @ counts), 1e-12)), np.float32)


def together(history: sparse.csr_array, weights: Floats) -> Floats:
    """Return `X' diag(weights) X`, dense (n_items, n_items) float32."""
    scaled = csr_of(sparse.diags_array(np.sqrt(weights)) @ history, history.shape)
    gram: Floats = np.asarray((scaled.T @ scaled).toarray(), np.float32)
    return gram


def in_sequence(train: Interactions, weights: Floats, reach: float) -> Floats:
    """Return the Gram matrix of closeness along each shopper's history, dense (n_items, n_items) float32.

    Entry (i, j) sums `weights[u] * (1 + |place of i - place of j| / reach) ** -1.5` over the shoppers u who took
    both. Places are counted from 0 in the order of time (equal times: by item row) and of train rows only, so the
    unit of the timestamps does not matter and nothing tells where a held-out item stood. A decreasing convex
    function of the distance on a line is positive definite (Polya), so the sum is a Gram matrix.

    Args:
        train: Positives; of repeats the first in time counts.
        weights: (n_users,).
        reach: Items along the history over which closeness fades.
    """
    n_items = len(train.items)
    gram = np.zeros((n_items, n_items), np.float32)
    items, starts, shoppers = _histories(train)
    longest = int(np.diff(starts).max(initial=0))
    fading = ((1 + np.arange(longest) / reach) ** -1.5).astype(np.float32)
    places = np.arange(longest)
    for shopper, start, stop in zip(shoppers, starts[:-1], starts[1:], strict=True):
        mine, place = items[start:stop], places[: stop - start]
        gram[np.ix_(mine, mine)] += weights[shopper] * fading[np.abs(place[:, None] - place)]
    return gram


def _histories(
    train: Interactions,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Return item rows by shopper in the order of time, where each shopper's begin, and the shoppers."""
    order = np.lexsort((train.item_rows, train.timestamps, train.user_rows))
    users, items = train.user_rows[order], train.item_rows[order]
    pairs = users.astype(np.int64) * len(train.items) + items
    first = np.sort(np.unique(pairs, return_index=True)[1])
    users, items = users[first], items[first]
    starts = np.flatnonzero(np.r_[True, users[1:] != users[:-1], True])
    return items, starts.astype(np.int64), users[starts[:-1]]
