"""Conversations: what a shopper and the agent said, which items were named, what is wanted; one turn at a time.

They rest in memory (`agent.memory_sessions`) or, where several workers stand in for each other, in the database of the
events (`agent.shared_sessions`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from agent.base import PastMessage
from agent.handles import HandleBook
from catalog.errors import DataError
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


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a conversation belongs to; `user_id` None is a guest."""

    tenant: str
    user_id: str | None


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

        Turns of one conversation follow one another, in whichever worker; others run beside them.

        Raises:
            DataError: When `session_id` is not 1 to 64 printable ASCII characters without blanks.
            ServiceError: When another turn of it goes on for too long, or the conversations cannot be reached.
        """

    async def remember(self, session: Session) -> None:
        """Keep a conversation after a turn, and let it be recognised by its messages so far.

        Where its shopper was forgotten meanwhile nothing is kept, and `session.forgotten` says so.
        """

    def of_user(self, user_id: str) -> list[Session]:
        """Return a shopper's conversations as they were kept last, to be read; the latest touched last."""

    def edit(self, user_id: str, change: Callable[[Session], None], *, but: str | None = None) -> None:
        """Change every conversation of a shopper, also those in which a turn goes on.

        Args:
            user_id: Whose.
            change: Called once for each; it may be called again for one that changed meanwhile.
            but: The id of the one that is left as it is: the caller's own turn holds it.
        """

    def told_in(self, session_id: str) -> tuple[Told, ...]:
        """Return what the guest of a conversation told of themselves, the latest first; () where there is none."""

    def edit_guest(self, session_id: str, change: Callable[[Session], None]) -> None:
        """Change the conversation of a guest, also while a turn of it goes on; nothing where there is none.

        Args:
            session_id: Which.
            change: See `edit`.
        """

    async def owners(self, session_id: str) -> frozenset[Owner]:
        """Return who has a conversation of this id, in every tenant."""

    def forget_user(self, user_id: str) -> int:
        """Drop every conversation of a shopper; return how many there were."""

    def forget(self, session_id: str) -> bool:
        """Drop one conversation; return whether there was one."""


def checked_id(session_id: str | None) -> str | None:
    """Return `session_id`; raises DataError when it is not 1 to 64 printable ASCII characters without blanks."""
    if session_id is not None and not _ID.fullmatch(session_id):
        raise DataError(f"session_id {session_id!r}: 1 to 64 printable ASCII characters without blanks would be valid")
    return session_id


def fingerprint(history: Iterable[Said | PastMessage], user_id: str | None) -> str:
    """Return what a conversation is recognised by: its messages, its shopper and their tenant."""
    digest = hashlib.sha256(f"{current_tenant()}\0{user_id or ''}".encode())
    for message in history:
        digest.update(f"\0{message.role}\0{' '.join(message.text.split())}".encode())
    return digest.hexdigest()
