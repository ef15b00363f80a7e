"""What a backup of an event store looks like, and how it is read.

A backup is JSON lines, one row a line, as the store stood at one moment: a first line that says what it is, the rows,
a last line that counts them and has the sum of all before. From SQLite it may also be a copy of the database,
`.sqlite`, with the sum of its rows in a table of its own.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import sqlite3
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from sqlalchemy import select, text

from catalog.backup_origin import Origin
from catalog.errors import DataError, ServiceError
from catalog.event_faults import answering
from catalog.event_rows import row_fault
from catalog.event_schema import HEAD, RESTORABLE
from catalog.event_store import SqlEventStore
from catalog.event_tables import METADATA
from catalog.events import SqliteEventStore
from catalog.readers.rejects import shown

FORMAT = "vitrine events"
_STEP = 1000
_LONGEST_LINE = 1 << 26
"""Characters; a row holds some kilobytes, and a packed file of nothing would fill the memory."""
_UNREADABLE = (ValueError, TypeError, AttributeError, OverflowError, RecursionError)
"""What a text that is no backup's ends in: no JSON, of other types, a moment of no calendar, nested without end."""
SUM = "backup_sum"
"""Table of a copy, for the sum of its other tables' rows."""
ORIGIN = "backup_origin"
"""Table of a copy, for what it says of itself; its row counts in the sum. Older ones say it beside the sum."""
_SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a whole backup holds.

    Attributes:
        origin: Whose it is.
        rows: By table.
        tenants: Rows by tenant.
    """

    origin: Origin
    rows: Mapping[str, int]
    tenants: Mapping[str, int]


def contents(source: Path) -> Contents:
    """Read a backup from end to end, restoring nothing.

    Raises:
        DataError: As `restore`.
    """
    rows: Counter[str] = Counter()
    tenants: Counter[str] = Counter()
    for name, some in batches(source):
        rows[name] += len(some)
        tenants.update(str(row["tenant"]) for row in some)
    return Contents(said_origin(source), dict(rows), dict(tenants))


def said_origin(source: Path) -> Origin:
    """Return whose events a backup says it holds; reads nothing else of it.

    Raises:
        DataError: When it is no backup.
    """
    with _reading(source):
        if not _starts_with(source, _SQLITE):
            with packed(source, "r") as file:
                head = json.loads(file.readline(_LONGEST_LINE))
            _check_head(source, head)
            return Origin.of(head)
        with closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as copy:
            places = [table for table in (ORIGIN, SUM) if "origin" in _columns(copy, table)]
            said = copy.execute(f"SELECT origin FROM {places[0]}").fetchone()[0] if places else "{}"
        return Origin.of(json.loads(said))


def _columns(copy: sqlite3.Connection, table: str) -> list[str]:
    return [name for _, name, *_ in copy.execute(f"PRAGMA table_info({table})")]


def sum_of(copy: sqlite3.Connection) -> str:
    """Return the sha256 of all rows of a copy, whatever its schema."""
    digest = hashlib.sha256()
    names = copy.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> ? ORDER BY name", (SUM,))
    for (name,) in names.fetchall():
        digest.update(f"{name}\n".encode())
        for row in copy.execute(f'SELECT * FROM "{name}" ORDER BY rowid'):
            digest.update(f"{row!r}\n".encode())
    return digest.hexdigest()


def rows_of(store: SqlEventStore) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every row with its table's name, as of one moment, in the order they came; row ids stay behind."""
    store.settled()
    options: dict[str, Any] = {"stream_results": True, "yield_per": _STEP}
    if store.engine.name == "postgresql":
        options["isolation_level"] = "REPEATABLE READ"
    with answering(store.engine), store.engine.connect().execution_options(**options) as connection:
        if store.engine.name == "sqlite":
            connection.execute(text("BEGIN"))  # one snapshot for all tables
        for table in METADATA.sorted_tables:
            for row in connection.execute(select(table).order_by(*table.primary_key)).mappings():
                yield table.name, {name: value for name, value in row.items() if name != "row_id"}


def batches(source: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the rows of a backup, some of one table at a time."""
    name, rows = "", list[dict[str, Any]]()
    for table, row in _rows(source):
        if rows and (table != name or len(rows) == _STEP):
            yield name, rows
            rows = []
        name = table
        rows.append(row)
    if rows:
        yield name, rows


def _rows(source: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with _reading(source):
        yield from _copied(source) if _starts_with(source, _SQLITE) else _lines(source)


@contextmanager
def _reading(source: Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise DataError(
            f"backup {str(source)!r}: {error.strerror}; what 'vitrine events backup' wrote is valid"
        ) from error
    except (*_UNREADABLE, EOFError, OSError, zlib.error, sqlite3.DatabaseError, ServiceError) as error:
        raise DataError(f"backup {str(source)!r} cannot be read ({error})") from error


def _copied(source: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    # Opened as a copy: opening migrates an old one, and writes beside it.
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copy(source, folder))
        with closing(sqlite3.connect(copy)) as raw:
            summed = raw.execute("SELECT count(*) FROM sqlite_master WHERE name = ?", (SUM,)).fetchone()[0]
            if summed and raw.execute(f"SELECT sha256 FROM {SUM}").fetchone() != (sum_of(raw),):
                raise DataError(f"backup {str(source)!r} was changed: its rows are not those that it was made of")
        store = SqliteEventStore(copy)
        try:
            for name, row in rows_of(store):
                if (fault := row_fault(METADATA.tables[name], row)) is not None:
                    raise DataError(f"backup {str(source)!r}: {fault}")
                yield name, row
        finally:
            store.close()


def _lines(source: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    counts: dict[str, int] = {}
    digest, so_far = hashlib.sha256(), ""
    said: Any = None
    with packed(source, "r") as file:
        for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), ""), start=1):
            place = f"backup {str(source)!r}, line {number}"
            if isinstance(said, dict) and "end" in said:
                raise DataError(f"{place}: follows the end; one backup would be valid")
            if len(line) == _LONGEST_LINE:
                raise DataError(f"{place}: longer than {_LONGEST_LINE:,} characters, so no row of an event store")
            try:
                said = json.loads(line)
            except ValueError as error:
                raise DataError(f"{place}: cannot be read ({error})") from error
            so_far = digest.hexdigest()
            digest.update(line.encode("utf-8", "surrogatepass"))
            if number == 1:
                _check_head(source, said)
            elif not isinstance(said, dict) or "end" not in said:
                table, row = _row_in(said, place)
                counts[table] = counts.get(table, 0) + 1
                yield table, row
    if not isinstance(said, dict) or said.get("end") != counts:
        rows = sum(counts.values())
        raise DataError(f"backup {str(source)!r} is cut short: its last line does not count its {rows} rows")
    if said.get("sha256", so_far) != so_far:  # older ones have none
        raise DataError(f"backup {str(source)!r} was changed: its lines are not those that it was made of")


def _row_in(said: Any, place: str) -> tuple[str, dict[str, Any]]:
    """Return table and row of a line.

    Raises:
        DataError: When it holds none that a store can keep.
    """
    table = METADATA.tables.get(str(said.get("table"))) if isinstance(said, dict) else None
    if table is None or said.keys() != {"table", "row"} or not isinstance(said["row"], dict):
        raise DataError(f"{place}: is no row of an event store")
    unknown = sorted(said["row"].keys() - set(table.columns.keys()) | said["row"].keys() & {"row_id"})
    if unknown:
        raise DataError(f"{place}: unknown column {shown(unknown[0])}")
    if (fault := row_fault(table, said["row"])) is not None:
        raise DataError(f"{place}: {fault}")
    return table.name, said["row"]


def _check_head(source: Path, said: Any) -> None:
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise DataError(f"{str(source)!r} is no backup of events; what vitrine events backup wrote would be valid")
    if said.get("schema") not in sorted(RESTORABLE):  # whatever stands there, be it a list
        raise DataError(f"backup {str(source)!r} has schema {shown(said.get('schema'))}; {HEAD!r} would be valid here")


@contextmanager
def packed(path: Path, mode: str) -> Iterator[IO[str]]:
    """Open JSON lines, packed or not: by the name when writing, by the content when reading."""
    if path.name.endswith(".gz") if mode == "w" else _starts_with(path, b"\x1f\x8b"):
        with gzip.open(path, f"{mode}t", encoding="utf-8", compresslevel=5) as packed:
            yield cast(IO[str], packed)
    else:
        with path.open(mode, encoding="utf-8") as plain:
            yield plain


def _starts_with(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(mark)) == mark
