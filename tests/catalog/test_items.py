from __future__ import annotations

from pathlib import Path

import pytest

from catalog.columns import ITEMS, USERS
from catalog.errors import DataError, NotFoundError
from catalog.items import Catalog, item_from_row, items_frame, user_from_row, users_frame
from catalog.nouns import Item, User

FULL = Item(
    item_id="007", parent_id="p", title="Häkelhut", description="two\nlines", price=9.5, currency="EUR", brand="Ann",
    categories=("Head", "Hats"), attributes={"colour": ("red", "blue"), "für": ("alle",)}, images=("a.png",),
    videos=("v.mp4", "https://shop.example/v.mp4"), url="https://shop.example/7", availability=False, language="de",
    rating=4.5, rating_count=12, sizes=("S", "M"),
)  # fmt: skip
BARE = Item("bare")


def test_every_field_of_an_item_has_its_column_and_comes_back(tmp_path: Path) -> None:
    assert tuple(ITEMS) == tuple(Item.__dataclass_fields__)
    frame = items_frame([FULL, BARE])
    assert dict(frame.schema) == ITEMS
    assert [item_from_row(row) for row in frame.iter_rows(named=True)] == [FULL, BARE]
    Catalog([FULL, BARE]).save(tmp_path / "items.parquet")
    assert Catalog.load(tmp_path / "items.parquet").items == (FULL, BARE)


def test_users_come_back() -> None:
    users = [User("ann", "gold", {"town": ("Ulm",)}), User("bob")]
    assert tuple(USERS) == tuple(User.__dataclass_fields__)
    assert [user_from_row(row) for row in users_frame(users).iter_rows(named=True)] == users


def test_no_item_is_still_a_table_of_the_right_columns() -> None:
    assert dict(items_frame([]).schema) == ITEMS and len(Catalog([])) == 0


def test_items_by_id() -> None:
    catalog = Catalog([FULL, BARE])
    assert catalog["007"] is FULL and catalog.get("x") is None and "bare" in catalog and "x" not in catalog
    assert catalog.ids.row("bare") == 1 and list(catalog) == [FULL, BARE]
    assert catalog.attribute_names == ("colour", "für")
    with pytest.raises(NotFoundError, match="unknown item 'x'"):
        catalog["x"]
    with pytest.raises(DataError, match="'bare' stands at rows 0 and 1"):
        Catalog([BARE, BARE])
