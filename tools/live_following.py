"""`Follower`: keeps one process of a shop at what the others wrote to the journal, and says how far it is."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from catalog.item_journal import ItemJournal
from catalog.journal_readers import JournalReaders
from tools.live_config import LiveConfig
from tools.pins import Pins

log = logging.getLogger("vitrine.tools")


class Follower:
    """A thread of its own: a record whose pictures are being read must not hold up what another process deleted.

    A process that shows nothing to anybody yet, since it is still being opened, is waited for by nobody: it is counted
    from `join` on.

    Args:
        journal: What the processes share.
        readers: Where each says how far it is.
        pins: Who still reads an older snapshot.
        take_over: Takes in the writes of others, and returns up to which.
        swap: Comes back when the newest snapshot has nothing that was deleted.
        config: How often to look, and how long those who read an older snapshot are waited for.
    """

    def __init__(
        self,
        journal: ItemJournal,
        readers: JournalReaders,
        pins: Pins[Any],
        take_over: Callable[[], int],
        swap: Callable[[], None],
        config: LiveConfig,
    ) -> None:
        self._journal, self._readers, self._pins = journal, readers, pins
        self._take_over, self._swap, self._config = take_over, swap, config
        self._closed = threading.Event()
        self._due = True
        self._owed: deque[tuple[int, int, float]] = deque()  # write, the first view that knows it, until when to wait
        self._joined, self._stepping = False, threading.Lock()
        self._thread = threading.Thread(target=self._work, name="live-follower", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Let writers wait for this process from now on; what was written before is taken over on return."""
        if self._joined:
            return
        with self._stepping:
            if not self._joined:
                self._readers.join()
                self._due = True
                self._step()
                self._joined = True

    def look_again(self) -> None:
        """Say anew how far this process is: it has come on otherwise than by the journal."""
        self._due = True

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        self._thread.join(timeout=30)

    def _work(self) -> None:
        while not self._closed.wait(self._config.follow_seconds):
            # The thread's boundary: whatever fails is logged here and tried again.
            try:
                with self._stepping:
                    self._step()
            except Exception:
                self._due = True
                log.exception("live catalogue: what other processes wrote could not be taken over")
                self._closed.wait(1.0)

    def _step(self) -> None:
        if self._journal.moved() or self._due:
            self._due = False
            seen = self._take_over()
            self._readers.tell(known=seen)
            self._swap()
            self._owed.append((seen, self._pins.number, time.monotonic() + self._config.grace_seconds))
        while self._owed:
            seen, number, until = self._owed[0]
            if self._pins.older(number) and time.monotonic() < until:
                return
            self._readers.tell(settled=seen)
            self._owed.popleft()
