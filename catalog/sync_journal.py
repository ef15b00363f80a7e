"""The journal of item writes and the `catalog` artifact: laid over it by whoever opens the shop, and worked into it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from catalog.errors import DataError
from catalog.item_journal import ItemWrite, open_journal
from catalog.items import check_fits, items_frame
from catalog.journal_readers import FOLDER, JournalReaders
from catalog.nouns import Item
from catalog.shop_data import ShopData, load_shop, save_shop
from catalog.sync_changes import placed
from catalog.workspace import Workspace

log = logging.getLogger("vitrine.live")


def with_writes(data: ShopData, writes: Sequence[ItemWrite]) -> ShopData:
    """Return a shop with what was written since: records in the place of those before, new ones behind, none deleted.

    The log stays whole; it may name items that are gone. A record that no table can hold is left out and logged, so
    that one bad row never closes the shop.
    """
    if not writes:
        return data
    records = items_frame(_holdable([write.item for write in writes if write.item is not None]))
    known = records.join(data.items, on="item_id", how="semi", maintain_order="left")
    new = records.join(data.items, on="item_id", how="anti", maintain_order="left")
    gone = {write.item_id for write in writes if write.item is None}
    return replace(data, items=placed(data.items, known, new, dropped=gone))


def _holdable(items: list[Item]) -> list[Item]:
    try:
        items_frame(items)
    except pl.exceptions.PolarsError:
        return [item for item in items if _fits(item)]
    return items


def _fits(item: Item) -> bool:
    try:
        check_fits(item)
    except DataError as error:
        log.warning("record of the journal left out: %s", error)
        return False
    return True


def written_since(workspace: Workspace, shop: str) -> list[ItemWrite]:
    """Return what the journal holds for a shop, oldest first; nothing where there is no journal."""
    journal = open_journal(workspace.root, shop)
    if journal is None:
        return []
    try:
        return journal.since()
    finally:
        journal.close()


def absorb(workspace: Workspace, *, wait_seconds: float = 10.0) -> int:
    """Work the journal into the `catalog` artifact; return how many items it was about.

    The journal forgets what the artifact holds once that stands and every process that serves the shop has read it: a
    run that is killed between the two does it again, to the same end. Events of deleted items leave the log, as at a
    sync that deletes.

    Args:
        workspace: The store.
        wait_seconds: How long to wait for those processes; after that the journal keeps what it has, for next time.

    Raises:
        NotBuiltError: When the store has no catalogue.
    """
    data, manifest = load_shop(workspace), workspace.manifest("catalog")
    journal = open_journal(workspace.root, data.name)
    if journal is None or manifest is None:
        return 0
    try:
        writes = journal.since()
        if not writes:
            return 0
        after = with_writes(data, writes)
        gone = [write.item_id for write in writes if write.item is None]
        after = replace(after, log=after.log.filter(~pl.col("item_id").is_in(gone)))
        sizes = {"items": len(after.items), "interactions": len(after.log), "users": len(after.users)}
        kept = {name: value for name, value in manifest.meta.items() if name not in ("name", *sizes)}
        if "counts" in kept:
            kept["counts"] = {**kept["counts"], **sizes}
        save_shop(workspace, after, {**kept, "written": len(writes)})
        last = writes[-1].seq
        if JournalReaders(workspace.root / FOLDER, data.name).wait("known", last, wait_seconds):
            journal.forget(last)
        else:
            log.warning("a process that serves the shop has not read the journal of items: it is kept for next time")
        return len(writes)
    finally:
        journal.close()
