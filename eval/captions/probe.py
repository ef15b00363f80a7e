"""The probe: `models.content_linear` in closed form, the log solved once and every space put on top of it.

With `P = (X'X + lambda I)^-1` and a space's rows F (n, d), the content-aware solution
`(X'X + w F F' + lambda I)^-1 = P - A (I / w + F'A)^-1 A'`, `A = P F` (Woodbury), needs a system of d equations a weight
and never another inverse of n.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from catalog.vectors import Floats
from eval.captions.reading import PROBE, Reading
from models.ease import item_counts
from models.ridge import inverse

Doubles = npt.NDArray[np.float64]

HELD = 2**26
"""Values of `x P` that are kept at most (256 MB): every weight of every contender asks for the same ones."""


class Scoring(Protocol):
    """What both a solution and a space weighed on top of it answer."""

    def scores(self, rows: npt.NDArray[np.int64]) -> Floats:
        """Return (b, n) of the known items for user rows (b,)."""

    def placed(self, rows: npt.NDArray[np.int64]) -> Floats:
        """Return (b, m) of the new items for user rows (b,)."""


@dataclass(frozen=True, eq=False)
class Solution:
    """What a history and the content folded in so far say.

    Attributes:
        history: Binary (n_users, n) of the trained items.
        precision: P, (n, n).
        content: What was folded in, each multiplied by the root of its weight.
    """

    history: sparse.csr_array
    precision: Floats
    content: tuple[Reading, ...] = ()
    diagonal: Floats = field(init=False)
    _held: dict[bytes, Floats] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "diagonal", np.diag(self.precision).copy())

    @classmethod
    def of(cls, history: sparse.csr_array, regularisation: float, max_items: int) -> Self:
        """Solve without content.

        Raises:
            DataError: When there are more than `max_items`.
        """
        gram = item_counts(PROBE, history, max_items)
        gram[np.diag_indices_from(gram)] += np.float32(regularisation)
        return cls(history, inverse(gram))

    def probing(self, reading: Reading) -> Probing:
        """Return what every weight of one space shares."""
        lifted = self.precision @ reading.known
        return Probing(self, reading, lifted, (reading.known.T @ lifted).astype(np.float64))

    def folded(self, reading: Reading, weight: float) -> Solution:
        """Return the solution with a space in it for good, for others to stand on."""
        probing = self.probing(reading)
        precision = self.precision - probing.lifted @ probing.correction(weight).T
        root = float(np.sqrt(weight))
        return Solution(self.history, precision, (*self.content, reading.times(root)))

    def taken(self, rows: npt.NDArray[np.int64]) -> Floats:
        """Return `x P`, (b, n); not to be written into."""
        key = rows.tobytes()
        if key in self._held:
            return self._held[key]
        product: Floats = self.history[rows] @ self.precision
        if sum(each.size for each in self._held.values()) + product.size <= HELD:
            self._held[key] = product
        return product

    def scores(self, rows: npt.NDArray[np.int64]) -> Floats:
        """Return (b, n) of known items, `-(x P) / diag P`: right wherever the user has not taken the item."""
        return np.asarray(-self.taken(rows) / self.diagonal, np.float32)

    def placed(self, rows: npt.NDArray[np.int64]) -> Floats:
        """Return (b, m) of new items by content alone, `x P k`."""
        return self.by_kernel(self.taken(rows))

    def by_kernel(self, taken: Floats) -> Floats:
        """Return `taken K` of the new items, (b, n) to (b, m); zeros where nothing was folded in."""
        found = np.zeros((len(taken), self.new_items), np.float32)
        for each in self.content:
            found += (taken @ each.known) @ each.new.T
        return found

    @property
    def new_items(self) -> int:
        """How many items there are beside the known ones; 0 where nothing was folded in."""
        return len(self.content[0].new) if self.content else 0


@dataclass(frozen=True, eq=False)
class Probing:
    """One space on top of a solution.

    Attributes:
        lifted: A = P F, (n, d).
        met: F'A, (d, d).
    """

    base: Solution
    reading: Reading
    lifted: Floats
    met: Doubles

    def correction(self, weight: float) -> Floats:
        """Return `A (I / w + F'A)^-1`, (n, d): `P - correction A'` is the solution with the space in it."""
        from scipy.linalg import cho_factor, cho_solve

        system = self.met.copy()
        system[np.diag_indices_from(system)] += 1 / weight
        solved = cho_solve(cho_factor(system, lower=True, overwrite_a=True), self.lifted.T.astype(np.float64))
        correction: Floats = np.ascontiguousarray(solved.T, np.float32)
        return correction

    def at(self, weight: float) -> Weighed:
        """Return the solution with the space at one weight."""
        return Weighed(self, weight, self.correction(weight))


@dataclass(frozen=True, eq=False)
class Weighed:
    """A space at one weight; scores as `Solution` has them."""

    probing: Probing
    weight: float
    correction: Floats
    diagonal: Floats = field(init=False)

    def __post_init__(self) -> None:
        taken_away = np.einsum("nd,nd->n", self.correction, self.probing.lifted)
        object.__setattr__(self, "diagonal", self.probing.base.diagonal - taken_away)

    def _taken(self, rows: npt.NDArray[np.int64]) -> Floats:
        base = self.probing.base
        taken_away = (base.history[rows] @ self.correction) @ self.probing.lifted.T
        return np.asarray(base.taken(rows) - taken_away, np.float32)

    def scores(self, rows: npt.NDArray[np.int64]) -> Floats:
        """Return (b, n) of known items, right wherever the user has not taken the item."""
        return np.asarray(-self._taken(rows) / self.diagonal, np.float32)

    def placed(self, rows: npt.NDArray[np.int64]) -> Floats:
        """Return (b, m) of new items by content alone."""
        taken, reading = self._taken(rows), self.probing.reading
        placed = np.asarray((taken @ reading.known) @ reading.new.T * np.float32(self.weight), np.float32)
        if self.probing.base.content:
            placed += self.probing.base.by_kernel(taken)
        return placed
