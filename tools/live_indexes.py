"""The vector indexes of an open shop, which take rows and lose them while snapshots of them are searched."""

from __future__ import annotations

from indexes.base import Index
from indexes.live import LiveIndex
from indexes.vector_index import VectorIndex
from tools.renewal import Change
from tools.shop import Shop


class LiveIndexes:
    """One `LiveIndex` for each vector index that is held here; those of a server far away follow with their job.

    Args:
        shop: As it was opened.
    """

    def __init__(self, shop: Shop) -> None:
        self._by_name = {n: LiveIndex(index) for n, index in shop.indexes.items() if isinstance(index, VectorIndex)}

    def take(self, change: Change) -> None:
        """Take a change's rows in, and leave out those of records that have no vector any more."""
        for space, index in self._by_name.items():
            index.delete([item_id for item_id in change.lacking(space) if item_id in index.snapshot])
            if (rows := change.vectors.get(space)) is not None:
                index.add(rows)

    def snapshots(self) -> dict[str, Index]:
        """Return the indexes as they stand, by name; those that nothing came to as they were opened."""
        held = {name: index.snapshot for name, index in self._by_name.items()}
        return {name: each if each.changes else each.base for name, each in held.items()}
