"""Training the tower: hide a part of each history, predict it among all items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from scipy import sparse

from catalog.vectors import Floats
from models.sequence_tower.config import SequenceTowerConfig
from models.sequence_tower.tower import Tower


class TowerTraining:
    """Adam on a full softmax over cosines; deterministic given the seed and the thread count.

    `loss = - sum over hidden items j of log softmax_j(cos(sum of shown rows, row_j) / temperature + bias_j)`, each
    shopper's n hidden items weighing `n ** -0.5`, divided by the sum of the weights. Items shown are no answers.

    Source:
        Multinomial likelihood over all items with hidden inputs: Liang et al. 2018, "Variational autoencoders for
        collaborative filtering", section 2; rows of features and ids: docs/experiments.md.
    """

    def __init__(self, config: SequenceTowerConfig, history: sparse.csr_array, inputs: Floats, seed: int) -> None:
        self._config, self._history = config, history
        self._shoppers = np.flatnonzero(np.diff(history.indptr) >= 2)
        shoppers = len(self._shoppers)
        self._batch = config.batch_size or int(np.clip(shoppers // 50, 64, 512))
        self._rng = np.random.default_rng(seed)
        self._dice = torch.Generator().manual_seed(seed)
        items, width = inputs.shape
        self._inputs = torch.from_numpy(inputs)
        self._own_ask, self._own_answer = self._normal(items, 0.01), self._normal(items, 0.01)
        bound = 1 / np.sqrt(width)
        self._ask, self._answer = self._uniform(width, bound), self._uniform(width, bound)
        self._bias = torch.nn.Parameter(torch.zeros(items))
        self._log_scale = torch.nn.Parameter(torch.tensor(-float(np.log(config.temperature))))
        self._learned = (self._own_ask, self._own_answer, self._ask, self._answer, self._bias, self._log_scale)
        self._means = tuple(part.detach().clone() for part in self._learned)
        self._steps = 0
        rate = config.learning_rate
        self._adam = torch.optim.Adam(
            [
                {"params": [self._own_ask, self._own_answer, self._bias, self._log_scale], "lr": rate},
                {"params": [self._ask, self._answer], "lr": rate / 2},
            ]
        )

    def _normal(self, rows: int, scale: float) -> torch.nn.Parameter:
        return torch.nn.Parameter(torch.randn(rows, self._config.dim, generator=self._dice) * scale)

    def _uniform(self, rows: int, bound: float) -> torch.nn.Parameter:
        return torch.nn.Parameter((torch.rand(rows, self._config.dim, generator=self._dice) * 2 - 1) * bound)

    def epoch(self) -> None:
        """Pass once over every shopper of two items or more."""
        for shown, hidden in self._batches():
            loss = self._loss(shown, hidden)
            self._adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._adam.step()
            self._average()

    def _average(self) -> None:
        """Let the running mean follow; its weight grows from that of a plain mean of the steps so far."""
        self._steps += 1
        horizon = self._config.averaging * -(-len(self._shoppers) // self._batch)
        follow = max(1 / self._steps, 1 / max(horizon, 1.0))
        with torch.no_grad():
            for mean, now in zip(self._means, self._learned, strict=True):
                mean.lerp_(now, follow)

    def _batches(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for start in range(0, len(self._shoppers), self._batch):
            if start == 0:
                order = self._rng.permutation(self._shoppers)
            rows = torch.from_numpy(self._history[order[start : start + self._batch]].toarray())
            kept = (torch.rand(rows.shape, generator=self._dice) > self._config.dropout).float()
            shown, hidden = rows * kept, rows * (1 - kept)
            usable = (shown.sum(1) > 0) & (hidden.sum(1) > 0)
            if bool(usable.any()):
                yield shown[usable], hidden[usable]

    def _loss(self, shown: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        asks, answers = self._tables(self._learned)
        shoppers = torch.nn.functional.normalize(shown @ asks, dim=1)
        logits = shoppers @ answers.T * self._log_scale.exp() + self._bias
        chances = torch.log_softmax(logits.masked_fill(shown > 0, -1e4), dim=1)
        weights = hidden / hidden.sum(1, keepdim=True).sqrt()
        return -(chances * weights).sum() / weights.sum()

    def _tables(self, parts: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        own_ask, own_answer, ask, answer = parts[:4]
        asks = self._config.id_scale * own_ask + self._inputs @ ask
        answers = self._config.id_scale * own_answer + self._inputs @ answer
        return torch.nn.functional.normalize(asks, dim=1), torch.nn.functional.normalize(answers, dim=1)

    def tower(self) -> Tower:
        """Return the running mean of the parameters as a tower, apart from the training's memory."""
        with torch.no_grad():
            asks, answers = self._tables(self._means)
            _, _, ask, answer, bias, log_scale = self._means
            scale = log_scale.exp().reshape(1)
            return Tower(*(part.clone().numpy() for part in (asks, answers * scale, bias, ask, answer, scale)))
