"""A feed's bytes: gzipped or not, in the encodings feeds come in, never more of them than a cap."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from catalog.errors import DataError
from catalog.readers.rejects import shown

HEAD = 1 << 16
"""Bytes looked at to tell what a feed is."""

_LINE_CHARACTERS = 1 << 24
"""A line of more is no row; it is read no further, so that one line cannot fill the memory."""

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class _Capped(io.RawIOBase):
    """Passes bytes on up to a cap: a small gzip can unpack to more than any disk holds."""

    def __init__(self, source: BinaryIO, path: Path, most: int) -> None:
        self._source, self._path, self._most, self._read = source, path, most, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed: any writable buffer
        chunk = self._source.read(len(buffer))
        self._read += len(chunk)
        if self._read > self._most:
            raise DataError(
                f"file {str(self._path)!r} unpacks to more than {self._most:,} bytes, the most that is read"
            )
        buffer[: len(chunk)] = chunk
        return len(chunk)


class _Lines:
    """Lines of a text file, each within `_LINE_CHARACTERS`."""

    def __init__(self, file: io.TextIOWrapper, path: Path) -> None:
        self._file, self._path, self._number = file, path, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(_LINE_CHARACTERS)
        self._number += 1
        if not line:
            raise StopIteration
        if len(line) == _LINE_CHARACTERS:
            raise DataError(f"file {str(self._path)!r} line {self._number}: longer than {len(line):,} characters")
        return line


@contextmanager
def open_bytes(path: Path, most: int) -> Iterator[BinaryIO]:
    """Open a file, unpacked where its bytes say gzip, whatever its name says.

    Raises:
        DataError: When it is missing, breaks off, or holds more than `most` bytes.
    """
    if not path.is_file():
        raise DataError(f"file {str(path)!r} does not exist")
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        source = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw
        try:
            yield cast(BinaryIO, io.BufferedReader(_Capped(source, path, most), 1 << 16))
        except (EOFError, OSError, zlib.error, UnicodeError) as error:
            raise DataError(f"file {str(path)!r} cannot be read: {error}") from error


@contextmanager
def open_lines(path: Path, most: int, encoding: str | None) -> Iterator[Iterator[str]]:
    """Open a text file as lines; bytes that are not of its encoding stay to be told (`surrogateescape`).

    Args:
        path: The file, gzipped or not.
        most: Bytes that are read at most.
        encoding: None: what a byte order mark says (UTF-8, UTF-16), else UTF-8.

    Raises:
        DataError: As `open_bytes`, and on a line that never ends.
    """
    with open_bytes(path, most) as file:
        found = encoding or encoding_of(cast(io.BufferedReader, file).peek(4))
        errors = "surrogateescape" if found.startswith("utf-8") else "strict"
        yield _Lines(io.TextIOWrapper(file, found, errors=errors, newline=""), path)


def head_of(path: Path, most: int, encoding: str | None) -> str:
    """Return the first characters of a file, to tell what it is; what cannot be decoded is replaced.

    Raises:
        DataError: As `open_bytes`, and when it is neither text nor Parquet.
    """
    with open_bytes(path, most) as file:
        head = file.read(HEAD)
    text = head.decode(encoding or encoding_of(head), errors="replace").lstrip("\ufeff")
    if (other := _no_feed(head, text)) is not None:
        raise DataError(f"file {str(path)!r} is {other}; a feed (XML, TSV, CSV, JSON lines, Parquet) would be valid")
    return text


def _no_feed(head: bytes, text: str) -> str | None:
    """Return what a file is by its beginning, where that is no feed; control characters in later rows are theirs."""
    if head.startswith(b"PK\x03\x04"):
        return "a ZIP archive or a spreadsheet, and gzip alone is unpacked"
    if head.startswith(b"\x1f\x8b"):
        return "packed twice"
    header = text[:2_000].lstrip().split("\n", 1)[0]
    if (
        head.startswith(b"PAR1")
        or header.startswith("<")
        or not any(sign < " " and sign not in "\t\r\n\f\v" for sign in header + text[:8])
    ):
        return None
    return f"no text that can be read: its header is {shown(header[:40])} (sync.feed.encoding names another encoding)"


def encoding_of(head: bytes) -> str:
    """Return the encoding that a byte order mark says, UTF-8 without one."""
    return next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")
