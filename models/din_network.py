"""DIN's attention and final layers, and how they are trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from catalog.log import Interactions
from catalog.vectors import Floats
from models.din import DINConfig
from models.early_stopping import Epoch
from models.sequence_model import EMPTY, Rows, Tables, histories, last_items


class Interest(nn.Module):
    """The parts of DIN that look at a history and a candidate.

    The inner layer of the attention is kept as three matrices, for the history item, the candidate and their
    product, so that all items can be scored without repeating the first two.
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.of_history = nn.Linear(dim, hidden)
        self.of_candidate = nn.Linear(dim, hidden, bias=False)
        self.of_both = nn.Linear(dim, hidden, bias=False)
        self.weigh = nn.Linear(hidden, 1)
        self.wide = nn.Linear(3 * dim, 2 * hidden)
        self.score = nn.Linear(2 * hidden, 1)

    def attended(self, history: Tensor, there: Tensor, candidates: Tensor) -> Tensor:
        """Return the history as each candidate sees it, (b, c, d).

        Args:
            history: (b, L, d).
            there: (b, L) whether a place holds an item.
            candidates: (b, c, d).
        """
        both = torch.einsum("bld,bcd,hd->bclh", history, candidates, self.of_both.weight)
        inner = self.of_history(history)[:, None] + self.of_candidate(candidates)[:, :, None] + both
        weights = self.weigh(functional.relu(inner)).squeeze(-1) * there[:, None]
        seen: Tensor = weights @ history
        return seen

    def forward(self, history: Tensor, there: Tensor, candidates: Tensor) -> Tensor:
        """Return log-odds (b, c)."""
        seen = self.attended(history, there, candidates)
        joined = torch.cat([seen, candidates, seen * candidates], dim=-1)
        logits: Tensor = self.score(functional.relu(self.wide(joined))).squeeze(-1)
        return logits


class Network(nn.Module):
    """Item rows and `Interest`."""

    def __init__(self, n_items: int, features: Floats | None, config: DINConfig) -> None:
        super().__init__()
        self.ids = nn.Parameter(torch.randn(n_items, config.dim) * 0.1)
        self.bias = nn.Parameter(torch.zeros(n_items))
        self.interest = Interest(config.dim, config.hidden)
        self._features = None if features is None else torch.from_numpy(features)
        self.read = nn.Linear(1 if features is None else features.shape[1], config.dim, bias=False)

    def rows(self) -> Tensor:
        """Return all item rows, (n_items, d)."""
        return self.ids if self._features is None else self.ids + self.read(self._features)


def train(
    interactions: Interactions,
    features: Floats | None,
    config: DINConfig,
    seed: int,
    score: Callable[[Mapping[str, npt.NDArray[Any]], Rows], Floats],
) -> Iterator[Epoch[Tables]]:
    """Train for ever, one epoch a step."""
    items, starts = histories(interactions)
    owner = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    before = np.arange(len(items))[:, None] - np.arange(config.length, 0, -1)[None]
    inside = before >= starts[owner][:, None]
    past = np.where(inside, items[np.where(inside, before, 0)], EMPTY)
    latest = last_items(interactions, config.length)
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        network = Network(len(interactions.items), features, config)
    optimiser = torch.optim.Adam(network.parameters(), lr=config.learning_rate, fused=True)
    while True:
        losses, order = [], rng.permutation(len(items))
        for start in range(0, len(order), config.batch_size):
            at = order[start : start + config.batch_size]
            sampled = rng.integers(0, len(interactions.items), (len(at), config.negatives))
            candidates = torch.from_numpy(np.concatenate([items[at, None], sampled], axis=1))
            rows, sequences = network.rows(), torch.from_numpy(past[at])
            history = functional.embedding(sequences.clamp(min=0), rows)
            logits = network.interest(history, sequences != EMPTY, functional.embedding(candidates, rows))
            logits = logits + functional.embedding(candidates, network.bias[:, None]).squeeze(-1)
            wanted = torch.zeros_like(logits)
            wanted[:, 0] = 1
            loss = functional.binary_cross_entropy_with_logits(logits, wanted)
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimiser.step()
            losses.append(loss.item())
        tables = {f"net.{name}": p.detach().clone().numpy() for name, p in network.interest.named_parameters()}
        tables |= {"items": network.rows().detach().clone().numpy(), "bias": network.bias.detach().clone().numpy()}
        yield Epoch(
            float(np.mean(losses)),
            lambda rows, tables=tables: score(tables, latest[rows]),  # type: ignore[misc]
            lambda tables=tables: tables,  # type: ignore[misc]
        )


def score_all(arrays: Mapping[str, npt.NDArray[Any]], sequences: Rows) -> Floats:
    """Return log-odds of every item for each sequence, (b, n_items), a shopper at a time."""
    rows = torch.from_numpy(arrays["items"])
    interest = Interest(rows.shape[1], len(arrays["net.weigh.weight"][0]))
    out = np.empty((len(sequences), len(rows)), np.float32)
    with torch.no_grad():
        for name, value in interest.named_parameters():
            value.data = torch.from_numpy(arrays[f"net.{name}"])
        own = interest.of_candidate(rows)
        for at, sequence in enumerate(sequences):
            kept = torch.from_numpy(sequence[sequence != EMPTY])
            history = rows[kept]
            # (L, d, h): the product with the candidate, folded into the history's side once
            folded = history[:, :, None] * interest.of_both.weight.T[None]
            both = torch.einsum("nd,ldh->nlh", rows, folded)
            inner = functional.relu_(both + interest.of_history(history)[None] + own[:, None])
            seen = interest.weigh(inner).squeeze(-1) @ history
            joined = torch.cat([seen, rows, seen * rows], dim=1)
            out[at] = interest.score(functional.relu(interest.wide(joined))).squeeze(-1).numpy()
    out += arrays["bias"]
    return out
