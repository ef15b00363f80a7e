"""One column map over several tables: which part of it speaks to which table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.errors import DataError, did_you_mean
from catalog.readers.fields import ATTRIBUTES, NAMES, TABLES, Mapped, TableKind, map_columns, split_sources
from catalog.readers.rows import RowSource

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "items": ("item_id",),
    "interactions": ("user_id", "item_id"),
    "users": ("user_id",),
}


@dataclass(frozen=True)
class Table:
    """A table file and what becomes of its columns."""

    source: RowSource
    mapped: Mapped


def map_tables(sources: Mapping[str, RowSource], columns: Mapping[str, str]) -> dict[str, Table]:
    """Return each table with its share of the column map.

    Args:
        sources: `items`, `interactions`, `users`, those there are.
        columns: Target -> source column; a target may name its table (`items.item_id`).

    Raises:
        DataError: When a target or column is unknown to every table.
    """
    shares: dict[str, dict[str, str]] = {table: {} for table in sources}
    for target, source in columns.items():
        for table, own in _owners(target, source, sources):
            shares[table][own] = source
    return {
        table: Table(source, map_columns(_kind(table), source.columns, shares[table], f"file {source.name!r}"))
        for table, source in sources.items()
    }


def missing_ids(table: str, each: Table) -> str | None:
    """Return what to say when a table lacks an id column, or None."""
    for target in _NEEDED[table]:
        if target not in each.mapped.nouns:
            return (
                f"file {each.source.name!r} has no column for {target!r} of {table}; its columns are "
                f"{', '.join(each.source.columns)}; one of {', '.join(NAMES[_kind(table)][target])}, "
                "or the column map, would be valid"
            )
    return None


def _owners(target: str, source: str, sources: Mapping[str, RowSource]) -> list[tuple[str, str]]:
    """Return the tables a target speaks to, each with the target's own name there."""
    table, _, own = target.partition(".")
    if table in TABLES and own:
        if table not in sources:
            raise DataError(f"column map: {target!r} names a table that was not given; given: {', '.join(sources)}")
        return [(table, own)]
    knowing = [each for each in sources if _knows(_kind(each), target)]
    if not knowing:
        every = [name for each in sources for name in NAMES[_kind(each)]]
        hint = did_you_mean(target, [*dict.fromkeys(every), f"{ATTRIBUTES}<name>"])
        raise DataError(f"column map: unknown target {target!r}. {hint}")
    having = [
        each
        for each in knowing
        if all(c in sources[each].columns for c in split_sources(source, sources[each].columns))
    ]
    # With no table that has the column, the first one says so, and what it has instead.
    return [(each, target) for each in having or knowing[:1]]


def _knows(table: TableKind, target: str) -> bool:
    return target in NAMES[table] or (target.startswith(ATTRIBUTES) and table != "interactions")


def _kind(table: str) -> TableKind:
    return next(each for each in NAMES if each == table)
