"""Plain tables (CSV, TSV, JSON lines, Parquet) with a column map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from catalog.columns import INTERACTIONS
from catalog.errors import DataError, did_you_mean
from catalog.nouns import KINDS, Item, Kind, User
from catalog.readers.column_map import Table, map_tables, missing_ids
from catalog.readers.feeds import feed_hint
from catalog.readers.fields import Mapped
from catalog.readers.importing import Import, assemble
from catalog.readers.item_rows import MediaFiles, attributes_of, item_of, read_items
from catalog.readers.log_rows import LogRules, default_kind, read_log
from catalog.readers.picture_pattern import PicturePattern
from catalog.readers.recordings import Recordings
from catalog.readers.rejects import Rejects, shown
from catalog.readers.rows import Rows, open_rows
from catalog.readers.values import BadValue, as_text


def read_table(
    items: Path | None = None,
    interactions: Path | None = None,
    users: Path | None = None,
    columns: Mapping[str, str] | None = None,
    name: str | None = None,
    rejects: Rejects | None = None,
    *,
    images: str | None = None,
    kind: Kind | None = None,
    recording: str = "recording",
) -> Import:
    """Read plain tables as a shop. Columns are understood by name; the map says where that is wrong.

    Args:
        items: Item table. None: the items are those the interactions name, known by id alone.
        interactions: Interaction table; a row of an item that is not in `items` is rejected.
        users: User table; users met only in the interactions are added.
        columns: Target -> source column, e.g. `{"title": "prod_name", "attributes.colour": "colour_group_name"}`.
            A target holds for each table that knows it and has the column; `items.item_id` names one
            table. List targets may join columns (`"categories": "section + group"`); an empty source
            keeps a column from being claimed by its name.
        name: Name of the data set; None takes the item file's, else the interaction file's.
        rejects: Gets every row that cannot be used; None makes one, found in the result.
        images: Where each item's picture lies, from the item file's folder: `images/{article_id}.jpg`,
            the braces naming a source column. It comes before pictures the table itself names.
        recording: Column of the interactions that names a recording, from that table's folder; one that is not
            there keeps its name and is counted in the notes.
        kind: Kind of interactions that name none; None: `rating` where there is a value, else `click`.

    Raises:
        DataError: When no table is given, a file is missing, empty, unreadable or of an unknown form, the
            map or the pattern names an unknown target or column, an id column is missing, or nothing is left.
    """
    rejects = Rejects() if rejects is None else rejects
    if items is None and interactions is None:
        raise DataError("no table to read: an item table or an interaction table would be valid")
    if kind is not None and kind not in KINDS:
        raise DataError(f"unknown kind {kind!r}. {did_you_mean(kind, list(KINDS))}")
    given = {"items": items, "interactions": interactions, "users": users}
    tables = map_tables({table: open_rows(path) for table, path in given.items() if path is not None}, columns or {})
    for table, each in tables.items():
        if (problem := missing_ids(table, each)) is not None:
            raise DataError(problem)
    media = MediaFiles(items.parent if items is not None else Path())
    pattern = None if images is None else PicturePattern(images, tables["items"].source if items is not None else None)
    refused: set[str] = set()
    found = list(_items(tables["items"], media, pattern, rejects, refused)) if items is not None else []
    if items is not None and not found:
        hint = feed_hint(tables["items"].source.columns)
        raise DataError(f"file {str(items)!r}: no item was read; {rejects.summary()}{f'; {hint}' if hint else ''}")
    log, timed = pl.DataFrame(schema=INTERACTIONS), False
    notes: tuple[str, ...] = ()
    if interactions is not None:
        known = None if items is None else {item.item_id: item.item_id for item in found}
        calls = Recordings(interactions.parent, recording)
        mapped = tables["interactions"].mapped
        rules = LogRules(mapped, known, kind or default_kind(mapped), refused, calls)
        log, timed = _log(tables["interactions"], rules, rejects)
        notes = calls.notes()
    if items is None:
        found = [Item(item_id) for item_id in log["item_id"].unique(maintain_order=True)]
    people = list(users_of(tables["users"].source, tables["users"].mapped, rejects)) if users is not None else []
    title = name or _stem(items or interactions or Path())
    imported = assemble(title, found, log, people, media, rejects, timed=timed)
    return replace(imported, notes=(*imported.notes, *notes))


def _items(
    table: Table, media: MediaFiles, pattern: PicturePattern | None, rejects: Rejects, refused: set[str]
) -> Iterator[Item]:
    """Yield the items; the ids of rows that are none go into `refused`."""

    def build(row: Mapping[str, Any]) -> Item:
        try:
            return item_of(row, table.mapped, media, pattern=pattern)
        except BadValue:
            if (item_id := as_text(row.get(table.mapped.source("item_id") or ""))) is not None:
                refused.add(item_id)
            raise

    rows = table.source.records(rejects)
    return (item for item, _ in read_items(rows, build, table.source.name, rejects, media))


def _log(table: Table, rules: LogRules, rejects: Rejects) -> tuple[pl.DataFrame, bool]:
    """Return the log and whether it had timestamps."""
    log = read_log(table.source, rules, rejects)
    if not log.height:
        raise DataError(f"file {str(table.source.path)!r}: no interaction was read; {rejects.summary()}")
    return log, table.mapped.source("timestamp") is not None


def users_of(source: Rows, mapped: Mapped, rejects: Rejects) -> Iterator[User]:
    """Yield the users of a table; a row without an id, or with one that stood before, is rejected."""
    lines: dict[str, int] = {}
    for line, row in source.records(rejects):
        user_id = as_text(row.get(mapped.source("user_id") or ""))
        if user_id is None:
            rejects.add(source.name, line, "missing user id", "the user has no id", row)
        elif lines.setdefault(user_id, line) != line:
            detail = f"user id {shown(user_id)} stands in line {lines[user_id]} already"
            rejects.add(source.name, line, "repeated user id", detail, row)
        else:
            membership = as_text(row.get(mapped.source("membership") or ""))
            yield User(user_id, membership, attributes_of(row, mapped))


def _stem(path: Path) -> str:
    return path.name.split(".", 1)[0]
