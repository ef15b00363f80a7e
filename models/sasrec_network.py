"""SASRec's transformer and how it is trained."""

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
from models.early_stopping import Epoch
from models.sasrec import SASRecConfig
from models.sequence_model import EMPTY, Rows, Tables, histories

USERS_AT_ONCE = 512


class Block(nn.Module):
    """Attention and feed-forward, each behind a layer norm and beside a shortcut."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.before, self.between = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.mixed, self.joined = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.wide, self.narrow = nn.Linear(dim, dim), nn.Linear(dim, dim)

    def forward(self, states: Tensor, allowed: Tensor) -> Tensor:
        """Return states (b, L, d); `allowed` (b, 1, L, L) says which place may look at which."""
        b, length, dim = states.shape
        parts = self.mixed(self.before(states)).view(b, length, 3, self.heads, dim // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
        seen = self.joined(seen.transpose(1, 2).reshape(b, length, dim))
        states = states + functional.dropout(seen, self.dropout, self.training)
        inner = functional.dropout(functional.relu(self.wide(self.between(states))), self.dropout, self.training)
        return states + functional.dropout(self.narrow(inner), self.dropout, self.training)


class Transformer(nn.Module):
    """States of every place of a sequence; row `n_items` of `items` stands for an empty place."""

    def __init__(self, n_items: int, config: SASRecConfig) -> None:
        super().__init__()
        self.n_items, self.dropout = n_items, config.dropout
        self.items = nn.Parameter(torch.randn(n_items + 1, config.dim) * config.dim**-0.5)
        self.places = nn.Parameter(torch.randn(config.length, config.dim) * 0.02)
        self.blocks = nn.ModuleList(Block(config.dim, config.heads, config.dropout) for _ in range(config.layers))
        self.last = nn.LayerNorm(config.dim)

    def forward(self, sequences: Tensor) -> Tensor:
        """Return states (b, L, d) of item rows (b, L), `EMPTY` in front; a place sees itself and what came before."""
        empty = sequences == EMPTY
        states = functional.embedding(torch.where(empty, self.n_items, sequences), self.items)
        states = functional.dropout(states * states.shape[-1] ** 0.5 + self.places, self.dropout, self.training)
        length = sequences.shape[1]
        causal = torch.ones(length, length, dtype=torch.bool).tril()
        allowed = causal & ~empty[:, None, :] | torch.eye(length, dtype=torch.bool)
        for block in self.blocks:
            states = block(states, allowed[:, None])
        normed: Tensor = self.last(states)
        return normed


def windows(train: Interactions, length: int) -> tuple[Rows, Rows]:
    """Return inputs and targets (n, length): every history cut from its end into windows, the next item the target."""
    items, starts = histories(train)
    inputs, targets = [], []
    for first, stop in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        for end in range(stop, first + 1, -length):
            mine = items[max(first, end - length - 1) : end]
            gap = length - len(mine) + 1
            inputs.append(np.pad(mine[:-1], (gap, 0), constant_values=EMPTY))
            targets.append(np.pad(mine[1:], (gap, 0), constant_values=EMPTY))
    if not inputs:  # nobody took two items: there is no next one to learn from
        return np.empty((0, length), np.int64), np.empty((0, length), np.int64)
    return np.stack(inputs), np.stack(targets)


def train(
    interactions: Interactions,
    config: SASRecConfig,
    seed: int,
    score: Callable[[Mapping[str, npt.NDArray[Any]], Rows], Floats],
) -> Iterator[Epoch[Tables]]:
    """Train for ever, one epoch a step."""
    from models.sequence_model import last_items

    inputs, targets = windows(interactions, config.length)
    latest = last_items(interactions, config.length)
    rng = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        network = Transformer(len(interactions.items), config)
    optimiser = torch.optim.Adam(network.parameters(), lr=config.learning_rate, fused=True)
    while True:
        losses = [0.0]
        order = rng.permutation(len(inputs))
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
            network.train()
            for start in range(0, len(order), config.batch_size):
                at = order[start : start + config.batch_size]
                loss = _loss(network, torch.from_numpy(inputs[at]), torch.from_numpy(targets[at]), config, rng)
                optimiser.zero_grad(set_to_none=True)
                torch.autograd.backward(loss)
                optimiser.step()
                losses.append(loss.item())
        tables = {name: value.detach().numpy() for name, value in network.named_parameters()}
        yield Epoch(
            float(np.mean(losses[1:] or losses)),
            lambda rows, tables=tables: score(tables, latest[rows]),  # type: ignore[misc]
            lambda tables=tables: {name: table.copy() for name, table in tables.items()},  # type: ignore[misc]
        )


def _loss(
    network: Transformer, inputs: Tensor, targets: Tensor, config: SASRecConfig, rng: np.random.Generator
) -> Tensor:
    wanted = targets != EMPTY
    states, items = network(inputs)[wanted], network.items[:-1]
    if config.loss == "softmax":
        return functional.cross_entropy(states @ items.T, targets[wanted])
    sampled = torch.from_numpy(rng.integers(0, len(items), len(states)))
    taken = (states * functional.embedding(targets[wanted], items)).sum(1)
    other = (states * functional.embedding(sampled, items)).sum(1)
    return functional.softplus(-taken).mean() + functional.softplus(other).mean()


def last_states(arrays: Mapping[str, npt.NDArray[Any]], sequences: Rows, config: SASRecConfig) -> Floats:
    """Return the state after each sequence, (b, d)."""
    with torch.device("meta"):  # drawing a table of first values would cost more than reading the sequence
        network = Transformer(len(arrays["items"]) - 1, config).eval()
    with torch.no_grad():
        held = {name: torch.from_numpy(arrays[name]) for name, _ in network.named_parameters()}
        network.load_state_dict(held, assign=True)
        parts = [
            network(torch.from_numpy(sequences[start : start + USERS_AT_ONCE]))[:, -1].numpy()
            for start in range(0, len(sequences), USERS_AT_ONCE)
        ]
    return np.concatenate(parts)
