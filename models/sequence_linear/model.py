"""`SequenceLinear`: EASE on three kinds of evidence, weighed on validation."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from catalog.ids import IdMap
from catalog.progress import SILENT, Progress
from catalog.vectors import EmbeddingTable, Floats, unit_rows
from models.base import FitReport, TrainingData, Validate
from models.history_model import HistoryModel
from models.item_features import ItemFeatures, later_features, training_features
from models.ridge import inverse, zero_diagonal_weights
from models.sequence_linear.config import SequenceLinearConfig
from models.sequence_linear.grams import in_sequence, shopper_weights, together
from models.sequence_linear.search import Settings, climb
from models.size_limits import require_at_most
from models.training_checks import require_rows

CONTENT_RUNGS = (0.0, 8.0, 15.0, 30.0, 60.0, 120.0, 240.0)
SEQUENCE_RUNGS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
REGULARISATION_RUNGS = (12.0, 25.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0)
CONTENT = "content."


class SequenceLinear(HistoryModel[SequenceLinearConfig]):
    """EASE on `X'WX + sequence * S + sum over roles of w K + lambda I`.

    W counts a busy shopper less, S adds how close two items stand in the shoppers' histories, K is the Gram matrix
    of a role's vectors, centred and of length 1. With `validate`, lambda, `sequence` and each w climb a
    ladder of rungs one at a time, one solve a trial, so that a dense and a sparse shop each find their own; the
    chosen values stand in `chosen`. New items enter by their content as in `ContentLinear`.

    Source:
        Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data", equation 8; Jeunen et al. 2020, "Closed-form
        models for collaborative filtering with side-information", equation 4. W and S: docs/experiments.md.
    """

    name = "sequence_linear"
    config_kind = SequenceLinearConfig

    def __init__(self, config: SequenceLinearConfig | None = None) -> None:
        super().__init__(config)
        self.modalities: tuple[str, ...] = ()
        self.chosen: dict[str, float] = {}

    def fit(
        self, data: TrainingData, *, validate: Validate | None = None, seed: int = 0, progress: Progress = SILENT
    ) -> FitReport:
        """Solve, with `validate` once a trial of the search, and keep the best.

        Raises:
            DataError: When there is no positive, the catalogue is beyond `max_items`, or a modality has none
                of the items.
        """
        started = time.perf_counter()
        require_rows(data, self.name)
        evidence = Evidence(self.name, self.config, data)
        start, self.modalities = self._start(tuple(data.modalities)), tuple(data.modalities)
        self.users, self.items, self._history = data.train.users, data.train.items, evidence.history
        self._counts = np.asarray(evidence.history.sum(axis=0), np.float32)
        self.content_items = frozenset()
        if validate is None or self.config.max_trials == 1:
            self._settle(start, evidence)
            value = validate(self.score_users) if validate else None
            return FitReport(1, time.perf_counter() - started, value, () if value is None else (value,))
        judge = validate
        ladders = {
            "sequence": SEQUENCE_RUNGS,
            "regularisation": REGULARISATION_RUNGS,
            **{CONTENT + role: CONTENT_RUNGS for role in self.modalities},
        }
        progress.start(self.name, self.config.max_trials)

        def trial(settings: Settings) -> float:
            self._settle(settings, evidence)
            progress.advance()
            return judge(self.score_users)

        best, value, history = climb(start, ladders, trial, self.config.max_trials)
        progress.finish()
        if best != self.chosen:
            self._settle(best, evidence)
        return FitReport(len(history), time.perf_counter() - started, value, history)

    def settings_found(self) -> dict[str, Any]:
        """Return what the search settled on, as settings for a fit on more data without validation."""
        weights = {name.removeprefix(CONTENT): value for name, value in self.chosen.items() if name.startswith(CONTENT)}
        return {
            "sequence": self.chosen["sequence"], "regularisation": self.chosen["regularisation"], "weights": weights,
        }  # fmt: skip

    def _start(self, roles: tuple[str, ...]) -> dict[str, float]:
        content = {CONTENT + role: self.config.weights.get(role, self.config.weight) for role in roles}
        return {"sequence": self.config.sequence, "regularisation": self.config.regularisation, **content}

    def _settle(self, settings: Settings, evidence: Evidence) -> None:
        """Solve for one choice of settings; the last solution's memory goes first."""
        self._arrays = {}
        self.chosen = dict(settings)
        self._arrays = evidence.solve(settings)

    def _learn(
        self, data: TrainingData, history: sparse.csr_array, *, seed: int, progress: Progress
    ) -> dict[str, npt.NDArray[Any]]:
        return Evidence(self.name, self.config, data).solve(self._start(tuple(data.modalities)))

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
        own = weighted(later_features(self.name, modalities, new, means), self.chosen)
        trained = len(held["precision"])
        columns, rows = self._edges(own, trained)
        weights[:trained, -added:] = columns
        weights[-added:, :trained] = rows
        return True

    def _edges(self, own: Floats, trained: int) -> tuple[Floats, Floats]:
        """Return what predicts each new item (trained, n_new) and what each predicts (n_new, trained).

        With P the inverse matrix, k the new item's kernel to the known ones, `q = P k` and
        `s = |own|^2 + lambda - k'q`: the column is q, the row `q / (s diag(P) + q^2)`.
        """
        held = self._arrays
        inside, diagonal = held["weights"][:trained, :trained], held["precision"][:, None]
        kernel = held["content"] @ own.T
        scaled = diagonal * kernel
        pulled = scaled - inside @ scaled
        left = (own * own).sum(axis=1) + self.chosen["regularisation"] - (kernel * pulled).sum(axis=0)
        rows = (pulled / (left * diagonal + pulled * pulled)).T
        return pulled.astype(np.float32), rows.astype(np.float32)

    def _meta(self) -> dict[str, Any]:
        return {"modalities": list(self.modalities), "chosen": self.chosen}

    def _restore(self, meta: Mapping[str, Any]) -> None:
        self.modalities = tuple(meta["modalities"])
        self.chosen = dict(meta["chosen"])


class Evidence:
    """What the train rows and the content say, computed once for all trials of the search."""

    def __init__(self, model: str, config: SequenceLinearConfig, data: TrainingData) -> None:
        n_items = len(data.train.items)
        cost = f"dense item matrices of {12 * n_items**2 / 1e9:.1f} GB"
        require_at_most(model, "items", n_items, "max_items", config.max_items, cost)
        self.history = data.train.csr()
        shoppers = shopper_weights(self.history, config.activity_power)
        self._together = together(self.history, shoppers)
        self._sequence = in_sequence(data.train, shoppers, config.reach)
        self._features = training_features(model, data.modalities, data.train.items) if data.modalities else None

    def solve(self, settings: Settings) -> dict[str, npt.NDArray[Any]]:
        """Return the weights of EASE on the weighed evidence, and what placing new items needs.

        Raises:
            DataError: When the matrix is not positive definite.
        """
        gram = self._sequence * np.float32(settings["sequence"])
        gram += self._together
        tables: dict[str, npt.NDArray[Any]] = {}
        if self._features is not None:
            joined = weighted(self._features, settings)
            gram += joined @ joined.T
            tables = {"content": joined, **{f"mean.{role}": mean for role, mean in self._features.means.items()}}
        gram[np.diag_indices_from(gram)] += np.float32(settings["regularisation"])
        precision = inverse(gram)
        diagonal = np.diag(precision).copy()
        return {"weights": zero_diagonal_weights(precision), "precision": diagonal, **tables}


def weighted(features: ItemFeatures, settings: Settings) -> Floats:
    """Return `sqrt(w) F` of all roles side by side, (n_items, sum of widths), F centred and of length 1."""
    parts = [
        unit_rows(table - features.means[role]) * np.float32(np.sqrt(settings[CONTENT + role]))
        for role, table in features.inputs.items()
    ]
    return np.concatenate(parts, axis=1)
