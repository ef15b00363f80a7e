"""`HistoryModel`: recommenders that score from what a shopper took, by a linear map between items."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field
from scipy import sparse

from catalog.ids import IdMap, Rows
from catalog.progress import SILENT, Progress
from catalog.vectors import EmbeddingTable, Floats, Mask
from models.artifact import Artifact
from models.base import FitReport, Ground, Scores, TrainingData, Validate
from models.growth import grounded, with_new_items
from models.sparse_rows import csr_of, csr_parts, widened
from models.taken import Taken
from models.training_checks import require_rows


class HistoryConfig(BaseModel):
    """Settings that every `HistoryModel` has."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    recent_weight: float = Field(1.0, ge=0, le=1e6)
    """How much a recent item counts beside the training history of a known shopper (an item in both counts both)."""

    against_weight: float = Field(0.5, ge=0, le=1e6)
    """How strongly an item spoken against counts negatively, beside one that was liked."""


Config = TypeVar("Config", bound=HistoryConfig)


class HistoryModel(ABC, Generic[Config]):
    """Keeps the histories (n_users, n_items); a subclass says how a history becomes scores.

    A subclass sets `name` and `config_kind`, computes its tables in `_learn` (saved by name as they are),
    and applies them in `_apply`. `_place` may put new items beside known ones.
    """

    name: str
    config_kind: ClassVar[type[HistoryConfig]]
    deterministic: ClassVar[bool] = True
    """No chance in the fit: one seed tells all."""

    def __init__(self, config: Config | None = None) -> None:
        self.config: Config = config or self.config_kind()  # type: ignore[assignment]  # a subclass names its own kind
        self.users = IdMap([], "user")
        self.items = IdMap([])
        self.content_items: frozenset[str] = frozenset()
        self._history: sparse.csr_array = csr_of((0, 0), (0, 0))
        self._counts: Floats = np.zeros(0, np.float32)
        self._arrays: dict[str, npt.NDArray[Any]] = {}

    @abstractmethod
    def _learn(
        self, data: TrainingData, history: sparse.csr_array, *, seed: int, progress: Progress
    ) -> dict[str, npt.NDArray[Any]]:
        """Return the model's tables by name; `history` is binary (n_users, n_items) float32."""

    @abstractmethod
    def _apply(self, taken: sparse.csr_array) -> Floats:
        """Return scores (b, n_items) float32 of histories (b, n_items)."""

    def _place(self, modalities: Mapping[str, EmbeddingTable], new: IdMap) -> bool:
        """Grow the tables by the items `new`; True when content gave them a place, False for the neutral 0."""
        self._arrays = grown_square(self._arrays, len(self.items), len(new))
        return False

    def fit(
        self, data: TrainingData, *, validate: Validate | None = None, seed: int = 0, progress: Progress = SILENT
    ) -> FitReport:
        """Solve for the tables.

        Raises:
            DataError: When there is no positive, or the catalogue is beyond the model's size limit.
        """
        started = time.perf_counter()
        require_rows(data, self.name)
        history = data.train.csr()
        self._arrays = self._learn(data, history, seed=seed, progress=progress)
        self.users, self.items, self._history = data.train.users, data.train.items, history
        self._counts = np.asarray(history.sum(axis=0), np.float32)
        self.content_items = frozenset()
        best = validate(self.score_users) if validate else None
        return FitReport(1, time.perf_counter() - started, best, () if best is None else (best,))

    def score_users(self, user_rows: npt.NDArray[np.int64]) -> Floats:
        """Return (b, n_items) float32 for known users; nothing is masked."""
        return self._apply(self._history[user_rows])

    def score(self, user_id: str | None, recent: Sequence[str] = (), against: Sequence[str] = ()) -> Scores:
        """Score from the training history and `recent` together, whichever there is, else by popularity."""
        found = self._history_of(user_id, recent, against)
        if found is None:
            return Scores(self._counts.copy(), "popularity")
        rows, weights, ground = found
        taken = csr_of((weights, rows, [0, len(rows)]), (1, len(self.items)))
        return Scores(self._apply(taken)[0], ground)

    def _history_of(
        self, user_id: str | None, recent: Sequence[str], against: Sequence[str]
    ) -> tuple[Rows, Floats, Ground] | None:
        """Return the items (n,) a shopper took until now, ascending, their weights, and the ground; None: nothing."""
        user = None if user_id is None else self.users.get(user_id)
        since = Taken.of(self.items, recent, against, self.config.against_weight)
        start, stop = (0, 0) if user is None else self._history.indptr[user : user + 2]
        known = bool(stop > start)
        if not known and not since.liked:
            return None
        rows, weights = since.rows, since.weights
        if known:
            weights = np.where(weights > 0, np.float32(self.config.recent_weight), weights)
            before = self._history.indices[start:stop]
            before = before[~np.isin(before, rows[weights < 0])]
            rows, both = np.unique(np.concatenate([before, rows]), return_inverse=True)
            weights = np.bincount(both, np.concatenate([np.ones(len(before)), weights])).astype(np.float32)
        ground: Ground = "history" if known else "session"
        if not known and self.content_items.issuperset(self.items.at(since.liked_rows)):
            ground = "content"
        return rows, weights, ground

    def grounded(self) -> Mask:
        """Return which items were taken in training or placed by features, (n_items,) bool."""
        return grounded(self.items, self._counts, self.content_items, bool(getattr(self, "modalities", ())))

    def add_items(self, modalities: Mapping[str, EmbeddingTable]) -> int:
        """Make new items served; return how many content gave a place (the others score 0)."""
        grown, added = with_new_items(self.items, modalities)
        if not added:
            return 0
        new = IdMap(grown.ids[-added:])
        placed = self._place(modalities, new)
        self.items = grown
        self._history = widened(self._history, (len(self.users), len(grown)))
        self._counts = np.pad(self._counts, (0, added))
        if placed:
            self.content_items |= frozenset(new.ids)
        return added if placed else 0

    def save(self, folder: Path) -> None:
        """Write histories, tables and ids into an existing folder."""
        arrays = {"counts": self._counts, **csr_parts("history", self._history), **self._arrays}
        meta = {"trained_items": len(self.items) - len(self.content_items), **self._meta()}
        Artifact(self.name, self.config.model_dump(mode="json"), arrays, self.users, self.items, meta).save(folder)

    def _meta(self) -> dict[str, Any]:
        """Return small facts to save; `_restore` gets them back."""
        return {}

    def _restore(self, meta: Mapping[str, Any]) -> None:
        """Take back what `_meta` gave."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        saved = Artifact.load(folder, cls.name)
        model = cls(saved.parse_config(cls.config_kind))  # type: ignore[arg-type]
        arrays = dict(saved.arrays)
        model.users, model.items, model._counts = saved.users, saved.items, arrays.pop("counts")
        parts = tuple(arrays.pop(f"history.{part}") for part in ("data", "indices", "indptr"))
        model._history = csr_of(parts, (len(model.users), len(model.items)))
        model._arrays = arrays
        model.content_items = frozenset(saved.items.ids[saved.meta["trained_items"] :])
        model._restore(saved.meta)
        return model


def grown_square(arrays: Mapping[str, npt.NDArray[Any]], n_items: int, added: int) -> dict[str, npt.NDArray[Any]]:
    """Return the tables with zero rows and columns for `added` items wherever an axis is `n_items` long."""
    return {
        name: np.pad(table, [(0, added if size == n_items else 0) for size in table.shape])
        for name, table in arrays.items()
    }
