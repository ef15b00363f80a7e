"""Slates are written behind the answers that showed them: many in one transaction, and no answer waits for the disk."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from catalog.errors import ServiceError

log = logging.getLogger("vitrine.catalog")

Row = Mapping[str, Any]
"""A row of the table of slates."""

GATHER_SECONDS = 0.05
"""How long a slate waits for others to be written with."""
MOST_AT_ONCE, MOST_WAITING = 500, 10_000
IDLE_SECONDS = 2.0
"""After so long without a slate the thread ends; the next slate starts another."""
AGAIN_SECONDS = 0.5
"""After a database that did not answer."""


class SlateWriter:
    """Keeps what waits to be written, and a thread that writes it while there is something.

    A slate is on the disk a moment after its answer. A process that is killed loses what its last answers of about
    `GATHER_SECONDS` showed, never an event: those are written before they are acknowledged. Whoever reads slates, or
    the events that a slate's sign-in would move, calls `settled` first, so that one process always sees its own.

    Args:
        write: Writes rows in one transaction; raises ServiceError when the database does not answer.
    """

    def __init__(self, write: Callable[[Sequence[Row]], None]) -> None:
        self._write = write
        self._state = threading.Condition()
        self._waiting: list[Row] = []
        self._given = self._written = 0
        self._hurry = self._failing = False
        self._thread: threading.Thread | None = None

    def put(self, row: Row) -> None:
        """Let a row be written.

        Raises:
            ServiceError: When too many wait, since the database has not answered for long.
        """
        with self._state:
            if len(self._waiting) >= MOST_WAITING:
                told = f"the event store does not answer, and {MOST_WAITING:,} slates wait for it"
                raise ServiceError(told, retryable=True)
            self._waiting.append(row)
            self._given += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="slates", daemon=True)
                atexit.register(self.settled)
                self._thread.start()
            elif len(self._waiting) == 1:
                self._state.notify_all()

    def settled(self, tenant: str | None = None, *, user_id: str | None = None, session_id: str | None = None) -> None:
        """Wait until what was put before is written; with a tenant, only where something of that person waits.

        Where the database does not answer nobody waits: whoever asks it next is told so.
        """
        if not self._waiting:
            return
        with self._state:
            if tenant is not None and not any(_is_of(row, tenant, user_id, session_id) for row in self._waiting):
                return
            mark = self._given
            self._hurry = True
            self._state.notify_all()
            self._state.wait_for(lambda: self._written >= mark or self._failing)

    def _work(self) -> None:
        while True:
            with self._state:
                self._state.wait_for(lambda: bool(self._waiting), IDLE_SECONDS)
                if not self._waiting:
                    self._thread = None
                    atexit.unregister(self.settled)
                    return
                self._state.wait_for(lambda: self._hurry, AGAIN_SECONDS if self._failing else GATHER_SECONDS)
                batch = self._waiting[:MOST_AT_ONCE]
            self._attempt(batch)

    def _attempt(self, batch: Sequence[Row]) -> None:
        failing = False
        try:
            self._write(batch)
        except ServiceError as error:
            failing = True
            if not self._failing:
                log.warning("slates wait: %s", error)
        # The thread's boundary: what can never be written must not keep what can from being written.
        except Exception:
            log.exception("slates lost count=%d", len(batch))
        with self._state:
            self._failing = failing
            if not failing:
                del self._waiting[: len(batch)]
                self._written += len(batch)
            self._hurry = not failing and self._hurry and bool(self._waiting)
            self._state.notify_all()


def _is_of(row: Row, tenant: str, user_id: str | None, session_id: str | None) -> bool:
    if row["tenant"] != tenant:
        return False
    return (user_id is not None and row["user_id"] == user_id) or (
        session_id is not None and row["session_id"] == session_id
    )
