"""The index seam: a query to candidates, filters applied inside the search."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from catalog.ids import IdMap, Rows
from catalog.nouns import Candidate
from catalog.vectors import Floats, Mask


@dataclass(frozen=True, eq=False)
class Query:
    """What to look for: exactly one of a text, a vector (d,) or the id of an indexed item.

    A keyword index takes text or id, a vector index takes vector or id.
    """

    text: str | None = None
    vector: Floats | None = None
    item_id: str | None = None


class Index(Protocol):
    """Finds items."""

    @property
    def name(self) -> str:
        """Becomes `Candidate.source`."""

    @property
    def items(self) -> IdMap:
        """The id world of `allowed`."""

    def search(self, query: Query, k: int, *, allowed: Mask | None = None) -> list[Candidate]:
        """Return up to `k` candidates, best first, ties by lower row; the queried item itself is left out.

        Args:
            query: What to look for.
            k: At least 1; more than the index holds gives all there is.
            allowed: (n_items,) bool in the order of `items`; only these rows are searched.

        Raises:
            DataError: When `k` < 1, the query is of the wrong kind or width.
            NotFoundError: When `query.item_id` is not indexed.
        """

    def save(self, folder: Path) -> None:
        """Write everything `load` needs into an existing folder."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """What many queries found: `rows` and `scores` (q, k), best first; -1 and -inf where there are fewer."""

    rows: Rows
    scores: Floats


class VectorSearch(Index, Protocol):
    """An index of vectors: one query at a time on one thread, many at once on many."""

    def search_many(self, vectors: Floats, k: int, *, allowed: Mask | None = None) -> Neighbours:
        """Return the `k` nearest of each of many vectors, as `search` finds them one by one.

        Args:
            vectors: (q, d), of any length.
            k: At least 1.
            allowed: (n_items,) bool; only these rows are searched, for every query.

        Raises:
            DataError: When `k` < 1, or a vector has another width or a value that is not finite.
        """
