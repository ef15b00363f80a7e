"""`ItemKNN`: what the takers of an item also took."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field
from scipy import sparse

from catalog.ids import IdMap
from catalog.progress import SILENT, Progress
from catalog.vectors import EmbeddingTable, Floats
from models.artifact import Artifact
from models.base import FitReport, Scores, TrainingData, Validate
from models.cooccurrence import cosine_neighbours
from models.growth import with_new_items
from models.sparse_rows import csr_of, csr_parts, widened
from models.training_checks import require_rows


class ItemKNNConfig(BaseModel):
    """Settings of `ItemKNN`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    neighbours: int = Field(20, ge=1)
    """How many most similar items each item keeps."""

    shrinkage: float = Field(20.0, ge=0)
    """Added to the denominator of the cosine: pairs seen together rarely are trusted less."""

    recent_weight: float = Field(1.0, ge=0)
    """How much a recent item counts beside the training history of a known shopper (an item in both counts both)."""


class ItemKNN:
    """Scores an item by its similarity to what the shopper took.

    `score(u, j) = sum over i in history(u) of sim(i, j)`, where `sim` keeps the `neighbours` best
    of each item i, and `sim(i, j) = n_ij / (sqrt(n_i * n_j) + shrinkage)`.

    Source:
        Sarwar et al. 2001, "Item-based collaborative filtering recommendation algorithms"; shrinkage as in
        Bell and Koren 2007.
    """

    name = "itemknn"

    def __init__(self, config: ItemKNNConfig | None = None) -> None:
        self.config = config or ItemKNNConfig()
        self.users = IdMap([], "user")
        self.items = IdMap([])
        self.content_items: frozenset[str] = frozenset()
        self._history: sparse.csr_array = csr_of((0, 0), (0, 0))
        self._similar: sparse.csr_array = csr_of((0, 0), (0, 0))
        self._counts: Floats = np.zeros(0, np.float32)

    def fit(
        self, data: TrainingData, *, validate: Validate | None = None, seed: int = 0, progress: Progress = SILENT
    ) -> FitReport:
        """Count pairs; `seed` changes nothing.

        Raises:
            DataError: When there is no positive to count.
        """
        started = time.perf_counter()
        require_rows(data, self.name)
        self.users, self.items = data.train.users, data.train.items
        self.content_items = frozenset()
        self._history = data.train.csr()
        self._counts = np.asarray(self._history.sum(axis=0), np.float32)
        self._similar = cosine_neighbours(
            self._history, self.config.neighbours, self.config.shrinkage, progress=progress
        )
        best = validate(self.score_users) if validate else None
        return FitReport(1, time.perf_counter() - started, best, () if best is None else (best,))

    def score_users(self, user_rows: npt.NDArray[np.int64]) -> Floats:
        """Return (b, n_items) float32 for known users; nothing is masked."""
        return self._scores(self._history[user_rows])

    def score(self, user_id: str | None, recent: Sequence[str] = ()) -> Scores:
        """Score from the training history and `recent` together, whichever there is, else by popularity."""
        user = None if user_id is None else self.users.get(user_id)
        rows = np.unique(self.items.rows(list(recent), missing=-1))
        rows = rows[rows >= 0]
        known = user is not None and self._history.indptr[user + 1] > self._history.indptr[user]
        if not known and not len(rows):
            return Scores(self._counts.copy(), "popularity")
        taken = np.zeros((1, len(self.items)), np.float32)
        taken[0, rows] = self.config.recent_weight if known else 1.0
        if known:
            assert user is not None
            taken += self._history[[user]].toarray()
        return Scores(self._scores(csr_of(taken, taken.shape))[0], "history" if known else "session")

    def add_items(self, modalities: Mapping[str, EmbeddingTable]) -> int:
        """Place new items at 0 (no taker, no neighbour) and return 0."""
        self.items, added = with_new_items(self.items, modalities)
        if added:
            n = len(self.items)
            self._history = widened(self._history, (len(self.users), n))
            self._similar = widened(self._similar, (n, n))
            self._counts = np.pad(self._counts, (0, added))
        return 0

    def save(self, folder: Path) -> None:
        """Write histories, neighbours and ids into an existing folder."""
        arrays = {"counts": self._counts, **csr_parts("history", self._history), **csr_parts("similar", self._similar)}
        Artifact(self.name, self.config.model_dump(mode="json"), arrays, self.users, self.items).save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        saved = Artifact.load(folder, cls.name)
        model = cls(saved.parse_config(ItemKNNConfig))
        model.users, model.items, model._counts = saved.users, saved.items, saved.arrays["counts"]
        n = len(model.items)
        model._history = _from_parts("history", saved, (len(model.users), n))
        model._similar = _from_parts("similar", saved, (n, n))
        return model

    def _scores(self, taken: sparse.csr_array) -> Floats:
        scores: Floats = (taken @ self._similar).toarray().astype(np.float32, copy=False)
        return scores


def _from_parts(name: str, saved: Artifact, shape: tuple[int, int]) -> sparse.csr_array:
    return csr_of(tuple(saved.arrays[f"{name}.{part}"] for part in ("data", "indices", "indptr")), shape)
