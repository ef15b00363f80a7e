"""`LightGCN`: rows smoothed over the user-item graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable, Floats
from models.base import TrainingData
from models.pairwise import PairwiseConfig, PairwiseModel
from models.size_limits import require_at_most
from models.taken import Rows, Taken

if TYPE_CHECKING:
    from models.pairwise_training import Network


class GraphConfig(PairwiseConfig):
    """Settings of models that propagate over the user-item graph."""

    n_ui_layers: int = Field(2, ge=1)
    """Layers L of propagation; the final rows are the mean of layers 0..L."""

    recent_weight: float = Field(0.0, ge=0, le=1)
    """Serving only: share of the recent items' own row beside what the longer history propagates."""

    max_interactions: int = Field(5_000_000, ge=1)
    """Training rows at most: the whole graph is walked for every batch of them."""


class LightGCNConfig(GraphConfig):
    """Settings of `LightGCN`."""

    learning_rate: float = Field(3e-3, gt=0)
    """Step size of Adam; at MMRec's 1e-3 the slow rise of the validation is easily taken for its end."""

    regularisation: float = Field(1e-4, ge=0)
    """lambda, on half the squared length of the layer-0 rows of a triple."""


class LightGCN(PairwiseModel[LightGCNConfig]):
    """Layer l of a user is `sum over its items i of (layer l-1 of i) / sqrt(d_u d_i)`, of an item likewise.

    Final rows are the mean of layers 0..L; `score(u, i)` is their dot product. Only layer 0 is learned:
    `loss = mean(-ln sigmoid(score(u, i) - score(u, j))) + lambda / 2 * mean(|e_u|^2 + |e_i|^2 + |e_j|^2)`.

    Source:
        He et al. 2020, "LightGCN: simplifying and powering graph convolution network for recommendation",
        equations 3, 4, 6, 7 and 15.
    """

    name = "lightgcn"
    config_kind = LightGCNConfig

    def _network(self, data: TrainingData) -> Network:
        from models.lightgcn_network import LightGCNNetwork

        require_walkable(self.name, data, self.config)
        return LightGCNNetwork(data.train.csr(), self.config)

    def _session_row(self, taken: Taken) -> Floats:
        return folded_in(self._arrays, taken)

    def _folded_row(self, user: int, before: Rows, taken: Taken) -> Floats:
        return propagated_anew(self._arrays, user, before, taken)

    def _place(self, modalities: Mapping[str, EmbeddingTable], new: IdMap) -> Floats | None:
        self._arrays = {**self._arrays, "fold_in": np.pad(self._arrays["fold_in"], ((0, len(new)), (0, 0)))}
        return None


def require_walkable(name: str, data: TrainingData, config: GraphConfig) -> None:
    """Refuse a graph too large to be walked for every batch.

    Raises:
        DataError: When there are more training rows than `max_interactions`.
    """
    batches = -(-len(data.train) // config.batch_size)
    why = f"{batches:,} walks over the graph an epoch, {2 * config.n_ui_layers} sparse products each"
    require_at_most(name, "training rows", len(data.train), "max_interactions", config.max_interactions, why)


def propagated_anew(arrays: Mapping[str, npt.NDArray[Any]], user: int, before: Rows, taken: Taken) -> Floats:
    """Return the row (d,) the graph gives a trained user who took `before` then and stands at `taken` now.

    A user's row is its own layer 0 over L + 1, and what its items pass on: `own + sum over i of fold_in_i / sqrt(d_u)`.
    The items' layers stay as trained; only the sum and d_u are those of the longer history. An edge to an item spoken
    against is negative.
    """
    passed = arrays["fold_in"][before].sum(axis=0) / np.sqrt(np.float32(max(len(before), 1)))
    passing = taken.weights @ arrays["fold_in"][taken.rows] / np.sqrt(np.float32(max(len(taken.rows), 1)))
    row: Floats = arrays["users"][user] - passed + passing
    return row


def folded_in(arrays: Mapping[str, npt.NDArray[Any]], taken: Taken) -> Floats:
    """Return the row (d,) the graph gives a user without a row of its own who stands at `taken`.

    Layer l of such a user is `sum over i of (layer l-1 of i) / sqrt(d_u d_i)`; the table `fold_in` holds the
    items' share. The row comes at the usual length of a user row.
    """
    gathered = taken.weights @ arrays["fold_in"][taken.rows]
    length = max(float(np.linalg.norm(gathered)), 1e-12)
    row: Floats = (gathered * (arrays["user_length"][0] / length)).astype(np.float32)
    return row
