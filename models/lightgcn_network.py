"""Parameters, propagation and loss of LightGCN."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from models.lightgcn import LightGCNConfig
from models.lirdrec.graphs import bipartite_graph
from models.lirdrec.products import Graph
from models.pairwise_training import Network, bpr_loss, new_table, pick, squared_rows


@dataclass(frozen=True, eq=False)
class Smoothed:
    """Rows after propagation; `below` (n_items, d) is the items' sum of layers 0..L-1, over L + 1."""

    users: Tensor
    items: Tensor
    below: Tensor


def mean_of_layers(graph: Graph, users: Tensor, items: Tensor, n_layers: int) -> Smoothed:
    """Return the mean of layers 0..`n_layers` over the normalised graph (n_users, n_items).

    Source:
        He et al. 2020 (LightGCN), equations 3 and 4 with alpha = 1 / (L + 1).
    """
    back = graph.transpose()
    user_sum, item_sum, below = users, items, items
    for _ in range(n_layers):
        users, items = graph @ items, back @ users
        below = item_sum
        user_sum, item_sum = user_sum + users, item_sum + items
    share = 1 / (n_layers + 1)
    return Smoothed(user_sum * share, item_sum * share, below * share)


def fold_in_table(below: Tensor, positives: sparse.csr_array) -> Tensor:
    """Return what each item (n_items, d) adds to a new user's row, up to the user's own degree."""
    degrees = np.maximum(np.asarray(positives.sum(axis=0), np.float32), 1)
    return below / torch.from_numpy(np.sqrt(degrees))[:, None]


class LightGCNNetwork(Network):
    """Layer 0 of users and items over a fixed graph.

    Args:
        positives: Binary (n_users, n_items).
        config: Width, layers and lambda.
    """

    def __init__(self, positives: sparse.csr_array, config: LightGCNConfig) -> None:
        super().__init__()
        self.users = new_table(positives.shape[0], config.dim)
        self.items = new_table(positives.shape[1], config.dim)
        self._config = config
        self._positives = positives
        self._graph = Graph(bipartite_graph(positives))

    def loss(self, triples: Tensor) -> Tensor:
        """Return the loss of triples (3, b)."""
        users, taken, sampled = triples
        rows = mean_of_layers(self._graph, self.users, self.items, self._config.n_ui_layers)
        loss = bpr_loss(pick(rows.users, users), pick(rows.items, taken), pick(rows.items, sampled))
        layer0 = pick(self.users, users), pick(self.items, taken), pick(self.items, sampled)
        return loss + self._config.regularisation * squared_rows(*layer0)

    def tables(self) -> dict[str, Tensor]:
        """Return the smoothed tables and `fold_in`."""
        rows = mean_of_layers(self._graph, self.users, self.items, self._config.n_ui_layers)
        return {
            "users": rows.users,
            "items": rows.items,
            "fold_in": fold_in_table(rows.below, self._positives),
        }
