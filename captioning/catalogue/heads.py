"""Linear heads over a picture tower's features, one a field: penalised logistic models, trained together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_softmax

from captioning.catalogue.fields import Field, Stated, targets
from catalog.vectors import Floats

_ROUNDS = 150
_LEAST_SPREAD = 1e-3
"""A feature that spreads less, of the features' mean spread, is noise and counts as still."""


@dataclass(frozen=True)
class Heads:
    """Heads of one model space.

    Attributes:
        fields: What they say.
        mean: (w,) taken off a picture's features.
        spread: (w,) what they are divided by then.
        weights: (w, columns) of the fields' values, in their order.
        bias: (columns,).
    """

    fields: tuple[Field, ...]
    mean: Floats
    spread: Floats
    weights: Floats
    bias: Floats

    def probabilities(self, features: Floats) -> list[Floats]:
        """Return (n, values) for each field: rows sum to 1 where an item has one value, else each is of its own.

        Args:
            features: (n, w) as `captioning.catalogue.eye.seen` gives them.
        """
        scores = ((features - self.mean) / self.spread) @ self.weights + self.bias
        found, start = [], 0
        for field in self.fields:
            own = scores[:, start : start + len(field.values)].astype(np.float64)
            found.append(np.asarray(expit(own) if field.several else np.exp(log_softmax(own, 1)), np.float32))
            start += len(field.values)
        return found

    def arrays(self) -> Mapping[str, Floats]:
        """Return what is kept of them besides the fields."""
        return {"mean": self.mean, "spread": self.spread, "weights": self.weights, "bias": self.bias}


def fit_heads(features: Floats, items: Sequence[Stated], fields: tuple[Field, ...], *, penalty: float) -> Heads:
    """Learn heads by penalised maximum likelihood (L-BFGS); the same rows give the same heads.

    Args:
        features: (n, w) of pictures, n at least 1.
        items: (n,) what is stated of the item of each picture; an item with several pictures stands several times.
        fields: What is learned.
        penalty: Weight of the squared weights, a row.

    Source: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2009, 4.4 and 18.3.2.
    """
    from scipy.optimize import minimize

    mean, own = features.mean(0), features.std(0)
    spread = np.where(own > _LEAST_SPREAD * max(float(own.mean()), 1e-12), own, np.inf).astype(np.float32)
    columns = sum(len(field.values) for field in fields)
    if not columns:
        return Heads((), mean, spread, np.zeros((len(mean), 0), np.float32), np.zeros(0, np.float32))
    seen = ((features - mean) / spread).astype(np.float64)
    wanted = [targets(field, items).astype(np.float64) for field in fields]
    rows = [np.flatnonzero(~np.isnan(each[:, 0])) for each in wanted]
    weight, width = penalty * len(features), len(mean)

    def loss(values: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        table = values.reshape(width + 1, columns)
        scores = seen @ table[:-1] + table[-1]
        slope, cost, first = np.zeros_like(scores), 0.5 * weight * float((table[:-1] ** 2).sum()), 0
        for field, truth, told in zip(fields, wanted, rows, strict=True):
            at = slice(first, first + len(field.values))
            first += len(field.values)
            own, right = scores[told, at], truth[told]
            if field.several:
                cost += float((np.logaddexp(0, own) - right * own).sum())
                slope[told, at] = expit(own) - right
            else:
                logs = log_softmax(own, 1)
                cost -= float((right * logs).sum())
                slope[told, at] = np.exp(logs) - right
        inner = seen.T @ slope + weight * table[:-1]
        return cost, np.concatenate([inner.ravel(), slope.sum(0)])

    start = np.zeros((width + 1) * columns)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _ROUNDS}).x
    table = found.reshape(width + 1, columns).astype(np.float32)
    return Heads(fields, mean, spread, table[:-1], table[-1])
