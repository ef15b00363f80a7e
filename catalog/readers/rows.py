"""`Rows`: a table as a stream of records with their line numbers; `RowSource` reads one from a file."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal, Protocol

from catalog.errors import DataError
from catalog.readers.csv_rows import delimited, delimiter_of, printable
from catalog.readers.rejects import Rejects

Form = Literal["csv", "tsv", "inter", "jsonl", "parquet"]

FORMS: Mapping[str, Form] = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".inter": "inter",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
"""Form by file ending; each text form may be gzipped (`.csv.gz`)."""

_FEEDS = frozenset({".xml", ".rss", ".atom"})

JSON_ROWS_FOR_COLUMNS = 1000
"""Of JSON lines, how many are looked at for the names of columns."""

Record = dict[str, Any]

BATCH_ROWS = 50_000
"""How many records are in memory at once."""


class Rows(Protocol):
    """A table as records: of a file (`RowSource`), of another's records put differently (`Recast`)."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def name(self) -> str:
        """The file's name, as rejects cite it."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names in order."""

    def records(self, rejects: Rejects) -> Iterator[tuple[int, Record]]:
        """Yield line number and row of each readable row; unreadable ones are rejected."""


def batches(rows: Rows, rejects: Rejects, size: int = BATCH_ROWS) -> Iterator[list[tuple[int, Record]]]:
    """Yield the records in lists of up to `size`, so that a caller can work by column."""
    records = rows.records(rejects)
    while batch := list(islice(records, size)):
        yield batch


@dataclass(frozen=True)
class Recast:
    """Another table's records under other names and forms, each still with its line.

    Attributes:
        source: Where the records come from.
        columns: The names `change` gives.
        change: Old record -> new record; it refuses nothing, since a row is refused where it is read.
    """

    source: Rows
    columns: tuple[str, ...]
    change: Callable[[Record], Record]

    @property
    def path(self) -> Path:
        """The file."""
        return self.source.path

    @property
    def name(self) -> str:
        """The file's name, as rejects cite it."""
        return self.source.name

    def records(self, rejects: Rejects) -> Iterator[tuple[int, Record]]:
        """Yield line number and changed row."""
        return ((line, self.change(row)) for line, row in self.source.records(rejects))


@dataclass(frozen=True)
class RowSource:
    """A table on disk.

    Attributes:
        path: The file.
        form: What it is.
        columns: Its column names in order. Of JSON lines, the names met in the first thousand rows;
            later rows may bring more.
    """

    path: Path
    form: Form
    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        """The file's name, as rejects cite it."""
        return self.path.name

    def records(self, rejects: Rejects) -> Iterator[tuple[int, Record]]:
        """Yield line number and row of each readable row; unreadable ones are rejected.

        Raises:
            DataError: When the file itself breaks off (a cut gzip, a damaged Parquet file).
        """
        if self.form == "parquet":
            yield from _parquet_records(self.path)
        elif self.form == "jsonl":
            with open_text(self.path) as file:
                yield from json_records(file, self.name, rejects)
        else:
            with open_text(self.path) as file:
                for line, fields in islice(_fields(file, self.path, self.form, rejects), 1, None):
                    yield line, dict(zip(self.columns, fields, strict=True))


def open_rows(path: Path) -> RowSource:
    """Look at a table file and say what it holds.

    Raises:
        DataError: When it is missing, of an unknown form, empty, or has no usable header.
    """
    if path.is_dir():
        raise DataError(f"file {str(path)!r} is a folder; a file ending in one of {', '.join(FORMS)} would be valid")
    form = _form(path)
    if not path.is_file():
        raise DataError(f"file {str(path)!r} does not exist")
    if not path.stat().st_size:
        raise DataError(f"file {str(path)!r} is empty")
    columns = _columns(path, form)
    if not any(columns):
        raise DataError(f"file {str(path)!r} holds no row")
    repeated = [name for name, count in Counter(columns).items() if name and count > 1]
    if repeated:
        raise DataError(f"file {str(path)!r}: column {repeated[0]!r} stands twice in the header")
    return RowSource(path, form, columns)


def _form(path: Path) -> Form:
    ending = path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:]
    form = FORMS.get(ending[0].lower()) if ending else None
    if form is None or (form == "parquet" and path.suffix == ".gz"):
        feed = "; vitrine import feed and vitrine sync read product feeds" if ending and ending[0] in _FEEDS else ""
        raise DataError(
            f"file {str(path)!r}: unknown form; one of {', '.join(FORMS)} (text also .gz) would be valid{feed}"
        )
    return form


def _columns(path: Path, form: Form) -> tuple[str, ...]:
    ignored = Rejects()
    if form == "parquet":
        return tuple(_parquet_file(path).schema_arrow.names)
    with open_text(path) as file:
        if form == "jsonl":
            rows = islice(json_records(file, path.name, ignored), JSON_ROWS_FOR_COLUMNS)
            return tuple(dict.fromkeys(name for _, row in rows for name in row))
        header = next(_fields(file, path, form, ignored), (1, []))[1]
    return tuple(name.strip() for name in header)


@contextmanager
def open_text(path: Path) -> Iterator[IO[str]]:
    """Open a text file, gzipped or not; what breaks while it is read becomes a DataError."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            yield file
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"file {str(path)!r} cannot be read: {error}") from error


def _fields(file: IO[str], path: Path, form: Form, rejects: Rejects) -> Iterator[tuple[int, list[str]]]:
    start = file.readline()
    file.seek(0)
    delimiter = delimiter_of(start, tabs=form in ("tsv", "inter"))
    return delimited(file, path.name, delimiter, rejects, quotes=form != "inter")


def json_records(file: Iterable[str], name: str, rejects: Rejects) -> Iterator[tuple[int, Record]]:
    """Yield line number and object of each line; a line that is none is rejected.

    Args:
        file: Lines, decoded with `surrogateescape`.
        name: Of the file, for the rejects.
        rejects: Gets the lines that are no object.
    """
    for number, line in enumerate(file, 1):
        if line.isspace():
            continue
        try:
            line.encode()
            row = json.loads(line)
            if "\\ud" in line:  # an escape may stand for half a character
                json.dumps(row, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            rejects.add(name, number, "not UTF-8", "bytes or escapes that are not UTF-8", printable(line))
            continue
        except (ValueError, RecursionError) as error:
            rejects.add(name, number, "malformed row", f"not JSON: {error}", line)
            continue
        if isinstance(row, dict):
            yield number, row
        else:
            detail = f"a JSON {type(row).__name__}; one object a line would be valid"
            rejects.add(name, number, "malformed row", detail, line)


def _parquet_file(path: Path) -> Any:
    import pyarrow
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"file {str(path)!r} is not a readable Parquet file: {error}") from error


def _parquet_records(path: Path) -> Iterator[tuple[int, Record]]:
    import pyarrow

    number = 0
    try:
        for batch in _parquet_file(path).iter_batches(batch_size=10_000):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"file {str(path)!r} breaks off after row {number}: {error}") from error
