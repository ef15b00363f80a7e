"""`EASE`: every item predicted from all others by one ridge regression."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import sparse

from catalog.progress import Progress
from catalog.vectors import Floats
from models.base import TrainingData
from models.bounds import Regularisation
from models.history_model import HistoryConfig, HistoryModel
from models.ridge import inverse, zero_diagonal_weights
from models.size_limits import require_at_most


class EASEConfig(HistoryConfig):
    """Settings of `EASE`."""

    regularisation: Regularisation = 200.0
    """lambda, added to the diagonal of the item-item counts; more for denser data."""

    max_items: int = Field(20_000, ge=1)
    """Largest catalogue: the solution is a dense matrix, and solving it takes time as its cube."""


class EASE(HistoryModel[EASEConfig]):
    """Scores `x B`, where x is the shopper's history and B the best linear map with a zero diagonal.

    `B = argmin |X - X B|^2 + lambda |B|^2` with `diag(B) = 0`, solved as `P = (X'X + lambda I)^-1`,
    `B = I - P diag(1 / diag P)`.

    Source:
        Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, equations 1 and 8.
    """

    name = "ease"
    config_kind = EASEConfig

    def _learn(
        self, data: TrainingData, history: sparse.csr_array, *, seed: int, progress: Progress
    ) -> dict[str, npt.NDArray[Any]]:
        gram = item_counts(self.name, history, self.config.max_items)
        gram[np.diag_indices_from(gram)] += np.float32(self.config.regularisation)
        return {"weights": zero_diagonal_weights(inverse(gram))}

    def _apply(self, taken: sparse.csr_array) -> Floats:
        scores: Floats = np.asarray(taken @ self._arrays["weights"], np.float32)
        return scores


def item_counts(model: str, history: sparse.csr_array, max_items: int) -> Floats:
    """Return how many shoppers took both items, dense (n_items, n_items) float32.

    Raises:
        DataError: When there are more than `max_items`.
    """
    n = history.shape[1]
    require_at_most(model, "items", n, "max_items", max_items, f"a dense item matrix of {4 * n * n / 1e9:,.1f} GB")
    counts: Floats = (history.T @ history).toarray().astype(np.float32, copy=False)
    return counts
