"""`ItemKNN`: what the takers of an item also took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import sparse

from catalog.ids import IdMap
from catalog.progress import Progress
from catalog.vectors import EmbeddingTable, Floats
from models.base import TrainingData
from models.bounds import Weight
from models.cooccurrence import cosine_neighbours
from models.history_model import HistoryConfig, HistoryModel
from models.sparse_rows import csr_of, csr_parts, spans, widened


class ItemKNNConfig(HistoryConfig):
    """Settings of `ItemKNN`."""

    neighbours: int = Field(20, ge=1)
    """How many most similar items each item keeps."""

    shrinkage: Weight = 20.0
    """Added to the denominator of the cosine: pairs seen together rarely are trusted less."""


class ItemKNN(HistoryModel[ItemKNNConfig]):
    """Scores an item by its similarity to what the shopper took.

    `score(u, j) = sum over i in history(u) of sim(i, j)`, where `sim` keeps the `neighbours` best
    of each item i, and `sim(i, j) = n_ij / (sqrt(n_i * n_j) + shrinkage)`.

    Source:
        Sarwar et al. 2001, "Item-based collaborative filtering recommendation algorithms"; shrinkage as in
        Bell and Koren 2007.
    """

    name = "itemknn"
    config_kind = ItemKNNConfig

    def _learn(
        self, data: TrainingData, history: sparse.csr_array, *, seed: int, progress: Progress
    ) -> dict[str, npt.NDArray[Any]]:
        similar = cosine_neighbours(history, self.config.neighbours, self.config.shrinkage, progress=progress)
        return csr_parts("similar", similar)

    def _place(self, modalities: Mapping[str, EmbeddingTable], new: IdMap) -> bool:
        n = len(self.items) + len(new)
        self._arrays = csr_parts("similar", widened(self._similar(), (n, n)))
        return False

    def _apply(self, taken: sparse.csr_array) -> Floats:
        if taken.shape[0] != 1:
            scores: Floats = (taken @ self._similar()).toarray().astype(np.float32, copy=False)
            return scores
        # For one shopper scipy's checks take longer than the sum; the same products are added in the same order.
        data, indices, indptr = (self._arrays[f"similar.{part}"] for part in ("data", "indices", "indptr"))
        places, size = spans(indptr, taken.indices)
        scores = np.zeros(taken.shape, np.float32)
        np.add.at(scores[0], indices[places], np.repeat(taken.data, size) * data[places])
        return scores

    def _similar(self) -> sparse.csr_array:
        parts = tuple(self._arrays[f"similar.{part}"] for part in ("data", "indices", "indptr"))
        n = len(parts[2]) - 1
        return csr_of(parts, (n, n))
