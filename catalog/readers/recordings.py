"""The recordings that events name, resolved against the folder of their table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog.readers.item_rows import MediaFiles
from catalog.readers.rejects import shown
from catalog.readers.values import as_text


class Recordings:
    """Resolves the column that names an event's recording, as pictures are; see `MediaFiles`.

    A name that leads nowhere stays as it is, since `speech.job.folder` may say later where it starts.

    Args:
        folder: Of the interaction table.
        column: The column that names recordings.
    """

    def __init__(self, folder: Path, column: str) -> None:
        self._files, self._column = MediaFiles(folder), column
        self._found = self._missing = 0
        self._first = ""

    def place(self, context: dict[str, Any]) -> None:
        """Put the place of a recording, where there is one, in place of its name."""
        name = as_text(context.get(self._column))
        if name is None:
            return
        place = self._files.resolve([name])
        if place:
            self._found += 1
            context[self._column] = place[0]
        else:
            self._missing += 1
            self._first = self._first or name

    def notes(self) -> tuple[str, ...]:
        """Return a line about what was found, or none where no event names a recording."""
        if not self._found + self._missing:
            return ()
        missing = (
            f" ({self._missing:,} more named and not there, the first: {shown(self._first)}; names start from the "
            "folder of the interaction table, or from speech.job.folder)"
            if self._missing
            else ""
        )
        return (f"recordings of calls: {self._found:,}{missing}",)
