"""`ALS`: matrix factorisation of implicit feedback by alternating least squares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import sparse
from scipy.linalg.lapack import sposv

from catalog.progress import Progress
from catalog.vectors import Floats
from models.base import FitReport, TrainingData, Validate
from models.bounds import Regularisation
from models.early_stopping import Epoch, run_epochs
from models.factor_model import FactorConfig, FactorModel
from models.size_limits import require_at_most
from models.taken import Rows, Taken

BLOCK_CELLS = 16_000_000
"""Cells of the normal equations solved at once, which bounds the memory of a half-step."""

Tables = dict[str, npt.NDArray[Any]]


class ALSConfig(FactorConfig):
    """Settings of `ALS`."""

    dim: int = Field(64, ge=1, le=512)
    """Width d of a user or item row; a half-step solves one d x d system a row."""

    regularisation: Regularisation = 30.0
    """lambda, on the squared length of every row."""

    alpha: float = Field(5.0, gt=0, le=1e9)
    """Confidence of a positive beside the 1 of everything else: c = 1 + alpha."""

    patience: int = Field(3, ge=1)
    """Sweeps without a better validation value after which training stops."""

    max_epochs: int = Field(50, ge=1)
    """Sweeps (users, then items) at most when there is a validation to stop by."""

    epochs: int = Field(15, ge=1)
    """Sweeps when there is no validation."""

    recent_weight: float = Field(0.0, ge=0, le=1)
    """Serving only: share of the recent items' own row beside the solution for the whole history."""

    max_rows: int = Field(5_000_000, ge=1)
    """Users and items together at most."""


class ALS(FactorModel[ALSConfig]):
    """Rows x_u, y_i that minimise `sum c_ui (p_ui - x_u'y_i)^2 + lambda (sum |x_u|^2 + sum |y_i|^2)`.

    p is 1 for a positive, c = 1 + alpha for a positive and 1 elsewhere. Each half-step is exact:
    `x_u = (Y'Y + alpha sum_(i in u) y_i y_i' + lambda I)^-1 (1 + alpha) sum_(i in u) y_i`.
    A live shopper is one such solve over all they took until now; an item spoken against has `p = -against_weight`.

    Source:
        Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008, equation 4.
    """

    name = "als"
    config_kind = ALSConfig

    def _learn(
        self, data: TrainingData, *, validate: Validate | None, seed: int, progress: Progress
    ) -> tuple[Tables, FitReport]:
        config = self.config
        history = data.train.csr()
        rows = sum(history.shape)
        require_at_most(
            self.name, "users and items", rows, "max_rows", config.max_rows,
            f"{4 * rows * config.dim / 1e9:,.1f} GB of rows",
        )  # fmt: skip
        tables, report = run_epochs(
            self.name,
            _sweeps(history, config, np.random.default_rng(seed)),
            max_epochs=config.max_epochs,
            patience=config.patience,
            default_epochs=config.epochs,
            validate=validate,
            progress=progress,
        )
        # Y'Y costs more than all the rest of a solve, and new items (rows of zeros) leave it as it is.
        return {**tables, "gram": tables["items"].T @ tables["items"]}, report

    def _session_row(self, taken: Taken) -> Floats:
        mine: Floats = self._arrays["items"][taken.rows]
        if "gram" not in self._arrays:  # a model saved before it was kept
            self._arrays["gram"] = self._arrays["items"].T @ self._arrays["items"]
        system = self._arrays["gram"] + np.float32(self.config.alpha) * (mine.T @ mine)
        system.reshape(-1)[:: len(system) + 1] += np.float32(self.config.regularisation)  # the diagonal
        right = np.float32(1 + self.config.alpha) * (taken.weights @ mine)
        # The system is symmetric and positive definite, and Cholesky's way takes a third of the general one's time;
        # rounding takes the definiteness from one that is hardly regularised.
        solved: Floats
        _, solved, failed = sposv(system, right)
        return np.linalg.solve(system, right) if failed else solved

    def _folded_row(self, user: int, before: Rows, taken: Taken) -> Floats:
        return self._session_row(taken)


def _sweeps(history: sparse.csr_array, config: ALSConfig, rng: np.random.Generator) -> Iterator[Epoch[Tables]]:
    takers = history.T.tocsr()
    items = rng.normal(0, 0.01, (history.shape[1], config.dim)).astype(np.float32)
    while True:
        users = half_step(history, items, config.regularisation, config.alpha)
        items = half_step(takers, users, config.regularisation, config.alpha)
        # Users are solved once more against the items they will be served with.
        users = half_step(history, items, config.regularisation, config.alpha)
        tables: Tables = {"users": users, "items": items}
        yield Epoch(0.0, lambda rows, x=users, y=items: x[rows] @ y.T, lambda t=tables: t)  # type: ignore[misc]


def half_step(taken: sparse.csr_array, other: Floats, regularisation: float, alpha: float) -> Floats:
    """Return the exact rows (n, d) of one side given the other side's.

    Args:
        taken: Binary (n, m).
        other: (m, d).
        regularisation: lambda.
        alpha: Confidence of a positive, less 1.
    """
    n, dim = taken.shape[0], other.shape[1]
    base = other.T @ other + np.float32(regularisation) * np.eye(dim, dtype=np.float32)
    right = np.float32(1 + alpha) * (taken @ other)
    solved = np.zeros((n, dim), np.float32)
    block = max(1, BLOCK_CELLS // (dim * dim))
    for start in range(0, n, block):
        stop = min(start + block, n)
        systems = np.repeat(base[None], stop - start, axis=0)
        for row in range(start, stop):
            mine = other[taken.indices[taken.indptr[row] : taken.indptr[row + 1]]]
            systems[row - start] += np.float32(alpha) * (mine.T @ mine)
        solved[start:stop] = np.linalg.solve(systems, right[start:stop, :, None])[:, :, 0]
    return solved
