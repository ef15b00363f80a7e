"""`images/{article_id}.jpg`: where an item's picture lies, from the columns of its own row."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any

from catalog.errors import DataError, did_you_mean
from catalog.readers.rows import RowSource
from catalog.readers.values import as_text


class PicturePattern:
    """A path with source columns in braces.

    Raises:
        DataError: When the pattern is malformed, names no column or one the table lacks, or there is no item table.
    """

    def __init__(self, pattern: str, source: RowSource | None) -> None:
        if source is None:
            raise DataError(f"picture pattern {pattern!r} needs an item table, whose columns it names")
        try:
            parts = [(text, name) for text, name, *_ in Formatter().parse(pattern)]
        except ValueError as error:
            raise DataError(f"picture pattern {pattern!r}: {error}") from error
        named = [name for _, name in parts if name is not None]
        if not named:
            raise DataError(f"picture pattern {pattern!r} names no column; images/{{item_id}}.jpg would be valid")
        for name in named:
            if name not in source.columns:
                hint = did_you_mean(name, [column for column in source.columns if column])
                raise DataError(f"picture pattern {pattern!r}: file {source.name!r} has no column {name!r}. {hint}")
        self._parts = parts

    def of(self, row: Mapping[str, Any]) -> str | None:
        """Return the path for one row, or None when a column it needs is empty."""
        path = ""
        for text, name in self._parts:
            value = "" if name is None else as_text(row.get(name))
            if value is None:
                return None
            path += text + value
        return path
