"""Backup and restore of an event store, beside running writers, from either database into either.

What a backup looks like, and how it is read: `catalog.backup_files`.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import StatementError

from catalog.backup_files import FORMAT, ORIGIN, SUM, batches, packed, rows_of, sum_of
from catalog.backup_origin import Origin
from catalog.errors import DataError, ServiceError
from catalog.event_schema import HEAD
from catalog.event_store import SqlEventStore
from catalog.event_tables import METADATA, TOLD
from catalog.told_rows import hold_to_most

FORMS = (".jsonl.gz", ".jsonl", ".sqlite")


@dataclass(frozen=True, slots=True)
class Restored:
    """Rows of a backup by table, and how many of them the store had not known and keeps."""

    read: Mapping[str, int]
    new: Mapping[str, int]


def backup(store: SqlEventStore, target: Path, origin: Origin | None = None) -> dict[str, int]:
    """Write a backup; the file appears when it is whole and on the disk.

    Args:
        store: Open; others may write to it meanwhile.
        target: A file yet to be made; its name says the form.
        origin: Whose events these are, as of now.

    Returns:
        Rows by table.

    Raises:
        DataError: When the file is there already, or its name says no form that this store can give.
        ServiceError: When the database does not answer.
    """
    if not target.name.endswith(FORMS):
        raise DataError(f"backup {str(target)!r}: a name that ends in {', '.join(FORMS)} would be valid")
    if target.exists():
        raise DataError(f"backup {str(target)!r} is there already; a name that is not taken would be valid")
    copies = target.name.endswith(".sqlite")
    if copies and store.engine.name != "sqlite":
        raise DataError(f"backup {str(target)!r}: this store is PostgreSQL; '.jsonl.gz' would be valid")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as folder:
        made = Path(folder) / target.name
        try:
            origin = origin or Origin(made_at=datetime.now(UTC))
            counts = _copy(store, made, origin) if copies else _write(store, made, origin)
        except sqlite3.DatabaseError as error:
            raise ServiceError(f"event store cannot be copied: {error}") from error
        with made.open("rb") as file:
            os.fsync(file.fileno())
        made.replace(target)
    return counts


def restore(store: SqlEventStore, source: Path, tenant: str | None = None) -> Restored:
    """Read a backup into a store, all or nothing; what the store knows stands, so that it may be done again.

    Args:
        store: Open, empty or not.
        source: What `backup` wrote, in any of its forms.
        tenant: Whose the rows become; as they were otherwise.

    Raises:
        DataError: When it is no backup, a newer version's, or cut short; nothing is restored.
        ServiceError: When the database does not answer.
    """

    def work(connection: Connection) -> Restored:
        read: Counter[str] = Counter()
        new: Counter[str] = Counter()
        for name, rows in batches(source):
            if tenant is not None:
                rows = [{**row, "tenant": tenant} for row in rows]
            read[name] += len(rows)
            new[name] += store.adopt(connection, name, rows)
        if read[TOLD.name]:
            new[TOLD.name] = max(new[TOLD.name] - hold_to_most(connection), 0)
        return Restored(dict(read), dict(new))

    try:
        return store.transaction(work)
    except StatementError as error:
        raise DataError(f"backup {str(source)!r} holds a row that no store can keep: {error.orig or error}") from error


def _copy(store: SqlEventStore, target: Path, origin: Origin) -> dict[str, int]:
    store.settled()
    with closing(sqlite3.connect(target)) as copy:
        connection = store.engine.raw_connection()
        try:
            source: Any = connection.driver_connection
            source.backup(copy, pages=1000)
        finally:
            connection.close()
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, that needs no other beside it
        copy.execute(f"CREATE TABLE {ORIGIN} AS SELECT ? AS origin", (json.dumps(origin.to_json()),))
        copy.execute(f"CREATE TABLE {SUM} AS SELECT ? AS sha256", (sum_of(copy),))
        copy.commit()
        tables = [table.name for table in METADATA.sorted_tables]
        return {name: copy.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}


def _write(store: SqlEventStore, target: Path, origin: Origin) -> dict[str, int]:
    counts: dict[str, int] = {}
    digest = hashlib.sha256()

    def say(value: Mapping[str, Any]) -> None:
        line = json.dumps(value) + "\n"
        digest.update(line.encode())
        file.write(line)

    with packed(target, "w") as file:
        say({"format": FORMAT, "schema": HEAD, **origin.to_json()})
        for name, row in rows_of(store):
            counts[name] = counts.get(name, 0) + 1
            say({"table": name, "row": row})
        say({"end": counts, "sha256": digest.hexdigest()})
    return counts
