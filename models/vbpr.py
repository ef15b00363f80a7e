"""`VBPR`: matrix factorisation where a part of each item's row is read from its features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from catalog.vectors import Floats
from models.base import TrainingData
from models.content_model import ContentModel
from models.item_features import ItemFeatures
from models.pairwise import PairwiseConfig

if TYPE_CHECKING:
    from models.pairwise_training import Network


class VBPRConfig(PairwiseConfig):
    """Settings of `VBPR`; `dim` is the width of each half of a row."""

    learning_rate: float = Field(3e-3, gt=0)
    """Step size of Adam."""

    centred: bool = True
    """Whether each modality is centred and its rows brought to length 1; MMRec reads the features as they are."""

    regularisation: float = Field(1e-2, ge=0)
    """lambda, on half the squared length of the rows of a triple."""


class VBPR(ContentModel[VBPRConfig]):
    """`score(u, i) = p_u . q_i + t_u . (W x_i + c)`, x_i the features of all modalities side by side
    (`centred`: each less its mean, at length 1).

    A new item has no q: its features alone place it. The loss is that of `bprmf`, over the whole rows.

    Source:
        He and McAuley 2016, "VBPR: visual Bayesian personalized ranking from implicit feedback", equation 4
        without the item and visual biases, as MMRec has it.
    """

    name = "vbpr"
    config_kind = VBPRConfig

    def _content_network(self, data: TrainingData, features: ItemFeatures) -> Network:
        from models.vbpr_network import VBPRNetwork

        return VBPRNetwork(len(data.train.users), features, self.config)

    def _rows_of(self, features: ItemFeatures) -> Floats:
        read = features.joined(centred=self.config.centred) @ self._arrays["weight"].T + self._arrays["offset"]
        return np.concatenate([np.zeros_like(read), read], axis=1)
