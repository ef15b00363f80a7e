"""`LiveShop`: the open shop while items are written and deleted, one immutable snapshot after the other.

A reader pins the current view by one reference and keeps to it. A write is in the journal, on the disk, before it is
acknowledged; a new or changed record is shown in its own right at once, and one worker thread makes the snapshot in
which search, recommendations and conversations know it. A deletion is acknowledged only when the snapshot without the
item is in place and those who read an older one have ended, in every process that serves the store.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from catalog.errors import ServiceError
from catalog.item_journal import ItemJournal, ItemWrite
from catalog.journal_readers import FOLDER, JournalReaders
from catalog.nouns import Item
from catalog.tenancy import current_tenant
from tools.live_config import Written
from tools.live_following import Follower
from tools.live_indexes import LiveIndexes
from tools.live_parts import LiveParts as LiveParts
from tools.live_writes import Writes
from tools.pins import Pins
from tools.renewal import Change, carried, renewed, warm
from tools.shop import Shop

log = logging.getLogger("vitrine.tools")

PUT_SECONDS = 1.0
"""How long a record waits for the other processes; it stands in any case, and they follow."""

View = TypeVar("View")


class LiveShop(Generic[View]):
    """Holds the current snapshot of a shop, dressed as a `View` for those who ask.

    Args:
        shop: As its artifacts give it, without the journal's writes.
        journal: Where writes rest.
        parts: What makes snapshots.
        dress: Makes the view of a snapshot; called before it is put in place, by the thread that made it.
    """

    def __init__(self, shop: Shop, journal: ItemJournal, parts: LiveParts, dress: Callable[[Shop], View]) -> None:
        self._journal, self._parts, self._dress = journal, parts, dress
        self._swapping = threading.Lock()  # held for the making of one snapshot
        self._state = threading.Condition()  # guards what stands below; held for moments only
        self._writes = Writes()
        self._reword = False
        self._closed = False
        self._indexes = LiveIndexes(shop)
        self._shop = warm(self._overlaid(shop))
        self._pins = Pins(dress(self._shop))
        self._readers = JournalReaders(journal.path.parent / FOLDER, shop.name)
        self._follower = Follower(
            journal, self._readers, self._pins, self._follow, self._put_swapped_in, parts.config
        )  # fmt: skip
        self._worker = threading.Thread(target=self._work, name="live-shop", daemon=True)
        self._worker.start()

    @property
    def current(self) -> View:
        """The view that this request is pinned to; outside of one, the newest."""
        return self._pins.current

    @property
    def newest(self) -> Shop:
        """The newest snapshot, also inside a pinned request."""
        return self._shop

    def pinned(self) -> AbstractContextManager[View]:
        """See one snapshot from the beginning of the block to its end, in its threads and tasks too.

        Of several processes, those that were ever asked for this are waited for by writers.
        """
        self._follower.join()
        return self._pins.pinned()

    def record(self, item_id: str) -> tuple[Item | None, bool]:
        """Return the newest record of an item, None when it is unknown or gone, and whether snapshots lag behind it."""
        with self._state:
            return self._writes.known(item_id, self._shop.catalog)

    def gone(self, item_id: str) -> bool:
        """Whether an item was deleted: an answer begun before that must not show it."""
        return item_id in self._writes.gone

    @property
    def pending(self) -> int:
        """How many records wait for a snapshot that knows them."""
        return len(self._writes.waiting)

    def put(self, item: Item) -> Written:
        """Write a record; on return it is on the disk, and `record` gives it in every process that serves the store."""
        with self._state:
            known, pending = self._writes.known(item.item_id, self._shop.catalog)
            if known == item:
                return Written(item.item_id, False, False, pending)
            write = self._journal.put(item, current_tenant())
            self._writes.take(write)
            self._state.notify_all()
        log.info("item written item_id=%s seq=%d tenant=%s", item.item_id, write.seq, write.tenant)
        self._pins.release()  # who waits for the others is not to be waited for
        self._follower.look_again()
        self._readers.wait("known", write.seq, PUT_SECONDS, self._open)
        return Written(item.item_id, known is None, True, True)

    def delete(self, item_id: str) -> Written:
        """Delete an item; on return nobody is shown it any more, by whatever process, and that is on the disk.

        Raises:
            ServiceError: When another process that serves the store has not taken the deletion over in time; it
                stands, and the same again waits for that process again.
        """
        self._pins.release()  # who deletes does not wait for itself
        with self._state:
            known, _ = self._writes.known(item_id, self._shop.catalog)
            if known is not None:
                write = self._journal.delete(item_id, current_tenant())
                self._writes.take(write)
                self._state.notify_all()
                log.info("item deleted item_id=%s seq=%d tenant=%s", item_id, write.seq, write.tenant)
            seq = self._writes.gone.get(item_id)
        if seq is None:
            return Written(item_id, False, False, False)
        self._put_swapped_in()
        self._follower.look_again()
        if known is not None:
            self._pins.outlived(self._parts.config.grace_seconds)
        if not self._readers.wait("settled", seq, self._parts.config.agree_seconds, self._open):
            log.warning("deletion not taken over by every process item_id=%s seq=%d", item_id, seq)
            raise ServiceError(
                f"item {item_id!r} is deleted, and another process of this shop may still show it; ask again",
                retryable=True,
            )
        return Written(item_id, False, known is not None, False)

    def wait(self, timeout: float = 30.0) -> bool:
        """Wait until no record waits for a snapshot; return whether that came about in time."""
        with self._state:
            return self._state.wait_for(lambda: not self._writes.waiting and not self._reword, timeout)

    def close(self) -> None:
        """End the worker and let go of the journal."""
        with self._state:
            self._closed = True
            self._state.notify_all()
        self._worker.join(timeout=30)
        self._follower.close()
        self._readers.leave()
        self._journal.close()

    def _open(self) -> bool:
        return not self._closed

    def _publish(self, shop: Shop) -> None:
        view = self._dress(warm(shop))
        with self._state:
            self._shop = shop
            self._pins.publish(view)
            self._state.notify_all()

    def _put_swapped_in(self) -> None:
        """Come back when no snapshot with what is going is the newest."""
        with self._swapping:
            self._swap_deletions()

    def _swap_deletions(self) -> None:
        """Put the snapshot without what is going in place; whoever holds `_swapping` does it for all that wait."""
        with self._state:
            going, before = frozenset(self._writes.going), self._shop
        there = frozenset(item_id for item_id in going if item_id in before.catalog)
        if there:
            change = Change(deleted=there)
            shop = renewed(before, change, self._indexes.snapshots(), self._parts.statistics, reword=False)
            self._publish(shop)
        with self._state:
            self._writes.going -= going
            self._reword |= bool(there)
            self._state.notify_all()

    def _work(self) -> None:
        """Take in what was written, and look at the store now and then, until `close`."""
        looked = time.monotonic()
        while True:
            with self._state:
                self._state.wait_for(
                    lambda: self._closed or bool(self._writes.waiting) or self._reword,
                    self._parts.config.look_seconds,
                )
                if self._closed:
                    return
                batch = self._writes.next(self._shop.catalog, self._parts.config.batch)
            # The worker's boundary: a bug in one batch is logged here, once, and does not end the thread.
            try:
                if batch:
                    self._take_in(batch)
                elif self._reword:
                    self._swap_words()
                if time.monotonic() - looked >= self._parts.config.look_seconds:
                    self._look()
                    looked = time.monotonic()
            except Exception:
                log.exception("live catalogue: a snapshot failed, the one before stands")
                time.sleep(min(1.0, self._parts.config.look_seconds))

    def _take_in(self, batch: list[ItemWrite]) -> None:
        began = time.perf_counter()
        items = [write.item for write in batch if write.item is not None]
        change = self._parts.read(items, self._shop, self._writes.unread)
        with self._swapping:
            with self._state:
                held, before = self._writes.waiting, self._shop
                # What was written again or deleted while it was read waits for its own turn, or for none.
                still = {w.item_id: w for w in batch if held.get(w.item_id) is w}
            change = change.only(still)
            if change.items:
                small = len(before.catalog) + len(change.items) <= self._parts.config.words_at_once
                self._indexes.take(change)
                self._publish(renewed(before, change, self._indexes.snapshots(), self._parts.statistics, reword=small))
                with self._state:
                    self._reword |= not small
            with self._state:
                self._writes.taken_in(still)
                self._state.notify_all()
        log.info("items taken in count=%d seconds=%.2f", len(change.items), time.perf_counter() - began)

    def _swap_words(self) -> None:
        with self._swapping:
            shop = renewed(self._shop, Change(), self._indexes.snapshots(), lambda same: same.statistics)
            self._publish(shop)
            with self._state:
                self._reword = False
                self._state.notify_all()

    def _look(self) -> None:
        """Take over what jobs made since."""
        # Read before and after: what a job works into the artifacts meanwhile is in one of the two, or in both.
        last, before = self._journal.last(), self._journal.since()
        fresh = self._parts.reload()
        if fresh is None:
            return
        with self._swapping:
            self._indexes = LiveIndexes(fresh)
            self._publish(self._overlaid(fresh, before))
            with self._state:
                self._writes.seen = max(self._writes.seen, last)
        self._follower.look_again()
        log.info("shop reloaded items=%d", len(self._shop.catalog))

    def _follow(self) -> int:
        """Take over what other processes wrote, and return up to which write."""
        with self._state:
            if self._writes.follow(self._journal.since(self._writes.seen), self._shop.catalog):
                self._state.notify_all()
            return self._writes.seen

    def _overlaid(self, shop: Shop, earlier: Sequence[ItemWrite] = ()) -> Shop:
        """Return a shop that was just opened with the journal's records and without what it deletes.

        What was made of records while the shop was open is carried over; of others it follows with the worker.
        """
        with self._state:
            writes = {write.item_id: write for write in (*earlier, *self._journal.since())}
            change = self._writes.begin(writes, shop.catalog)
        if change.items or any(item_id in shop.catalog for item_id in change.deleted):
            shop = renewed(shop, change, self._indexes.snapshots(), self._parts.statistics)
        standing = getattr(self, "_shop", None)
        made = carried(standing, shop) if standing is not None else None
        if made is not None:
            self._indexes.take(made)
            shop = renewed(shop, made, self._indexes.snapshots(), lambda same: same.statistics)
        return shop
