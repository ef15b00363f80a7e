"""Watches parameters while they learn: lengths of gradients, and how far item rows still have to go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from catalog.vectors import Floats
from eval.diagnosis import HALVES, Half

MAX_ITEMS = 2000
"""Items whose rows are kept after every epoch."""


class Watch:
    """Records one run; `end_epoch` is called once after each.

    Args:
        parameters: By half, what it learns; hooks see every gradient and change none.
        items: Rows of the items that are followed.
    """

    def __init__(self, parameters: Mapping[Half, Sequence[nn.Parameter]], items: npt.NDArray[np.int64]) -> None:
        self.items = items
        self.gradient: dict[Half, list[float]] = {half: [] for half in HALVES}
        self.per_parameter: dict[Half, list[float]] = {half: [] for half in HALVES}
        self._rows: dict[Half, list[Floats]] = {half: [] for half in HALVES}
        self._squares: dict[Half, float] = dict.fromkeys(HALVES, 0.0)
        self._calls: dict[Half, int] = dict.fromkeys(HALVES, 0)
        self._tensors = {half: len(parameters[half]) for half in HALVES}
        self._sizes = {half: sum(p.numel() for p in parameters[half]) for half in HALVES}
        for half in HALVES:
            for parameter in parameters[half]:
                parameter.register_hook(lambda gradient, half=half: self._add(half, gradient))  # type: ignore[no-untyped-call]

    def begin(self, rows: Mapping[Half, Floats]) -> None:
        """Note where the item rows (n_items, width) of each half stand before the first step."""
        for half in HALVES:
            self._rows[half].append(np.array(rows[half][self.items]))

    def end_epoch(self, rows: Mapping[Half, Floats]) -> None:
        """Close the epoch's gradients and note where the item rows stand."""
        for half in HALVES:
            steps = max(self._calls[half] / self._tensors[half], 1)
            length = float(np.sqrt(self._squares[half] / steps))
            self.gradient[half].append(length)
            self.per_parameter[half].append(length / float(np.sqrt(self._sizes[half])))
            self._squares[half], self._calls[half] = 0.0, 0
        self.begin(rows)

    def moved(self) -> dict[Half, list[float]]:
        """Return how far the rows moved in each epoch, relative to their length at its end."""
        return {
            half: [_length(b - a) / max(_length(b), 1e-12) for a, b in pairwise(rows)]
            for half, rows in self._rows.items()
        }

    def remaining(self) -> dict[Half, list[float]]:
        """Return the share of the way that is left after each epoch."""
        return {
            half: [_length(row - rows[-1]) / max(_length(rows[0] - rows[-1]), 1e-12) for row in rows[1:]]
            for half, rows in self._rows.items()
        }

    def _add(self, half: Half, gradient: Tensor) -> None:
        self._squares[half] += float(gradient.detach().square().sum())
        self._calls[half] += 1


def _length(rows: Floats) -> float:
    return float(np.sqrt(np.square(rows, dtype=np.float64).sum()))
