"""Conversations in the memory of one process."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from agent.base import PastMessage
from agent.handles import HandleBook
from agent.sessions import Owner, Session, checked_id, fingerprint
from catalog.items import Catalog
from catalog.tenancy import current_tenant
from catalog.told import Told

_Key = tuple[str, str | None, str]
"""Whose conversation it is and which: tenant, shopper, session id."""


@dataclass
class _Kept:
    session: Session
    touched: float
    turns: int = 0
    """Turns that hold the conversation or wait for it; such a one is never dropped."""
    gate: threading.Lock = field(default_factory=threading.Lock)


class MemorySessions:
    """Conversations in memory: bounded, the one untouched longest goes first; each tenant has its own.

    Args:
        catalog: What handles name.
        ttl_seconds: How long a conversation lives untouched.
        limit: Conversations kept.
        max_handles: Items one conversation may name.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        catalog: Catalog,
        *,
        ttl_seconds: float = 3600.0,
        limit: int = 10_000,
        max_handles: int = 500,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalog = catalog
        self._ttl = ttl_seconds
        self._limit = limit
        self._max_handles = max_handles
        self._clock = clock
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._by_history: OrderedDict[str, _Key] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    @asynccontextmanager
    async def turn(
        self, session_id: str | None, user_id: str | None, history: Sequence[PastMessage] = ()
    ) -> AsyncIterator[tuple[Session, bool]]:
        """See `SessionStore.turn`. Turns of one conversation follow one another; others run beside them."""
        kept, restarted = self._open(checked_id(session_id), user_id, history)
        try:
            while not kept.gate.acquire(blocking=False):
                await asyncio.sleep(0.005)
            try:
                yield kept.session, restarted
            finally:
                kept.gate.release()
        finally:
            self._close(kept)

    def forget_user(self, user_id: str) -> int:
        """See `SessionStore.forget_user`."""
        with self._lock:
            who = (current_tenant(), user_id)
            theirs = [key for key in self._kept if key[:2] == who]
            for key in theirs:
                self._kept.pop(key).session.forgotten = True
            for print_, key in list(self._by_history.items()):
                if key[:2] == who:
                    del self._by_history[print_]
            return len(theirs)

    def forget(self, session_id: str) -> bool:
        """See `SessionStore.forget`."""
        with self._lock:
            found = [key for key in self._kept if (key[0], key[2]) == (current_tenant(), session_id)]
            for key in found:
                del self._kept[key]
            return bool(found)

    def of_user(self, user_id: str) -> list[Session]:
        """See `SessionStore.of_user`; they are the conversations themselves."""
        with self._lock:
            who = (current_tenant(), user_id)
            return [kept.session for key, kept in self._kept.items() if key[:2] == who]

    def edit(self, user_id: str, change: Callable[[Session], None], *, but: str | None = None) -> None:
        """See `SessionStore.edit`."""
        for session in self.of_user(user_id):
            if session.session_id != but:
                change(session)

    def told_in(self, session_id: str) -> tuple[Told, ...]:
        """See `SessionStore.told_in`."""
        found = self._of_guest(session_id)
        return found.told if found is not None else ()

    def edit_guest(self, session_id: str, change: Callable[[Session], None]) -> None:
        """See `SessionStore.edit_guest`."""
        found = self._of_guest(session_id)
        if found is not None:
            change(found)

    async def owners(self, session_id: str) -> frozenset[Owner]:
        """See `SessionStore.owners`."""
        with self._lock:
            return frozenset(Owner(key[0], key[1]) for key in self._kept if key[2] == session_id)

    async def remember(self, session: Session) -> None:
        """See `SessionStore.remember`."""
        with self._lock:
            key = (current_tenant(), session.user_id, session.session_id)
            self._by_history[fingerprint(session.said, session.user_id)] = key
            while len(self._by_history) > 4 * self._limit:
                self._by_history.popitem(last=False)

    def _open(self, session_id: str | None, user_id: str | None, history: Sequence[PastMessage]) -> tuple[_Kept, bool]:
        with self._lock:
            now = self._clock()
            self._expire(now)
            key = (current_tenant(), user_id, session_id or uuid.uuid4().hex)
            kept = self._kept.get(key) or self._signed_in(key)
            fresh = kept is None
            if kept is None:
                known = self._standing_at(history, user_id) if session_id is None and history else None
                kept = _Kept(known.copy(key[2]) if known else self._begun(key[2], user_id), now)
                self._kept[key] = kept
            kept.touched = now
            kept.turns += 1
            self._kept.move_to_end(key)
            while len(self._kept) > self._limit and self._drop_oldest():
                continue
            return kept, fresh and session_id is not None

    def _of_guest(self, session_id: str) -> Session | None:
        with self._lock:
            self._expire(self._clock())
            kept = self._kept.get((current_tenant(), None, session_id))
        return kept.session if kept is not None else None

    def _begun(self, session_id: str, user_id: str | None) -> Session:
        return Session(session_id, user_id, HandleBook(self._catalog, self._max_handles))

    def _standing_at(self, history: Sequence[PastMessage], user_id: str | None) -> Session | None:
        """Return a conversation of this shopper whose messages are exactly `history`."""
        print_ = fingerprint(history, user_id)
        key = self._by_history.get(print_)
        kept = self._kept.get(key) if key is not None else None
        if kept is None or fingerprint(kept.session.said, user_id) != print_:
            return None
        return kept.session

    def _signed_in(self, key: _Key) -> _Kept | None:
        """Give a guest's conversation to the shopper the guest turns out to be."""
        tenant, user_id, session_id = key
        kept = self._kept.pop((tenant, None, session_id), None) if user_id is not None else None
        if kept is not None:
            kept.session.user_id = user_id
            self._kept[key] = kept
        return kept

    def _close(self, kept: _Kept) -> None:
        with self._lock:
            kept.turns -= 1
            if kept.turns == 0:
                kept.session.book.rest()
            kept.touched = self._clock()

    def _expire(self, now: float) -> None:
        for key, kept in list(self._kept.items()):
            if now - kept.touched <= self._ttl:
                break
            if kept.turns == 0:
                del self._kept[key]

    def _drop_oldest(self) -> bool:
        for key, kept in self._kept.items():
            if kept.turns == 0:
                del self._kept[key]
                return True
        return False
