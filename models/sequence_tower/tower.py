"""`Tower`: what a fitted tower is, scored with numpy alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from catalog.vectors import Floats, unit_rows
from models.item_features import ItemFeatures

PREFIX = "tower."


@dataclass(frozen=True, eq=False)
class Tower:
    """Unit item rows that describe a shopper, and unit item rows that answer one.

    Attributes:
        asks: (n_items, dim), summed over a history and brought to length 1.
        answers: (n_items, dim), scaled by the inverse temperature.
        bias: (n_items,).
        ask, answer: (width, dim) projections of the features.
        scale: (1,) inverse temperature, for new items.
    """

    asks: Floats
    answers: Floats
    bias: Floats
    ask: Floats
    answer: Floats
    scale: Floats

    def logits(self, taken: sparse.csr_array) -> Floats:
        """Return (b, n_items) of histories (b, n_items)."""
        shoppers = unit_rows(np.asarray(taken @ self.asks, np.float32))
        scores: Floats = shoppers @ self.answers.T + self.bias
        return scores

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the tables by the name they are saved under."""
        return {PREFIX + name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def of(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Tower | None:
        """Return what `arrays` gave, or None when there is none."""
        names = [name for name in cls.__dataclass_fields__ if PREFIX + name in arrays]
        return cls(**{name: arrays[PREFIX + name] for name in names}) if names else None

    def with_items(self, inputs: Floats) -> Tower:
        """Return the tower with items known by their features (n_new, width) alone; their bias is the mean one."""
        asks = unit_rows(inputs @ self.ask)
        answers = unit_rows(inputs @ self.answer) * self.scale
        return Tower(
            np.concatenate([self.asks, asks]),
            np.concatenate([self.answers, answers]),
            np.concatenate([self.bias, np.full(len(inputs), self.bias.mean(), np.float32)]),
            self.ask,
            self.answer,
            self.scale,
        )


def leading_bases(features: ItemFeatures, dims: int) -> dict[str, Floats]:
    """Return by role the leading directions (width, at most dims) of its centred, unit vectors."""
    bases = {}
    for role, table in features.inputs.items():
        unit = unit_rows(table - features.means[role]).astype(np.float64)
        _, directions = np.linalg.eigh(unit.T @ unit)
        bases[role] = np.ascontiguousarray(directions[:, ::-1][:, :dims], np.float32)
    return bases


def tower_inputs(features: ItemFeatures, bases: Mapping[str, Floats]) -> Floats:
    """Return all roles in their leading directions side by side, rows of one common length."""
    parts = [unit_rows(table - features.means[role]) @ bases[role] for role, table in features.inputs.items()]
    joined = np.concatenate(parts, axis=1)
    return unit_rows(joined) * np.float32(0.5 * np.sqrt(joined.shape[1]))


def standardised(scores: Floats, trained: int) -> Floats:
    """Return rows with mean 0 and deviation 1 over the first `trained` items, so that later items move nothing."""
    known = scores[:, :trained]
    centre = known.mean(axis=1, keepdims=True)
    return np.asarray((scores - centre) / np.maximum(known.std(axis=1, keepdims=True), 1e-9), np.float32)
