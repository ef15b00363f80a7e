"""`EventStore`: live events, the slates they cite, and the traces of answers; durable once acknowledged."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from catalog.nouns import Interaction, Slate
from catalog.told import Told


@dataclass(frozen=True, slots=True)
class PutResult:
    """How many events are new, and how many were known by their `event_id`."""

    accepted: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that was not taken, kept until its sender is mended.

    Attributes:
        payload: The event as sent, JSON text, cut at 16 kB.
        field: Which of its fields was at fault; "" when it is the whole.
        reason: One line; what would be valid.
        received_at: When it came last, aware UTC.
        event_id: As far as it can be read, like `user_id` and `session_id`.
        times: How often the same was sent.
        place: Where it stands among the others, for the next page of them; "" before it is kept.
    """

    payload: str
    field: str
    reason: str
    received_at: datetime
    event_id: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    times: int = 1
    place: str = dataclasses.field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows of each kind were older than the retention."""

    events: int
    slates: int
    traces: int
    dead_letters: int
    told: int = 0


class Visit(NamedTuple):
    """What is known of who asks.

    Attributes:
        mine: The shopper's latest events, newest first.
        session: The session's latest events, oldest first.
        told: What the shopper told of themselves, the latest first.
    """

    mine: list[Interaction]
    session: list[Interaction]
    told: list[Told]


class EventStore(Protocol):
    """Where live events rest. Safe to call from many threads; what `put` returned from survives a kill.

    Reads and writes see the rows of the running request's tenant (`catalog.tenancy`) and no others; `since` and
    `prune`, which belong to jobs and the operator, see all. Event ids are unique within a tenant.

    Every method raises ServiceError when the database cannot be reached or does not answer in time.
    """

    def put(self, events: Sequence[Interaction]) -> PutResult:
        """Add events, all or none; one whose `event_id` is known is left as it stands and counted as a duplicate.

        An event with a shopper and a session signs the session in: what its guest did up to that moment is the
        shopper's from then on, also what arrives later but happened before.

        Where the clock was set back, an event of this moment is dated as the latest known of its shopper or session
        (see `catalog.event_onward`): it counts after what was known before.

        Raises:
            DataError: When a kind is unknown, a timestamp has no time zone or a text holds a NUL; nothing is added.
        """

    def for_user(self, user_id: str, limit: int = 100, before: datetime | None = None) -> list[Interaction]:
        """Return a shopper's events, newest first, those strictly earlier than `before`."""

    def for_session(self, session_id: str, limit: int = 1000) -> list[Interaction]:
        """Return a session's latest `limit` events, oldest first."""

    def of_visit(self, user_id: str | None, session_id: str | None, limit: int = 100) -> Visit:
        """Return `for_user(user_id, limit)`, `for_session(session_id)` and `told_by(user_id)`, [] where None.

        By one connection, and what was told costs whoever has events and told nothing no read of its own.
        """

    def since(self, row_id: int, limit: int = 10_000) -> list[tuple[int, Interaction]]:
        """Return events of all tenants added after `row_id` (0: from the first) with their row ids, as they came.

        Whoever asks again with the last row id misses none, however many workers write.
        """

    def forget_event(self, event_id: str) -> bool:
        """Erase one event; return whether there was one."""

    def put_slate(self, slate: Slate) -> None:
        """Keep what was shown; a known `request_id` is left as it stands. Signs the session in, as `put` does.

        It is written a moment later, with those of other answers; whoever reads it, or the shopper's events, from this
        store finds it at once, other processes when it is written.

        Raises:
            DataError: When items and propensities are not as many.
            ServiceError: When too many wait, since the database has not answered for long.
        """

    def slate(self, request_id: str) -> Slate:
        """Return what was shown; raises NotFoundError."""

    def put_trace(
        self,
        trace_id: str,
        trace: Mapping[str, Any],
        user_id: str | None = None,
        session_id: str | None = None,
        slate: Slate | None = None,
    ) -> None:
        """Keep the trace of an answer (anything JSON can say), in place of one of the same id.

        With a `slate`, what the answer showed is kept with it, both or neither, as `put_slate` does.
        """

    def trace(self, trace_id: str) -> dict[str, Any]:
        """Return a trace; raises NotFoundError."""

    def traces(self, session_id: str, user_id: str | None) -> list[dict[str, Any]]:
        """Return the traces of a shopper's conversation, in the order in which they were kept."""

    def put_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Keep what was not taken; the same payload again is counted, and the oldest beyond 100,000 go."""

    def dead_letters(self, limit: int = 100, after: str | None = None) -> list[DeadLetter]:
        """Return what was not taken, the latest first.

        Args:
            limit: How many.
            after: The `place` of the last of the page before; None is the first page.

        Raises:
            DataError: When `after` is no such place.
        """

    def put_told(self, user_id: str, told: Sequence[Told]) -> None:
        """Keep what a shopper told of themselves; each takes the place of one of the same `entry_id`."""

    def told_by(self, user_id: str) -> list[Told]:
        """Return what a shopper told of themselves, the latest first."""

    def forget_told(self, user_id: str, entry_id: str | None = None) -> int:
        """Erase one thing that a shopper told, or all; return how many there were.

        The shopper's traces that speak of it go with it.
        """

    def forget_user(self, user_id: str) -> int:
        """Erase a shopper's events, slates, traces, dead letters, sign-ins, conversations and what they told.

        Returns the events.
        """

    def prune(self, before: datetime) -> Pruned:
        """Erase what happened before a moment, of every tenant, in small steps beside running writers."""

    def close(self) -> None:
        """Let go of the connections; the store is not used after."""
