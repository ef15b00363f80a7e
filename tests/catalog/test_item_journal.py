"""What was written to the journal is there, once an item, in the order it came."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from catalog.errors import DataError, ServiceError
from catalog.item_journal import ItemJournal, open_journal
from catalog.nouns import Item

FULL = Item(
    "007", "p", "Mug \U0001f600", "Holds tea", 8.5, "EUR", "Acme", ("home", "mugs"), {"colour": ("red", "blue")},
    ("media/a.png",), ("https://example.com/a.mp4",), "https://example.com/7", True, "en", 4.5, 3, ("S", "M"),
)  # fmt: skip


def test_writes_come_back_as_they_were_also_from_another_opening(tmp_path: Path) -> None:
    journal = ItemJournal(tmp_path / "items.sqlite", "shop")
    journal.put(FULL, "a")
    journal.put(Item("x"), "a")
    journal.delete("x", "b")
    journal.close()
    again = ItemJournal(tmp_path / "items.sqlite", "shop")
    first, second = again.since()
    assert first.item == FULL and first.tenant == "a"
    assert (second.item_id, second.item, second.tenant) == ("x", None, "b")
    assert second.seq > first.seq and again.since(first.seq) == [second]
    again.close()


def test_a_number_is_never_given_twice(tmp_path: Path) -> None:
    journal = ItemJournal(tmp_path / "items.sqlite", "shop")
    last = journal.put(Item("x"), "a").seq
    assert journal.forget(last) == 1 and journal.since() == []
    assert journal.put(Item("x"), "a").seq > last
    journal.close()


def test_another_shops_writes_stay_its_own(tmp_path: Path) -> None:
    one, other = (ItemJournal(tmp_path / "items.sqlite", name) for name in ("one", "other"))
    one.put(Item("x", title="of one"), "a")
    write = other.put(Item("x", title="of the other"), "a")
    assert [each.item for each in one.since()] == [Item("x", title="of one")]
    assert one.forget(write.seq) == 1 and len(other.since()) == 1
    one.close()
    other.close()


def test_none_is_made_by_looking(tmp_path: Path) -> None:
    assert open_journal(tmp_path, "shop") is None and not list(tmp_path.iterdir())


def test_what_is_no_journal_is_said(tmp_path: Path) -> None:
    (tmp_path / "items.sqlite").write_bytes(b"not a database, but long enough to be read as one" * 40)
    with pytest.raises(DataError, match=r"items\.sqlite' is no journal of items"):
        ItemJournal(tmp_path / "items.sqlite", "shop")


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    journal = ItemJournal(tmp_path / "items.sqlite", "shop")
    journal.put(Item("x"), "a")
    with sqlite3.connect(tmp_path / "items.sqlite") as raw:
        raw.execute("UPDATE writes SET record = '{}'")
    raw.close()
    with pytest.raises(DataError, match=r"item 'x': '\{\}' is no record"):
        journal.since()
    journal.close()


def test_it_tells_when_another_process_has_written(tmp_path: Path) -> None:
    mine, other = (ItemJournal(tmp_path / "items.sqlite", "shop") for _ in range(2))
    assert mine.last() == 0 and mine.moved() and not mine.moved()
    mine.put(Item("x"), "a")
    assert not mine.moved()  # that was I
    seq = other.delete("x", "a").seq
    assert mine.moved() and not mine.moved() and mine.last() == seq
    other.forget(seq)
    assert mine.since() == [] and mine.last() == seq
    mine.close()
    other.close()


def test_a_journal_damaged_while_it_is_open_is_said(tmp_path: Path) -> None:
    path = tmp_path / "items.sqlite"
    journal = ItemJournal(path, "shop")
    journal.put(Item("x"), "a")
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    path.write_bytes(path.read_bytes()[:100] + b"\xde\xad" * 5000)
    with pytest.raises(ServiceError, match="journal of items cannot be written now"):
        journal.put(Item("y"), "a")
    with pytest.raises(DataError, match=r"items\.sqlite' is damaged \(.*\); move it away"):
        journal.since()
    journal.close()


def test_a_full_disk_is_said_and_nothing_is_kept(tmp_path: Path) -> None:
    journal = ItemJournal(tmp_path / "items.sqlite", "shop")
    kept = journal.put(Item("x"), "a")
    # What a full disk says, without one: SQLite is told that the file may not grow.
    journal._connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(ServiceError, match="cannot be written now: database or disk is full") as refused:
        journal.put(Item("y", description="long " * 20_000), "a")
    assert refused.value.retryable and journal.since() == [kept]
    journal._connection.execute("PRAGMA max_page_count = 1000000")
    journal.put(Item("y"), "a")
    assert [write.item_id for write in journal.since()] == ["x", "y"]
    journal.close()
