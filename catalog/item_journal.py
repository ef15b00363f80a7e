"""Items that were written or deleted while the shop is open: one row an item, on the disk before it is acknowledged.

The `catalog` artifact is a shop as a feed or a reader made it, replaced as a whole; the journal holds what came since,
one write at a time. Whoever opens the shop lays it over the artifact; `catalog.sync_journal` works it in.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalog.errors import DataError, ServiceError
from catalog.items import check_fits
from catalog.nouns import Item
from catalog.write_ahead import write_ahead

log = logging.getLogger("vitrine.catalog")

JOURNAL = "items.sqlite"
"""Its file in the workspace."""

_TABLE = """CREATE TABLE IF NOT EXISTS writes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    shop TEXT NOT NULL,
    item_id TEXT NOT NULL,
    record TEXT,
    tenant TEXT NOT NULL,
    written_at TEXT NOT NULL,
    UNIQUE (shop, item_id)
)"""
_COLUMNS = "seq, item_id, record, tenant, written_at"


@dataclass(frozen=True, slots=True)
class ItemWrite:
    """The last word on an item.

    Attributes:
        seq: Grows with every write, also across restarts.
        item_id: Which item.
        item: Its record; None: it was deleted.
        tenant: Whose key wrote it.
        written_at: Aware UTC.
    """

    seq: int
    item_id: str
    item: Item | None
    tenant: str
    written_at: datetime


class ItemJournal:
    """Writes of one shop, the latest of each item; threads and processes may share the file.

    Args:
        path: Of the SQLite file; made when it is missing.
        shop: Name of the data set: a journal of another shop's items is left alone.
    """

    def __init__(self, path: Path, shop: str) -> None:
        self.path, self._shop = path, shop
        self._lock = threading.Lock()
        self._version: int | None = None
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        try:
            write_ahead(self._connection)
            self._connection.execute("PRAGMA synchronous=FULL")  # acknowledged means on the disk
            self._connection.execute(_TABLE)
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise DataError(f"{str(path)!r} is no journal of items ({error}); move it away to begin anew") from error

    def put(self, item: Item, tenant: str) -> ItemWrite:
        """Keep a record; on return it is on the disk.

        Raises:
            DataError: When the table of items cannot hold it, which would keep the shop from opening again.
            ServiceError: When the disk is full, say; nothing was kept.
        """
        check_fits(item)
        return self._write(item.item_id, item, tenant)

    def delete(self, item_id: str, tenant: str) -> ItemWrite:
        """Keep that an item is gone; on return that is on the disk.

        Raises:
            ServiceError: As for `put`.
        """
        return self._write(item_id, None, tenant)

    def since(self, seq: int = 0) -> list[ItemWrite]:
        """Return the writes after `seq`, oldest first; of an item written twice the last alone.

        Raises:
            DataError: When the file or a record in it is damaged.
        """
        asked = f"SELECT {_COLUMNS} FROM writes WHERE shop = ? AND seq > ? ORDER BY seq"
        try:
            with self._lock:
                rows = self._connection.execute(asked, (self._shop, seq)).fetchall()
        except sqlite3.DatabaseError as error:
            raise DataError(f"{str(self.path)!r} is damaged ({error}); move it away to begin anew") from error
        return [_read(row, self.path) for row in rows]

    def moved(self) -> bool:
        """Whether another process has written since this was asked last; True the first time. Costs microseconds."""
        with self._lock:
            before, (self._version,) = self._version, self._connection.execute("PRAGMA data_version").fetchone()
        return before != self._version

    def last(self) -> int:
        """Return the number of the latest write there ever was, also when the journal has forgotten it; 0: none."""
        with self._lock:
            asked = "SELECT seq FROM sqlite_sequence WHERE name = 'writes'"
            row = self._connection.execute(asked).fetchone()
        return int(row[0]) if row else 0

    def forget(self, until: int) -> int:
        """Drop the writes up to and with `until`, which the artifact holds by now; return how many."""
        with self._lock:
            asked = "DELETE FROM writes WHERE shop = ? AND seq <= ?"
            return self._connection.execute(asked, (self._shop, until)).rowcount

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def _write(self, item_id: str, item: Item | None, tenant: str) -> ItemWrite:
        record = None if item is None else json.dumps(asdict(item), ensure_ascii=False)
        now = datetime.now(UTC)
        try:
            with self._lock:
                # Replacing gives the row a new number, greater than any before it.
                seq = self._connection.execute(
                    "INSERT OR REPLACE INTO writes (shop, item_id, record, tenant, written_at) VALUES (?, ?, ?, ?, ?)",
                    (self._shop, item_id, record, tenant, now.isoformat()),
                ).lastrowid
        except sqlite3.DatabaseError as error:  # full, away, damaged
            log.error("journal of items cannot be written path=%s error=%s", self.path, error)
            raise ServiceError(f"the journal of items cannot be written now: {error}", retryable=True) from error
        assert seq is not None
        return ItemWrite(seq, item_id, item, tenant, now)


def open_journal(root: Path, shop: str) -> ItemJournal | None:
    """Return the journal of a workspace, or None where nothing was ever written to one."""
    path = root / JOURNAL
    return ItemJournal(path, shop) if path.is_file() else None


def item_of(record: Mapping[str, Any]) -> Item:
    """Return the item of a record in JSON's types (lists for tuples)."""
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in record.items()}
    values["attributes"] = {name: tuple(each) for name, each in record["attributes"].items()}
    return Item(**values)


def _read(row: Sequence[Any], path: Path) -> ItemWrite:
    seq, item_id, record, tenant, written_at = row
    try:
        item = None if record is None else item_of(json.loads(record))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"{str(path)!r}, write {seq} of item {item_id!r}: {record!r} is no record") from error
    return ItemWrite(seq, item_id, item, tenant, datetime.fromisoformat(written_at))
