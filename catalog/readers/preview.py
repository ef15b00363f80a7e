"""What a table would become, before it is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from catalog.readers.column_map import map_tables, missing_ids
from catalog.readers.fields import ATTRIBUTES, NAMES, Mapped, TableKind, labels
from catalog.readers.item_rows import MediaFiles, item_of, read_items
from catalog.readers.rejects import Rejects, shown
from catalog.readers.rows import open_rows


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
        problems: A missing id column, and what is wrong with the rows looked at.
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
        rows: How many rows to look at, at least 1.
        table: What the file holds.

    Raises:
        DataError: When the file cannot be read, or the map names an unknown target or column.
    """
    rejects = Rejects()
    source = open_rows(path)
    read = map_tables({table: source}, columns or {})[table]
    mapped = read.mapped
    numbered = list(islice(source.records(rejects), max(rows, 1)))
    if table == "items" and "item_id" in mapped.nouns:
        build = partial(item_of, mapped=mapped, media=MediaFiles(path.parent))
        list(read_items(numbered, build, source.name, rejects))
    problems = [problem for problem in (missing_ids(table, read),) if problem] + [rejects.summary()]
    records = [record for _, record in numbered]
    previews = []
    for column in source.columns:
        becomes, given = _fate(column, mapped, table)
        samples = tuple(shown(record[column]) for record in records if record.get(column) not in (None, ""))
        previews.append(ColumnPreview(column, becomes, given, samples))
    filled = mapped.nouns
    open_targets = tuple(target for target in NAMES[table] if target not in filled)
    return TablePreview(path, table, tuple(previews), open_targets, tuple(problems))


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
