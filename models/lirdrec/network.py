"""LIRDRec's forward pass and loss, as `docs/recommenders.md` writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.lirdrec.modalities import IDS
from models.lirdrec.products import Graph, leaky_linear, linear, times_transpose_both


@dataclass(frozen=True)
class Tables:
    """One forward pass. B branches of width d, `hidden` are item rows before the item graph."""

    users: Tensor  # (n_users, B * d)
    items: Tensor  # (n_items, B * d)
    hidden: Tensor  # (n_items, B * d)
    fold_in: Tensor  # (n_items, B * d): what a user row gathers from its items, layers 0..L-1
    alpha: Tensor  # (n_users, B)

    def cpu(self) -> Tables:
        """Return the same tables in main memory."""
        return Tables(*(getattr(self, field.name).cpu() for field in fields(self)))


class Branch(nn.Module):
    """One view of the items: an encoder of its features, a user table, and the scorer of user rows."""

    def __init__(self, width: int, dim: int, n_users: int) -> None:
        super().__init__()
        self.inner = nn.Linear(width, 4 * dim)
        self.outer = nn.Linear(4 * dim, dim, bias=False)
        self.users = nn.Parameter(nn.init.xavier_normal_(torch.empty(n_users, dim)))
        self.scorer = nn.Sequential(nn.Linear(dim, dim // 4), nn.LeakyReLU(), nn.Linear(dim // 4, 1))

    def encode(self, features: Tensor) -> Tensor:
        """Return item rows (n_items, d) of length 1."""
        inner = leaky_linear(features, self.inner.weight, self.inner.bias)
        return functional.normalize(linear(inner, self.outer.weight))


class IdBranch(nn.Module):
    """Item rows that are learned as they are, with a user table and the scorer of user rows."""

    def __init__(self, n_items: int, dim: int, n_users: int) -> None:
        super().__init__()
        self.items = nn.Parameter(nn.init.xavier_normal_(torch.empty(n_items, dim)))
        self.users = nn.Parameter(nn.init.xavier_normal_(torch.empty(n_users, dim)))
        self.scorer = nn.Sequential(nn.Linear(dim, dim // 4), nn.LeakyReLU(), nn.Linear(dim // 4, 1))

    def encode(self, features: Tensor | None) -> Tensor:
        """Return item rows (n_items, d) of length 1; there are no features to read."""
        return functional.normalize(self.items)


class Network(nn.Module):
    """All parameters of LIRDRec over fixed features and graphs.

    Args:
        features: (n_items, width) by branch, in order.
        bipartite: Normalised user-item graph (n_users, n_items).
        item_graph: Normalised item-item graph (n_items, n_items); None: items gather nothing from alike ones.
        dim: Width d of a branch.
        n_layers: Layers L over the user-item graph.
        ids: Whether a branch of learned item rows comes last.
    """

    def __init__(
        self,
        features: Mapping[str, Tensor],
        bipartite: Graph,
        item_graph: Graph | None,
        *,
        dim: int,
        n_layers: int,
        ids: bool = False,
    ) -> None:
        super().__init__()
        n_users, n_items = bipartite.matrix.shape
        self.names = (*features, IDS) if ids else tuple(features)
        self._features = dict(features)
        self._down = bipartite
        self._up = bipartite.transpose()
        self._alike = item_graph
        self._n_layers = n_layers
        for name, table in features.items():
            self.add_module(f"branch_{name}", Branch(table.shape[1], dim, n_users))
        if ids:
            self.add_module(f"branch_{IDS}", IdBranch(n_items, dim, n_users))
        self.theta = nn.Parameter(nn.init.xavier_normal_(torch.empty(n_users, len(self.names))))

    def place(self, device: torch.device) -> Network:
        """Move parameters, features and graphs to `device`; return the network."""
        self.to(device)
        self._features = {name: table.to(device) for name, table in self._features.items()}
        self._down = self._down.to(device)
        self._up = self._down.transpose()
        self._alike = self._alike.to(device) if self._alike is not None else None
        return self

    def branch(self, name: str) -> Branch | IdBranch:
        """Return the branch called `name`."""
        found = self.get_submodule(f"branch_{name}")
        assert isinstance(found, Branch | IdBranch)
        return found

    def _encoded(self, name: str) -> Tensor:
        found = self.branch(name)
        return found.encode(None) if isinstance(found, IdBranch) else found.encode(self._features[name])

    def forward(self, scorer_weight: float, copy_weight: float) -> Tables:
        """Return the tables under the epoch's w1 and w2."""
        branches = [self.branch(name) for name in self.names]
        users = torch.cat([functional.normalize(branch.users) for branch in branches], dim=1)
        items = torch.cat([self._encoded(name) for name in self.names], dim=1)
        users, hidden, fold_in = self._propagate(users, items)
        parts = users.chunk(len(branches), dim=1)
        scores = torch.cat([branch.scorer(part) for branch, part in zip(branches, parts, strict=True)], dim=1)
        alpha = torch.softmax(scorer_weight * scores + copy_weight * self.theta, dim=1)
        fused = torch.cat(
            [part * share for part, share in zip(parts, alpha.chunk(len(parts), dim=1), strict=True)], dim=1
        )
        placed = hidden if self._alike is None else hidden + self._alike @ hidden
        return Tables(fused, placed, hidden, fold_in, alpha)

    def _propagate(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the layer sums 0..L of users and items, and 0..L-1 of items."""
        user_sum, item_sum, below = users, items, torch.zeros_like(items)
        for _ in range(self._n_layers):
            users, items = self._down @ items, self._up @ users
            below = item_sum
            user_sum, item_sum = user_sum + users, item_sum + items
        return user_sum, item_sum, below


def bpr_loss(tables: Tables, triples: Tensor, regularisation: float) -> Tensor:
    """Return the mean BPR log-loss plus the mean squares of the full tables.

    Args:
        tables: One forward pass.
        triples: (3, b) rows of users, taken items, sampled items.
        regularisation: lambda.

    Source:
        Rendle et al. 2009 (BPR); arXiv 2505.04960, training objective.
    """
    # `embedding` rather than indexing: its gradient is summed row by row, always in the same order.
    users = functional.embedding(triples[0], tables.users)
    taken = functional.embedding(triples[1], tables.items)
    sampled = functional.embedding(triples[2], tables.items)
    margin = (users * (taken - sampled)).sum(1)
    penalty = tables.users.square().mean() + tables.items.square().mean()
    return functional.softplus(-margin).mean() + regularisation * penalty


def softmax_loss(
    tables: Tables, triples: Tensor, candidates: Tensor, regularisation: float, temperature: float
) -> Tensor:
    """Return the mean softmax log-loss of the taken items among `candidates`, plus the mean squares of the tables.

    Args:
        tables: One forward pass.
        triples: (3, b) rows of users, taken items, sampled items; the sampled ones are not read.
        candidates: (n,) rows of items drawn uniformly, which needs no correction for how often each is drawn.
        regularisation: lambda.
        temperature: What scores are divided by.

    Source:
        Wu et al., "On the effectiveness of sampled softmax loss for item recommendation", TOIS 2024, equation 4.
    """
    users = functional.embedding(triples[0], tables.users) / temperature
    taken = functional.embedding(triples[1], tables.items)
    others = times_transpose_both(users, functional.embedding(candidates, tables.items))
    others = others.masked_fill(triples[1][:, None] == candidates[None], -torch.inf)
    logits = torch.cat([(users * taken).sum(1, keepdim=True), others], dim=1)
    penalty = tables.users.square().mean() + tables.items.square().mean()
    return (logits.logsumexp(1) - logits[:, 0]).mean() + regularisation * penalty
