"""From what a streaming reader parsed, or any reader read, to the import that is saved."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from catalog.columns import ITEMS
from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.items import items_frame
from catalog.log import positives
from catalog.nouns import Item
from catalog.readers.importing import Import, all_users, clock_of, media_of, missing_of
from catalog.readers.item_rows import LINE, MISSING
from catalog.readers.refining import RefineConfig, key_columns, refine_rows, with_split
from catalog.readers.rejects import Rejects, shown
from catalog.readers.spool import Spool
from catalog.shop_data import ShopData
from catalog.vectors import EmbeddingTable, Mask


@dataclass(frozen=True, eq=False)
class Parsed:
    """What a streaming reader leaves on disk.

    Attributes:
        name: Of the data set.
        items: Shards of `NUMBERED_ITEMS`, None where no file describes items.
        item_file: Its name, as rejects cite it.
        log: Shards of the log.
        users: Those a file describes (`columns.USERS`).
        rejects: What was not used so far.
        timed: Whether the log had timestamps.
        published: Whether the log is somebody's published selection: items that it never names are left out.
        notes: What to say of the files, a line each.
    """

    name: str
    items: Spool | None
    item_file: str
    log: Spool
    users: pl.DataFrame
    rejects: Rejects
    timed: bool = True
    published: bool = False
    notes: tuple[str, ...] = ()


def finish(parsed: Parsed, config: RefineConfig) -> Import:
    """Return the import: repeated ids rejected, the log refined, items that only the log names added by id alone.

    Raises:
        DataError: When no interaction was read, or the options leave none.
    """
    if not len(parsed.log):
        raise DataError(f"{parsed.name!r}: no interaction was read; {parsed.rejects.summary()}")
    keys = parsed.log.select(*key_columns())
    keep, counts, notes = _rows(keys, config)
    notes = [*parsed.notes, *notes]
    log = parsed.log.take(keep)
    items, missing = _items(parsed)
    met = log.select("item_id").unique(maintain_order=True)
    lonely = met.join(items, on="item_id", how="anti", maintain_order="left")
    if lonely.height and parsed.items is not None:
        counts["items_by_id_alone"] = lonely.height
        notes.append(f"{lonely.height:,} items of the log stand in no item file: known by their id alone")
    items = pl.concat([items, items_frame(Item(item_id) for item_id in lonely["item_id"])])
    users = all_users(parsed.users, log)
    if parsed.published:
        before, items = items.height, _only(items, keys)
        counts["items_outside"] = before - items.height
        notes.append(f"{before - items.height:,} items are never named by the published files: left out")
    shop = ShopData(parsed.name, items, log, users)
    sizes = {"items": items.height, "interactions": log.height, "users": users.height, "media": media_of(items)}
    counts = {**sizes, "media_missing": missing_of(items, missing), "rejected": len(parsed.rejects), **counts}
    clock = clock_of(log, timed=parsed.timed)
    imported = Import(shop, {}, counts, parsed.rejects, clock, tuple(notes), media_missing=missing)
    before_core = _union(items, keys, "item_id"), _union(parsed.users, keys, "user_id")
    return _labelled(_inside(imported, config, before_core), config)


def refine(imported: Import, config: RefineConfig) -> Import:
    """Do to an import of any reader what the options ask.

    Raises:
        DataError: When they leave no interaction, or a split stands there already.
    """
    if not config.asked:
        return imported
    if not imported.shop.log.height:
        raise DataError(f"{imported.shop.name!r} has no interaction to filter or to split")
    keep, counts, notes = _rows(imported.shop.log.select(*key_columns()), config)
    log = imported.shop.log.filter(pl.Series(keep))
    left = replace(
        imported,
        shop=replace(imported.shop, log=log),
        counts={**imported.counts, "interactions": log.height, **counts},
        notes=(*imported.notes, *notes),
    )
    before_core = imported.shop.items.height, imported.shop.users.height
    return _labelled(_inside(left, config, before_core), config)


def _rows(keys: pl.DataFrame, config: RefineConfig) -> tuple[Mask, dict[str, int], list[str]]:
    refined = refine_rows(keys, config)
    notes = []
    if config.dedup_reviews:
        repeats = refined.counts["repeated_reviews"]
        told = f"{repeats:,} repeated review{'s' * (repeats > 1)} left out: the first of each counts"
        notes.append(told if repeats else "no repeated reviews")
    return refined.keep, dict(refined.counts), notes


def _inside(imported: Import, config: RefineConfig, before: tuple[int, int]) -> Import:
    """Leave out the items, users and vectors outside the k-core, where one is asked for.

    `before`: how many items and users there were before the log was filtered.
    """
    if config.k_core is None:
        return imported
    shop = imported.shop
    items, users = _only(shop.items, shop.log), _only(shop.users, shop.log, "user_id")
    counts = {
        **imported.counts,
        "items": items.height,
        "users": users.height,
        "media": media_of(items),
        "media_missing": missing_of(items, imported.media_missing),
        "items_outside_core": before[0] - items.height,
        "users_outside_core": before[1] - users.height,
    }
    note = (
        f"{config.k_core}-core: {counts['outside_core']:,} interactions, {counts['items_outside_core']:,} items and "
        f"{counts['users_outside_core']:,} users left out"
    )
    ids = set(items["item_id"])
    embeddings = {space: _vectors_of(table, ids) for space, table in imported.embeddings.items()}
    inside = replace(shop, items=items, users=users)
    return replace(imported, shop=inside, embeddings=embeddings, counts=counts, notes=(*imported.notes, note))


def _labelled(imported: Import, config: RefineConfig) -> Import:
    if config.split_rule is None:
        return imported
    log, parts = with_split(imported.shop.log, config)
    sizes = ", ".join(f"{part} {size:,}" for part, size in parts.items())
    pairs, counted = sum(parts.values()), positives(log, config.positives).height
    told = f"x_label by rule {config.split_rule!r}, seed {config.split_seed}: {sizes} pairs of user and item"
    if counted > pairs:
        told += f"; {counted - pairs:,} more rows repeat a pair and have its label"
    if log.height > counted:
        told += f"; {log.height - counted:,} rows are no positives"
    return replace(
        imported,
        shop=replace(imported.shop, log=log),
        counts={**imported.counts, **{f"split_{part}": size for part, size in parts.items()}},
        notes=(*imported.notes, told),
    )


def _items(parsed: Parsed) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the item table, each id once, and the missing media by id; a later row of the same id is rejected."""
    if parsed.items is None:
        return pl.DataFrame(schema=ITEMS), {}
    ids = parsed.items.select("item_id", LINE, MISSING)
    first = ids["item_id"].is_first_distinct()
    lines = ids.filter(first)
    repeats = ids.filter(~first).join(lines, on="item_id", how="left", suffix="_first", maintain_order="left")
    for item_id, line, at in repeats.select("item_id", LINE, f"{LINE}_first").iter_rows():
        detail = f"item id {shown(item_id)} stands in line {at} already"
        parsed.rejects.add(parsed.item_file, line, "repeated item id", detail, {"item_id": item_id})
    lacking = lines.filter(pl.col(MISSING) > 0)
    missing = dict(zip(lacking["item_id"].to_list(), lacking[MISSING].to_list(), strict=True))
    return parsed.items.take(first.to_numpy()).drop(LINE, MISSING), missing


def _union(described: pl.DataFrame, log: pl.DataFrame, column: str) -> int:
    """Return how many ids a table and a log name together."""
    return pl.concat([described[column], log[column]]).n_unique()


def _only(table: pl.DataFrame, log: pl.DataFrame, column: str = "item_id") -> pl.DataFrame:
    return table.join(log.select(column).unique(), on=column, how="semi", maintain_order="left")


def _vectors_of(table: EmbeddingTable, ids: set[str]) -> EmbeddingTable:
    rows = [row for row, item_id in enumerate(table.ids) if item_id in ids]
    return EmbeddingTable(IdMap(table.ids.at(rows)), table.vectors[rows], table.space)
