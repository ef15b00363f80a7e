"""What an error of the events' database means: the database is away, or our statement is wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.exc import DataError as ValueRefused
from sqlalchemy.exc import DBAPIError, IntegrityError, NotSupportedError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from catalog.errors import EventStoreError
from catalog.event_engines import shown_url

_OURS = (IntegrityError, ValueRefused, ProgrammingError, NotSupportedError)
_GONE = frozenset({"42P01", "3F000", "42501"})
"""PostgreSQL's states of tables or a schema that are gone, or may not be touched: no statement of ours brought that."""
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


@contextmanager
def answering(engine: Engine) -> Iterator[None]:
    """Say of a database that does not answer, inside the block, that it is away; a wrong statement stays a bug.

    Raises:
        EventStoreError: In place of the driver's error.
    """
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        state = getattr(getattr(error, "orig", None), "sqlstate", None)
        if isinstance(error, _OURS) and state not in _GONE:
            raise
        raise _away(engine, error) from error


def _away(engine: Engine, error: DBAPIError | PoolTimeout) -> EventStoreError:
    """Return the one line for it; no password is in it."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    said = str(cause).strip().partition("\n")[0]
    place = shown_url(engine.url)
    if getattr(cause, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
        remedy = "stop the shop, move the file away and restore a backup ('vitrine events restore')"
        return EventStoreError(f"event store {place!r} is damaged ({said}): {remedy}")
    return EventStoreError(f"event store {place!r} does not answer: {said}")
