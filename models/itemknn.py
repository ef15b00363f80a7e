"""`ItemKNN`: what the takers of an item also took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import sparse

from catalog.ids import IdMap, Rows
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
        scores = np.zeros(taken.shape, np.float32)
        rows, said = self._said(taken.indices, taken.data)
        np.add.at(scores[0], rows, said)
        return scores

    def near(
        self, user_id: str | None, recent: Sequence[str] = (), against: Sequence[str] = ()
    ) -> tuple[Rows, Floats] | None:
        """Return the items (n,) that `score` does not score 0, ascending, and their scores; None: by popularity.

        Of a large shop these are few, and the others need not be looked at.
        """
        found = self._history_of(user_id, recent, against)
        if found is None:
            return None
        rows, said = self._said(found[0], found[1])
        near, at = np.unique(rows, return_inverse=True)
        scores = np.zeros(len(near), np.float32)
        np.add.at(scores, at, said)
        return near, scores

    def _said(self, rows: npt.NDArray[Any], weights: npt.NDArray[Any]) -> tuple[Rows, Floats]:
        """Return what each item (m,) gains from each of those taken, in order; scipy's checks take longer."""
        data, indices, indptr = (self._arrays[f"similar.{part}"] for part in ("data", "indices", "indptr"))
        places, size = spans(indptr, rows)
        return indices[places], np.repeat(weights, size) * data[places]

    def _similar(self) -> sparse.csr_array:
        parts = tuple(self._arrays[f"similar.{part}"] for part in ("data", "indices", "indptr"))
        n = len(parts[2]) - 1
        return csr_of(parts, (n, n))
