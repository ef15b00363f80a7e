"""`DIN`: a shopper's history read anew for every candidate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy.typing as npt
from pydantic import Field

from catalog.vectors import Floats
from models.base import TrainingData
from models.early_stopping import Epoch
from models.item_features import training_features
from models.sequence_model import Rows, SequenceConfig, SequenceModel, Tables


class DINConfig(SequenceConfig):
    """Settings of `DIN`."""

    dim: int = Field(32, ge=2)
    """Width d of an item row."""

    length: int = Field(20, ge=1)
    """Last items L of a shopper that every candidate is held against."""

    hidden: int = Field(16, ge=1)
    """Width of the attention's inner layer; the final layers are twice as wide."""

    negatives: int = Field(4, ge=1)
    """Sampled items beside each positive."""

    batch_size: int = Field(1024, ge=1)
    """Positives a step."""

    patience: int = Field(4, ge=1)
    """Epochs without a better validation value after which training stops."""

    max_epochs: int = Field(50, ge=1)
    """Epochs at most when there is a validation to stop by."""

    epochs: int = Field(8, ge=1)
    """Epochs when there is no validation."""

    max_items: int = Field(5_000, ge=1)
    """Largest catalogue: each shopper is scored against each item through L attentions."""


class DIN(SequenceModel[DINConfig]):
    """Scores item j by an MLP of `[a, e_j, a * e_j]`, where `a = sum_i w_ij e_i` over the history.

    `w_ij` is an MLP of `[e_i, e_j, e_i * e_j]`, not normalised, as in the paper; e is a learned row plus a linear
    reading of the item's features. Trained by log-loss, a positive against sampled items, the history being the
    items around the positive that were taken before it: scores are log-odds of that draw.

    Source:
        Zhou et al., "Deep interest network for click-through rate prediction", KDD 2018, equation 3.
    """

    name = "din"
    config_kind = DINConfig

    def __init__(self, config: DINConfig | None = None) -> None:
        super().__init__(config)
        self.modalities: tuple[str, ...] = ()

    def _cost(self, n_items: int) -> str:
        config = self.config
        work = 2e-9 * n_items * config.length * config.dim * config.hidden
        return f"{work:,.2f} GFLOP to score one shopper; a ranker of candidates is the place for such a model"

    def _epochs(self, data: TrainingData, seed: int) -> Iterator[Epoch[Tables]]:
        from models.din_network import train

        self.modalities = tuple(data.modalities)
        features = None
        if data.modalities:
            features = training_features(self.name, data.modalities, data.train.items).joined(centred=True)
        return train(data.train, features, self.config, seed, self._score)

    def _score(self, arrays: Mapping[str, npt.NDArray[Any]], sequences: Rows) -> Floats:
        from models.din_network import score_all

        return score_all(arrays, sequences)
