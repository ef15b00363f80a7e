"""BPR-MF by arithmetic: every step of Adam on pairs whose sampled item is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.log import Interactions
from models.base import TrainingData
from models.bprmf import BPRMF, BPRMFConfig

# Everybody took two of the three items, so that the sampled one can only be the third.
TRIPLES = [(0, 0, 2), (0, 1, 2), (1, 1, 0), (1, 2, 0), (2, 0, 1), (2, 2, 1)]
Table = npt.NDArray[np.float64]


def data() -> TrainingData:
    users, items, _ = np.array(TRIPLES, np.int32).T
    log = Interactions(IdMap("uvw", "user"), IdMap("abc"), users, items, np.zeros(len(users), np.int64))
    return TrainingData(log)


def trained(learning_rate: float, epochs: int, regularisation: float) -> tuple[Table, Table]:
    config = BPRMFConfig(dim=4, learning_rate=learning_rate, epochs=epochs, regularisation=regularisation)
    model = BPRMF(config)
    model.fit(data(), seed=5)
    return model._arrays["users"].astype(float), model._arrays["items"].astype(float)


def gradients(users: Table, items: Table, regularisation: float) -> tuple[Table, Table]:
    """Of `mean(-ln sigmoid(p.(q_i - q_j))) + lambda / 2 * mean(|p|^2 + |q_i|^2 + |q_j|^2)`, by hand."""
    of_users, of_items = np.zeros_like(users), np.zeros_like(items)
    for u, i, j in TRIPLES:
        pull = 1 / (1 + np.exp(users[u] @ (items[i] - items[j])))
        of_users[u] += -pull * (items[i] - items[j]) + regularisation * users[u]
        of_items[i] += -pull * users[u] + regularisation * items[i]
        of_items[j] += pull * users[u] + regularisation * items[j]
    return of_users / len(TRIPLES), of_items / len(TRIPLES)


@pytest.mark.parametrize("regularisation", [0.0, 0.3])
def test_three_steps_of_adam_by_hand(regularisation: float) -> None:
    rate = 0.05
    tables = list(trained(1e-30, 1, regularisation))  # a step too small for float32: the tables as they were made
    first, second = [np.zeros_like(t) for t in tables], [np.zeros_like(t) for t in tables]
    for step in (1, 2, 3):
        for at, gradient in enumerate(gradients(tables[0], tables[1], regularisation)):
            first[at] = 0.9 * first[at] + 0.1 * gradient
            second[at] = 0.999 * second[at] + 0.001 * gradient**2
            mean, spread = first[at] / (1 - 0.9**step), second[at] / (1 - 0.999**step)
            tables[at] = tables[at] - rate * mean / (np.sqrt(spread) + 1e-8)
    users, items = trained(rate, 3, regularisation)
    np.testing.assert_allclose(users, tables[0], atol=2e-5)
    np.testing.assert_allclose(items, tables[1], atol=2e-5)


def test_tables_beyond_the_limit_are_refused_before_they_are_made() -> None:
    with pytest.raises(DataError, match=r"bprmf: 6 users and items exceed max_rows = 5 \(tables of 0\.0 GB"):
        BPRMF(BPRMFConfig(max_rows=5)).fit(data())


def test_a_step_far_too_long_is_one_clear_line() -> None:
    with pytest.raises(DataError, match=r"bprmf: the loss became (nan|inf) in epoch \d; a lower learning_rate"):
        BPRMF(BPRMFConfig(learning_rate=1e36, epochs=3)).fit(data())
