"""The `catalog` artifact: items, interactions and users of one shop, as one all-or-nothing write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from catalog.errors import DataError
from catalog.items import Catalog, item_from_row, items_frame, user_from_row, users_frame
from catalog.nouns import Item, User
from catalog.plain_text import one_line
from catalog.saving import save_tables
from catalog.workspace import Workspace


@dataclass(frozen=True)
class ShopData:
    """What a reader or the boutique's generator gives, and what every later stage reads.

    Attributes:
        name: Name of the data set, for reports: one plain line, whatever it was made from.
        items: Item table (`columns.ITEMS`).
        log: Interaction table (`columns.INTERACTIONS` and any `x_label*` columns).
        users: User table (`columns.USERS`).
    """

    name: str
    items: pl.DataFrame
    log: pl.DataFrame
    users: pl.DataFrame

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", one_line(self.name))

    @cached_property
    def catalog(self) -> Catalog:
        """The items as nouns."""
        return Catalog(item_from_row(row) for row in self.items.iter_rows(named=True))

    @cached_property
    def user_nouns(self) -> dict[str, User]:
        """Users by id."""
        rows = (user_from_row(row) for row in self.users.iter_rows(named=True))
        return {user.user_id: user for user in rows}

    @classmethod
    def of(cls, name: str, items: Iterable[Item], log: pl.DataFrame, users: Iterable[User] = ()) -> ShopData:
        """Build from nouns."""
        return cls(name, items_frame(items), log, users_frame(users))


def save_shop(
    workspace: Workspace,
    shop: ShopData,
    meta: Mapping[str, Any] | None = None,
    *,
    extra: Callable[[Path], None] | None = None,
) -> str:
    """Write the `catalog` artifact and return its content key.

    Args:
        workspace: Where to.
        shop: What to write.
        meta: Further metadata for the manifest.
        extra: Writes further files into the artifact's folder, all-or-nothing with the rest.

    Raises:
        DataError: When there is no item; an empty catalogue cannot be served.
    """
    if not len(shop.items):
        raise DataError(f"{shop.name!r}: no item was read, so there is no catalogue to save")
    counts = {"items": len(shop.items), "interactions": len(shop.log), "users": len(shop.users)}
    tables = {"items": shop.items, "log": shop.log, "users": shop.users}
    told = {"name": shop.name, **counts, **(meta or {})}
    return save_tables(workspace, "catalog", tables, told, of=(shop.name,), extra=extra)


def load_shop(workspace: Workspace) -> ShopData:
    """Read the `catalog` artifact.

    Raises:
        NotBuiltError: When the store has none.
        DataError: When it is damaged.
    """
    with workspace.reading("catalog", whole=True) as folder:
        manifest = workspace.manifest("catalog")
        assert manifest is not None
        tables = {name: pl.read_parquet(folder / f"{name}.parquet") for name in ("items", "log", "users")}
        dates = tables["log"]["timestamp"]
        dates.min(), dates.max()  # a damaged page may hold dates that Python has not: said while the file is known
        return ShopData(str(manifest.meta["name"]), **tables)
