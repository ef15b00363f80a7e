"""The network: learned queries look at the tokens of the roles, over a path that keeps the roles' own cosines."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from catalog.vectors import Floats
from embedding.fusion.config import FusionConfig


class Block(nn.Module):
    """Cross-attention of the queries over the tokens, then a feed-forward; both added to what came in."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.before = nn.LayerNorm(dim)
        self.tokens = nn.LayerNorm(dim)
        self.attention = nn.MultiheadAttention(dim, heads, dropout=dropout, batch_first=True)
        self.middle = nn.LayerNorm(dim)
        self.inner = nn.Linear(dim, 2 * dim)
        self.outer = nn.Linear(2 * dim, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, queries: Tensor, tokens: Tensor) -> Tensor:
        """Return (b, queries, dim) from queries of that shape and tokens (b, roles, dim)."""
        seen = self.tokens(tokens)
        found, _ = self.attention(self.before(queries), seen, seen, need_weights=False)
        queries = queries + self.dropout(found)
        inner = functional.gelu(self.inner(self.middle(queries)))
        out: Tensor = queries + self.dropout(self.outer(inner))
        return out


class FusionNetwork(nn.Module):
    """Vectors by role -> one unit vector.

    A role's vector becomes a token of width `dim`, an absent one its learned missing token. The fused vector is the sum
    of the tokens plus what learned queries found in them by cross-attention. The roles' maps begin as the principal
    directions of their vectors in columns of their own and the queries' map as zeros, so that training starts from
    the mean of the roles' cosines and has to earn every departure from it.

    Source:
        Cross-attention of learned queries: Lee et al., "Set Transformer", ICML 2019, section 3.2; Jaegle et al.,
        "Perceiver", ICML 2021.
    """

    def __init__(self, widths: Mapping[str, int], config: FusionConfig) -> None:
        super().__init__()
        dim, roles = config.dim, len(widths)
        self.roles = tuple(widths)
        self.lifts = nn.ModuleList(nn.Linear(width, dim, bias=False) for width in widths.values())
        self.named = nn.Parameter(torch.randn(roles, dim) * dim**-0.5)
        self.missing = nn.Parameter(torch.zeros(roles, dim))
        self.asking = nn.Parameter(torch.randn(2, config.queries, dim) * dim**-0.5)  # items', then shoppers' queries
        self.blocks = nn.ModuleList(Block(dim, config.heads, config.dropout) for _ in range(config.layers))
        self.last = nn.LayerNorm(dim)
        self.out = nn.Linear(config.queries * dim, dim)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def begin(self, vectors: Mapping[str, Floats]) -> None:
        """Set each role's map to the principal directions of its vectors (n, width), in columns of its own."""
        dim, shares = self.out.out_features, np.array_split(np.arange(self.out.out_features), len(self.roles))
        for lift, share, role in zip(self.lifts, shares, self.roles, strict=True):
            table = vectors[role]
            spread, directions = np.linalg.eigh((table.T @ table).astype(np.float64))
            order = np.argsort(-spread, kind="stable")[: len(share)]
            chosen = directions[:, order]
            chosen = chosen * np.sign(chosen[np.abs(chosen).argmax(axis=0), np.arange(len(order))])
            weight = np.zeros((dim, table.shape[1]), np.float32)
            weight[share[: len(order)]] = chosen.T
            assert isinstance(lift, nn.Linear)
            with torch.no_grad():
                lift.weight.copy_(torch.from_numpy(weight))

    def forward(self, vectors: list[Tensor], present: Tensor, asked: bool) -> Tensor:
        """Return (b, dim) of length 1.

        Args:
            vectors: By role in order, (b, width).
            present: (b, roles) bool.
            asked: Whether these are queries of shoppers rather than items.
        """
        lifted = torch.stack([lift(x) for lift, x in zip(self.lifts, vectors, strict=True)], dim=1)
        tokens = torch.where(present[..., None], lifted, self.missing)  # (b, roles, dim)
        queries = self.asking[int(asked)].expand(len(tokens), -1, -1)
        for block in self.blocks:
            queries = block(queries, tokens + self.named)
        found = self.out(self.last(queries).flatten(1))
        return functional.normalize(tokens.sum(dim=1) + found)
