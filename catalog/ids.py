"""`IdMap`: the one bridge between external ids (strings) and rows of arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat

import numpy as np
import numpy.typing as npt

from catalog.errors import DataError, NotFoundError

Rows = npt.NDArray[np.int64]


def no_rows() -> Rows:
    """Return none, (0,)."""
    return np.empty(0, np.int64)


class IdMap:
    """External id <-> row, in a fixed order. An array never travels without its IdMap.

    Args:
        ids: Distinct external ids; their position is their row.
        noun: What the ids name, for error messages ("item", "user").

    Raises:
        DataError: On a duplicate, or an id that is not a string.

    Example:
        >>> m = IdMap(["b", "a"])
        >>> m.row("a"), m.ids[0], len(m)
        (1, 'b', 2)
    """

    __slots__ = ("_row", "ids", "noun")

    def __init__(self, ids: Iterable[str], noun: str = "item") -> None:
        self.ids: tuple[str, ...] = tuple(ids)
        self.noun = noun
        self._row: dict[str, int] = {}
        for row, external in enumerate(self.ids):
            if not isinstance(external, str):
                raise DataError(f"{noun} id {external!r} at row {row} is not a string")
            if external in self._row:
                raise DataError(f"{noun} id {external!r} stands at rows {self._row[external]} and {row}")
            self._row[external] = row

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids)

    def __contains__(self, external: object) -> bool:
        return external in self._row

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IdMap) and self.ids == other.ids

    def __hash__(self) -> int:
        return hash(self.ids)

    def __repr__(self) -> str:
        return f"IdMap({len(self)} {self.noun}s)"

    def get(self, external: str) -> int | None:
        """Return the row of `external`, or None."""
        return self._row.get(external)

    def row(self, external: str) -> int:
        """Return the row of `external`.

        Raises:
            NotFoundError: When it is unknown.
        """
        found = self._row.get(external)
        if found is None:
            raise NotFoundError(f"unknown {self.noun} {external!r} (of {len(self)} known)")
        return found

    def rows(self, external: Sequence[str], *, missing: int | None = None) -> Rows:
        """Return rows (n,) of `external`; unknown ids become `missing`, or raise when it is None."""
        if missing is None:
            return np.fromiter((self.row(e) for e in external), np.int64, len(external))
        return np.fromiter(map(self._row.get, external, repeat(missing)), np.int64, len(external))

    def at(self, rows: Iterable[int]) -> list[str]:
        """Return the external ids at `rows`."""
        plain = rows.tolist() if isinstance(rows, np.ndarray) else map(int, rows)  # numpy's own numbers index slowly
        return [self.ids[row] for row in plain]

    def sha(self) -> str:
        """Return a hash of the ids in order, for content keys."""
        digest = hashlib.sha256()
        for external in self.ids:
            digest.update(external.encode())
            digest.update(b"\0")
        return digest.hexdigest()
