"""`PairwiseModel`: recommenders that learn to place an item a shopper took above one that was sampled."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, TypeVar

import numpy.typing as npt
from pydantic import Field

from catalog.progress import Progress
from models.base import FitReport, TrainingData, Validate
from models.factor_model import FactorConfig, FactorModel
from models.size_limits import require_at_most

if TYPE_CHECKING:
    from models.pairwise_training import Network


class PairwiseConfig(FactorConfig):
    """Settings that every `PairwiseModel` has."""

    learning_rate: float = Field(1e-3, gt=0)
    """Step size of Adam."""

    batch_size: int = Field(2048, ge=1)
    """Triples (user, taken item, sampled item) a step."""

    patience: int = Field(20, ge=1)
    """Epochs without a better validation value after which training stops."""

    max_epochs: int = Field(1000, ge=1)
    """Epochs at most when there is a validation to stop by."""

    epochs: int = Field(50, ge=1)
    """Epochs when there is no validation."""

    max_rows: int = Field(2_000_000, ge=1)
    """Users and items together at most: each row is held with its gradient, two moments and the best copy."""


Config = TypeVar("Config", bound=PairwiseConfig)


class PairwiseModel(FactorModel[Config]):
    """Trains a network with Adam on sampled triples and serves the tables it leaves behind.

    A subclass returns its network from `_network`, which alone loads torch. Bayesian personalised ranking:
    `loss = mean over (u, i, j) of -ln sigmoid(score(u, i) - score(u, j))` and the model's own penalty.

    Source:
        Rendle et al. 2009, "BPR: Bayesian personalized ranking from implicit feedback", BPR-Opt.
    """

    @abstractmethod
    def _network(self, data: TrainingData) -> Network:
        """Return a freshly initialised network; called under the fit's seed.

        Raises:
            DataError: When `data` lacks what the model needs, or exceeds a size limit.
        """

    def _learn(
        self, data: TrainingData, *, validate: Validate | None, seed: int, progress: Progress
    ) -> tuple[dict[str, npt.NDArray[Any]], FitReport]:
        from models.pairwise_training import train

        rows = len(data.train.users) + len(data.train.items)
        why = f"tables of {5 * 4 * rows * self.config.dim / 1e9:.1f} GB while training"
        require_at_most(self.name, "users and items", rows, "max_rows", self.config.max_rows, why)
        return train(
            self.name,
            lambda: self._network(data),
            data.train,
            self.config,
            validate=validate,
            seed=seed,
            progress=progress,
        )
