"""What was written to a catalogue and its newest snapshot does not show yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from catalog.item_journal import ItemWrite
from catalog.items import Catalog
from catalog.nouns import Item
from tools.renewal import Change

LATER_AT_ONCE = 12
"""Records that one snapshot takes in of those that stand in it already, without what is read of them: they may be many
after an opening, and what is written meanwhile does not wait for them."""


@dataclass
class Writes:
    """Not locked: whoever owns it holds a lock meanwhile.

    Attributes:
        waiting: Records that are still to be taken in, by item.
        unread: Records of the snapshot that nothing was made of yet.
        going: Deleted, and still in the newest snapshot.
        gone: Deleted, with the number of the write.
        seen: Up to which write the journal was read.
    """

    waiting: dict[str, ItemWrite] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    going: set[str] = field(default_factory=set)
    gone: dict[str, int] = field(default_factory=dict)
    seen: int = 0

    def known(self, item_id: str, catalog: Catalog) -> tuple[Item | None, bool]:
        """Return the newest record of an item, None where there is none, and whether the snapshot lags behind it."""
        write = self.waiting.get(item_id)
        if write is not None:
            return write.item, True
        return (None if item_id in self.gone else catalog.get(item_id)), False

    def take(self, write: ItemWrite) -> None:
        """Note a write."""
        if write.item is None:
            self.waiting.pop(write.item_id, None)
            self.going.add(write.item_id)
            self.gone[write.item_id] = write.seq
            return
        self.waiting[write.item_id] = write
        self.gone.pop(write.item_id, None)
        self.going.discard(write.item_id)

    def follow(self, writes: Iterable[ItemWrite], catalog: Catalog) -> bool:
        """Note writes of any process, those of this one again; return whether anything is different."""
        changed = False
        for write in writes:
            self.seen = max(self.seen, write.seq)
            if write.item != self.known(write.item_id, catalog)[0]:
                self.take(write)
                changed = True
        return changed

    def next(self, catalog: Catalog, most: int) -> list[ItemWrite]:
        """Return what the next snapshot takes in: what is shown as it is not any more comes first."""
        waiting = list(self.waiting.values())
        urgent = [write for write in waiting if catalog.get(write.item_id) != write.item]
        return urgent[:most] or waiting[:LATER_AT_ONCE]

    def taken_in(self, writes: Mapping[str, ItemWrite]) -> None:
        """Note that a snapshot knows these."""
        self.unread -= writes.keys()
        for item_id, write in writes.items():
            if self.waiting.get(item_id) is write:
                del self.waiting[item_id]

    def begin(self, writes: Mapping[str, ItemWrite], catalog: Catalog) -> Change:
        """Begin anew over a catalogue that was just opened; return what to lay over it, still to be read."""
        self.seen = max([self.seen, *(write.seq for write in writes.values())])
        # What went and is worked into the artifact by now is gone for an answer that began before, too.
        self.gone = {item_id: seq for item_id, seq in self.gone.items() if item_id not in catalog}
        self.gone |= {item_id: write.seq for item_id, write in writes.items() if write.item is None}
        self.going.clear()
        self.waiting = {i: w for i, w in writes.items() if w.item is not None and catalog.get(i) != w.item}
        self.unread = set(self.waiting)
        records = tuple(write.item for write in self.waiting.values() if write.item is not None)
        return Change(records, deleted=frozenset(self.gone), read=False)
