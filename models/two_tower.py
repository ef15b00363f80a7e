"""`TwoTower`: a shopper's tower and an item's tower, trained to meet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from catalog.ids import IdMap
from catalog.progress import Progress
from catalog.vectors import EmbeddingTable, Floats
from models.base import FitReport, TrainingData, Validate
from models.factor_model import FactorConfig, FactorModel
from models.item_features import later_features, training_features
from models.size_limits import require_at_most

Tables = dict[str, npt.NDArray[Any]]


class TwoTowerConfig(FactorConfig):
    """Settings of `TwoTower`."""

    hidden: int = Field(128, ge=1)
    """Width of the layer between an item's features and its row."""

    temperature: float = Field(0.07, gt=0)
    """What the cosine of the two towers is divided by."""

    learning_rate: float = Field(1e-3, gt=0, le=10)
    """Step size of Adam."""

    weight_decay: float = Field(1e-5, ge=0, le=10)
    """Of Adam, on all parameters."""

    batch_size: int = Field(1024, ge=2)
    """Positives a step; each one's negatives are the others' items."""

    patience: int = Field(8, ge=1)
    """Epochs without a better validation value after which training stops."""

    max_epochs: int = Field(200, ge=1)
    """Epochs at most when there is a validation to stop by."""

    epochs: int = Field(20, ge=1)
    """Epochs when there is no validation."""

    max_rows: int = Field(5_000_000, ge=1)
    """Users and items together at most."""


class TwoTower(FactorModel[TwoTowerConfig]):
    """Scores `cos(u, v) / temperature` of a shopper's row u and an item's row v.

    `v = id + W2 relu(W1 features)`, `u = id + A mean of history rows`, the positive itself left out of the mean in
    training; both are brought to length 1. The loss is a softmax over the items of the batch in which each
    item's score is lowered by `log Q`, Q the share of training rows it has: popular items are drawn as negatives
    more often, and the correction undoes that. Without modalities an item has its id alone. A live shopper's news moves
    u towards the items' rows v: the mean of history rows, trained with each positive left out of it, can learn to point
    away from what a known shopper took.

    Source:
        Yi et al., "Sampling-bias-corrected neural modeling for large corpus item recommendations", RecSys 2019,
        equations 3 to 5; Q is counted exactly in place of their streaming estimate.
    """

    name = "two_tower"
    config_kind = TwoTowerConfig

    def __init__(self, config: TwoTowerConfig | None = None) -> None:
        super().__init__(config)
        self.modalities: tuple[str, ...] = ()

    def _learn(
        self, data: TrainingData, *, validate: Validate | None, seed: int, progress: Progress
    ) -> tuple[Tables, FitReport]:
        from models.two_tower_network import train

        rows = len(data.train.users) + len(data.train.items)
        why = f"{12 * rows * self.config.dim / 1e9:,.1f} GB of rows and their moments"
        require_at_most(self.name, "users and items", rows, "max_rows", self.config.max_rows, why)
        self.modalities = tuple(data.modalities)
        features = training_features(self.name, data.modalities, data.train.items) if data.modalities else None
        joined = features.joined(centred=True) if features else np.zeros((len(data.train.items), 1), np.float32)
        arrays, report = train(data.train, joined, self.config, validate=validate, seed=seed, progress=progress)
        means = {f"mean.{role}": mean for role, mean in features.means.items()} if features else {}
        return {**arrays, **means}, report

    def _place(self, modalities: Mapping[str, EmbeddingTable], new: IdMap) -> Floats | None:
        if not modalities.keys() & set(self.modalities):
            return None
        means = {role: self._arrays[f"mean.{role}"] for role in self.modalities}
        joined = later_features(self.name, modalities, new, means).joined(centred=True)
        inner = np.maximum(joined @ self._arrays["inner.weight"].T + self._arrays["inner.bias"], 0)
        return _unit(inner @ self._arrays["outer.weight"].T)

    def _meta(self) -> dict[str, Any]:
        return {"modalities": list(self.modalities)}

    def _restore(self, meta: Mapping[str, Any]) -> None:
        self.modalities = tuple(meta["modalities"])


def _unit(rows: npt.NDArray[Any]) -> Floats:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Floats = (rows / np.maximum(length, 1e-12)).astype(np.float32, copy=False)
    return unit
