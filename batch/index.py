"""`Index`: where each key has its result, as a few bytes a key in numpy arrays.

Joins and groups of a table library hold a plan several times over while they work; a sorted array does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Marks = npt.NDArray[np.bytes_]
"""(n,) of 16 bytes each: 128 bits of a key; zeros where there is none."""
Ints = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

ENTRY = np.dtype([("mark", "S16"), ("failed", np.bool_), ("attempts", np.int32), ("run", np.int32)])
"""What is kept of one result."""
ABSENT = -1
LOOKED_UP = 1 << 16
"""Keys looked up at once."""


def marks_of(keys: pl.Series) -> Marks:
    """Return 128 bits of each key (n,): what a plan of millions keeps of it in memory."""
    halves = np.empty((len(keys), 2), np.uint64)
    for side in range(2):
        halves[:, side] = keys.hash(side + 1).to_numpy()
    halves[keys.is_null().to_numpy()] = 0
    return halves.view("S16").ravel()


@dataclass(frozen=True, slots=True)
class Index:
    """One entry a key: its success where there is one, else its last failure.

    Attributes:
        entries: `ENTRY` of each (n,), by ascending mark.
        places: Where each result stands (n,), counted over all files in their order.
    """

    entries: npt.NDArray[np.void]
    places: Ints

    @classmethod
    def of(cls, files: Sequence[npt.NDArray[np.void]]) -> Index:
        """Return the index of files, each given as the entries of its rows."""
        table = np.concatenate([np.empty(0, ENTRY), *files])
        # The last of a mark is the one that counts: a success before any failure, then the one tried most often.
        order = np.lexsort((table["attempts"], ~table["failed"], table["mark"]))
        marks = table["mark"][order]
        if len(order):
            order = order[np.append(marks[1:] != marks[:-1], True)]
        return cls(table[order], order.astype(np.int32))

    def __len__(self) -> int:
        return len(self.places)

    def find(self, marks: Marks) -> Ints:
        """Return the number of the entry of each mark (n,); `ABSENT` where there is none."""
        found = np.full(len(marks), ABSENT, np.int32)
        if not len(self):
            return found
        known = np.ascontiguousarray(self.entries["mark"])
        for first in range(0, len(marks), LOOKED_UP):
            some = marks[first : first + LOOKED_UP]
            at = np.minimum(np.searchsorted(known, some), len(known) - 1)
            found[first : first + LOOKED_UP] = np.where(known[at] == some, at, ABSENT)
        return found

    def latest_run(self) -> int:
        """Return the number of the last run that left a result; 0 where there is none."""
        return int(self.entries["run"].max(initial=0))
