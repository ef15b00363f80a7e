"""`ContentLinear`: EASE that also knows which items look and read alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import sparse

from catalog.ids import IdMap
from catalog.progress import Progress
from catalog.vectors import EmbeddingTable, Floats, unit_rows
from models.base import TrainingData
from models.bounds import Weight
from models.ease import EASEConfig, item_counts
from models.history_model import HistoryModel
from models.item_features import ItemFeatures, later_features, training_features
from models.ridge import inverse, zero_diagonal_weights


class ContentLinearConfig(EASEConfig):
    """Settings of `ContentLinear`."""

    weight: Weight = 30.0
    """What two items of like content count beside shoppers who took both, for a role that `weights` does not name."""

    weights: dict[str, Weight] = Field(default_factory=dict)
    """The same by role, e.g. `{"text": 60.0, "picture": 20.0}`."""


class ContentLinear(HistoryModel[ContentLinearConfig]):
    """EASE on `X'X + sum over roles of w K + lambda I`.

    K = F F' is the Gram matrix of a role's vectors, centred and of length 1 (an item without one has a row of
    zeros). It is EASE on interactions with `sqrt(w) F'` appended as further rows: every dimension of the
    vectors is a reader who takes items by content.

    A new item j enters through its kernel k to the known ones. With `P = (X'X + .. + lambda I)^-1`, `q = P k` and
    `s = w + lambda - k'q`, its column (what predicts it) is q, and its row (what it predicts) is
    `q / (s diag(P) + q^2)`, elementwise: what solving the larger system would give for each new item alone.

    Source:
        Jeunen, Van Balen and Goethals, "Closed-form models for collaborative filtering with side-information",
        RecSys 2020 (CEASE, equation 4); Steck 2019.
    """

    name = "content_linear"
    config_kind = ContentLinearConfig

    def __init__(self, config: ContentLinearConfig | None = None) -> None:
        super().__init__(config)
        self.modalities: tuple[str, ...] = ()

    def _learn(
        self, data: TrainingData, history: sparse.csr_array, *, seed: int, progress: Progress
    ) -> dict[str, npt.NDArray[Any]]:
        gram = item_counts(self.name, history, self.config.max_items)
        features = training_features(self.name, data.modalities, data.train.items)
        joined = self._weighted(features)
        gram += joined @ joined.T
        gram[np.diag_indices_from(gram)] += np.float32(self.config.regularisation)
        precision = inverse(gram)
        self.modalities = tuple(features.means)
        means = {f"mean.{role}": mean for role, mean in features.means.items()}
        diagonal = np.diag(precision).copy()
        return {"weights": zero_diagonal_weights(precision), "precision": diagonal, "content": joined, **means}

    def _weighted(self, features: ItemFeatures) -> Floats:
        """Return `sqrt(w) F` of all roles side by side, (n_items, sum of widths)."""
        parts = []
        for role, table in features.inputs.items():
            weight = self.config.weights.get(role, self.config.weight)
            parts.append(unit_rows(table - features.means[role]) * np.float32(np.sqrt(weight)))
        return np.concatenate(parts, axis=1)

    def _apply(self, taken: sparse.csr_array) -> Floats:
        scores: Floats = np.asarray(taken @ self._arrays["weights"], np.float32)
        return scores

    def _place(self, modalities: Mapping[str, EmbeddingTable], new: IdMap) -> bool:
        held, added = self._arrays, len(new)
        weights = np.pad(held["weights"], ((0, added), (0, added)))
        self._arrays = {**held, "weights": weights}
        if not modalities.keys() & set(self.modalities):
            return False
        means = {role: held[f"mean.{role}"] for role in self.modalities}
        own = self._weighted(later_features(self.name, modalities, new, means))
        trained = len(held["precision"])
        columns, rows = self._edges(own, trained)
        weights[:trained, -added:] = columns
        weights[-added:, :trained] = rows
        return True

    def _edges(self, own: Floats, trained: int) -> tuple[Floats, Floats]:
        """Return what predicts each new item (trained, n_new) and what each predicts (n_new, trained)."""
        held = self._arrays
        weights, diagonal = held["weights"][:trained, :trained], held["precision"][:, None]
        kernel = held["content"] @ own.T
        scaled = diagonal * kernel
        pulled = scaled - weights @ scaled  # P k: the weights hold -P off the diagonal, column by column over diag P
        left = (own * own).sum(axis=1) + self.config.regularisation - (kernel * pulled).sum(axis=0)
        rows = (pulled / (left * diagonal + pulled * pulled)).T
        return pulled.astype(np.float32), rows.astype(np.float32)

    def _meta(self) -> dict[str, Any]:
        return {"modalities": list(self.modalities)}

    def _restore(self, meta: Mapping[str, Any]) -> None:
        self.modalities = tuple(meta["modalities"])
