"""`Popularity`: the same list for everyone, what the others must beat."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from catalog.ids import IdMap
from catalog.progress import SILENT, Progress
from catalog.vectors import EmbeddingTable, Floats, Mask
from models.artifact import Artifact
from models.base import FitReport, Scores, TrainingData, Validate
from models.growth import grounded, with_new_items
from models.training_checks import require_rows

MICROSECONDS_A_DAY = 86_400_000_000


class PopularityConfig(BaseModel):
    """Settings of `Popularity`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    half_life_days: float | None = Field(None, gt=0)
    """Days after which a positive counts half, measured back from the newest one; None counts all alike."""


class Popularity:
    """Scores an item by its (decayed) number of positives; an item nobody took scores 0."""

    name = "popularity"
    deterministic = True

    def __init__(self, config: PopularityConfig | None = None) -> None:
        self.config = config or PopularityConfig()
        self.users = IdMap([], "user")
        self.items = IdMap([])
        self.content_items: frozenset[str] = frozenset()
        self._counts: Floats = np.zeros(0, np.float32)

    def fit(
        self, data: TrainingData, *, validate: Validate | None = None, seed: int = 0, progress: Progress = SILENT
    ) -> FitReport:
        """Count; `seed` changes nothing.

        Raises:
            DataError: When there is no positive to count.
        """
        started = time.perf_counter()
        require_rows(data, self.name)
        self.users, self.items = data.train.users, data.train.items
        self.content_items = frozenset()
        self._counts = popularity_counts(
            data.train.item_rows, data.train.timestamps, len(self.items), self.config.half_life_days
        )
        best = validate(self.score_users) if validate else None
        return FitReport(1, time.perf_counter() - started, best, () if best is None else (best,))

    def score_users(self, user_rows: npt.NDArray[np.int64]) -> Floats:
        """Return (b, n_items), every row alike."""
        return np.tile(self._counts, (len(user_rows), 1))

    def score(self, user_id: str | None, recent: Sequence[str] = (), against: Sequence[str] = ()) -> Scores:
        """Return the counts, whoever asks and whatever they did; the ground is always popularity."""
        return Scores(self._counts.copy(), "popularity")

    def grounded(self) -> Mask:
        """Return which items anybody took, (n_items,) bool."""
        return grounded(self.items, self._counts, self.content_items, reads_content=False)

    def add_items(self, modalities: Mapping[str, EmbeddingTable]) -> int:
        """Place new items at 0 and return 0: features say nothing about demand."""
        self.items, added = with_new_items(self.items, modalities)
        self._counts = np.pad(self._counts, (0, added))
        return 0

    def save(self, folder: Path) -> None:
        """Write the counts and ids into an existing folder."""
        config = self.config.model_dump(mode="json")
        Artifact(self.name, config, {"counts": self._counts}, self.users, self.items).save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        saved = Artifact.load(folder, cls.name)
        model = cls(saved.parse_config(PopularityConfig))
        model.users, model.items, model._counts = saved.users, saved.items, saved.arrays["counts"]
        return model


def popularity_counts(
    item_rows: npt.NDArray[np.int32], timestamps: npt.NDArray[np.int64], n_items: int, half_life_days: float | None
) -> Floats:
    """Return positives an item (n_items,) float32, each weighing 0.5 ** (its age / half life)."""
    weights: npt.NDArray[np.float64] | None = None
    if half_life_days is not None:
        age = (timestamps.max() - timestamps) / MICROSECONDS_A_DAY
        weights = 0.5 ** (age / half_life_days)
    return np.bincount(item_rows, weights, n_items).astype(np.float32)
