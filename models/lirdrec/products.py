"""The three products LIRDRec spends its time in, each differentiated by hand.

Autograd would also differentiate with respect to the fixed operand (features, graphs) or turn a
CSR product's gradient into COO; these do neither.
"""

from __future__ import annotations

from typing import Any

import torch
from scipy import sparse
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional

LEAK = 0.01
"""Slope of the leaky ReLU below zero, torch's own default."""


def times_transpose(left: Tensor, right: Tensor) -> Tensor:
    """Return `left @ right.T`, (n, m) of (n, d) and (m, d) of one type, float32 or bfloat16.

    Through oneDNN where torch has it: on AMD processors MKL's product leaves AVX-512 unused and takes
    twice as long (250 against 115 GFLOP/s on one core, see docs/experiments.md).
    """
    if torch.backends.mkldnn.is_available() and left.device.type == "cpu":  # type: ignore[no-untyped-call]
        product: Tensor = torch.ops.mkldnn._linear_pointwise(left, right, None, "none", [], "")
        return product
    return left @ right.T


def leaky_linear(features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return `leaky_relu(features @ weight.T + bias)`, (n, m) float32.

    `features` (n, d) never change and get no gradient; where they are bfloat16, so are the products with them.
    """
    product: Tensor = _LeakyLinear.apply(features, weight, bias)  # type: ignore[no-untyped-call]
    return product


def linear(inputs: Tensor, weight: Tensor) -> Tensor:
    """Return `inputs @ weight.T`, (n, m) of (n, d) and (m, d)."""
    product: Tensor = _Linear.apply(inputs, weight)  # type: ignore[no-untyped-call]
    return product


def times_transpose_both(left: Tensor, right: Tensor) -> Tensor:
    """Return `left @ right.T`, (n, m) of (n, d) and (m, d), with a gradient for either."""
    product: Tensor = _Linear.apply(left, right)  # type: ignore[no-untyped-call]
    return product


class _LeakyLinear(Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        product = times_transpose(features, weight.to(features.dtype)).to(weight.dtype)
        out = functional.leaky_relu_(product.add_(bias), LEAK)
        ctx.save_for_backward(features, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor, Tensor]:
        features, out = ctx.saved_tensors
        # The output has the sign of what went in, so the input need not be kept.
        inner = torch.ops.aten.leaky_relu_backward(grad, out, LEAK, True)
        by_weight = times_transpose(inner.T.to(features.dtype), features.T).to(inner.dtype)
        return None, by_weight, inner.sum(0)


class _Linear(Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(inputs, weight)
        return times_transpose(inputs, weight)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        inputs, weight = ctx.saved_tensors
        return times_transpose(grad, weight.T), times_transpose(grad.T, inputs.T)


class Graph:
    """A fixed sparse matrix, kept in CSR both ways round so that forward and backward are row-wise."""

    def __init__(self, matrix: sparse.csr_array) -> None:
        self.matrix = _csr_tensor(matrix)
        self.transposed = _csr_tensor(matrix.T.tocsr())

    def __matmul__(self, dense: Tensor) -> Tensor:
        """Return matrix @ dense, (n, d) of (m, d)."""
        product: Tensor = _GraphProduct.apply(  # type: ignore[no-untyped-call]
            self.matrix, self.transposed, dense
        )
        return product

    def to(self, device: torch.device) -> Graph:
        """Return the same graph on `device`."""
        other = object.__new__(Graph)
        other.matrix, other.transposed = self.matrix.to(device), self.transposed.to(device)
        return other

    def transpose(self) -> Graph:
        """Return the same graph the other way round, sharing memory."""
        other = object.__new__(Graph)
        other.matrix, other.transposed = self.transposed, self.matrix
        return other


class _GraphProduct(Function):
    @staticmethod
    def forward(ctx: Any, matrix: Tensor, transposed: Tensor, dense: Tensor) -> Tensor:
        ctx.transposed = transposed
        return matrix @ dense

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, None, Tensor]:
        return None, None, ctx.transposed @ grad.contiguous()


def _csr_tensor(matrix: sparse.csr_array) -> Tensor:
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse", category=UserWarning)  # "CSR support is in beta"
        return torch.sparse_csr_tensor(
            torch.from_numpy(matrix.indptr).to(torch.int32),  # int32 indices are what MKL multiplies with
            torch.from_numpy(matrix.indices).to(torch.int32),
            torch.from_numpy(matrix.data),
            matrix.shape,
        )
