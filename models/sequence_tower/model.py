"""`SequenceTower`: a linear map and a tower, each fitted alone, blended on validation."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from catalog.ids import IdMap
from catalog.progress import SILENT, Progress
from catalog.vectors import EmbeddingTable, Floats
from models.base import FitReport, TrainingData, Validate
from models.item_features import later_features, training_features
from models.sequence_linear.model import SequenceLinear
from models.sequence_tower.config import SequenceTowerConfig
from models.sequence_tower.tower import Tower, leading_bases, standardised, tower_inputs

SHARES = (0.15, 0.3, 0.5, 0.8, 1.2, 2.0, 3.0)
BASIS = "basis."


class SequenceTower(SequenceLinear):
    """`standardised(linear) + share * standardised(tower)`, row by row.

    The linear part is `SequenceLinear` with its search. The tower reads the same features and an id row of each item,
    and learns to predict hidden items of a history from the others over the whole catalogue. Their errors differ.
    With `validate` the share is the best of a few, 0 among them.
    """

    name = "sequence_tower"
    deterministic = False
    config_kind = SequenceTowerConfig
    config: SequenceTowerConfig

    def settings_found(self) -> dict[str, Any]:
        """Return what the searches settled on, the tower's share among it, as settings."""
        return {**super().settings_found(), "share": self.chosen["tower"]}

    def fit(
        self, data: TrainingData, *, validate: Validate | None = None, seed: int = 0, progress: Progress = SILENT
    ) -> FitReport:
        """Fit the linear part, the tower, then the share; each on `validate` where there is one.

        Raises:
            DataError: When there is no positive or no modality, the catalogue is beyond `max_items`, or a
                modality has none of the items.
        """
        started = time.perf_counter()
        linear = super().fit(data, validate=validate, seed=seed, progress=progress)
        features = training_features(self.name, data.modalities, data.train.items)
        bases = leading_bases(features, self.config.feature_dims)
        bases_held = {BASIS + role: basis for role, basis in bases.items()}
        tower, seen = self._train(tower_inputs(features, bases), validate, seed, progress)
        self._arrays = {**self._arrays, **bases_held, **tower.arrays()}
        history = [*linear.history, *seen]
        self.chosen["tower"] = self.config.share
        best = linear.best
        if validate is not None and best is not None:
            self.chosen["tower"] = 0.0
            for share in SHARES:
                kept, self.chosen["tower"] = self.chosen["tower"], share
                history.append(validate(self.score_users))
                if history[-1] > best:
                    best = history[-1]
                else:
                    self.chosen["tower"] = kept
        return FitReport(max(len(history), 1), time.perf_counter() - started, best, tuple(history))

    def _train(
        self, inputs: Floats, validate: Validate | None, seed: int, progress: Progress
    ) -> tuple[Tower, list[float]]:
        """Return the tower of the best validation, or of the last epoch, and the values on the way."""
        from models.sequence_tower.training import TowerTraining

        training = TowerTraining(self.config, self._history, inputs, seed)
        epochs = self.config.epochs if validate is None else self.config.max_epochs
        best, worse = training.tower(), 0
        values: list[float] = []
        progress.start(f"{self.name}: tower", epochs)
        for epoch in range(1, epochs + 1):
            training.epoch()
            progress.advance()
            if validate is None or epoch % self.config.validate_every:
                continue
            tower = training.tower()
            value = validate(lambda rows, tower=tower: tower.logits(self._history[rows]))  # type: ignore[misc]
            worse = 0 if not values or value > max(values) else worse + 1
            best = tower if worse == 0 else best
            values.append(value)
            if worse >= self.config.patience:
                break
        progress.finish()
        return (best if values else training.tower()), values

    def _apply(self, taken: sparse.csr_array) -> Floats:
        linear, tower = super()._apply(taken), Tower.of(self._arrays)
        share = self.chosen.get("tower", 0.0)
        if tower is None or not share:
            return linear
        trained = len(self._arrays["precision"])
        return standardised(linear, trained) + np.float32(share) * standardised(tower.logits(taken), trained)

    def _place(self, modalities: Mapping[str, EmbeddingTable], new: IdMap) -> bool:
        held = self._arrays
        placed = super()._place(modalities, new)
        tower = Tower.of(held)
        assert tower is not None
        means = {role: held[f"mean.{role}"] for role in self.modalities}
        inputs = tower_inputs(
            later_features(self.name, modalities, new, means), {role: held[BASIS + role] for role in self.modalities}
        )
        arrays: dict[str, npt.NDArray[Any]] = {**self._arrays, **tower.with_items(inputs).arrays()}
        self._arrays = arrays
        return placed
