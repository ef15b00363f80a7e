"""What a table would become, before it is imported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from catalog.readers.column_map import map_tables, missing_ids
from catalog.readers.feeds import feed_hint
from catalog.readers.fields import ATTRIBUTES, NAMES, Mapped, TableKind, labels, map_columns
from catalog.readers.item_rows import MediaFiles, item_of, read_items
from catalog.readers.log_rows import LogRules, default_kind, read_log
from catalog.readers.rejects import Rejects, shown
from catalog.readers.rows import Record, RowSource, open_rows
from catalog.readers.table import users_of

CHECKED_ROWS = 1000
"""Rows read for faults, however few are shown."""

_OF_A_LOG = ("user_id", "item_id", "timestamp", "kind")
_TABLE_WORDS = {"interactions": "a log of what people did", "users": "a table of shoppers"}


@dataclass(frozen=True)
class ColumnPreview:
    """One source column.

    Attributes:
        source: Its name in the file.
        becomes: A noun's field (`price`), `attributes.<name>`, `context`, a `x_label*` split, or `ignored`.
        given: Whether the column map says so; else it was found by its name, or is none of the nouns.
        samples: A few of its values, as text.
    """

    source: str
    becomes: str
    given: bool
    samples: tuple[str, ...]


@dataclass(frozen=True)
class TablePreview:
    """What a table file holds and would become.

    Attributes:
        path: The file.
        table: What it is read as.
        columns: Its columns in order.
        open_targets: Fields that no column fills.
        problems: Another table that the columns look like, a missing id column, and what is wrong with the rows read.
    """

    path: Path
    table: TableKind
    columns: tuple[ColumnPreview, ...]
    open_targets: tuple[str, ...]
    problems: tuple[str, ...]

    def text(self) -> str:
        """Return an aligned table for the terminal."""
        wide = max(len(each.source) for each in self.columns)
        becomes = max(len(each.becomes) for each in self.columns)
        lines = [f"{self.path.name} as {self.table}:"]
        for each in self.columns:
            how = "given" if each.given else "     "
            lines.append(
                f"  {each.source:<{wide}}  {each.becomes:<{becomes}}  {how}  {', '.join(each.samples)}".rstrip()
            )
        lines.append(f"  not filled: {', '.join(self.open_targets) or 'nothing'}")
        return "\n".join([*lines, *(f"  {problem}" for problem in self.problems)])


def preview_table(
    path: Path, columns: Mapping[str, str] | None = None, rows: int = 5, *, table: TableKind = "items"
) -> TablePreview:
    """Return what each column of a table file would become, with samples of its first rows.

    Args:
        path: The file.
        columns: Target -> source column, as `read_table` takes it.
        rows: How many rows to show; for faults the first `CHECKED_ROWS` are read.
        table: What the file holds.

    Raises:
        DataError: When the file cannot be read, or the map names an unknown target or column.
    """
    rejects = Rejects()
    source = open_rows(path)
    read = map_tables({table: source}, columns or {})[table]
    mapped = read.mapped
    first = _First(source, list(islice(source.records(rejects), max(rows, CHECKED_ROWS))))
    looked_at = len(first.rows) + len(rejects)
    no_id = missing_ids(table, read)
    if no_id is None:
        _check(first, mapped, table, rejects)
    part = "the first" if len(first.rows) >= CHECKED_ROWS else "all"
    found = f"of {part} {looked_at:,} rows: {rejects.summary()}"
    hint = _looks_like(source.columns) or feed_hint(source.columns) if table == "items" else None
    problems = [each for each in (hint, no_id, found) if each]
    records = [record for _, record in first.rows[:rows]]
    previews = []
    for column in source.columns:
        becomes, given = _fate(column, mapped, table)
        samples = tuple(shown(record[column]) for record in records if record.get(column) not in (None, ""))
        previews.append(ColumnPreview(column, becomes, given, samples))
    filled = mapped.nouns
    open_targets = tuple(target for target in NAMES[table] if target not in filled)
    return TablePreview(path, table, tuple(previews), open_targets, tuple(problems))


@dataclass(frozen=True)
class _First:
    """The rows at the beginning of a table, read already."""

    source: RowSource
    rows: list[tuple[int, Record]]

    @property
    def path(self) -> Path:
        return self.source.path

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def columns(self) -> tuple[str, ...]:
        return self.source.columns

    def records(self, rejects: Rejects) -> Iterator[tuple[int, Record]]:
        return iter(self.rows)


def _check(first: _First, mapped: Mapped, table: TableKind, rejects: Rejects) -> None:
    """Read the rows as the import would, for its rejects."""
    if table == "items":
        media = MediaFiles(first.path.parent)
        list(read_items(first.rows, partial(item_of, mapped=mapped, media=media), first.name, rejects, media))
    elif table == "interactions":
        read_log(first, LogRules(mapped, None, default_kind(mapped)), rejects)
    else:
        list(users_of(first, mapped, rejects))


def _looks_like(columns: Sequence[str]) -> str | None:
    """Return a hint where a table read as items has the columns of a log or of users."""
    log = map_columns("interactions", columns, {}, "").nouns
    if "user_id" not in log:
        return None
    kind, named = "users", log["user_id"]
    if "item_id" in log:
        kind = "interactions"
        named = tuple(name for target in _OF_A_LOG if target in log for name in log[target])
    return f"columns {', '.join(named)} look like {_TABLE_WORDS[kind]}: try --kind {kind}"


def _fate(column: str, mapped: Mapped, table: TableKind) -> tuple[str, bool]:
    """Return what the column becomes, and whether the map says so."""
    targets = [target for target, sources in mapped.nouns.items() if column in sources]
    if column in mapped.renamed:
        targets.append(f"{ATTRIBUTES}{mapped.renamed[column]}")
    if targets:
        return ", ".join(targets), column in mapped.renamed or any(target in mapped.given for target in targets)
    if not column:
        return "ignored", False
    if table == "interactions":
        return ("split" if labels([column]) else "context"), False
    return f"{ATTRIBUTES}{column}", False
