"""One state of an index that changes: what was built, and what came and went since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np

from catalog.errors import NotFoundError
from catalog.ids import IdMap, Rows
from catalog.nouns import Candidate
from catalog.vectors import EmbeddingTable, Floats, Mask
from indexes.base import Neighbours, Query
from indexes.flat import FlatIndex
from indexes.opening import open_local
from indexes.ranking import best, check
from indexes.vector_index import VectorIndex

BASE, ADDED, DEAD = "base", "added", "dead.npy"


@dataclass(frozen=True, eq=False)
class _Layout:
    """The rows of `Snapshot.items`: of each its row in the base or among the added, -1 where it is the other's."""

    items: IdMap
    base: Rows
    added: Rows


class Snapshot:
    """An index that never changes: a base, the rows of it that no longer count, and what was added since.

    Rows are in the order of the base, an item with a new vector in its old place, and then of arrival.

    Args:
        base: What was built.
        dead: (n_base,) bool, rows whose item was deleted or has a new vector.
        added: What was added since, searched exactly.
    """

    def __init__(self, base: VectorIndex, dead: Mask, added: FlatIndex) -> None:
        self.base, self.dead, self.added_items = base, dead, added
        self.name, self.space, self.dim = base.name, base.space, base.dim
        self._gone = int(np.count_nonzero(dead))

    @classmethod
    def of(cls, base: VectorIndex) -> Self:
        """Return the state of an index just built."""
        empty = EmbeddingTable(IdMap(()), np.empty((0, base.dim), np.float32), base.space)
        return cls(base, np.zeros(len(base.items), np.bool_), FlatIndex.build(empty, base.config, base.name))

    def __len__(self) -> int:
        return len(self.base.items) - self._gone + len(self.added_items.items)

    def __contains__(self, item_id: object) -> bool:
        if item_id in self.added_items.items:
            return True
        row = self.base.items.get(str(item_id))
        return row is not None and not self.dead[row]

    @property
    def changes(self) -> int:
        """How many rows a compaction would build in or leave out."""
        return self._gone + len(self.added_items.items)

    @cached_property
    def _layout(self) -> _Layout:
        base, added = self.base.items, self.added_items.items
        renewed = base.rows(added.ids, missing=-1)
        added_at = np.full(len(base), -1, np.int64)
        known = np.flatnonzero(renewed >= 0)
        added_at[renewed[known]] = known
        kept = np.flatnonzero(~self.dead | (added_at >= 0))
        new = np.flatnonzero(renewed < 0)
        in_added = np.concatenate([added_at[kept], new])
        in_base = np.concatenate([np.where(added_at[kept] >= 0, -1, kept), np.full(len(new), -1)])
        return _Layout(IdMap([*base.at(kept), *added.at(new)]), in_base, in_added)

    @property
    def items(self) -> IdMap:
        """The ids that are there, made when first asked for."""
        return self._layout.items

    def search(self, query: Query, k: int, *, allowed: Mask | None = None) -> list[Candidate]:
        """Return up to `k` candidates by cosine; see `indexes.base.Index.search`."""
        own = (
            query.item_id if check(query, k, ("vector", "item_id"), self.name, allowed, len(self)) != "vector" else None
        )
        wanted = Query(vector=query.vector if own is None else self._vector(own))
        ask = k if own is None else k + 1  # the item itself is the nearest to itself, or ties with it
        in_base, in_added = self._masks(allowed)
        found = [
            *(self.base.search(wanted, ask, allowed=in_base) if len(self.base.items) else ()),
            *(self.added_items.search(wanted, ask, allowed=in_added) if len(self.added_items.items) else ()),
        ]
        found = [each for each in found if each.item_id != own]
        return sorted(found, key=lambda each: (-each.score, self._place(each.item_id)))[:k]

    def search_many(self, vectors: Floats, k: int, *, allowed: Mask | None = None) -> Neighbours:
        """Return rows of `items`; see `indexes.base.VectorSearch.search_many`."""
        check(Query(text=""), k, ("text",), self.name, allowed, len(self))
        layout, (in_base, in_added) = self._layout, self._masks(allowed)
        rows, scores = [], []
        for index, mask, place in ((self.base, in_base, layout.base), (self.added_items, in_added, layout.added)):
            found = index.search_many(vectors, k, allowed=mask)
            row_of = np.full(len(index.items) + 1, -1, np.int64)  # the last answers -1
            row_of[place[place >= 0]] = np.flatnonzero(place >= 0)
            rows.append(row_of[found.rows])
            scores.append(found.scores)
        all_rows, all_scores = np.concatenate(rows, axis=1), np.concatenate(scores, axis=1)
        by_row = np.argsort(np.where(all_rows < 0, len(self), all_rows), axis=1, kind="stable")
        all_rows, all_scores = np.take_along_axis(all_rows, by_row, 1), np.take_along_axis(all_scores, by_row, 1)
        order = np.stack([best(each, k) for each in all_scores]) if len(all_scores) else np.empty((0, k), np.int64)
        return Neighbours(np.take_along_axis(all_rows, order, 1), np.take_along_axis(all_scores, order, 1))

    def _masks(self, allowed: Mask | None) -> tuple[Mask | None, Mask | None]:
        """Return the masks over the base and over the added; None where everything there may be found."""
        if allowed is None:
            return (~self.dead if self._gone else None), None
        layout = self._layout
        in_base, in_added = np.zeros(len(self.base.items), np.bool_), np.zeros(len(self.added_items.items), np.bool_)
        in_base[layout.base[allowed & (layout.base >= 0)]] = True
        in_added[layout.added[allowed & (layout.added >= 0)]] = True
        return in_base, in_added

    def _place(self, item_id: str) -> int:
        """Return what orders ties as rows of `items` do, without making `items`."""
        row = self.base.items.get(item_id)
        return row if row is not None else len(self.base.items) + self.added_items.items.row(item_id)

    def _vector(self, item_id: str) -> Floats:
        if item_id not in self:
            raise NotFoundError(f"unknown item {item_id!r} (of {len(self)} known)")
        index: VectorIndex = self.added_items if item_id in self.added_items.items else self.base
        return np.asarray(index.stored.at(np.array([index.items.row(item_id)]))[0])

    def added(self, table: EmbeddingTable) -> Self:
        """Return the state with a table's items added, or renewed where they are known."""
        dead = self.dead.copy()
        rows = self.base.items.rows(table.ids.ids, missing=-1)
        dead[rows[rows >= 0]] = True
        known = self.added_items.items
        kept = [row for row, item_id in enumerate(known.ids) if item_id not in table.ids]
        held = EmbeddingTable(IdMap(known.at(kept)), self.added_items.stored.at(np.array(kept, np.int64)), self.space)
        return type(self)(self.base, dead, FlatIndex.build(held.joined(table), self.base.config, self.name))

    def without(self, item_ids: Sequence[str]) -> Self:
        """Return the state without some items."""
        dead, going = self.dead.copy(), set(item_ids)
        rows = self.base.items.rows(tuple(going), missing=-1)
        dead[rows[rows >= 0]] = True
        known = self.added_items.items
        kept = [row for row, item_id in enumerate(known.ids) if item_id not in going]
        held = EmbeddingTable(IdMap(known.at(kept)), self.added_items.stored.at(np.array(kept, np.int64)), self.space)
        return type(self)(self.base, dead, FlatIndex.build(held, self.base.config, self.name))

    def table(self) -> EmbeddingTable:
        """Return everything that is there, in the order of `items`."""
        layout = self._layout
        vectors = np.empty((len(layout.items), self.dim), np.float32)
        for index, place in ((self.base, layout.base), (self.added_items, layout.added)):
            vectors[place >= 0] = index.stored.at(place[place >= 0])
        return EmbeddingTable(layout.items, vectors, self.space)

    def save(self, folder: Path) -> None:
        """Write base, added and which rows are dead into an existing folder."""
        for part, index in ((BASE, self.base), (ADDED, self.added_items)):
            (folder / part).mkdir()
            index.save(folder / part)
        np.save(folder / DEAD, self.dead, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Open what `save` wrote."""
        return cls(
            open_local(folder / BASE),
            np.load(folder / DEAD, allow_pickle=False),
            FlatIndex.load(folder / ADDED),
        )
