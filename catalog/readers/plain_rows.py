"""`PlainRows`: lines cut at a separator, without any quoting (RecBole, the older MovieLens files)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import DataError
from catalog.readers.csv_rows import printable
from catalog.readers.rejects import Rejects
from catalog.readers.rows import Record, open_text


@dataclass(frozen=True)
class PlainRows:
    """A text file whose fields stand between separators of one or several characters.

    Attributes:
        path: The file, `.gz` or not.
        separator: Between fields.
        columns: Their names.
        header: Whether line 1 names the columns and is no row.
        latin: Whether a line that is not UTF-8 is Latin-1 (MovieLens), else it is rejected.
    """

    path: Path
    separator: str
    columns: tuple[str, ...]
    header: bool = False
    latin: bool = False

    @property
    def name(self) -> str:
        """The file's name, as rejects cite it."""
        return self.path.name

    def records(self, rejects: Rejects) -> Iterator[tuple[int, Record]]:
        """Yield line number and row; one with another number of fields is rejected."""
        with open_text(self.path) as file:
            for line, raw in enumerate(file, 1):
                text = raw.rstrip("\r\n")
                if (self.header and line == 1) or not text.strip():
                    continue
                if not text.isascii() and not _is_utf8(text):
                    if not self.latin:
                        detail = "bytes that are not UTF-8; converting the file to UTF-8 would be valid"
                        rejects.add(self.name, line, "not UTF-8", detail, printable(text))
                        continue
                    text = text.encode(errors="surrogateescape").decode("latin-1")
                fields = text.split(self.separator)
                if len(fields) != len(self.columns):
                    detail = f"{len(fields)} fields where there should be {len(self.columns)}"
                    rejects.add(self.name, line, "malformed row", detail, text)
                else:
                    yield line, dict(zip(self.columns, fields, strict=True))


def first_line(path: Path) -> str:
    """Return the first line of a text file.

    Raises:
        DataError: When it is missing or empty.
    """
    if not path.is_file():
        raise DataError(f"file {str(path)!r} does not exist")
    with open_text(path) as file:
        line = file.readline().rstrip("\r\n")
    if not line:
        raise DataError(f"file {str(path)!r} is empty")
    return line


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
