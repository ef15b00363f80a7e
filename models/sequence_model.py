"""`SequenceModel`: recommenders that read a shopper's last items in the order they were taken."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.progress import SILENT, Progress
from catalog.vectors import EmbeddingTable, Floats, Mask, unit_rows
from models.artifact import Artifact
from models.base import FitReport, Scores, TrainingData, Validate
from models.early_stopping import Epoch, run_epochs
from models.growth import grounded, with_new_items
from models.size_limits import require_at_most
from models.taken import known_rows
from models.training_checks import require_rows

Tables = dict[str, npt.NDArray[Any]]
Rows = npt.NDArray[np.int64]

EMPTY = -1
"""Fills the front of a sequence that is shorter than the model reads."""


class SequenceConfig(BaseModel):
    """Settings that every `SequenceModel` has."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    dim: int = Field(64, ge=2)
    """Width d of an item row."""

    length: int = Field(50, ge=1)
    """Last items L of a shopper that are read."""

    learning_rate: float = Field(1e-3, gt=0, le=10)
    """Step size of Adam."""

    patience: int = Field(10, ge=1)
    """Epochs without a better validation value after which training stops."""

    max_epochs: int = Field(200, ge=1)
    """Epochs at most when there is a validation to stop by."""

    epochs: int = Field(20, ge=1)
    """Epochs when there is no validation."""

    max_items: int = Field(50_000, ge=1)
    """Largest catalogue."""

    against_weight: float = Field(1.0, ge=0, le=1e6)
    """Serving only: how far an item just like one spoken against is lowered, in standard deviations of the scores."""


Config = TypeVar("Config", bound=SequenceConfig)


class SequenceModel(ABC, Generic[Config]):
    """Keeps every shopper's last items, (n_users, L); a subclass trains and scores sequences.

    A live shopper's recent items follow their history, so that a click moves the next answer without retraining.
    What they spoke against is taken out of it, and items lose by the cosine of their rows with it.
    Items that came after training score 0 and are passed over in a sequence.
    """

    name: str
    config_kind: ClassVar[type[SequenceConfig]]

    def __init__(self, config: Config | None = None) -> None:
        self.config: Config = config or self.config_kind()  # type: ignore[assignment]  # a subclass names its own kind
        self.users = IdMap([], "user")
        self.items = IdMap([])
        self.content_items: frozenset[str] = frozenset()
        self._sequences: Rows = np.zeros((0, 1), np.int64)
        self._counts: Floats = np.zeros(0, np.float32)
        self._arrays: Tables = {}
        self._trained_items = 0

    @abstractmethod
    def _epochs(self, data: TrainingData, seed: int) -> Iterator[Epoch[Tables]]:
        """Train for ever, one epoch a step; `keep` copies the tables that `_score` reads."""

    @abstractmethod
    def _score(self, arrays: Mapping[str, npt.NDArray[Any]], sequences: Rows) -> Floats:
        """Return (b, n trained items) float32 for sequences (b, L), newest last, `EMPTY` in front."""

    def _cost(self, n_items: int) -> str:
        """Say what the size limit protects from."""
        return f"{4 * n_items * self.config.dim / 1e9:,.1f} GB of item rows"

    def fit(
        self, data: TrainingData, *, validate: Validate | None = None, seed: int = 0, progress: Progress = SILENT
    ) -> FitReport:
        """Train; with `validate`, keep the best epoch. The same seed, data and thread count give the same bytes.

        Raises:
            DataError: When there is no positive or the catalogue is beyond `max_items`.
        """
        started = time.perf_counter()
        require_rows(data, self.name)
        n_items = len(data.train.items)
        require_at_most(self.name, "items", n_items, "max_items", self.config.max_items, self._cost(n_items))
        self.users, self.items, self._trained_items = data.train.users, data.train.items, n_items
        self.content_items = frozenset()
        self._sequences = last_items(data.train, self.config.length)
        self._counts = np.asarray(data.train.csr().sum(axis=0), np.float32)
        self._arrays, report = run_epochs(
            self.name,
            self._epochs(data, seed),
            max_epochs=self.config.max_epochs,
            patience=self.config.patience,
            default_epochs=self.config.epochs,
            validate=validate,
            progress=progress,
        )
        return FitReport(report.epochs, time.perf_counter() - started, report.best, report.history)

    def score_users(self, user_rows: Rows) -> Floats:
        """Return (b, n_items) float32 for known users; nothing is masked."""
        return self._padded(self._score(self._arrays, self._sequences[user_rows]))

    def score(self, user_id: str | None, recent: Sequence[str] = (), against: Sequence[str] = ()) -> Scores:
        """Score from the shopper's history followed by `recent`, whichever there is, else by popularity."""
        user = None if user_id is None else self.users.get(user_id)
        rows = self.items.rows(list(recent), missing=EMPTY)
        disliked = known_rows(self.items, against)
        disliked = disliked[disliked < self._trained_items]
        rows = rows[(rows >= 0) & (rows < self._trained_items) & ~np.isin(rows, disliked)]
        history = self._sequences[user] if user is not None else np.full(self.config.length, EMPTY)
        known = bool((history >= 0).any())
        if not known and not len(rows):
            return Scores(self._counts.copy(), "popularity")
        read = np.concatenate([history, rows])
        read = read[(read >= 0) & ~np.isin(read, disliked)][-self.config.length :]
        sequence = np.pad(read, (self.config.length - len(read), 0), constant_values=EMPTY).astype(np.int64)
        values = self._score(self._arrays, sequence[None])[0]
        if len(disliked):
            values = values - np.float32(self.config.against_weight) * values.std() * self._alike(disliked)
        return Scores(self._padded(values[None])[0], "history" if known else "session")

    def _alike(self, rows: Rows) -> Floats:
        """Return for each trained item its greatest cosine with those at `rows`, at least 0, (n trained items,)."""
        units = unit_rows(self._arrays["items"][: self._trained_items])
        alike: Floats = np.maximum((units @ units[rows].T).max(axis=1), 0)
        return alike

    def grounded(self) -> Mask:
        """Return which items were taken in training, (n_items,) bool."""
        return grounded(self.items, self._counts, self.content_items, reads_content=False)

    def add_items(self, modalities: Mapping[str, EmbeddingTable]) -> int:
        """Place new items at 0 and return 0: nobody's sequence has them yet."""
        self.items, added = with_new_items(self.items, modalities)
        self._counts = np.pad(self._counts, (0, added))
        return 0

    def save(self, folder: Path) -> None:
        """Write sequences, tables and ids into an existing folder."""
        arrays: Tables = {"counts": self._counts, "sequences": self._sequences, **self._arrays}
        meta = {"trained_items": self._trained_items}
        Artifact(self.name, self.config.model_dump(mode="json"), arrays, self.users, self.items, meta).save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        saved = Artifact.load(folder, cls.name)
        model = cls(saved.parse_config(cls.config_kind))  # type: ignore[arg-type]
        model._arrays = dict(saved.arrays)
        model.users, model.items, model._trained_items = saved.users, saved.items, saved.meta["trained_items"]
        model._counts, model._sequences = model._arrays.pop("counts"), model._arrays.pop("sequences")
        return model

    def _padded(self, scores: Floats) -> Floats:
        new = len(self.items) - self._trained_items
        return np.pad(scores, ((0, 0), (0, new))) if new else scores


def histories(train: Interactions) -> tuple[Rows, Rows]:
    """Return item rows in the order they were taken, shopper after shopper, and where each begins (n_users + 1,).

    Equal times keep the order of the log.
    """
    order = np.lexsort((np.arange(len(train)), train.timestamps, train.user_rows))
    starts = np.concatenate([[0], np.cumsum(np.bincount(train.user_rows, minlength=len(train.users)))])
    return train.item_rows[order].astype(np.int64), starts.astype(np.int64)


def last_items(train: Interactions, length: int) -> Rows:
    """Return each shopper's last items, (n_users, length), newest last, `EMPTY` in front."""
    items, starts = histories(train)
    places = starts[1:, None] - np.arange(length, 0, -1)[None, :]
    inside = places >= starts[:-1, None]
    return np.where(inside, items[np.where(inside, places, 0)], EMPTY)
