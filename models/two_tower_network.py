"""The two towers and how they are trained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from catalog.log import Interactions
from catalog.progress import Progress
from catalog.vectors import Floats
from models.base import FitReport, Validate
from models.early_stopping import Epoch, run_epochs
from models.lirdrec.training import dot_scorer
from models.sequence_model import histories
from models.two_tower import TwoTowerConfig

Tables = dict[str, npt.NDArray[Any]]


class Towers(nn.Module):
    """Parameters of both towers over fixed item features (n_items, width)."""

    def __init__(self, features: Floats, n_users: int, config: TwoTowerConfig) -> None:
        super().__init__()
        n_items, width = features.shape
        self._features = torch.from_numpy(features)
        self.users = nn.Parameter(torch.randn(n_users, config.dim) * 0.01)
        self.items = nn.Parameter(torch.randn(n_items, config.dim) * 0.01)
        self.history = nn.Parameter(torch.randn(n_items, config.dim) * config.dim**-0.5)
        self.inner = nn.Linear(width, config.hidden)
        self.outer = nn.Linear(config.hidden, config.dim, bias=False)
        self.mixing = nn.Parameter(torch.eye(config.dim))

    def item_rows(self, rows: Tensor | None = None) -> Tensor:
        """Return rows of length 1 of the items at `rows` (b,), or of all."""
        features = self._features if rows is None else self._features.index_select(0, rows)
        ids = self.items if rows is None else functional.embedding(rows, self.items)
        return functional.normalize(ids + self.outer(functional.relu(self.inner(features))))

    def user_rows(self, users: Tensor, items: Tensor, offsets: Tensor, without: Tensor | None = None) -> Tensor:
        """Return rows of length 1 of shoppers.

        Args:
            users: (b,) rows.
            items: Their histories one after another.
            offsets: (b,) where each begins.
            without: (b,) an item of each to leave out of its mean; None leaves none out.
        """
        total = functional.embedding_bag(items, self.history, offsets, mode="sum")
        counts = torch.diff(offsets, append=torch.tensor([len(items)]))
        if without is not None:
            total, counts = total - functional.embedding(without, self.history), counts - 1
        mean = total / counts.clamp(min=1)[:, None]
        return functional.normalize(functional.embedding(users, self.users) + mean @ self.mixing.T)


def corrected_softmax(users: Tensor, items: Tensor, rows: Tensor, log_q: Tensor, temperature: float) -> Tensor:
    """Return the mean log-loss of each row's own item among the items of the batch.

    Args:
        users: (b, d).
        items: (b, d), the positive of each user.
        rows: (b,) item rows: a second place of the same item is no negative.
        log_q: (b,) log of the chance that each item is in a batch.
        temperature: What scores are divided by.

    Source:
        Yi et al. 2019, equation 4: `s_c(x, y) = s(x, y) - log p_y`.
    """
    scores = users @ items.T / temperature - log_q[None]
    same = (rows[:, None] == rows[None]) & ~torch.eye(len(rows), dtype=torch.bool)
    return functional.cross_entropy(scores.masked_fill(same, -torch.inf), torch.arange(len(rows)))


def train(
    interactions: Interactions,
    features: Floats,
    config: TwoTowerConfig,
    *,
    validate: Validate | None,
    seed: int,
    progress: Progress,
) -> tuple[Tables, FitReport]:
    """Train and return the tables and the report."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        towers = Towers(features, len(interactions.users), config)
    return run_epochs(
        "two_tower",
        _epochs(towers, interactions, config, np.random.default_rng(seed)),
        max_epochs=config.max_epochs,
        patience=config.patience,
        default_epochs=config.epochs,
        validate=validate,
        progress=progress,
    )


def _epochs(
    towers: Towers, interactions: Interactions, config: TwoTowerConfig, rng: np.random.Generator
) -> Iterator[Epoch[Tables]]:
    optimiser = torch.optim.AdamW(
        towers.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    taken, starts = histories(interactions)
    counts = np.bincount(interactions.item_rows, minlength=len(interactions.items))
    log_q = torch.from_numpy(np.log(np.maximum(counts, 1) / len(interactions)).astype(np.float32))
    while True:
        order, losses = rng.permutation(len(interactions)), []
        for start in range(0, len(order), config.batch_size):
            at = order[start : start + config.batch_size]
            if len(at) < 2 and len(order) > 1:
                continue  # one row alone has no negative
            rows, users = interactions.item_rows[at].astype(np.int64), interactions.user_rows[at].astype(np.int64)
            items, offsets = _gathered(taken, starts, users)
            positives = torch.from_numpy(rows)
            shoppers = towers.user_rows(torch.from_numpy(users), items, offsets, positives)
            loss = corrected_softmax(
                shoppers, towers.item_rows(positives), positives, log_q[positives], config.temperature
            )
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimiser.step()
            losses.append(loss.item())
        tables = _tables(towers, taken, starts)
        scorer = dot_scorer(tables["users"], tables["items"])
        yield Epoch(float(np.mean(losses)), scorer, lambda tables=tables: tables)  # type: ignore[misc]


def _gathered(
    taken: npt.NDArray[np.int64], starts: npt.NDArray[np.int64], users: npt.NDArray[np.int64]
) -> tuple[Tensor, Tensor]:
    """Return the histories of `users` one after another, and where each begins."""
    lengths = starts[users + 1] - starts[users]
    offsets = np.cumsum(lengths) - lengths
    places = np.arange(lengths.sum()) + np.repeat(starts[users] - offsets, lengths)
    return torch.from_numpy(taken[places]), torch.from_numpy(offsets)


def _tables(towers: Towers, taken: npt.NDArray[np.int64], starts: npt.NDArray[np.int64]) -> Tables:
    """Return copies of everything that is served."""
    with torch.no_grad():
        everyone = np.arange(len(starts) - 1)
        items, offsets = _gathered(taken, starts, everyone)
        tables = {
            "users": towers.user_rows(torch.from_numpy(everyone), items, offsets),
            "items": towers.item_rows(),
            "inner.weight": towers.inner.weight,
            "inner.bias": towers.inner.bias,
            "outer.weight": towers.outer.weight,
        }
    return {name: table.detach().clone().numpy() for name, table in tables.items()}
