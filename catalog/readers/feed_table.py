"""A feed as a delimited table: header by header the same rows whatever the encoding, packing or separator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, cast

from catalog.errors import DataError
from catalog.readers.csv_rows import delimited, delimiter_of, printable
from catalog.readers.feed_bytes import open_lines
from catalog.readers.rejects import Rejects
from catalog.readers.rows import JSON_ROWS_FOR_COLUMNS, Record, json_records

MOST_COLUMNS = 2_000


@dataclass(frozen=True)
class _FeedFile:
    path: Path
    columns: tuple[str, ...]
    most: int
    encoding: str | None

    @property
    def name(self) -> str:
        """The file's name, as rejects cite it."""
        return self.path.name


@dataclass(frozen=True)
class FeedTable(_FeedFile):
    """A delimited file of a feed.

    Attributes:
        path: The file.
        columns: Its header.
        most: Bytes that are read at most.
        encoding: None: what a byte order mark says, else UTF-8.
        delimiter: Between fields.
    """

    delimiter: str

    def records(self, rejects: Rejects) -> Iterator[tuple[int, Record]]:
        """Yield line number and row; a row that cannot be read, or holds a NUL, is rejected alone.

        Raises:
            DataError: When the file breaks off.
        """
        with _rows(self.path, self.delimiter, self.most, self.encoding, rejects) as rows:
            next(rows, None)
            for line, fields in rows:
                if any("\0" in field for field in fields):
                    text = printable(self.delimiter.join(fields))
                    rejects.add(self.name, line, "malformed row", "a NUL character stands in it", text)
                else:
                    yield line, dict(zip(self.columns, fields, strict=True))


@dataclass(frozen=True)
class FeedJsonLines(_FeedFile):
    """JSON lines of a feed; the attributes are those of `FeedTable`, the columns those of its first rows."""

    def records(self, rejects: Rejects) -> Iterator[tuple[int, Record]]:
        """Yield line number and row; a line that is no JSON object is rejected alone.

        Raises:
            DataError: When the file breaks off.
        """
        with open_lines(self.path, self.most, self.encoding) as lines:
            yield from json_records(lines, self.name, rejects)


def open_feed_json(path: Path, most: int, encoding: str | None) -> FeedJsonLines:
    """Look at the first rows of JSON lines.

    Raises:
        DataError: When none of them is an object.
    """
    with open_lines(path, most, encoding) as lines:
        first = islice(json_records(lines, path.name, Rejects()), JSON_ROWS_FOR_COLUMNS)
        columns = tuple(dict.fromkeys(name for _, row in first for name in row))
    if not columns:
        raise DataError(f"file {str(path)!r} holds no row; one JSON object a line would be valid")
    return FeedJsonLines(path, columns, most, encoding)


def open_feed_table(path: Path, head: str, most: int, encoding: str | None) -> FeedTable:
    """Look at a delimited file.

    Args:
        path: The file.
        head: Its beginning.
        most: Bytes that are read at most.
        encoding: As of `FeedTable`.

    Raises:
        DataError: When it has no usable header.
    """
    delimiter = delimiter_of(head.split("\n", 1)[0].split("\r", 1)[0], tabs=False)
    with _rows(path, delimiter, most, encoding, Rejects()) as rows:
        columns = tuple(name.strip() for name in next(rows, (1, []))[1])
    if not any(columns):
        raise DataError(f"file {str(path)!r} holds no row")
    if len(columns) > MOST_COLUMNS:
        raise DataError(f"file {str(path)!r} has {len(columns):,} columns; up to {MOST_COLUMNS:,} would be valid")
    repeated = [name for name, count in Counter(columns).items() if name and count > 1]
    if repeated:
        raise DataError(f"file {str(path)!r}: column {repeated[0]!r} stands twice in the header")
    return FeedTable(path, columns, most, encoding, delimiter)


@contextmanager
def _rows(
    path: Path, delimiter: str, most: int, encoding: str | None, rejects: Rejects
) -> Iterator[Iterator[tuple[int, list[str]]]]:
    with open_lines(path, most, encoding) as lines:
        yield delimited(cast(IO[str], lines), path.name, delimiter, rejects)
