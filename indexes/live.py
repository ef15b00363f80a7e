"""An index that changes while it answers: a snapshot, what came since, what went, and a compaction behind them.

A reader takes the current `Snapshot` by one reference and keeps to it; nothing a snapshot holds ever changes. A writer
makes the next one and puts it in place by one assignment, so readers neither lock nor see half a change.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from catalog.errors import DataError, NotFoundError
from catalog.ids import IdMap
from catalog.nouns import Candidate
from catalog.vectors import EmbeddingTable, Floats, Mask
from indexes.base import Neighbours, Query
from indexes.opening import build_local
from indexes.snapshot import Snapshot
from indexes.vector_index import VectorIndex

Build = Callable[[EmbeddingTable], VectorIndex]


@dataclass(frozen=True, slots=True)
class _Change:
    """One write: a table to upsert, or ids to delete."""

    table: EmbeddingTable | None = None
    deleted: Sequence[str] = ()


class LiveIndex:
    """Live add and delete over any vector index.

    What is added is found by the very next search, what is deleted by none. Changes cost an exact search of their own
    number until a compaction builds them into the snapshot; that runs in the background, and changes made meanwhile
    are kept.

    For a filter, or for several searches that must agree, take `snapshot` once: `allowed` follows *its* `items`.

    Args:
        base: The first snapshot's index.
        build: Makes an index of a table, for compactions; None: of the kind the base's configuration chooses.
        compact_at: Changes that start a compaction by themselves; 0: none does.
    """

    def __init__(self, base: VectorIndex | Snapshot, build: Build | None = None, *, compact_at: int = 10_000) -> None:
        self._snapshot = base if isinstance(base, Snapshot) else Snapshot.of(base)
        name, config = self._snapshot.name, self._snapshot.base.config
        self._build = build or (lambda table: build_local(table, config, name))
        self._compact_at = compact_at
        self._writing = threading.Lock()  # held for the making of one snapshot; no reader takes it
        self._compacting = threading.Lock()
        self._since: list[_Change] | None = None
        self._thread: threading.Thread | None = None

    @property
    def snapshot(self) -> Snapshot:
        """The current state, which is an index itself and never changes."""
        return self._snapshot

    @property
    def name(self) -> str:
        """Becomes `Candidate.source`."""
        return self._snapshot.name

    @property
    def items(self) -> IdMap:
        """Ids of the current snapshot; see `snapshot` before filtering."""
        return self._snapshot.items

    def search(self, query: Query, k: int, *, allowed: Mask | None = None) -> list[Candidate]:
        """Search the current snapshot; see `indexes.base.Index.search`."""
        return self._snapshot.search(query, k, allowed=allowed)

    def search_many(self, vectors: Floats, k: int, *, allowed: Mask | None = None) -> Neighbours:
        """Search the current snapshot; see `indexes.base.VectorSearch.search_many`."""
        return self._snapshot.search_many(vectors, k, allowed=allowed)

    def add(self, table: EmbeddingTable) -> None:
        """Add items, or give known ones new vectors; they are found at once.

        Raises:
            DataError: When the vectors are of another space or width.
        """
        held = self._snapshot
        if table.space != held.space or table.dim != held.dim:
            raise DataError(
                f"index {held.name!r}: vectors of space {table.space!r} ({table.dim} wide); "
                f"{held.space!r} ({held.dim} wide) would be valid"
            )
        if len(table.ids):
            self._apply(_Change(table=table))

    def delete(self, item_ids: Sequence[str]) -> None:
        """Delete items; none is found again.

        Raises:
            NotFoundError: When one is not indexed; nothing is deleted then.
        """
        if item_ids:
            self._apply(_Change(deleted=tuple(item_ids)))

    def compact(self) -> None:
        """Build what is alive into a new snapshot, and put it in place; readers and writers go on meanwhile.

        One at a time; a second call waits for the first.
        """
        with self._compacting:
            with self._writing:
                frozen, self._since = self._snapshot, []
            try:
                built = Snapshot.of(self._build(frozen.table()))
            except BaseException:
                with self._writing:
                    self._since = None
                raise
            with self._writing:
                for change in self._since or ():
                    built = _changed(built, change)
                self._snapshot, self._since = built, None

    def save(self, folder: Path) -> None:
        """Write the current snapshot into an existing folder; inside `Workspace.writing` it is whole or not there."""
        self._snapshot.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Open what `save` wrote."""
        return cls(Snapshot.load(folder))

    def wait(self) -> None:
        """Wait for a compaction that runs in the background, if one does."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def _apply(self, change: _Change) -> None:
        with self._writing:
            self._snapshot = _changed(self._snapshot, change)
            if self._since is not None:
                self._since.append(change)
            due = self._compact_at and self._snapshot.changes >= self._compact_at and self._since is None
            if due and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self.compact, name=f"compact-{self.name}", daemon=True)
                self._thread.start()


def _changed(snapshot: Snapshot, change: _Change) -> Snapshot:
    if change.table is not None:
        return snapshot.added(change.table)
    unknown = [item_id for item_id in change.deleted if item_id not in snapshot]
    if unknown:
        raise NotFoundError(f"unknown item {unknown[0]!r} (of {len(snapshot)} in index {snapshot.name!r})")
    return snapshot.without(change.deleted)
