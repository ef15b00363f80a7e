"""Training of every `PairwiseModel`: triples, Adam, early stopping; the only door to torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from catalog.log import Interactions
from catalog.progress import Progress
from catalog.vectors import Floats
from models.base import FitReport, UserScorer, Validate
from models.early_stopping import Epoch, run_epochs
from models.pairwise import PairwiseConfig
from models.triples import TripleSampler

Arrays = dict[str, npt.NDArray[Any]]


class Network(nn.Module, ABC):
    """Parameters, the loss of a batch, and the tables that are served."""

    def start_epoch(self, rng: np.random.Generator) -> None:
        """Do what happens once before an epoch; nothing, unless the model says otherwise."""
        del rng

    @abstractmethod
    def loss(self, triples: Tensor) -> Tensor:
        """Return the scalar loss of triples (3, b): rows of users, taken items, sampled items."""

    @abstractmethod
    def tables(self) -> dict[str, Tensor]:
        """Return `users` (n_users, width), `items` (n_items, width) and whatever else is to be saved."""

    def constants(self) -> Arrays:
        """Return what is to be saved and training does not change; nothing, unless the model says otherwise."""
        return {}


def bpr_loss(users: Tensor, taken: Tensor, sampled: Tensor) -> Tensor:
    """Return the mean of `-ln sigmoid(u . i - u . j)` over rows (b, width) of users and items.

    Source:
        Rendle et al. 2009, BPR-Opt without its prior.
    """
    return functional.softplus(-(users * (taken - sampled)).sum(1)).mean()


def squared_rows(*rows: Tensor) -> Tensor:
    """Return half the squared length of a triple's rows (b, width), summed over `rows`, mean over the batch."""
    total = torch.stack([table.square().sum() for table in rows]).sum()
    return total / (2 * len(rows[0]))


def pick(table: Tensor, rows: Tensor) -> Tensor:
    """Return `table[rows]`; the gradient adds up row by row, always in the same order."""
    return functional.embedding(rows, table)


def new_table(n: int, dim: int) -> nn.Parameter:
    """Return an xavier-uniform table (n, dim)."""
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(n, dim)))


def train(
    name: str,
    build: Callable[[], Network],
    interactions: Interactions,
    config: PairwiseConfig,
    *,
    validate: Validate | None,
    seed: int,
    progress: Progress,
) -> tuple[Arrays, FitReport]:
    """Build a network under `seed`, train it and return its best tables; torch's own random state is left alone.

    Raises:
        DataError: When there is nothing to sample against, or the loss is no longer finite.
    """
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        network = build()
    sampler = TripleSampler(interactions, config.batch_size)
    arrays, report = run_epochs(
        name,
        _epochs(network, sampler, config.learning_rate, np.random.default_rng(seed)),
        max_epochs=config.max_epochs,
        patience=config.patience,
        default_epochs=config.epochs,
        validate=validate,
        progress=progress,
    )
    return {**arrays, **network.constants()}, report


def _epochs(
    network: Network, sampler: TripleSampler, learning_rate: float, rng: np.random.Generator
) -> Iterator[Epoch[Arrays]]:
    optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate, fused=True)
    while True:
        network.start_epoch(rng)
        losses = []
        for triples in sampler.epoch(rng):
            loss = network.loss(torch.from_numpy(triples))
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimiser.step()
            losses.append(loss.detach())
        with torch.no_grad():
            tables = {name: table.detach().numpy() for name, table in network.tables().items()}
        yield Epoch(float(torch.stack(losses).mean()), _scorer(tables), lambda tables=tables: _copy(tables))  # type: ignore[misc]


def _scorer(tables: Arrays) -> UserScorer:
    def score(rows: npt.NDArray[np.int64]) -> Floats:
        scores: Floats = tables["users"][rows] @ tables["items"].T
        return scores

    return score


def _copy(tables: Arrays) -> Arrays:
    return {name: np.array(table, order="C") for name, table in tables.items()}
