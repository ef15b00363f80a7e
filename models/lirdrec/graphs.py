"""The two graphs of LIRDRec, symmetric-normalised: users with items, items with alike items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse

from catalog.vectors import Floats
from models.nearest import nearest
from models.sparse_rows import csr_from_edges, csr_of

DEGREE_FLOOR = 1e-7
"""Added to every degree before the inverse root, so that a lone node has no edge and no NaN."""


def bipartite_graph(positives: sparse.csr_array) -> sparse.csr_array:
    """Return `D_u^-1/2 R D_i^-1/2` of a binary R, (n_users, n_items) float32."""
    users = _inverse_root(np.asarray(positives.sum(axis=1), np.float64))
    items = _inverse_root(np.asarray(positives.sum(axis=0), np.float64))
    scaled = sparse.diags_array(users) @ positives.astype(np.float64) @ sparse.diags_array(items)
    return csr_of(scaled, positives.shape)


def knn_graph(unit: Floats, k: int) -> sparse.csr_array:
    """Return the normalised kNN graph of unit rows (n, d), (n, n) float32.

    Binary and directed (i -> its k nearest by cosine, itself among them), then `D^-1/2 A D^-1/2` with
    the row degrees D. An item without features is tied to itself alone.
    """
    n = len(unit)
    found = nearest(unit, unit, k, np.arange(n))
    rows = np.repeat(np.arange(n), found.shape[1])
    kept = found.ravel() >= 0
    columns = found.ravel()[kept]
    edges = csr_from_edges(rows[kept], columns, (n, n))
    root = sparse.diags_array(_inverse_root(np.asarray(edges.sum(axis=1), np.float64)))
    return csr_of(root @ edges @ root, (n, n))


def item_graph(units: Sequence[Floats], k: int, weight: float) -> sparse.csr_array:
    """Return the weighted sum of the modalities' kNN graphs, (n, n) float32."""
    shape = (len(units[0]), len(units[0]))
    summed = csr_of(shape, shape)
    for share, unit in zip(graph_weights(len(units), weight), units, strict=True):
        summed = csr_of(summed + share * knn_graph(unit, k), shape)
    return summed


def graph_weights(n_modalities: int, weight: float) -> tuple[float, ...]:
    """Return the share of each modality's graph: `weight` for the first, the rest alike; they sum to 1."""
    if n_modalities == 1:
        return (1.0,)
    return (weight, *[(1 - weight) / (n_modalities - 1)] * (n_modalities - 1))


def _inverse_root(degrees: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray((degrees + DEGREE_FLOOR) ** -0.5, np.float64)
