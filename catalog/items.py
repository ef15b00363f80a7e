"""`Catalog`: all items in a fixed order, and their Parquet form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from catalog.columns import ITEMS, USERS, Schema
from catalog.errors import DataError
from catalog.filters import Filters
from catalog.ids import IdMap
from catalog.nouns import Item, User
from catalog.vectors import Mask


class Catalog:
    """Items by id, in a fixed order shared with every array through `ids`.

    Raises:
        DataError: When two items share an id.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self.items: tuple[Item, ...] = tuple(items)
        self.ids = IdMap(item.item_id for item in self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.ids

    def __getitem__(self, item_id: str) -> Item:
        return self.items[self.ids.row(item_id)]

    def get(self, item_id: str) -> Item | None:
        """Return the item, or None."""
        row = self.ids.get(item_id)
        return None if row is None else self.items[row]

    def mask(self, filters: Filters | None) -> Mask | None:
        """Return which rows pass, (n_items,) bool, or None when nothing is asked."""
        if filters is None or filters.empty:
            return None
        return np.fromiter((filters.matches(item) for item in self.items), np.bool_, len(self.items))

    @cached_property
    def attribute_names(self) -> tuple[str, ...]:
        """Every attribute name any item has, sorted."""
        return tuple(sorted({name for item in self.items for name in item.attributes}))

    def save(self, path: Path) -> None:
        """Write one Parquet file."""
        items_frame(self.items).write_parquet(path)

    @classmethod
    def load(cls, path: Path) -> Catalog:
        """Read what `save` wrote."""
        return cls(item_from_row(row) for row in pl.read_parquet(path).iter_rows(named=True))


def items_frame(items: Iterable[Item]) -> pl.DataFrame:
    """Return items as a table with the columns of `columns.ITEMS`."""
    return _frame(items, ITEMS)


def check_fits(item: Item) -> None:
    """Refuse an item that the table of items cannot hold.

    Raises:
        DataError: A number is larger than its column, say.
    """
    try:
        items_frame([item])
    except pl.exceptions.PolarsError as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"item {item.item_id!r} fits no table of items: {reason}") from error


def users_frame(users: Iterable[User]) -> pl.DataFrame:
    """Return users as a table with the columns of `columns.USERS`."""
    return _frame(users, USERS)


def item_from_row(row: Mapping[str, Any]) -> Item:
    """Return the item of one table row."""
    return Item(**_from_row(row))


def user_from_row(row: Mapping[str, Any]) -> User:
    """Return the user of one table row."""
    return User(**_from_row(row))


def _frame(nouns: Iterable[Item | User], schema: Schema) -> pl.DataFrame:
    return pl.DataFrame([_to_row(noun, schema) for noun in nouns], schema=schema, orient="row")


def _to_row(noun: Item | User, schema: Schema) -> dict[str, Any]:
    values = {name: getattr(noun, name) for name in schema}
    values["attributes"] = [{"name": name, "values": list(each)} for name, each in noun.attributes.items()]
    return values


def _from_row(row: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in row.items()}
    values["attributes"] = {pair["name"]: tuple(pair["values"]) for pair in row["attributes"]}
    return values
