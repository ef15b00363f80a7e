"""Rows of delimited text, each with its line number; a malformed row is rejected alone."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import IO, Self

from catalog.readers.rejects import Rejects


class Lines:
    """Lines of a text file that can be given back, and how many were taken."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._returned: deque[str] = deque()
        self.number = 0
        self.taken: list[str] = []

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else next(self._file)
        self.number += 1
        self.taken.append(line)
        return line

    def give_back_all_but_first(self) -> None:
        """Return what one malformed row swallowed beyond its first line."""
        self._returned.extendleft(reversed(self.taken[1:]))
        self.number -= len(self.taken) - 1


def delimiter_of(header: str, *, tabs: bool) -> str:
    """Return the delimiter: a tab where the file's name says so, else the most frequent of `,`, `;` and tab."""
    return "\t" if tabs else max(",;\t", key=header.count)


def delimited(
    file: IO[str], name: str, delimiter: str, rejects: Rejects, *, quotes: bool = True, width: int | None = None
) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the fields of each row, the header (line 1) first; blank lines are skipped.

    Args:
        file: Decoded with `surrogateescape`, so that bytes that are not UTF-8 can be told.
        name: Name of the file, for the rejects.
        delimiter: One character.
        rejects: Gets malformed rows: a quote never closed, bytes that are not UTF-8, too many or few fields.
        quotes: Whether `"` quotes a field; MMRec's files use none.
        width: Number of fields; None takes the header's.
    """
    lines = Lines(file)
    rows = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE, strict=True)
    while True:
        lines.taken.clear()
        first = lines.number + 1
        try:
            fields = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            rejects.add(name, first, "malformed row", f"not readable: {error}", printable(lines.taken[0]))
            lines.give_back_all_but_first()
            continue
        if not fields:
            continue
        if not _is_utf8(fields):
            detail = "bytes that are not UTF-8; converting the file to UTF-8 would be valid"
            rejects.add(name, first, "not UTF-8", detail, printable("".join(lines.taken)))
        elif width is not None and len(fields) != width:
            detail = f"{len(fields)} fields where the header has {width}"
            rejects.add(name, first, "malformed row", detail, "".join(lines.taken))
        else:
            width = len(fields) if width is None else width
            yield first, fields


def _is_utf8(fields: list[str]) -> bool:
    text = "".join(fields)
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable(text: str) -> str:
    """Return text read with `surrogateescape` as text that can be written, what is not UTF-8 replaced."""
    return text.encode(errors="surrogateescape").decode(errors="replace")
