"""`LIRDRec`, the recommender: fit once, then served from its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from catalog.ids import IdMap
from catalog.progress import SILENT, Progress
from catalog.vectors import EmbeddingTable, Floats, Mask
from models.artifact import Artifact
from models.base import FitReport, Ground, Scores, TrainingData, Validate
from models.growth import with_new_items
from models.lirdrec.config import LIRDRecConfig
from models.lirdrec.modalities import IDS, TRANSFORMED, align_new, build_features
from models.lirdrec.serving import blend, encode, fold_in, new_item_rows, propagated_anew
from models.taken import Taken
from models.training_checks import require_rows


class LIRDRec:
    """Users and items as rows whose dot product is the score, learned from interactions and features.

    Any number of modalities, in the order of `TrainingData.modalities`; the reference has two, picture and
    text. `content_items` names the items that were added from features alone.

    Source:
        arXiv 2505.04960; `docs/recommenders.md` writes out every equation.
    """

    name = "lirdrec"

    def __init__(self, config: LIRDRecConfig | None = None) -> None:
        self.config = config or LIRDRecConfig()
        self.users = IdMap([], "user")
        self.items = IdMap([])
        self.content_items: frozenset[str] = frozenset()
        self.modalities: tuple[str, ...] = ()
        self._arrays: dict[str, npt.NDArray[Any]] = {}

    def fit(
        self, data: TrainingData, *, validate: Validate | None = None, seed: int = 0, progress: Progress = SILENT
    ) -> FitReport:
        """Train; with `validate`, until it has not risen for `patience` epochs, keeping the best epoch.

        The same seed, data and thread count give the same bytes.

        Raises:
            DataError: When there is no interaction, no modality, or a modality without any of the items.
        """
        from models.lirdrec.learner import learn

        require_rows(data, self.name)
        features = build_features(data.modalities, data.train.items, self.config)
        report, self._arrays = learn(data.train, features, self.config, validate=validate, seed=seed, progress=progress)
        self.users, self.items = data.train.users, data.train.items
        self.modalities = tuple(data.modalities)
        self.content_items = frozenset()
        return report

    def score_users(self, user_rows: npt.NDArray[np.int64]) -> Floats:
        """Return (b, n_items) float32 for known users; nothing is masked."""
        scores: Floats = self._arrays["users"][user_rows] @ self._arrays["items"].T
        return scores

    def score(self, user_id: str | None, recent: Sequence[str] = (), against: Sequence[str] = ()) -> Scores:
        """Score from the user's row, the recent items, or both.

        A shopper without training rows is folded in from `recent` (ground `session`, or `content` when every
        recent item was added from features alone). One with both gets the row that the longer history propagates.
        With neither, popularity answers.
        """
        user = None if user_id is None else self.users.get(user_id)
        known = user is not None and self._arrays["user_degrees"][user] > 0
        since = Taken.of(self.items, recent, against, self.config.against_weight)
        if not known and not since.liked:
            return Scores(self._arrays["counts"].copy(), "popularity")
        ground: Ground = "history"
        if known:
            assert user is not None
            row = self._known_row(user, since)
        else:
            row = fold_in(self._arrays, self._branches(), since)
            ground = "content" if self.content_items.issuperset(self.items.at(since.liked_rows)) else "session"
        return Scores(row @ self._arrays["items"].T, ground)

    def _known_row(self, user: int, since: Taken) -> Floats:
        trained: Floats = self._arrays["users"][user]
        if not len(since.rows):
            return trained
        row, share = propagated_anew(self._arrays, user, since), self.config.recent_weight
        row = trained if row is None else row
        return blend(row, fold_in(self._arrays, self._branches(), since), share) if share else row

    def grounded(self) -> Mask:
        """Return which items a score says anything of: all, since features place them, (n_items,) bool."""
        return np.ones(len(self.items), np.bool_)

    def add_items(self, modalities: Mapping[str, EmbeddingTable]) -> int:
        """Encode items that were not trained on and place them beside their nearest trained neighbours.

        Args:
            modalities: By the names trained on; an item one of them lacks gets that modality's mean. Other
                names are ignored.

        Raises:
            DataError: When a table's width is not the one trained on.
        """
        known = {name: table for name, table in modalities.items() if name in self.modalities}
        grown, added = with_new_items(self.items, known)
        if not added:
            return 0
        means = {name: self._arrays[f"mean.{name}"] for name in self.modalities}
        bases = {name: self._arrays[f"basis.{name}"] for name in self.modalities if f"basis.{name}" in self._arrays}
        features = align_new(known, IdMap(grown.ids[-added:]), means, bases, self.config)
        own = encode(self._arrays, features)
        rows = new_item_rows(self._arrays, features, own, self.config)
        self._arrays = {
            **self._arrays,
            "items": np.concatenate([self._arrays["items"], rows]),
            "fold_in": np.concatenate([self._arrays["fold_in"], own]),
            "counts": np.pad(self._arrays["counts"], (0, added)),
        }
        self.items = grown
        self.content_items |= frozenset(grown.ids[-added:])
        return added

    def _branches(self) -> tuple[str, ...]:
        transformed = (TRANSFORMED,) if self.config.transformation else ()
        return (*self.modalities, *transformed, *((IDS,) if self.config.ids else ()))

    def save(self, folder: Path) -> None:
        """Write tables, encoders, features for new items' neighbours, config and ids into an existing folder."""
        meta = {"modalities": list(self.modalities), "trained_items": len(self.items) - len(self.content_items)}
        config = self.config.model_dump(mode="json")
        Artifact(self.name, config, self._arrays, self.users, self.items, meta).save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; torch is not needed to serve."""
        saved = Artifact.load(folder, cls.name)
        model = cls(saved.parse_config(LIRDRecConfig))
        model.users, model.items, model._arrays = saved.users, saved.items, dict(saved.arrays)
        model.modalities = tuple(saved.meta["modalities"])
        model.content_items = frozenset(saved.items.ids[saved.meta["trained_items"] :])
        return model
