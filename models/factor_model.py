"""`FactorModel`: recommenders whose score is the dot product of a user row and an item row, plus an item bias."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from catalog.ids import IdMap
from catalog.progress import SILENT, Progress
from catalog.vectors import EmbeddingTable, Floats, Mask
from models.artifact import Artifact
from models.base import FitReport, Ground, Scores, TrainingData, Validate
from models.growth import grounded, with_new_items
from models.taken import Rows, Taken
from models.training_checks import require_rows


class FactorConfig(BaseModel):
    """Settings that every `FactorModel` has."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    dim: int = Field(64, ge=1)
    """Width d of a user or item row."""
    recent_weight: float = Field(0.3, ge=0, le=1)
    """Serving only: share of the recent items' own row in the row of a known shopper who has some. 0 where the model
    solves or propagates that shopper's row anew; models that cannot (`bprmf`, `vbpr`) move it by this share."""

    against_weight: float = Field(0.5, ge=0, le=10)
    """Serving only: how strongly an item spoken against pushes, beside one that was liked."""


Config = TypeVar("Config", bound=FactorConfig)


class FactorModel(ABC, Generic[Config]):
    """Serves from `users` (n_users, d), `items` (n_items, d) and `bias` (n_items,).

    A subclass sets `name` and `config_kind`, and returns those tables from `_learn` beside any others it
    wants saved. `_session_row` makes a user row from items, `_folded_row` moves a known shopper's; `_place` gives
    new items a row from content.
    """

    name: str
    config_kind: ClassVar[type[FactorConfig]]

    def __init__(self, config: Config | None = None) -> None:
        self.config: Config = config or self.config_kind()  # type: ignore[assignment]  # a subclass names its own kind
        self.users = IdMap([], "user")
        self.items = IdMap([])
        self.content_items: frozenset[str] = frozenset()
        self._arrays: dict[str, npt.NDArray[Any]] = {}

    @abstractmethod
    def _learn(
        self, data: TrainingData, *, validate: Validate | None, seed: int, progress: Progress
    ) -> tuple[dict[str, npt.NDArray[Any]], FitReport]:
        """Return the tables by name, float32, and how the fit went."""

    def _session_row(self, taken: Taken) -> Floats:
        """Return a user row (d,) for someone known only by some items, at least one.

        The mean of their rows at the usual length of a user row; models that can solve for a user override it. Of an
        item spoken against only what sets it apart counts, negatively: all items share a direction, which is demand.
        """
        items = self._arrays["items"]
        mean = taken.weights @ items[taken.rows]
        if (taken.weights < 0).any():
            mean = mean + np.maximum(-taken.weights, 0).sum() * items.mean(axis=0)
        length = np.linalg.norm(mean)
        row: Floats = (mean * (self._arrays["user_length"][0] / max(length, 1e-12))).astype(np.float32)
        return row

    def _folded_row(self, user: int, before: Rows, taken: Taken) -> Floats | None:
        """Return the row (d,) of a known shopper who took `before` in training and stands at `taken` now.

        None where the model cannot tell: the trained row is then moved by `recent_weight` alone.
        """
        return None

    def _place(self, modalities: Mapping[str, EmbeddingTable], new: IdMap) -> Floats | None:
        """Return rows (n_new, d) for new items from their content, or None where the model cannot."""
        return None

    def fit(
        self, data: TrainingData, *, validate: Validate | None = None, seed: int = 0, progress: Progress = SILENT
    ) -> FitReport:
        """Train; with `validate`, keep the best epoch. The same seed, data and thread count give the same bytes.

        Raises:
            DataError: When there is no positive, a modality is missing, or a size limit is exceeded.
        """
        require_rows(data, self.name)
        arrays, report = self._learn(data, validate=validate, seed=seed, progress=progress)
        history = data.train.csr()
        arrays.setdefault("bias", np.zeros(len(data.train.items), np.float32))
        arrays["counts"] = np.asarray(history.sum(axis=0), np.float32)
        arrays["user_degrees"] = np.asarray(history.sum(axis=1), np.int32)
        arrays |= {"history.indices": history.indices, "history.indptr": history.indptr}
        known = arrays["users"][arrays["user_degrees"] > 0]
        arrays["user_length"] = np.array([np.linalg.norm(known, axis=1).mean()], np.float32)
        self._arrays, self.users, self.items = arrays, data.train.users, data.train.items
        self.content_items = frozenset()
        return report

    def score_users(self, user_rows: npt.NDArray[np.int64]) -> Floats:
        """Return (b, n_items) float32 for known users; nothing is masked."""
        return self._scores(self._arrays["users"][user_rows])

    def score(self, user_id: str | None, recent: Sequence[str] = (), against: Sequence[str] = ()) -> Scores:
        """Score from the user's row with what came since folded in, or the recent items alone; else by popularity."""
        found = self._row_of(user_id, recent, against)
        if found is None:
            return Scores(self._arrays["counts"].copy(), "popularity")
        row, ground = found
        return Scores(self._scores(row[None])[0], ground)

    @property
    def factors(self) -> Floats:
        """The items' rows with their bias behind, (n_items, d + 1)."""
        return np.concatenate([self._arrays["items"], self._arrays["bias"][:, None]], axis=1)

    def wishes(self, count: int) -> Floats:
        """Return what `wish` says of up to `count` of the known users, evenly drawn, (m, d + 1)."""
        known = np.flatnonzero(self._arrays["user_degrees"] > 0)
        rows = self._arrays["users"][known[np.linspace(0, len(known) - 1, min(count, len(known))).astype(np.int64)]]
        return np.concatenate([rows, np.ones((len(rows), 1), np.float32)], axis=1)

    def wish(
        self, user_id: str | None, recent: Sequence[str] = (), against: Sequence[str] = ()
    ) -> tuple[Floats, Ground] | None:
        """Return the row (d + 1,) whose products with `factors` are `score`, and its ground.

        None where nothing but popularity is known.
        """
        found = self._row_of(user_id, recent, against)
        return None if found is None else (np.append(found[0], np.float32(1)), found[1])

    def _row_of(
        self, user_id: str | None, recent: Sequence[str], against: Sequence[str]
    ) -> tuple[Floats, Ground] | None:
        user = None if user_id is None else self.users.get(user_id)
        since = Taken.of(self.items, recent, against, self.config.against_weight)
        if user is not None and self._arrays["user_degrees"][user] > 0:
            return self._known_row(user, since), "history"
        if not since.liked:
            return None
        content = self.content_items.issuperset(self.items.at(since.liked_rows))
        return self._session_row(since), "content" if content else "session"

    def _known_row(self, user: int, since: Taken) -> Floats:
        trained: Floats = self._arrays["users"][user]
        if not len(since.rows):
            return trained
        row = None
        if "history.indptr" in self._arrays:  # models saved before there was fold-in lack it
            start, stop = self._arrays["history.indptr"][user : user + 2]
            before = self._arrays["history.indices"][start:stop].astype(np.int64)
            row = self._folded_row(user, before, since.after(before))
        share = self.config.recent_weight
        if row is None:
            row = trained
            share = share if since.liked else share * self.config.against_weight
        if share:
            row = (1 - share) * row + share * self._session_row(since)
        return row.astype(np.float32, copy=False)

    def grounded(self) -> Mask:
        """Return which items were taken in training or placed by features, (n_items,) bool."""
        return grounded(self.items, self._arrays["counts"], self.content_items, bool(getattr(self, "modalities", ())))

    def add_items(self, modalities: Mapping[str, EmbeddingTable]) -> int:
        """Make new items served; return how many content gave a place (the others score 0)."""
        grown, added = with_new_items(self.items, modalities)
        if not added:
            return 0
        new = IdMap(grown.ids[-added:])
        rows = self._place(modalities, new)
        placed = rows is not None
        if rows is None:
            rows = np.zeros((added, self._arrays["items"].shape[1]), np.float32)
        self._arrays = {
            **self._arrays,
            "items": np.concatenate([self._arrays["items"], rows]),
            "bias": np.pad(self._arrays["bias"], (0, added)),
            "counts": np.pad(self._arrays["counts"], (0, added)),
        }
        self.items = grown
        if placed:
            self.content_items |= frozenset(new.ids)
        return added if placed else 0

    def save(self, folder: Path) -> None:
        """Write tables, config and ids into an existing folder."""
        meta = {"trained_items": len(self.items) - len(self.content_items), **self._meta()}
        config = self.config.model_dump(mode="json")
        Artifact(self.name, config, self._arrays, self.users, self.items, meta).save(folder)

    def _meta(self) -> dict[str, Any]:
        """Return small facts to save; `_restore` gets them back."""
        return {}

    def _restore(self, meta: Mapping[str, Any]) -> None:
        """Take back what `_meta` gave."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; needs neither torch nor the training set."""
        saved = Artifact.load(folder, cls.name)
        model = cls(saved.parse_config(cls.config_kind))  # type: ignore[arg-type]
        model.users, model.items, model._arrays = saved.users, saved.items, dict(saved.arrays)
        model.content_items = frozenset(saved.items.ids[saved.meta["trained_items"] :])
        model._restore(saved.meta)
        return model

    def _scores(self, user_rows: Floats) -> Floats:
        scores: Floats = user_rows @ self._arrays["items"].T + self._arrays["bias"]
        return scores
