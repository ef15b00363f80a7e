"""What a feed changes of a catalogue, item by item: added, changed, unchanged, gone."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from catalog.columns import ITEMS
from catalog.readers.feed_item import PRICE_ATTRIBUTES
from catalog.readers.feeds import Feed
from catalog.workspace import content_key

Row = dict[str, Any]

_SAID_BY_FEED_ALONE = frozenset({"item_id", "attributes", "availability"})
"""Columns that a silent feed does not leave as they were: what is in the feed is on offer again."""

_OF_THE_DAY = PRICE_ATTRIBUTES | {"availability"}
"""Attributes that go with the price and the word on availability they were said with."""

_ROWS = 10_000
"""Items that are in memory as Python's at once."""

_OLD = "\0old"

_TOKEN = re.compile(r'[\t,;|"<>\r\n]+')


@dataclass(frozen=True)
class Changes:
    """A catalogue and a feed, compared.

    Attributes:
        items: The catalogue as it will be, in its old order, with what is new behind it.
        added: Ids the catalogue does not have.
        changed: Ids whose content differs.
        unchanged: How many stay as they are.
        gone: Ids on offer so far that the feed does not name.
        kept: How many more it does not name, and a row that was rejected does.
        unknown: How many rows of a partial feed name no item of the catalogue.
        fields: Field -> how many of the changed items differ in it.
        offered: How many items were on offer before.
        dropped: Ids that leave the catalogue.
    """

    items: pl.DataFrame
    added: frozenset[str]
    changed: frozenset[str]
    unchanged: int
    gone: frozenset[str]
    kept: int
    unknown: int
    fields: Mapping[str, int] = field(default_factory=dict)
    offered: int = 0
    dropped: frozenset[str] = frozenset()

    @property
    def any(self) -> bool:
        """Whether the catalogue becomes another."""
        return bool(self.added or self.changed or self.gone or self.dropped)


def compare(before: pl.DataFrame, feed: Feed, *, partial: bool = False, delete: bool = False) -> Changes:
    """Return what a feed changes.

    A whole feed replaces each item it names; a field that none of its items fills (ratings, which a shop feed has no
    word for) stays as it was, as do attributes but those of a sale or of availability. What it does not name is gone:
    marked as not available, or, with `delete`, left out.
    An item that a rejected row names is not gone, and stays as it was.

    Args:
        before: The catalogue (`columns.ITEMS`); no row where there is none yet.
        feed: What the shop says now.
        partial: Whether the feed says some fields of some items only: what it leaves empty stays, nothing is gone.
        delete: Whether what is gone leaves the catalogue, those marked earlier too.
    """
    silent = _silent(feed.items)
    wordless = not (feed.items["attributes"].list.len() > 0).any()
    news: list[pl.DataFrame] = []
    changes: list[pl.DataFrame] = []
    fields: Counter[str] = Counter()
    unchanged = unknown = 0
    for part in feed.items.iter_slices(_ROWS):
        added = part.join(before, on="item_id", how="anti", maintain_order="left")
        other = _differing(part, before, silent)
        unchanged += part.height - added.height - other.height
        known = _by_id(before.join(other, on="item_id", how="semi"))
        changed = []
        for item_id, row in _by_id(other).items():
            old = known[item_id]
            new = _merged(old, row) if partial else {**row, **{name: old[name] for name in silent}}
            if wordless and not partial:
                new["attributes"] = [pair for pair in old["attributes"] if pair["name"] not in _OF_THE_DAY]
            if item_key(new) == item_key(old):
                unchanged += 1
            else:
                changed.append(new)
                fields.update(name for name in ITEMS if _plain(new, name) != _plain(old, name))
        changes.append(_frame(changed))
        if partial:
            unknown += added.height
        else:
            news.append(added)
    news_table, changed_table = pl.concat([_frame([]), *news]), pl.concat([_frame([]), *changes])
    offered = before.filter(pl.col("availability").is_null() | pl.col("availability"))
    unnamed = before.join(feed.items.select("item_id"), on="item_id", how="anti")["item_id"]
    absent = set() if partial else set(unnamed)
    kept = absent & feed.refused | _mentioned(feed, absent)
    absent -= kept
    gone = absent & set(offered["item_id"])
    dropped = absent if delete else set()
    stays = unchanged + len(unnamed) - len(gone | dropped)
    return Changes(
        placed(before, changed_table, news_table, gone, dropped),
        frozenset(news_table["item_id"]),
        frozenset(changed_table["item_id"]),
        stays,
        frozenset(gone),
        len(kept),
        unknown,
        dict(fields.most_common()),
        len(offered),
        frozenset(dropped),
    )


def item_key(row: Mapping[str, Any]) -> str:
    """Return the content key of an item's row; attributes count by name, whatever their order."""
    return content_key([_plain(row, name) for name in ITEMS])


def _plain(row: Mapping[str, Any], name: str) -> Any:
    value = row[name]
    return sorted((pair["name"], pair["values"]) for pair in value) if name == "attributes" else value


def _silent(items: pl.DataFrame) -> list[str]:
    """Return the fields that no item of a feed fills."""
    named = [name for name in ITEMS if name not in _SAID_BY_FEED_ALONE]
    filled = items.select(
        (pl.col(name).list.len() > 0 if isinstance(ITEMS[name], pl.List) else pl.col(name).is_not_null()).any()
        for name in named
    ).row(0)
    return [name for name, any_filled in zip(named, filled, strict=True) if not any_filled]


def _differing(part: pl.DataFrame, before: pl.DataFrame, silent: Sequence[str]) -> pl.DataFrame:
    """Return the items of a part of the feed that stand in the catalogue with another content, at first sight."""
    both = part.join(before, on="item_id", how="inner", suffix=_OLD, maintain_order="left")
    named = [name for name in ITEMS if name != "item_id" and name not in silent]
    same = pl.all_horizontal([pl.col(name).eq_missing(pl.col(f"{name}{_OLD}")) for name in named])
    return both.filter(~same).select(list(ITEMS))


def _merged(known: Row, row: Row) -> Row:
    """Return a known item with what a partial feed says of it."""
    new = {name: known[name] if row[name] is None or row[name] == [] else row[name] for name in ITEMS}
    stale = PRICE_ATTRIBUTES if row["price"] is not None else frozenset[str]()
    stale |= frozenset({"availability"}) if row["availability"] is not None else frozenset[str]()
    pairs = {pair["name"]: pair["values"] for pair in known["attributes"] if pair["name"] not in stale}
    pairs |= {pair["name"]: pair["values"] for pair in row["attributes"]}
    return {**new, "attributes": [{"name": name, "values": values} for name, values in pairs.items()]}


def _mentioned(feed: Feed, absent: set[str]) -> set[str]:
    """Return which of some ids stand in rejected rows: the id of a row that could not be read is one of its words."""
    if not absent:
        return set()
    return {word for reject in feed.rejects for word in _words(reject.row) if word in absent}


def _words(text: str) -> Iterator[str]:
    try:
        row = json.loads(text)
    except ValueError:
        row = text
    for value in row.values() if isinstance(row, dict) else [text]:
        for word in _TOKEN.split(str(value)):
            yield word.strip()


def _by_id(rows: pl.DataFrame) -> dict[str, Row]:
    return {row["item_id"]: row for row in rows.iter_rows(named=True)}


def _frame(rows: Sequence[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=ITEMS, orient="row")


def placed(
    before: pl.DataFrame,
    changed: pl.DataFrame,
    added: pl.DataFrame,
    gone: Collection[str] = (),
    dropped: Collection[str] = (),
) -> pl.DataFrame:
    """Return the catalogue in its old order, with what changed in its place and what is new behind it.

    Those `gone` are marked as not available, those `dropped` left out.
    """
    at = "_at"
    places = before.with_row_index(at)
    item_id = pl.col("item_id")
    available = pl.when(~item_id.is_in([*gone])).then(pl.col("availability")).otherwise(statement=False)
    stays = places.join(changed, on="item_id", how="anti").filter(~item_id.is_in([*dropped]))
    moved = changed.join(places.select("item_id", at), on="item_id", how="left")
    pieces = [stays.with_columns(available.alias("availability")), moved]
    table = pl.concat([piece.select(at, *ITEMS) for piece in pieces]).sort(at).select(list(ITEMS))
    return pl.concat([table, added])
