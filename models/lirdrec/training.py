"""Fitting LIRDRec: progressive weight copying, Adam, early stopping."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from catalog.errors import DataError
from catalog.progress import Progress
from catalog.vectors import Floats
from models.base import FitReport, UserScorer, Validate
from models.lirdrec.config import LIRDRecConfig
from models.lirdrec.network import Network, Tables, bpr_loss, softmax_loss
from models.triples import TripleSampler


class WeightCopying:
    """Progressive weight copying: how much scorers and copied weights count, and the copying itself.

    At the start of epoch e (from 1) `w1 *= base ** e`, then w1 and w2 are divided by their sum; from the
    second epoch on theta takes the value of the last alpha.

    Source:
        arXiv 2505.04960, progressive weight copying fusion.
    """

    def __init__(self, scorer_weight: float, decay: float) -> None:
        self.scorer_weight = scorer_weight
        self.copy_weight = 1 - scorer_weight
        self._decay = decay

    def start_epoch(self, epoch: int, theta: Tensor, last_alpha: Tensor | None) -> None:
        """Decay w1 for `epoch` and copy `last_alpha` (n_users, B) into `theta`, in place."""
        decayed = self.scorer_weight * self._decay**epoch
        total = decayed + self.copy_weight
        self.scorer_weight, self.copy_weight = decayed / total, self.copy_weight / total
        if last_alpha is not None:
            theta.data.copy_(last_alpha)


class ScorersAlone:
    """No copied weights: w1 = 1 and w2 = 0 throughout."""

    scorer_weight = 1.0
    copy_weight = 0.0

    def start_epoch(self, epoch: int, theta: Tensor, last_alpha: Tensor | None) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Epoch:
    """One finished epoch: the tables now, the weights they stand under, and the mean training loss."""

    number: int
    loss: float
    tables: Tables
    scorer_weight: float
    copy_weight: float


@dataclass(frozen=True)
class Fitted:
    """The best epoch, with the parameters it had."""

    epoch: Epoch
    parameters: dict[str, Tensor]
    report: FitReport


def epochs(
    network: Network, sampler: TripleSampler, config: LIRDRecConfig, rng: np.random.Generator
) -> Iterator[Epoch]:
    """Train for ever, one epoch a step.

    On a GPU nothing waits for it within an epoch: losses stay there until the epoch ends.

    Raises:
        DataError: When the loss is no longer finite.
    """
    device = network.theta.device
    optimiser = torch.optim.Adam(network.parameters(), lr=config.learning_rate, fused=True)
    weights = WeightCopying(config.copy_weight, config.copy_decay) if config.copying else ScorersAlone()
    last_alpha: Tensor | None = None
    number = 0
    while True:
        number += 1
        weights.start_epoch(number, network.theta, last_alpha)
        losses = []
        for triples in sampler.epoch(rng):
            tables = network(weights.scorer_weight, weights.copy_weight)
            loss = _loss(tables, torch.from_numpy(triples).to(device, non_blocking=True), config, rng)
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimiser.step()
            last_alpha = tables.alpha.detach()
            losses.append(loss.detach())
        mean = float(torch.stack(losses).mean())
        if not math.isfinite(mean):
            raise DataError(
                f"lirdrec: the loss became {mean} in epoch {number}; "
                f"a learning_rate below {config.learning_rate!r} or smaller features would be valid"
            )
        with torch.no_grad():
            tables = network(weights.scorer_weight, weights.copy_weight)
        yield Epoch(number, mean, tables.cpu(), weights.scorer_weight, weights.copy_weight)


def _loss(tables: Tables, triples: Tensor, config: LIRDRecConfig, rng: np.random.Generator) -> Tensor:
    if config.loss == "bpr":
        return bpr_loss(tables, triples, config.regularisation)
    n_items = len(tables.items)
    drawn = rng.choice(n_items, config.negatives, replace=False) if config.negatives < n_items else np.arange(n_items)
    candidates = torch.from_numpy(drawn.astype(np.int64)).to(triples.device, non_blocking=True)
    return softmax_loss(tables, triples, candidates, config.regularisation, config.temperature)


def fit(
    network: Network,
    sampler: TripleSampler,
    config: LIRDRecConfig,
    *,
    validate: Validate | None,
    rng: np.random.Generator,
    progress: Progress,
) -> Fitted:
    """Train until validation stops rising (or for `config.epochs` without one) and keep the best epoch."""
    started = time.perf_counter()
    limit = config.max_epochs if validate else config.epochs
    history: list[float] = []
    best: tuple[Epoch, dict[str, Tensor]] | None = None
    best_value = -math.inf
    progress.start("lirdrec", limit)
    epoch = None
    for epoch in epochs(network, sampler, config, rng):
        note = f"loss {epoch.loss:.4f}"
        if validate:
            value = validate(dot_scorer(epoch.tables.users.numpy(), epoch.tables.items.numpy()))
            history.append(value)
            note += f" valid {value:.4f}"
            if best is None or value > best_value:
                best, best_value = (epoch, _copy(network)), value
        progress.advance(1, note)
        if epoch.number >= limit or (best and epoch.number - best[0].number >= config.patience):
            break
    progress.finish()
    assert epoch is not None
    kept, parameters = best or (epoch, _copy(network))
    report = FitReport(epoch.number, time.perf_counter() - started, best_value if validate else None, tuple(history))
    return Fitted(kept, parameters, report)


def dot_scorer(users: Floats, items: Floats) -> UserScorer:
    """Return the scorer `rows -> users[rows] @ items.T`, (b, n_items)."""

    def score(rows: npt.NDArray[np.int64]) -> Floats:
        scores: Floats = users[rows] @ items.T
        return scores

    return score


def _copy(network: Network) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone() for name, value in network.named_parameters()}
