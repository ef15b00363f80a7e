"""Conversations: what a shopper and the agent said, which items were named, what is wanted; one turn at a time."""

from __future__ import annotations

import asyncio
import hashlib
import re
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from agent.base import PastMessage
from agent.handles import HandleBook
from catalog.errors import DataError
from catalog.items import Catalog
from catalog.tenancy import current_tenant
from catalog.told import Told

_ID = re.compile(r"[\x21-\x7e]{1,64}")


@dataclass(frozen=True, slots=True)
class ToolRound:
    """One time a mind asked for tools.

    Attributes:
        text: What it said beside.
        calls: Id, tool and arguments (JSON text) of every call.
        answers: Id and tool message of every answer.
    """

    text: str
    calls: tuple[tuple[str, str, str], ...]
    answers: tuple[tuple[str, str], ...]


@dataclass
class Said:
    """One message.

    Attributes:
        text: As sent.
        handled: As a mind remembers it: handles in the place of titles, what it was told beside.
        shown: Item ids of an answer.
        rounds: What an LLM asked of tools before it answered, so that it reads the same again.
    """

    role: Literal["user", "assistant"]
    text: str
    handled: str
    shown: tuple[str, ...] = ()
    rounds: tuple[ToolRound, ...] = ()

    @property
    def chars(self) -> int:
        """Characters a mind reads of it."""
        asked = sum(len(part) for each in self.rounds for call in each.calls for part in call)
        return len(self.handled) + asked + sum(len(content) for each in self.rounds for _, content in each.answers)


@dataclass
class Session:
    """One conversation.

    Attributes:
        book: Handles issued so far.
        said: Messages, oldest first.
        state: The planner's intent state; None at the start.
        shown: Item ids the shopper was shown, each once, the latest shown last.
        last_list: Item ids of the last answer, best first.
        pending: Canonical arguments of writes that wait for the shopper's yes, with the tool's name.
        recorded: The event that the conversation wrote last, which the shopper may take back by a word.
        unread: Messages at the beginning that no mind reads any more.
        spoken: The last spoken message (`agent.spoken.Asked`); None when the last one was typed.
        told: What a guest told of themselves, the latest first; a shopper's rests in the event store.
        forgotten: Whether its shopper was forgotten while a turn of it went on, which then leaves nothing behind.
    """

    session_id: str
    user_id: str | None
    book: HandleBook
    said: list[Said] = field(default_factory=list)
    state: Any = None
    shown: tuple[str, ...] = ()
    last_list: tuple[str, ...] = ()
    pending: dict[str, str] = field(default_factory=dict)
    recorded: str | None = None
    unread: int = 0
    spoken: Any = None
    told: tuple[Told, ...] = ()
    forgotten: bool = False

    def copy(self, session_id: str) -> Session:
        """Return a conversation of its own that stands where this one does."""
        book, said, pending = self.book.copy(), [replace(each) for each in self.said], dict(self.pending)
        return replace(self, session_id=session_id, book=book, said=said, pending=pending)


class SessionStore(Protocol):
    """Where conversations rest between turns."""

    def turn(
        self, session_id: str | None, user_id: str | None, history: Sequence[PastMessage] = ()
    ) -> AbstractAsyncContextManager[tuple[Session, bool]]:
        """Return an asynchronous context that gives `(session, restarted)` and holds it for one turn.

        `restarted` says that the conversation asked for was unknown, expired or somebody else's, and starts afresh.

        Args:
            session_id: The conversation to go on with; None begins one.
            user_id: Who speaks; None is a guest.
            history: Messages a client without a `session_id` brings along. When a conversation of this shopper stands
                at exactly these messages, the new one begins as its copy: ids are secrets, messages are not.

        Raises:
            DataError: When `session_id` is not 1 to 64 printable ASCII characters without blanks.
        """

    def remember(self, session: Session) -> None:
        """Keep a conversation after a turn, and let it be recognised by its messages so far."""

    def of_user(self, user_id: str) -> list[Session]:
        """Return a shopper's conversations, the latest touched last."""

    def forget_user(self, user_id: str) -> int:
        """Drop every conversation of a shopper; return how many there were."""

    def forget(self, session_id: str) -> bool:
        """Drop one conversation; return whether there was one."""


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
        if session_id is not None and not _ID.fullmatch(session_id):
            raise DataError(
                f"session_id {session_id!r}: 1 to 64 printable ASCII characters without blanks would be valid"
            )
        kept, restarted = self._open(session_id, user_id, history)
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
        """Return a shopper's conversations, the latest touched last."""
        with self._lock:
            who = (current_tenant(), user_id)
            return [kept.session for key, kept in self._kept.items() if key[:2] == who]

    def remember(self, session: Session) -> None:
        """See `SessionStore.remember`."""
        with self._lock:
            key = (current_tenant(), session.user_id, session.session_id)
            self._by_history[_fingerprint(session.said, session.user_id)] = key
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

    def _begun(self, session_id: str, user_id: str | None) -> Session:
        return Session(session_id, user_id, HandleBook(self._catalog, self._max_handles))

    def _standing_at(self, history: Sequence[PastMessage], user_id: str | None) -> Session | None:
        """Return a conversation of this shopper whose messages are exactly `history`."""
        print_ = _fingerprint(history, user_id)
        key = self._by_history.get(print_)
        kept = self._kept.get(key) if key is not None else None
        if kept is None or _fingerprint(kept.session.said, user_id) != print_:
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


def _fingerprint(history: Iterable[Said | PastMessage], user_id: str | None) -> str:
    digest = hashlib.sha256(f"{current_tenant()}\0{user_id or ''}".encode())
    for message in history:
        digest.update(f"\0{message.role}\0{' '.join(message.text.split())}".encode())
    return digest.hexdigest()
