"""A feed as the items of an import, with the log and the users of plain tables beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from catalog.columns import INTERACTIONS
from catalog.errors import DataError
from catalog.items import users_frame
from catalog.readers.column_map import map_tables, missing_ids
from catalog.readers.feeds import Feed, unnamed_currency
from catalog.readers.importing import Import, all_users, clock_of, media_of, missing_of
from catalog.readers.log_rows import LogRules, default_kind, read_log
from catalog.readers.recordings import Recordings
from catalog.readers.rows import open_rows
from catalog.readers.table import users_of
from catalog.shop_data import ShopData


def with_log(
    feed: Feed,
    interactions: Path | None = None,
    users: Path | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    name: str | None = None,
    recording: str = "recording",
) -> Import:
    """Return a feed and what shoppers did as one import; events of items that the feed lacks are rejected.

    Args:
        feed: The items.
        interactions: Table of events, as `read_table` takes it.
        users: Table of shoppers.
        columns: Target -> source column of these two tables.
        name: Name of the data set; None: the feed's.
        recording: Column of the interactions that names a recording.

    Raises:
        DataError: When a table cannot be read, lacks an id column, or no event is left of it.
    """
    rejects = feed.rejects
    given = {"interactions": interactions, "users": users}
    sources = {table: open_rows(path) for table, path in given.items() if path is not None}
    if columns and not sources:
        raise DataError("a column map is for tables of events and shoppers beside the feed, and none was given")
    tables = map_tables(sources, columns or {})
    for table, each in tables.items():
        if (problem := missing_ids(table, each)) is not None:
            raise DataError(problem)
    log, timed = pl.DataFrame(schema=INTERACTIONS), False
    notes = (*feed.notes, *unnamed_currency(feed.items))
    if interactions is not None:
        mapped = tables["interactions"].mapped
        calls = Recordings(interactions.parent, recording)
        known = {item_id: item_id for item_id in feed.items["item_id"]}
        rules = LogRules(mapped, known, default_kind(mapped), set(feed.refused), calls)
        log, timed = read_log(tables["interactions"].source, rules, rejects), mapped.source("timestamp") is not None
        if not log.height:
            raise DataError(f"file {str(interactions)!r}: no interaction was read; {rejects.summary()}")
        notes = (*notes, *calls.notes())
    people = list(users_of(tables["users"].source, tables["users"].mapped, rejects)) if users is not None else []
    shop = ShopData(name or feed.name, feed.items, log, all_users(users_frame(people), log))
    counts = {
        "items": shop.items.height,
        "interactions": log.height,
        "users": shop.users.height,
        "media": media_of(shop.items),
        "media_missing": missing_of(shop.items, feed.missing),
        "rejected": len(rejects),
    }
    clock = clock_of(log, timed=timed)
    return Import(shop, {}, counts, rejects, clock, notes, media_missing=feed.missing)
