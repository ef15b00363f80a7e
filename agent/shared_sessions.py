"""Conversations that rest beside the events: any worker goes on with what another heard, also after a restart."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from agent.base import PastMessage
from agent.handles import HandleBook
from agent.session_text import read, told_of, written
from agent.sessions import Owner, Session, checked_id, fingerprint
from catalog.conversations import Conversation, ConversationRows
from catalog.errors import DataError, ServiceError
from catalog.items import Catalog
from catalog.told import Told

log = logging.getLogger("vitrine.agent")

HOLD_SECONDS = 10.0
"""How long a conversation stays with the turn of a worker that was killed; a running turn prolongs it."""
POLL_SECONDS = 0.02


@dataclass
class _Held:
    """A conversation that a turn here holds."""

    holder: str
    row: Conversation
    session: Session


class SharedSessions:
    """Conversations in the database of the events. What a turn made of one is written before its end is told.

    Args:
        rows: The database.
        max_handles: Items one conversation may name.
        wait_seconds: How long a turn waits for another one of its conversation.
    """

    def __init__(self, rows: ConversationRows, *, max_handles: int = 500, wait_seconds: float = 60.0) -> None:
        self._rows = rows
        self._max_handles = max_handles
        self._wait = wait_seconds
        self._held: dict[int, _Held] = {}

    @asynccontextmanager
    async def turn(
        self, session_id: str | None, user_id: str | None, history: Sequence[PastMessage] = ()
    ) -> AsyncIterator[tuple[Session, bool]]:
        """See `SessionStore.turn`."""
        asked, holder = checked_id(session_id) or uuid.uuid4().hex, uuid.uuid4().hex
        row = await self._taken(asked, user_id, holder)
        held = _Held(holder, row, await asyncio.to_thread(self._opened, row, session_id is None, history))
        self._held[id(held.session)] = held
        beating = asyncio.create_task(self._prolonging(held))
        try:
            yield held.session, session_id is not None and row.state is None and row.version == 0
        finally:
            beating.cancel()
            if self._held.pop(id(held.session), None) is not None:  # broken off: what stood before stands
                await asyncio.shield(asyncio.to_thread(self._rows.let_go, asked, user_id, holder))

    async def remember(self, session: Session) -> None:
        """See `SessionStore.remember`."""
        held = self._held.pop(id(session), None)
        if held is not None:
            await asyncio.to_thread(self._keep, held)

    def of_user(self, user_id: str) -> list[Session]:
        """See `SessionStore.of_user`."""
        return [self._read(row) for row in self._rows.of_user(user_id) if row.state is not None]

    def edit(self, user_id: str, change: Callable[[Session], None], *, but: str | None = None) -> None:
        """See `SessionStore.edit`."""
        for row in self._rows.of_user(user_id):
            if row.session_id != but:
                self._edit(row, change)

    def told_in(self, session_id: str) -> tuple[Told, ...]:
        """See `SessionStore.told_in`."""
        state = self._rows.said_by_guest(session_id)
        try:
            return () if state is None else told_of(state, session_id)
        except DataError as error:  # every page of theirs would be refused for it
            log.warning("conversation unreadable, what its guest told is left out error=%s", _place(error))
            return ()

    def edit_guest(self, session_id: str, change: Callable[[Session], None]) -> None:
        """See `SessionStore.edit_guest`."""
        self._edit(self._rows.find(session_id, None), change)

    async def owners(self, session_id: str) -> frozenset[Owner]:
        """See `SessionStore.owners`."""
        found = await asyncio.to_thread(self._rows.owners, session_id)
        return frozenset(Owner(tenant, user_id) for tenant, user_id in found)

    def forget_user(self, user_id: str) -> int:
        """See `SessionStore.forget_user`."""
        return self._rows.forget_user(user_id)

    def forget(self, session_id: str) -> bool:
        """See `SessionStore.forget`."""
        return self._rows.forget(session_id)

    async def _taken(self, session_id: str, user_id: str | None, holder: str) -> Conversation:
        until = time.monotonic() + self._wait
        while True:
            row = await asyncio.to_thread(self._rows.take, session_id, user_id, holder, HOLD_SECONDS)
            if row is not None:
                return row
            if time.monotonic() >= until:
                raise ServiceError(
                    f"conversation {session_id!r}: another message of it is still being answered after "
                    f"{self._wait:g} s; one at a time would be valid",
                    retryable=True,
                )
            await asyncio.sleep(POLL_SECONDS)

    async def _prolonging(self, held: _Held) -> None:
        """Hold on while the turn lasts."""
        while True:
            await asyncio.sleep(HOLD_SECONDS / 3)
            row = held.row
            try:
                await asyncio.to_thread(self._rows.prolong, row.session_id, row.user_id, held.holder, HOLD_SECONDS)
            except ServiceError as error:
                log.warning("conversation not prolonged error=%s", error)

    def _opened(self, row: Conversation, unnamed: bool, history: Sequence[PastMessage]) -> Session:
        """Return the session of a row: as it was kept, as a copy of one that stands at `history`, or begun."""
        if row.state is not None:
            return self._read(row)
        known = self._rows.standing_at(fingerprint(history, row.user_id)) if unnamed and history else None
        if known is not None and known.state is not None:
            return self._read(replace(known, session_id=row.session_id))
        return Session(row.session_id, row.user_id, HandleBook(Catalog([]), self._max_handles))

    def _edit(self, row: Conversation | None, change: Callable[[Session], None]) -> None:
        while row is not None and row.state is not None:
            session = self._read(row)
            change(session)
            if self._rows.rewrite(replace(row, state=written(session))):
                return
            row = self._rows.find(row.session_id, row.user_id)

    def _keep(self, held: _Held) -> None:
        session, row = held.session, held.row
        while True:
            told = replace(row, state=written(session))
            left = self._rows.keep(told, held.holder, fingerprint(session.said, session.user_id))
            if isinstance(left, str):
                break
            # Only an edit comes between, and it took words out: what was said before stands as the edit left it.
            before, edited = () if row.state is None else self._read(row).told, self._read(left)
            session.said, row = [*edited.said, *session.said[-2:]], left
            session.told = tuple(each for each in session.told if each in edited.told or each not in before)
        session.forgotten = left == "gone"
        if left == "lost":
            log.warning("conversation lost to another turn session_id=%s", session.session_id)

    def _read(self, row: Conversation) -> Session:
        assert row.state is not None
        return read(row.state, row.session_id, row.user_id, self._max_handles)


def _place(error: DataError) -> str:
    """Return what is wrong with a conversation without its id, which would open it."""
    return str(error).partition(": ")[2]
