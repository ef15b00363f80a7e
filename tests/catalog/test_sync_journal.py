"""The journal laid over the catalogue, and worked into it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalog.errors import DataError
from catalog.item_journal import JOURNAL, ItemJournal
from catalog.journal_readers import FOLDER, JournalReaders
from catalog.log import log_frame
from catalog.nouns import Interaction, Item
from catalog.shop_data import ShopData, load_shop, save_shop
from catalog.sync_journal import absorb, with_writes, written_since
from catalog.workspace import Workspace

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    items = [Item(name, title=f"Thing {name}", attributes={"colour": ("red",)}) for name in "abc"]
    log = log_frame([Interaction(f"e-{name}", "ana", name, MOMENT, "purchase") for name in "abc"])
    save_shop(workspace, ShopData.of("shop", items, log), {"generated": True})
    return workspace


def written(workspace: Workspace) -> ItemJournal:
    journal = ItemJournal(workspace.root / JOURNAL, "shop")
    journal.put(Item("d", title="New", price=3.0), "open")
    journal.put(Item("b", title="Other"), "open")
    journal.delete("a", "open")
    return journal


def test_records_stand_in_their_place_new_ones_behind_and_deleted_ones_nowhere(workspace: Workspace) -> None:
    written(workspace).close()
    data = with_writes(load_shop(workspace), written_since(workspace, "shop"))
    assert list(data.catalog) == [
        Item("b", title="Other"),
        Item("c", title="Thing c", attributes={"colour": ("red",)}),
        Item("d", title="New", price=3.0),
    ]
    assert data.log["item_id"].to_list() == ["a", "b", "c"]


def test_worked_in_it_is_the_artifact_and_the_journal_is_empty(workspace: Workspace) -> None:
    journal = written(workspace)
    laid_over = with_writes(load_shop(workspace), journal.since())
    assert absorb(workspace) == 3
    after = load_shop(workspace)
    assert after.catalog.items == laid_over.catalog.items and after.log["item_id"].to_list() == ["b", "c"]
    assert journal.since() == [] and absorb(workspace) == 0
    manifest = workspace.manifest("catalog")
    assert manifest is not None and manifest.meta["items"] == 3 and manifest.meta["generated"] is True
    journal.close()


def test_the_journal_forgets_nothing_that_a_process_serving_the_shop_has_not_read(workspace: Workspace) -> None:
    with closing(written(workspace)) as journal:
        last, reader = journal.last(), JournalReaders(workspace.root / FOLDER, "shop")
        reader.join()
        reader.tell(known=last - 1)
        assert absorb(workspace, wait_seconds=0) == 3 and len(journal.since()) == 3
        reader.tell(known=last)
        assert absorb(workspace, wait_seconds=0) == 3 and journal.since() == []
        reader.leave()


def test_done_twice_it_is_the_same(workspace: Workspace) -> None:
    """As after a kill between the artifact and the journal."""
    journal = written(workspace)
    writes = journal.since()
    once = with_writes(load_shop(workspace), writes)
    assert with_writes(once, writes).items.equals(once.items)
    journal.close()


def test_without_a_journal_nothing_changes(workspace: Workspace) -> None:
    before = workspace.manifest("catalog")
    assert absorb(workspace) == 0 and written_since(workspace, "shop") == []
    assert workspace.manifest("catalog") == before and not (workspace.root / JOURNAL).exists()


def test_a_record_that_no_table_holds_is_left_out_and_said(
    workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    journal = written(workspace)
    with pytest.raises(DataError, match="item 'huge' fits no table of items"):
        journal.put(Item("huge", rating_count=10**30), "open")
    journal.put(Item("huge", rating_count=7), "open")
    journal.close()
    with closing(sqlite3.connect(workspace.root / JOURNAL)) as file:  # as a version before this check wrote it
        file.execute("UPDATE writes SET record = replace(record, ': 7,', ?)", (f": {10**30},",))
        file.commit()
    with caplog.at_level("WARNING"):
        data = with_writes(load_shop(workspace), written_since(workspace, "shop"))
    assert list(data.catalog.ids) == ["b", "c", "d"] and "'huge'" in caplog.text
