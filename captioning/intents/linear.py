"""A logistic model over named features, small enough to read: it judges clauses and finds aspects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import expit

Features = Sequence[str]


class LinearModel:
    """Log-odds that are a sum of feature weights and a bias; a feature it never met weighs nothing.

    Args:
        weights: By feature.
        bias: Log-odds without any.
    """

    def __init__(self, weights: Mapping[str, float], bias: float) -> None:
        self.weights, self.bias = dict(weights), bias

    def score(self, features: Features) -> float:
        """Return the log-odds."""
        weights = self.weights
        return self.bias + sum(weights.get(name, 0.0) for name in features)

    @classmethod
    def fit(
        cls, rows: Sequence[Features], labels: Sequence[float], weights: Sequence[float], *, l2: float, least: int = 1
    ) -> LinearModel:
        """Learn by penalised maximum likelihood (L-BFGS); the same rows give the same model.

        Args:
            rows: Names of the features of each row, each once.
            labels: 0 or 1.
            weights: How much each row counts.
            l2: Penalty on half the squared weights; the bias has none.
            least: Features of fewer rows are left out.
        """
        from scipy.optimize import minimize

        counts = Counter(name for row in rows for name in row)
        names = sorted(name for name, count in counts.items() if count >= least)
        at = {name: column for column, name in enumerate(names)}
        cells = [(row, at[name]) for row, found in enumerate(rows) for name in found if name in at]
        where = np.asarray(cells, np.int64).reshape(-1, 2).T
        table = sparse.csr_array((np.ones(where.shape[1]), (where[0], where[1])), shape=(len(rows), len(names)))
        target, importance = np.asarray(labels, np.float64), np.asarray(weights, np.float64)

        def loss(values: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
            odds = table @ values[:-1] + values[-1]
            missed = importance * (expit(odds) - target)
            cost = importance @ (np.logaddexp(0, odds) - target * odds) + 0.5 * l2 * values[:-1] @ values[:-1]
            return float(cost), np.append(table.T @ missed + l2 * values[:-1], missed.sum())

        found = minimize(loss, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B", options={"maxiter": 200})
        learned = np.round(found.x, 6)
        return cls({name: float(w) for name, w in zip(names, learned, strict=False) if w}, float(learned[-1]))
