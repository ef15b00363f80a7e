"""The model seams: interactions and vectors to scores.

A recommender knows its own IdMaps, so that what `save` writes serves alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, Self

import numpy as np
import numpy.typing as npt

from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.progress import SILENT, Progress
from catalog.vectors import EmbeddingTable, Floats, Mask
from models.feature_table import Contributions, FeatureTable

Ground = Literal["history", "session", "content", "popularity"]
"""On what ground a score stands: the trained user row, items of a live session or an unseen user's
history, item features only, or popularity because nothing is known."""

UserScorer = Callable[[npt.NDArray[np.int64]], Floats]
"""User rows (b,) -> scores (b, n_items), train items not masked."""

Validate = Callable[[UserScorer], float]
"""A scorer -> the number early stopping maximises (validation Recall@20); `eval` or `vitrine` supplies it."""


@dataclass(frozen=True)
class TrainingData:
    """What a recommender fits on.

    Attributes:
        train: Positives of the train rows, over every user and item of the protocol.
        modalities: Embedding tables by role, e.g. `{"picture": ..., "text": ...}`; the order is the
            model's modality order. Items a table lacks get the mean vector.
    """

    train: Interactions
    modalities: Mapping[str, EmbeddingTable] = field(default_factory=dict)


@dataclass(frozen=True)
class FitReport:
    """How a fit went; `history` holds one validation value an epoch."""

    epochs: int
    seconds: float
    best: float | None = None
    history: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of every item for one shopper, (n_items,) in the order of the model's `items`, and their ground."""

    values: Floats
    ground: Ground


class Recommender(Protocol):
    """Scores every item for a user; higher is better. Deterministic given `seed`.

    `content_items` are those served from features alone: `add_items` placed them after the fit.
    """

    name: str
    users: IdMap
    items: IdMap
    content_items: frozenset[str]

    def fit(
        self, data: TrainingData, *, validate: Validate | None = None, seed: int = 0, progress: Progress = SILENT
    ) -> FitReport:
        """Learn from `data`; with `validate`, stop early and keep the best state.

        Raises:
            DataError: When `data` lacks what the model needs; the text names it.
        """

    def score_users(self, user_rows: npt.NDArray[np.int64]) -> Floats:
        """Return (b, n_items) float32 for known users; nothing is masked."""

    def score(self, user_id: str | None, recent: Sequence[str] = (), against: Sequence[str] = ()) -> Scores:
        """Score every item for one shopper as they are at this moment, known or not; nothing is trained.

        What came after the fit is folded in as the model itself would place it: a linear model applies its map
        to the longer history, a factor model solves or propagates the shopper's row anew, a sequence model reads on.

        Args:
            user_id: External id; None or an unknown id is a new shopper.
            recent: Item ids the shopper liked since the fit (all they ever liked, for a new shopper), newest last;
                unknown ids are ignored.
            against: Item ids the shopper spoke against: neither they nor the training history's mention of them
                counts in favour, and what is like them scores lower.
        """

    def grounded(self) -> Mask:
        """Return which items a score says anything of, (n_items,) bool: taken in training, or placed by features.

        The others stand at a neutral score that means nothing; `tools.pipeline` gives them one by their content.
        """

    def add_items(self, modalities: Mapping[str, EmbeddingTable]) -> int:
        """Make items served that were not trained on, from features alone; return how many were new.

        Models without features place new items at the neutral score and return 0.
        """

    def save(self, folder: Path) -> None:
        """Write everything `load` needs into an existing folder (safetensors, .npy, JSON, Parquet)."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; needs neither the training set nor the store."""


class Ranker(Protocol):
    """Orders the candidates of one request by named features; higher is better."""

    name: str
    names: tuple[str, ...]

    def fit(
        self, table: FeatureTable, groups: npt.NDArray[np.int64], labels: npt.NDArray[np.int64], seed: int = 0
    ) -> None:
        """Learn from rows group by group, `groups` (g,) rows each, graded `labels` (n,).

        Raises:
            DataError: When sizes disagree or there is no order to learn.
        """

    def score(self, table: FeatureTable) -> Floats:
        """Return (n,) float32, comparable within one request only.

        Raises:
            DataError: When the table's names are not those it learned from, in that order.
        """

    def explain(self, table: FeatureTable) -> Contributions:
        """Return how much each feature moved each score."""

    def save(self, folder: Path) -> None:
        """Write everything `load` needs into an existing folder."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
