"""`FREEDOM`: a frozen graph of alike items beside a thinned user-item graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from catalog.vectors import Floats
from models.base import TrainingData
from models.content_model import ContentModel
from models.item_features import ItemFeatures
from models.lightgcn import GraphConfig, folded_in, propagated_anew, require_walkable
from models.lirdrec.graphs import graph_weights
from models.nearest import nearest
from models.size_limits import require_at_most
from models.sparse_rows import csr_from_edges
from models.taken import Rows, Taken

if TYPE_CHECKING:
    from models.pairwise_training import Network


class FREEDOMConfig(GraphConfig):
    """Settings of `FREEDOM`."""

    learning_rate: float = Field(3e-3, gt=0)
    """Step size of Adam; MMRec's is 1e-3."""

    neighbours: int = Field(10, ge=1)
    """Edges k an item has in each modality's graph, the item itself among them."""

    graph_weight: float = Field(0.1, ge=0, le=1)
    """Weight w of the first modality's graph (the picture's, where pictures come first); the others share 1 - w."""

    edge_dropout: float = Field(0.8, ge=0, lt=1)
    """Share of the user-item edges left out, drawn anew each epoch; edges of busy nodes go first."""

    regularisation: float = Field(0.0, ge=0)
    """lambda, on the ranking loss of each modality's own reading of the items; 0 leaves it out."""

    max_items: int = Field(100_000, ge=1)
    """Items at most: the graph of alike items compares each with each."""


class FREEDOM(ContentModel[FREEDOMConfig]):
    """`score(u, i) = x_u . (x_i + sum over j of G_ij e_j)`.

    x are LightGCN's rows: means of layers 0..L of e over the user-item graph, thinned in training and whole in
    serving. `G = w * kNN(first modality) + (1 - w) * kNN(second)`, each binary, k edges an item, `D^-1/2 A D^-1/2`.
    An edge (u, i) is kept with a chance growing with `1 / sqrt(d_u d_i)`. `loss = BPR(x_u, x_i + (G e)_i) + lambda *
    sum over modalities m of BPR(x_u, W_m f_mi + c_m)`.

    A new item stands where G puts it: at what it gathers from its nearest trained items.

    Source:
        Zhou and Shen 2023, "A tale of two graphs: freezing and denoising graph structures for multimodal
        recommendation", sections 3.1 to 3.4.
    """

    name = "freedom"
    config_kind = FREEDOMConfig

    def _content_network(self, data: TrainingData, features: ItemFeatures) -> Network:
        from models.freedom_network import FREEDOMNetwork

        require_walkable(self.name, data, self.config)
        n_items = len(data.train.items)
        why = f"{n_items**2 / 1e9:.1f} thousand million cosines a modality"
        require_at_most(self.name, "items", n_items, "max_items", self.config.max_items, why)
        return FREEDOMNetwork(data.train.csr(), features, self.config)

    def _session_row(self, taken: Taken) -> Floats:
        return folded_in(self._arrays, taken)

    def _folded_row(self, user: int, before: Rows, taken: Taken) -> Floats:
        return propagated_anew(self._arrays, user, before, taken)

    def _rows_of(self, features: ItemFeatures) -> Floats:
        gathered = self._gathered(features)
        # A new item has no e of its own; what it gathers stands for it where a new shopper took it.
        fold_in = gathered / (self.config.n_ui_layers + 1)
        self._arrays = {**self._arrays, "fold_in": np.concatenate([self._arrays["fold_in"], fold_in])}
        return gathered

    def _gathered(self, features: ItemFeatures) -> Floats:
        """Return the rows of `G e` that new items would have, (n_new, d), their own e being zero."""
        own = self._arrays["own"]
        rows = np.zeros((len(next(iter(features.units.values()))), own.shape[1]), np.float32)
        shares = graph_weights(len(features.units), self.config.graph_weight)
        for share, (name, unit) in zip(shares, features.units.items(), strict=True):
            corpus = self._arrays[f"features.{name}"]
            found = nearest(unit, corpus, self.config.neighbours - 1)
            at, place = np.nonzero(found >= 0)
            edges = csr_from_edges(at, found[at, place], (len(rows), len(corpus)))
            degree = 1 + np.asarray(edges.sum(axis=1), np.float32)[:, None]  # of its neighbours as well
            rows += (share * (edges @ own) / degree).astype(np.float32)
        return rows
