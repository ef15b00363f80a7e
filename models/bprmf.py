"""`BPRMF`: matrix factorisation learned from pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from models.base import TrainingData
from models.pairwise import PairwiseConfig, PairwiseModel

if TYPE_CHECKING:
    from models.pairwise_training import Network


class BPRMFConfig(PairwiseConfig):
    """Settings of `BPRMF`."""

    learning_rate: float = Field(3e-3, gt=0)
    """Step size of Adam."""

    regularisation: float = Field(2e-2, ge=0)
    """lambda, on half the squared length of the rows of a triple."""


class BPRMF(PairwiseModel[BPRMFConfig]):
    """`score(u, i) = p_u . q_i`, two learned tables and nothing else.

    `loss = mean(-ln sigmoid(score(u, i) - score(u, j))) + lambda / 2 * mean(|p_u|^2 + |q_i|^2 + |q_j|^2)`.

    Source:
        Rendle et al. 2009, "BPR: Bayesian personalized ranking from implicit feedback", section 4.3.1; Adam
        in place of plain gradient steps, no item bias, as MMRec has it.
    """

    name = "bprmf"
    config_kind = BPRMFConfig

    def _network(self, data: TrainingData) -> Network:
        from models.bprmf_network import BPRMFNetwork

        return BPRMFNetwork(len(data.train.users), len(data.train.items), self.config)
