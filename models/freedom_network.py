"""Parameters, graphs and loss of FREEDOM."""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from models.freedom import FREEDOMConfig
from models.item_features import ItemFeatures
from models.lightgcn_network import fold_in_table, mean_of_layers
from models.linear_reading import LinearReading
from models.lirdrec.graphs import bipartite_graph, item_graph
from models.lirdrec.products import Graph
from models.pairwise_training import Arrays, Network, bpr_loss, new_table, pick
from models.sparse_rows import csr_from_edges


class FREEDOMNetwork(Network):
    """Layer 0 of users and items, a frozen graph of alike items, a user-item graph thinned anew each epoch.

    Args:
        positives: Binary (n_users, n_items).
        features: Of the items; the raw features are read only where lambda is not 0.
        config: Width, layers, graph settings and lambda.
    """

    def __init__(self, positives: sparse.csr_array, features: ItemFeatures, config: FREEDOMConfig) -> None:
        super().__init__()
        self.users = new_table(positives.shape[0], config.dim)
        self.items = new_table(positives.shape[1], config.dim)
        self._config = config
        self._positives = positives
        self._features = features
        self._whole = Graph(bipartite_graph(positives))
        self._thinned = self._whole
        self._alike = Graph(item_graph(list(features.units.values()), config.neighbours, config.graph_weight))
        read = features.inputs.values() if config.regularisation else ()
        self.readings = nn.ModuleList([LinearReading(table, config.dim) for table in read])

    def start_epoch(self, rng: np.random.Generator) -> None:
        """Draw the edges this epoch walks on."""
        if self._config.edge_dropout:
            self._thinned = Graph(bipartite_graph(thinned(self._positives, self._config.edge_dropout, rng)))

    def loss(self, triples: Tensor) -> Tensor:
        """Return the loss of triples (3, b)."""
        rows = mean_of_layers(self._thinned, self.users, self.items, self._config.n_ui_layers)
        items = rows.items + self._alike @ self.items
        users = pick(rows.users, triples[0])
        loss = bpr_loss(users, pick(items, triples[1]), pick(items, triples[2]))
        both = torch.cat([triples[1], triples[2]])
        for reading in self.readings:
            taken, sampled = reading(both).chunk(2)
            loss = loss + self._config.regularisation * bpr_loss(users, taken, sampled)
        return loss

    def tables(self) -> dict[str, Tensor]:
        """Return the rows over the whole graph, `own` e of the items, and `fold_in`."""
        rows = mean_of_layers(self._whole, self.users, self.items, self._config.n_ui_layers)
        return {
            "users": rows.users,
            "items": rows.items + self._alike @ self.items,
            "own": self.items,
            "fold_in": fold_in_table(rows.below, self._positives),
        }

    def constants(self) -> Arrays:
        """Return `mean.<modality>` and `features.<modality>` (unit rows), for new items' neighbours."""
        means = {f"mean.{name}": mean for name, mean in self._features.means.items()}
        return means | {f"features.{name}": unit for name, unit in self._features.units.items()}


def thinned(positives: sparse.csr_array, dropout: float, rng: np.random.Generator) -> sparse.csr_array:
    """Return `positives` with `int(n * (1 - dropout))` of its n edges, at least one.

    Drawn one after the other without putting back, each with a chance in proportion to `1 / sqrt(d_u d_i)` among
    those left: the smallest of exponential variates over the weights are such a draw.

    Source:
        Zhou and Shen 2023 (FREEDOM), section 3.2, degree-sensitive edge pruning; Efraimidis and Spirakis 2006
        for the draw.
    """
    users, items = positives.nonzero()
    user_degrees, item_degrees = np.bincount(users)[users], np.bincount(items)[items]
    keep = max(1, int(len(users) * (1 - dropout)))
    waits = rng.standard_exponential(len(users)) * np.sqrt(user_degrees * item_degrees)
    kept = np.sort(np.argpartition(waits, keep - 1)[:keep])
    return csr_from_edges(users[kept], items[kept], positives.shape)
