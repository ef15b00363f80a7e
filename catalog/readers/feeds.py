"""`read_feed`: a shop's product feed, recognised by what is in it, as items spooled to disk."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, field_validator

from catalog.columns import ITEMS, Schema
from catalog.errors import DataError
from catalog.items import items_frame
from catalog.nouns import Item
from catalog.readers.feed_bytes import head_of
from catalog.readers.feed_item import FeedItem, OnlyUrls, Reading
from catalog.readers.feed_table import open_feed_json, open_feed_table
from catalog.readers.feed_values import as_money
from catalog.readers.feed_xml import xml_items
from catalog.readers.fields import ITEM_ID_NAMES, Mapped, map_columns
from catalog.readers.google_merchant import ONLY_GOOGLE, column_name, google_table, google_xml
from catalog.readers.item_rows import LINE, MISSING, NUMBERED_ITEMS, MediaFiles, item_of
from catalog.readers.rejects import Rejects, shown
from catalog.readers.rows import FORMS, Record, Rows, open_rows
from catalog.readers.shopify import is_shopify, shopify_items
from catalog.readers.spool import Spool
from catalog.readers.values import as_text

FeedForm = Literal["auto", "google", "shopify", "table"]

FILE = "_file"
SPOOLED: Schema = {**NUMBERED_ITEMS, FILE: pl.String}

FEED_ENDINGS = frozenset({".xml", ".rss", ".atom", *FORMS} - {".inter"})
"""Of the files that a folder of feeds is read from, each also with `.gz`."""

_BATCH = 2_000
_SUPPLEMENT = frozenset({"id", "price", "availability"})


class FeedConfig(BaseModel):
    """How a product feed is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: FeedForm = "auto"
    """Whose feed it is: Google Merchant Center's, Shopify's, or a table of the shop's own; auto: by its content."""
    currency: str | None = Field(None, pattern=r"^[A-Z]{3}$")
    """ISO 4217 code of prices that name none, as Shopify's."""
    encoding: str | None = None
    """Of text; None: what a byte order mark says, else UTF-8. Rows in another encoding are rejected."""
    max_unpacked_bytes: int = Field(8_000_000_000, gt=0)
    """Of one file after gzip: more is refused, so that a small file cannot fill the machine."""

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                codecs.lookup(value).name.encode()
                "".encode(value)
            except (LookupError, ValueError) as error:
                raise ValueError(f"{value!r} is no encoding of text; latin-1 or cp1252 would be valid") from error
        return value


@dataclass(frozen=True, eq=False)
class Feed:
    """A feed as read, each id once.

    Attributes:
        name: Of its first file.
        items: `columns.ITEMS`, in the feed's order.
        missing: Item id -> how many of its pictures and videos lead nowhere, where any does.
        refused: Ids of rejected rows: such an item is in the feed and was not understood.
        rejects: Every row that was not used.
        form: What it was recognised as.
        notes: What else to say of it.
        changes_at: When it would read otherwise without being another: a sale begins or ends.
    """

    name: str
    items: pl.DataFrame
    missing: Mapping[str, int]
    refused: frozenset[str]
    rejects: Rejects
    form: str
    notes: tuple[str, ...] = ()
    changes_at: datetime | None = None


def read_feed(
    files: Sequence[Path],
    config: FeedConfig | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    rejects: Rejects | None = None,
    remote: bool = False,
    as_of: datetime | None = None,
) -> Feed:
    """Read the files of one feed; parsing holds a few thousand items at a time.

    Args:
        files: In order; an id that stands in an earlier file is rejected.
        config: How they are read.
        columns: Target -> source column, for a table with columns of the shop's own.
        rejects: Gets every row that cannot be used.
        remote: Whether they came over the network; paths of pictures in them are left out.
        as_of: The moment that sale prices and dates of expiry hold for, aware; None: now.

    Raises:
        DataError: When a file is missing, empty, cut off, of an unknown form or hostile, or no item was read.
    """
    config, rejects = config or FeedConfig(), Rejects() if rejects is None else rejects
    if not files:
        raise DataError("a feed without a file; one file at least would be valid")
    reading = Reading(MediaFiles(Path()), as_of or datetime.now(UTC), config.currency)
    spool, forms, lost = Spool(SPOOLED), dict[str, None](), ""
    for path in files:
        reading.media = OnlyUrls(path.parent) if remote else MediaFiles(path.parent)
        form, items = _opened(path, config, columns or {}, reading, rejects)
        forms[form] = None
        while batch := list(islice(items, _BATCH)):
            spool.add(_frame(batch, path.name))
        lost = lost or (reading.media.note() if reading.media.first else "")
    if not len(spool):
        raise DataError(f"feed {str(files[0])!r}: no item was read; {rejects.summary()}")
    table, missing = _once(spool, rejects)
    left_out = ", ".join(f"{count:,} {why}" for why, count in sorted(reading.left_out.items()))
    notes = (f"left out, since the shop does not offer them: {left_out}",) if left_out else ()
    notes = (*((lost,) if missing else ()), *notes, *_currencies(table))
    name = files[0].name.split(".", 1)[0] if len(files) == 1 else files[0].parent.name
    return Feed(
        name, table, missing, frozenset(reading.refused), rejects, " and ".join(forms), notes, reading.changes_at
    )


def unnamed_currency(items: pl.DataFrame) -> tuple[str, ...]:
    """Return a line where items have prices and none of them a currency, which nobody would see before a shopper does.

    Args:
        items: `columns.ITEMS`, the whole catalogue: a feed of prices alone need not name what the store knows.
    """
    priced = items.filter(pl.col("price").is_not_null())
    if not priced.height or priced["currency"].is_not_null().any():
        return ()
    return ("prices name no currency and are shown as bare numbers: --currency EUR, say, names it",)


def _currencies(items: pl.DataFrame) -> Iterator[str]:
    """Yield a line where prices are of several currencies: nothing converts them."""
    priced = items.filter(pl.col("price").is_not_null())
    counts = priced["currency"].fill_null("none named").value_counts()
    counts = counts.sort("count", "currency", descending=[True, False])
    if counts.height > 1:
        told = ", ".join(f"{name} {count:,}" for name, count in counts.iter_rows())
        yield (
            f"prices of several currencies ({told}): filters and sorting compare the numbers as they are; "
            "a feed of one currency would be valid, and --currency names it where prices do not"
        )


def _opened(
    path: Path, config: FeedConfig, columns: Mapping[str, str], reading: Reading, rejects: Rejects
) -> tuple[str, Iterator[FeedItem]]:
    """Return what a file is recognised as, and its items."""
    if not path.is_file():
        wrong = "is a folder" if path.is_dir() else "does not exist"
        raise DataError(f"file {str(path)!r} {wrong}; a feed (XML, TSV, CSV, JSON lines, Parquet) would be valid")
    most = config.max_unpacked_bytes
    head = head_of(path, most, config.encoding)
    begin = head.lstrip()[:200].lower()
    if not head.strip():
        raise DataError(f"file {str(path)!r} is empty")
    if begin.startswith("<!doctype html") or begin.startswith("<html"):
        raise DataError(f"file {str(path)!r} is a web page; a feed (XML, TSV, CSV, JSON lines, Parquet) would be valid")
    if begin.startswith("<"):
        if config.form not in ("auto", "google") or columns:
            wanted = "a column map" if columns else f"form {config.form!r}"
            raise DataError(f"file {str(path)!r} is XML, read as Google Merchant's; {wanted} is for tables")
        return "Google Merchant XML", google_xml(xml_items(path, most, rejects), path.name, reading, rejects)
    if begin.startswith("par1"):
        return "table", _table_items(open_rows(path), columns, reading, rejects)
    if begin.startswith(("{", "[")):
        return "table", _table_items(open_feed_json(path, most, config.encoding), columns, reading, rejects)
    table = open_feed_table(path, head, most, config.encoding)
    form = config.form if config.form != "auto" else "table" if columns else _form(table.columns)
    if columns and form != "table":
        raise DataError(
            f"a column map is for tables, and {path.name!r} is read as {form!r}; form 'table' would be valid"
        )
    if form == "google":
        return "Google Merchant table", google_table(table, reading, rejects)
    if form == "shopify":
        if not is_shopify(table.columns):
            raise DataError(f"file {str(path)!r} has no column 'Handle' or 'URL handle' and variants beside it")
        return "Shopify CSV", shopify_items(table, reading, rejects)
    return "table", _table_items(table, columns, reading, rejects)


def feed_hint(columns: tuple[str, ...]) -> str | None:
    """Return whose feed a header is, which a plain table is no good reading of; None where it is nobody's."""
    whose = {"google": "Google Merchant's", "shopify": "Shopify's"}.get(_form(columns))
    return whose and f"its columns are {whose}: vitrine import feed and vitrine sync read them"


def _form(columns: tuple[str, ...]) -> str:
    """Return whose feed a header tells of."""
    if is_shopify(columns):
        return "shopify"
    names = {column_name(column) for column in columns}
    google = "id" in names and (not names.isdisjoint(ONLY_GOOGLE) or names >= _SUPPLEMENT)
    return "google" if google else "table"


def _table_items(source: Rows, columns: Mapping[str, str], reading: Reading, rejects: Rejects) -> Iterator[FeedItem]:
    mapped = map_columns("items", source.columns, columns, f"file {source.name!r}")
    column = mapped.source("item_id")
    if column is None:
        raise DataError(
            f"file {str(source.path)!r} has no item id; its columns are {', '.join(source.columns)}; one of "
            f"{', '.join(ITEM_ID_NAMES)}, or a column map, would be valid"
        )
    return _mapped(source, mapped, column, reading, rejects)


def _mapped(source: Rows, mapped: Mapped, column: str, reading: Reading, rejects: Rejects) -> Iterator[FeedItem]:
    price = mapped.source("price")

    def build(row: Record) -> Item:
        money = as_money(as_text(row.get(price)), "price") if price is not None else None
        item = item_of(
            {**row, price: money[0]} if price is not None and money is not None else row, mapped, reading.media
        )
        if money is None or item.currency is not None:
            return item
        return replace(item, currency=money[1] or reading.currency)

    for line, row in source.records(rejects):
        item_id = as_text(row.get(column))
        if found := reading.item(partial(build, row), item_id, source.name, line, row, rejects):
            yield found


def _frame(batch: Sequence[FeedItem], file: str) -> pl.DataFrame:
    return items_frame(each.item for each in batch).with_columns(
        pl.Series(LINE, [each.line for each in batch], pl.Int64),
        pl.Series(MISSING, [each.missing for each in batch], pl.Int64),
        pl.lit(file).alias(FILE),
    )


def _once(spool: Spool, rejects: Rejects) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the items, each id once, and their missing media; a later row of the same id is rejected."""
    ids = spool.select("item_id", LINE, MISSING, FILE)
    first = ids["item_id"].is_first_distinct()
    firsts = ids.filter(first)
    repeats = ids.filter(~first).join(firsts, on="item_id", how="left", suffix="_first", maintain_order="left")
    for row in repeats.iter_rows(named=True):
        detail = f"item id {shown(row['item_id'])} stands in {row[f'{FILE}_first']} line {row[f'{LINE}_first']} already"
        rejects.add(row[FILE], row[LINE], "repeated item id", detail, {"item_id": row["item_id"]})
    lacking = firsts.filter(pl.col(MISSING) > 0)
    missing = dict(zip(lacking["item_id"].to_list(), lacking[MISSING].to_list(), strict=True))
    return spool.take(first.to_numpy()).select(list(ITEMS)), missing
