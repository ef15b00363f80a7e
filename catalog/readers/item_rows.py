"""Rows of a file -> `Item`s."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl

from catalog.columns import ITEMS, Schema
from catalog.errors import MediaError
from catalog.items import items_frame
from catalog.media.refs import media_stamp
from catalog.nouns import Item
from catalog.readers.fields import Mapped, has_commas
from catalog.readers.picture_pattern import PicturePattern
from catalog.readers.rejects import Rejects, shown
from catalog.readers.values import DEAREST, BadValue, as_bool, as_number, as_several, as_text

Record = Mapping[str, Any]

LINE = "_line"
MISSING = "_missing"
NUMBERED_ITEMS: Schema = {**ITEMS, LINE: pl.Int64, MISSING: pl.Int64}
"""An item table before its ids were compared, with the line of each and how many of its media are not there."""

_MOST = 2.0**53
"""Whole numbers are exact in a float up to here."""


class MediaFiles:
    """Resolves picture and video references against the folder of the file they stand in.

    URLs stay as they are. A path becomes absolute when its file exists, or the member of a zip or tar that it
    names (`photos.zip!/1.jpg`); one that does not, or a relative one that leaves the folder, is left out and
    counted.

    Attributes:
        missing: Item id -> how many of its references were left out, as `keep` was told.
        first: The first reference that was left out; empty where none was.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self.missing: dict[str, int] = {}
        self.first = ""
        self._since = 0

    def resolve(self, references: Iterable[str]) -> tuple[str, ...]:
        """Return the usable references, in order, each once."""
        usable = []
        for reference in references:
            place = reference if reference.startswith(("http://", "https://")) else self._file(reference)
            if place is None:
                self._since += 1
                self.first = self.first or reference
            else:
                usable.append(place)
        return tuple(dict.fromkeys(usable))

    def taken(self) -> int:
        """Return how many references were left out since this was last asked: those of one row."""
        left_out, self._since = self._since, 0
        return left_out

    def keep(self, item_id: str) -> None:
        """Count what was left out since the last row for an item that is kept."""
        if left_out := self.taken():
            self.missing[item_id] = left_out

    def note(self) -> str:
        """Say which reference was left out first, and where it was looked for."""
        return f"not there, the first: {shown(self.first)}; paths start from {str(self._folder)!r}"

    def _file(self, reference: str) -> str | None:
        place = str(self._folder / reference)
        try:
            if not PurePosixPath(reference).is_absolute() and ".." in PurePosixPath(reference).parts:
                return None
            media_stamp(place, self._folder)
        except MediaError:  # missing, no member of its archive, or a name that no file can have
            return None
        return place


def item_of(
    row: Record,
    mapped: Mapped,
    media: MediaFiles,
    *,
    pattern: PicturePattern | None = None,
    ignored: frozenset[str] = frozenset(),
) -> Item:
    """Return the item of one row; columns that are no noun become attributes.

    Args:
        row: Source column -> raw value.
        mapped: What becomes of the columns.
        media: Resolves pictures and videos.
        pattern: Names a picture before those of the row.
        ignored: Source columns that say nothing about the item.

    Raises:
        BadValue: When the id is missing, or a number or truth value is none.
    """

    def raw(target: str) -> Any:
        source = mapped.source(target)
        return None if source is None else row.get(source)

    def several(target: str) -> tuple[str, ...]:
        sources = mapped.nouns.get(target, ())
        values = [value for each in sources for value in as_several(row.get(each), commas=has_commas(each))]
        return tuple(dict.fromkeys(values))

    item_id = as_text(raw("item_id"))
    if item_id is None:
        raise BadValue("missing item id", "the item has no id")
    if isinstance(raw("item_id"), (bool, list, tuple, dict)):
        raise BadValue("bad item id", f"item id {shown(raw('item_id'))}; a text or a number would be valid")
    categories = several("categories")
    if len(categories) == 1 and ">" in categories[0]:
        categories = tuple(part.strip() for part in categories[0].split(">") if part.strip())
    language = as_several(raw("language"), commas=True)
    placed = pattern.of(row) if pattern is not None else None
    attributes = attributes_of(row, mapped, ignored)
    if language:
        attributes.setdefault("language", language)
    return Item(
        item_id=item_id,
        parent_id=as_text(raw("parent_id")),
        title=_words(raw("title")),
        description=_words(raw("description")),
        price=as_number(raw("price"), "price", least=0, most=DEAREST),
        currency=as_text(raw("currency")),
        brand=_words(raw("brand")),
        categories=categories,
        attributes=attributes,
        images=media.resolve([*([placed] if placed else []), *several("images")]),
        videos=media.resolve(several("videos")),
        url=as_text(raw("url")),
        availability=as_bool(raw("availability"), "availability"),
        language=language[0] if language else None,
        rating=as_number(raw("rating"), "rating", least=0, most=DEAREST),
        rating_count=_whole(raw("rating_count")),
        sizes=several("sizes"),
    )


def read_items(
    rows: Iterable[tuple[int, Record]],
    build: Callable[[Record], Item],
    file: str,
    rejects: Rejects,
    media: MediaFiles,
) -> Iterable[tuple[Item, Record]]:
    """Yield each item with its row; a row that cannot be used, or repeats an id, is rejected.

    `media` is what `build` resolves by; it keeps the missing ones of the items yielded.
    """
    lines: dict[str, int] = {}
    for line, row in rows:
        media.taken()
        try:
            item = build(row)
        except BadValue as error:
            rejects.add(file, line, error.reason, error.detail, row)
            continue
        first = lines.setdefault(item.item_id, line)
        if first != line:
            detail = f"item id {shown(item.item_id)} stands in line {first} already"
            rejects.add(file, line, "repeated item id", detail, row)
        else:
            media.keep(item.item_id)
            yield item, row


def item_frames(
    rows: Iterable[tuple[int, Record]],
    build: Callable[[Record], Item],
    file: str,
    rejects: Rejects,
    media: MediaFiles,
    size: int,
) -> Iterator[pl.DataFrame]:
    """Yield tables (`NUMBERED_ITEMS`) of up to `size` items; a row that cannot be used is rejected.

    Ids are not compared, so that memory does not grow: who puts the pieces together does. `media` is what
    `build` resolves by.
    """
    numbered = iter(rows)
    while batch := list(islice(numbered, size)):
        lines, items, missing = [], [], []
        for line, row in batch:
            media.taken()
            try:
                items.append(build(row))
            except BadValue as error:
                rejects.add(file, line, error.reason, error.detail, row)
            else:
                lines.append(line)
                missing.append(media.taken())
        numbers = (pl.Series(LINE, lines, pl.Int64), pl.Series(MISSING, missing, pl.Int64))
        yield items_frame(items).with_columns(*numbers)


def attributes_of(row: Record, mapped: Mapped, ignored: frozenset[str] = frozenset()) -> dict[str, tuple[str, ...]]:
    """Return what the columns that are no noun say; the members of a JSON object are attributes of their own."""
    found: dict[str, tuple[str, ...]] = {}
    used = mapped.used | ignored
    for column, value in row.items():
        if not column or (column in used and column not in mapped.renamed):
            continue
        pairs = value.items() if isinstance(value, dict) else [(mapped.renamed.get(column, column), value)]
        for name, each in pairs:
            values = as_several(each, commas=has_commas(column) or has_commas(name))
            if values:
                found[name] = tuple(dict.fromkeys([*found.get(name, ()), *values]))
    return found


def _words(value: Any) -> str | None:
    """Text, or the lines of a list of texts."""
    return "\n".join(as_several(value)) or None if isinstance(value, list) else as_text(value)


def _whole(value: Any) -> int | None:
    number = as_number(value, "rating_count", least=0)
    if number is not None and not (number.is_integer() and number < _MOST):
        raise BadValue("bad rating_count", f"rating_count {shown(value)}: a whole number would be valid")
    return None if number is None else int(number)
