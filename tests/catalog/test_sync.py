"""A sync changes what changed and nothing else, refuses what would empty the shop, and is whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from catalog.errors import DataError
from catalog.items import items_frame
from catalog.log import log_frame
from catalog.nouns import Interaction, Item, User
from catalog.readers.feeds import FeedConfig, read_feed
from catalog.readers.importing import REJECTS_FILE
from catalog.shop_data import ShopData, load_shop, save_shop
from catalog.sync import SyncConfig, SyncReport, sync_feed
from catalog.sync_changes import compare, item_key
from catalog.workspace import Workspace

COLUMNS = ("id", "title", "price", "availability", "image_link", "color")
ROWS = [(str(n), f"Hat {n}", f"{n}.50 EUR", "in_stock", f"https://i.example/{n}.jpg", "red") for n in range(1, 11)]


def feed_file(folder: Path, rows: Sequence[Sequence[str]] = ROWS, columns: Sequence[str] = COLUMNS) -> Path:
    path = folder / "feed.tsv"
    path.write_text("".join("\t".join(line) + "\n" for line in [columns, *rows]))
    return path


def with_row(rows: Sequence[Sequence[str]], item_id: str, **changes: str) -> list[tuple[str, ...]]:
    return [
        tuple(changes.get(name, value) for name, value in zip(COLUMNS, row, strict=True)) if row[0] == item_id else row
        for row in rows
    ]  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Workspace:
    """Ten hats with ratings, a shopper and two events."""
    workspace = Workspace(tmp_path / "store")
    read = read_feed([feed_file(tmp_path)])
    items = read.items.with_columns(rating=pl.lit(4.5), rating_count=pl.lit(9, pl.Int64))
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    log = log_frame([Interaction(f"e{n}", "ann", n, moment, "purchase") for n in ("1", "10")])
    users = ShopData.of("x", [], log, [User("ann", "gold")]).users
    save_shop(workspace, ShopData("hats", items, log, users), {"clock": "time", "notes": ["kept"]})
    return workspace


def sync(store: Workspace, path: Path, **more: object) -> SyncReport:
    config = SyncConfig(**{name: more.pop(name) for name in ("removed", "max_removed") if name in more})
    return sync_feed(store, read_feed([path]), config, **more)


def counted(report: SyncReport) -> tuple[int, ...]:
    return tuple(report.counts[name] for name in ("added", "changed", "unchanged", "removed"))


def state(store: Workspace) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(store.root)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(store.root.rglob("*"))
        if path.is_file()
    }


def test_the_same_feed_again_writes_nothing(store: Workspace, tmp_path: Path) -> None:
    before = state(store)
    report = sync(store, feed_file(tmp_path))
    assert counted(report) == (0, 0, 10, 0) and report.changes == 0
    assert state(store) == before


def test_only_what_differs_changes_and_everything_keeps_its_place(store: Workspace, tmp_path: Path) -> None:
    before = load_shop(store)
    rows = [row for row in ROWS if row[0] != "10"]
    rows = with_row(rows, "3", price="9.99 EUR")
    rows = with_row(rows, "4", title="Cap", image_link="https://i.example/cap.jpg")
    new = ("11", "Scarf", "5 EUR", "in_stock", "", "blue")
    report = sync(store, feed_file(tmp_path, [new, *reversed(rows)]))
    assert counted(report) == (1, 2, 7, 1)
    assert report.fields == {"price": 1, "title": 1, "images": 1}
    assert report.text().startswith("hats: 1 added, 2 changed (")
    after = load_shop(store)
    assert after.items["item_id"].to_list() == [*(row[0] for row in ROWS), "11"]
    catalog = after.catalog
    assert (catalog["3"].price, catalog["4"].title, catalog["10"].availability) == (9.99, "Cap", False)
    assert catalog["4"].rating == 4.5, "a feed has no word for ratings and takes none away"
    same = [n for n in map(str, range(1, 10)) if n not in ("3", "4")]
    assert [catalog[n] for n in same] == [before.catalog[n] for n in same]
    assert after.log.equals(before.log) and after.users.equals(before.users) and after.name == "hats"
    manifest = store.manifest("catalog")
    assert manifest is not None and manifest.key == report.key
    assert (manifest.meta["clock"], manifest.meta["notes"]) == ("time", ["kept"])
    assert manifest.meta["counts"]["items"] == manifest.meta["items"] == 11


def test_gone_once_is_gone_and_back_is_back(store: Workspace, tmp_path: Path) -> None:
    short = feed_file(tmp_path, ROWS[:8])
    assert counted(sync(store, short)) == (0, 0, 8, 2)
    assert counted(sync(store, short)) == (0, 0, 10, 0)
    report = sync(store, feed_file(tmp_path))
    assert counted(report) == (0, 2, 8, 0) and report.fields == {"availability": 2}
    silent = [(row[0], row[1], row[2], "", *row[4:]) for row in ROWS]
    sync(store, feed_file(tmp_path, ROWS[:9]))
    sync(store, feed_file(tmp_path, silent))
    assert load_shop(store).items["availability"].to_list() == [None] * 10


def test_deleting_takes_the_events_along(store: Workspace, tmp_path: Path) -> None:
    sync(store, feed_file(tmp_path, ROWS[:9]))
    report = sync(store, feed_file(tmp_path, ROWS[:8]), removed="delete")
    assert counted(report) == (0, 0, 8, 2) and report.counts["events_removed"] == 1
    shop = load_shop(store)
    assert shop.items["item_id"].to_list() == [row[0] for row in ROWS[:8]]
    assert shop.log["item_id"].to_list() == ["1"]


def test_a_feed_that_would_empty_the_shop_is_refused(store: Workspace, tmp_path: Path) -> None:
    before = state(store)
    short = feed_file(tmp_path, ROWS[:6])
    with pytest.raises(DataError, match=r"4 of 10 items off offer \(40%; at most 30%"):
        sync(store, short)
    assert state(store) == before
    assert counted(sync(store, feed_file(tmp_path, ROWS[:7]))) == (0, 0, 7, 3)  # 30% may go
    assert counted(sync(store, feed_file(tmp_path, ROWS[:1]), allow_removal=True)) == (0, 0, 4, 6)


def test_a_dry_run_says_the_same_and_writes_nothing(store: Workspace, tmp_path: Path) -> None:
    before = state(store)
    path = feed_file(tmp_path, with_row(ROWS[:9], "3", price="9.99 EUR"))
    planned = sync(store, path, dry_run=True)
    assert state(store) == before and planned.key is None and planned.text().endswith("nothing was written")
    assert planned.counts == sync(store, path).counts


def test_an_item_whose_row_was_rejected_is_not_gone(store: Workspace, tmp_path: Path) -> None:
    rows = with_row(ROWS, "2", price="cheap")
    path = feed_file(tmp_path, rows[:8])
    path.write_text(path.read_text() + "9\ttoo few\n")  # unreadable, and yet it names an item
    before = load_shop(store).catalog
    report = sync(store, path)
    assert counted(report) == (0, 0, 9, 1) and report.counts["kept"] == 2
    assert (
        "left as they were, since the feed names them in rejected rows only: 2" in report.text()
        and "bad price" in report.rejects_text
    )
    after = load_shop(store).catalog
    assert (after["2"], after["9"]) == (before["2"], before["9"]) and after["10"].availability is False
    assert (store.path("catalog") / REJECTS_FILE).read_text().count("\n") == 2


def test_a_partial_feed_says_what_it_says(store: Workspace, tmp_path: Path) -> None:
    sale = [("3", "9 EUR", "5 EUR", "out_of_stock"), ("4", "", "", "backorder"), ("99", "1 EUR", "", "in_stock")]
    path = feed_file(tmp_path, sale, ("id", "price", "sale_price", "availability"))
    report = sync(store, path, partial=True)
    assert counted(report) == (0, 2, 8, 0) and report.counts["unknown"] == 1
    hat, other = (load_shop(store).catalog[n] for n in ("3", "4"))
    assert (hat.title, hat.price, hat.availability, hat.images) == ("Hat 3", 5.0, False, ("https://i.example/3.jpg",))
    assert hat.attributes == {"color": ("red",), "regular_price": ("9",)}
    assert (other.price, other.attributes["availability"]) == (4.5, ("backorder",))
    over = feed_file(tmp_path, [("3", "9 EUR", "in_stock"), ("4", "", "in_stock")], ("id", "price", "availability"))
    sync(store, over, partial=True)
    assert [load_shop(store).catalog[n].attributes for n in ("3", "4")] == [{"color": ("red",)}] * 2
    with pytest.raises(DataError, match="no catalogue yet"):
        sync_feed(Workspace(tmp_path / "new"), read_feed([over]), partial=True)


def test_a_feed_without_attributes_takes_none_away_but_those_of_a_sale(store: Workspace, tmp_path: Path) -> None:
    sold = [(row[0], row[1], "8 EUR", "7 EUR", "backorder", "red") for row in ROWS]
    columns = ("id", "title", "price", "sale_price", "availability", "color")
    sync(store, feed_file(tmp_path, sold, columns))
    red = load_shop(store).catalog["1"].attributes
    assert red == {"availability": ("backorder",), "color": ("red",), "regular_price": ("8",)}
    plain = [(row[0], row[1], "8 EUR", "in_stock") for row in ROWS]
    report = sync(store, feed_file(tmp_path, plain, ("id", "title", "price", "availability")))
    assert report.fields == {"price": 10, "attributes": 10}
    assert load_shop(store).catalog["1"].attributes == {"color": ("red",)}
    assert counted(sync(store, tmp_path / "feed.tsv")) == (0, 0, 10, 0), "the same feed again changes nothing"


def test_the_first_feed_is_the_catalogue(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "new")
    assert counted(sync(workspace, feed_file(tmp_path))) == (10, 0, 0, 0)
    shop = load_shop(workspace)
    assert (shop.name, len(shop.items), len(shop.log)) == ("feed", 10, 0)


def test_the_order_of_attributes_is_no_change_and_that_of_pictures_is() -> None:
    [one, two, three] = items_frame(
        [
            Item("1", attributes={"a": ("x",), "b": ("y",)}, images=("p", "q")),
            Item("1", attributes={"b": ("y",), "a": ("x",)}, images=("p", "q")),
            Item("1", attributes={"a": ("x",), "b": ("y",)}, images=("q", "p")),
        ]
    ).iter_rows(named=True)
    assert item_key(one) == item_key(two) != item_key(three)


def test_a_large_catalogue_is_compared_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.sync_changes._ROWS", 3)
    feed = read_feed([feed_file(tmp_path)])
    before = feed.items.filter(pl.col("item_id") != "5").with_columns(
        price=pl.when(pl.col("item_id").is_in(["2", "9"])).then(1.0).otherwise(pl.col("price"))
    )
    changes = compare(before, feed)
    assert (changes.added, changes.changed, changes.unchanged) == ({"5"}, {"2", "9"}, 7)
    assert changes.items["item_id"].to_list() == ["1", "2", "3", "4", "6", "7", "8", "9", "10", "5"]


KILLED = """
import os, signal, sys
from pathlib import Path
import catalog.workspace as workspace
from catalog.readers.feeds import read_feed
from catalog.sync import sync_feed
at = sys.argv[3]
def killed(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
if at == "manifest":
    workspace.write_text = killed
elif at == "folder":
    workspace.file_marks = killed
else:
    workspace.Workspace._sweep = killed
sync_feed(workspace.Workspace(sys.argv[1]), read_feed([Path(sys.argv[2])]))
"""


@pytest.mark.parametrize("at", ["folder", "manifest", "sweep"])
def test_killed_in_the_middle_leaves_the_old_catalogue_or_the_new(at: str, store: Workspace, tmp_path: Path) -> None:
    path = feed_file(tmp_path, with_row(ROWS, "3", price="9.99 EUR"))
    old = load_shop(store).items
    done = subprocess.run([sys.executable, "-c", KILLED, str(store.root), str(path), at], check=False)
    assert done.returncode == -signal.SIGKILL
    now = load_shop(store).items
    assert store.fault("catalog") is None
    assert now.equals(old) is (at != "sweep")
    report = sync(store, path)
    assert report.changes == (at != "sweep")
    assert load_shop(store).catalog["3"].price == 9.99
    if at != "sweep":
        left = [entry.name for entry in os.scandir(store.root / "catalog")]
        assert len(left) == 2, left  # the manifest and one data folder


def test_a_form_that_is_told_wins(tmp_path: Path) -> None:
    path = feed_file(tmp_path, [("1", "Hat", "2.50", "in stock", "", "red")])
    assert read_feed([path]).form == "Google Merchant table"
    [row] = read_feed([path], FeedConfig(form="table")).items.iter_rows(named=True)
    assert (row["item_id"], row["price"]) == ("1", 2.5)
