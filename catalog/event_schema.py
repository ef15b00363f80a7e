"""The schema of an event store: made when new, migrated on open, one worker at a time."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, inspect, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from catalog.errors import DataError
from catalog.event_engines import shown_url
from catalog.event_tables import EVENTS, METADATA

MIGRATIONS = Path(__file__).parent / "event_migrations"
FIRST, HEAD = "0001", "0006"
"""Revisions of the first schema, which carried no mark, and of the one this code reads."""

RESTORABLE = frozenset({"0002", "0003", "0004", "0005", HEAD})
"""Revisions whose rows this schema takes as they are: what came since are tables of their own, and columns that may be
empty, and indexes."""

LOCK = 0x76697472
"""Name of our advisory lock on PostgreSQL; two integers, the second says what for."""

_VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
_one_at_a_time = Lock()  # Alembic's `op` is one for the whole process


def ensure_schema(engine: Engine) -> None:
    """Bring a database to the schema of this code: make it, migrate it, or find it as it should be.

    Raises:
        DataError: When a newer version of the code made it, or somebody else.
    """
    if _revision_quickly(engine) == HEAD:
        return
    with _one_at_a_time, engine.begin() as connection:
        if engine.name == "postgresql":
            connection.execute(text("SET LOCAL lock_timeout = 0"))  # another worker's migration takes what it takes
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock, 1)"), {"lock": LOCK})
        else:
            connection.execute(text("BEGIN IMMEDIATE"))
        found = revision_of(connection)
        if found is None and is_empty(connection):
            METADATA.create_all(connection)
            _stamp(connection, HEAD)
            return
        if found is None:
            _stamp(connection, FIRST)
        if found != HEAD:
            migrate(connection)


def is_empty(connection: Connection) -> bool:
    """Whether a database without a mark holds none of our tables; where it does, they are of the first schema.

    Raises:
        DataError: When they are somebody else's, who is left alone.
    """
    there = sorted(set(METADATA.tables) & set(inspect(connection).get_table_names()))
    if not there:
        return True
    columns = {each["name"] for each in inspect(connection).get_columns(EVENTS.name)} if EVENTS.name in there else set()
    if columns != {column.name for column in EVENTS.columns} - {"tenant"}:
        place, names = shown_url(connection.engine.url), ", ".join(there)
        raise DataError(
            f"database {place!r} holds tables that no event store made ({names}); an empty one would be valid"
        )
    return False


def migrate(connection: Connection) -> None:
    """Run the migrations that are missing, inside the transaction of `connection`.

    Raises:
        DataError: When the database is newer than the code.
    """
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    scripts = ScriptDirectory(str(MIGRATIONS))
    options = {"fn": lambda revision, _context: scripts._upgrade_revs("head", revision), "script": scripts}
    context = MigrationContext.configure(connection, opts=options)
    try:
        with Operations.context(context):
            context.run_migrations()
    except CommandError as error:
        raise DataError(
            f"event store is at schema {revision_of(connection)!r}, which this version does not know; "
            f"a Vitrine that knows it, or a backup restored into an empty store (schema {HEAD!r}), would be valid"
        ) from error


def revision_of(connection: Connection) -> str | None:
    """Return the schema's revision; None when it carries no mark."""
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.scalar(select(_VERSION.c.version_num))


def _revision_quickly(engine: Engine) -> str | None:
    """Return the revision without looking at the catalogue first; None when it is not so simple."""
    try:
        with engine.connect() as connection:
            return connection.scalar(select(_VERSION.c.version_num))
    except (OperationalError, ProgrammingError):  # no such table, as each dialect says it; what is worse comes again
        return None


def _stamp(connection: Connection, revision: str) -> None:
    _VERSION.create(connection, checkfirst=True)
    connection.execute(_VERSION.insert(), {"version_num": revision})
