"""`SASRec`: what comes next, by self-attention over what came before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from catalog.vectors import Floats
from models.base import TrainingData
from models.early_stopping import Epoch
from models.sequence_model import Rows, SequenceConfig, SequenceModel, Tables


class SASRecConfig(SequenceConfig):
    """Settings of `SASRec`."""

    layers: int = Field(2, ge=1)
    """Blocks of attention and feed-forward."""

    heads: int = Field(1, ge=1)
    """Heads of an attention; they divide `dim`."""

    dropout: float = Field(0.2, ge=0, lt=1)
    """Share of activations dropped in training."""

    loss: Literal["softmax", "bce"] = "softmax"
    """`softmax` over all items (Klenitskiy and Vasilev 2023 find it far better), or the paper's `bce` against one
    sampled item a place."""

    batch_size: int = Field(64, ge=1)
    """Windows of `length` items a step."""


class SASRec(SequenceModel[SASRecConfig]):
    """Scores item j by `h . e_j`, where h is the last state of a causal transformer over the shopper's items.

    Every place of a history predicts the item after it. Long histories are cut into windows of `length`.

    Source:
        Kang and McAuley, "Self-attentive sequential recommendation", ICDM 2018, equations 2 to 6; the loss:
        Klenitskiy and Vasilev, "Turning dross into gold loss: is BERT4Rec really better than SASRec?", RecSys 2023.
    """

    name = "sasrec"
    config_kind = SASRecConfig

    def _epochs(self, data: TrainingData, seed: int) -> Iterator[Epoch[Tables]]:
        from models.sasrec_network import train

        return train(data.train, self.config, seed, self._score)

    def _score(self, arrays: Mapping[str, npt.NDArray[Any]], sequences: Rows) -> Floats:
        from models.sasrec_network import last_states

        if not len(sequences):
            return np.zeros((0, len(arrays["items"]) - 1), np.float32)
        scores: Floats = last_states(arrays, sequences, self.config) @ arrays["items"][:-1].T
        return scores
