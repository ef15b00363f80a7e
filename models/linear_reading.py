"""A learned linear reading of fixed item features, for the items of a batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional

from catalog.vectors import Floats
from models.lirdrec.products import times_transpose


class LinearReading(nn.Module):
    """`W x + c` over a fixed feature matrix (n_items, width); the features get no gradient.

    A batch that names more items than there are is read from one product over all of them.
    """

    def __init__(self, features: Floats, dim: int) -> None:
        super().__init__()
        self._features = torch.from_numpy(features)
        self.weight = nn.Parameter(nn.init.xavier_normal_(torch.empty(dim, features.shape[1])))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, rows: Tensor | None = None) -> Tensor:
        """Return the reading of the items at `rows` (b,), or of all, (b or n_items, d)."""
        if rows is None or len(rows) >= len(self._features):
            whole = _product(self._features, self.weight) + self.bias
            return whole if rows is None else functional.embedding(rows, whole)
        return _product(self._features.index_select(0, rows), self.weight) + self.bias


def _product(features: Tensor, weight: Tensor) -> Tensor:
    product: Tensor = _Product.apply(features, weight)  # type: ignore[no-untyped-call]
    return product


class _Product(Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(features)
        return times_transpose(features, weight)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor]:
        (features,) = ctx.saved_tensors
        return None, times_transpose(grad.T, features.T)
