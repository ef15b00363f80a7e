"""`Rejects`: every row an import could not use, counted by reason and kept."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import weakref
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROW_CHARACTERS = 2000
"""How much of a rejected row's text is kept."""

_IN_MEMORY = 1 << 20


@dataclass(frozen=True, slots=True)
class Reject:
    """One row that was not used.

    Attributes:
        file: Name of the file it stood in.
        line: Line of a text file (the header is line 1), row of a Parquet or `.npy` file, from 1.
        reason: A short class of fault, the same for all rows of one kind, e.g. `bad price`.
        detail: The value and what would be valid.
        row: The row as JSON, or as the raw text where it could not be read, up to `ROW_CHARACTERS`.
    """

    file: str
    line: int
    reason: str
    detail: str
    row: str


class Rejects:
    """Collects rejected rows on disk, so that memory does not grow with a bad file.

    Example:
        >>> rejects = Rejects()
        >>> rejects.add("items.csv", 7, "bad price", "price 'abc' is not a number", {"sku": "1", "price": "abc"})
        >>> rejects.summary()
        "1 row rejected: 1 bad price (first: items.csv line 7: price 'abc' is not a number)"
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._first: dict[str, Reject] = {}
        self._spool = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - lives as long as self
        weakref.finalize(self, self._spool.close)

    def __len__(self) -> int:
        return self.counts.total()

    def __iter__(self) -> Iterator[Reject]:
        """Yield the rejects in the order they came."""
        place = 0
        while True:
            self._spool.seek(place)
            line = self._spool.readline()
            place = self._spool.tell()
            self._spool.seek(0, os.SEEK_END)  # at once: an iteration may be left, and rows are added at the end
            if not line:
                return
            yield Reject(**json.loads(line))

    def add(self, file: str, line: int, reason: str, detail: str, row: object) -> None:
        """Keep one row and count it under `reason`."""
        text = row if isinstance(row, str) else json.dumps(row, ensure_ascii=False, default=str)
        reject = Reject(file, line, reason, detail, text[:ROW_CHARACTERS])
        self.counts[reason] += 1
        self._first.setdefault(reason, reject)
        self._spool.write(json.dumps(asdict(reject), ensure_ascii=False).encode() + b"\n")

    def summary(self) -> str:
        """Return one line: how many, by reason, each with its first case."""
        if not self.counts:
            return "no row rejected"
        parts = []
        for reason, count in self.counts.most_common():
            first = self._first[reason]
            parts.append(f"{count} {reason} (first: {first.file} line {first.line}: {first.detail})")
        return f"{len(self)} row{'s' if len(self) > 1 else ''} rejected: {'; '.join(parts)}"

    def save(self, path: Path) -> None:
        """Write all of them as JSON lines, one `Reject` a line."""
        self._spool.seek(0)
        with path.open("wb") as file:
            shutil.copyfileobj(self._spool, file)
        self._spool.seek(0, os.SEEK_END)


def shown(value: Any) -> str:
    """Return `value!r`, short enough for one line."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
