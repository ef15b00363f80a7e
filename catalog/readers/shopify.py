"""Products of Shopify's product CSV -> `Item`s: one a variant, the product as their parent.

A product is several rows of one handle: the first says what it is, each row may add a variant, a picture or both.
Source: help.shopify.com, "Using CSV files to import and export products"; both the names of the columns until 2024
(`Handle`, `Variant SKU`, `Image Src`) and those since (`URL handle`, `SKU`, `Product image URL`) are understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from catalog.nouns import Item
from catalog.readers.feed_item import FeedItem, Reading
from catalog.readers.feed_table import FeedTable
from catalog.readers.feed_values import as_money
from catalog.readers.html_text import as_plain
from catalog.readers.rejects import Rejects, shown
from catalog.readers.rows import Record
from catalog.readers.values import BadValue, as_bool, as_number

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "handle": ("handle", "url handle"),
    "title": ("title",),
    "body": ("body (html)", "body html", "description"),
    "vendor": ("vendor",),
    "category": ("product category", "standard product type"),
    "type": ("type", "product type", "custom product type"),
    "tags": ("tags",),
    "published": ("published", "published on online store"),
    "status": ("status",),
    "sku": ("variant sku", "sku"),
    "barcode": ("variant barcode", "barcode"),
    "price": ("variant price", "price"),
    "compare": ("variant compare at price", "compare-at price", "compare at price"),
    "tracker": ("variant inventory tracker", "inventory tracker"),
    "quantity": ("variant inventory qty", "inventory quantity"),
    "policy": ("variant inventory policy", "continue selling when out of stock"),
    "image": ("image src", "product image url"),
    "position": ("image position",),
    "variant image": ("variant image", "variant image url"),
    "mpn": ("google shopping / mpn",),
    "gender": ("google shopping / gender",),
    "age_group": ("google shopping / age group",),
    "condition": ("google shopping / condition",),
    "google category": ("google shopping / google product category",),
}
"""Ours -> theirs in lower case, the classic name first."""

_OPTIONS = (1, 2, 3)
_METAFIELD = re.compile(r"([^(]{1,100})\(product\.metafields\.[^)]{1,200}\)", re.IGNORECASE)
_SIZES = frozenset({"size", "sizes", "größe", "groesse", "taille", "talla", "maat", "storlek"})
_SHOWN_STATUS = frozenset({"", "active"})
_MOST_ROWS = 10_000
"""Rows of one product; Shopify takes 2,048 variants and 250 pictures."""


def is_shopify(columns: tuple[str, ...]) -> bool:
    """Whether a header is that of Shopify's product CSV."""
    names = {column.casefold() for column in columns}
    handle = not names.isdisjoint(COLUMNS["handle"])
    telling = ("option1 value", "variant sku", "variant price", "body (html)", "image src", "product image url")
    return handle and not names.isdisjoint(telling)


@dataclass
class _Product:
    """The rows of one handle."""

    handle: str
    line: int
    rows: list[tuple[int, Record]] = field(default_factory=list)


def shopify_items(table: FeedTable, reading: Reading, rejects: Rejects) -> Iterator[FeedItem]:
    """Yield the variants of the products on offer; drafts, archived and unpublished ones are left out and counted.

    A row that cannot be used is rejected: of the first row of a product all of it, else that variant.
    """
    names = _names(table.columns)
    metafields = {
        column: found[1].strip().casefold()
        for column in table.columns
        if (found := _METAFIELD.fullmatch(column)) is not None
    }
    met: dict[str, int] = {}
    for product in _products(table, names["handle"], rejects):
        first = met.setdefault(product.handle, product.line)
        if first != product.line:
            detail = f"handle {shown(product.handle)} stands in line {first} already, with other products between"
            for line, row in product.rows:
                rejects.add(table.name, line, "repeated handle", detail, row)
        else:
            yield from _variants(_Said(product, names, metafields), reading, table.name, rejects)


def _names(columns: tuple[str, ...]) -> dict[str, str]:
    """Return ours -> the column of this file, where it has one."""
    plain = {column.casefold(): column for column in reversed(columns)}
    return {ours: plain[name] for ours, known in COLUMNS.items() for name in reversed(known) if name in plain} | {
        name: plain[name] for n in _OPTIONS for name in (f"option{n} name", f"option{n} value") if name in plain
    }


def _products(table: FeedTable, handle: str, rejects: Rejects) -> Iterator[_Product]:
    """Yield rows of one handle that stand together."""
    product: _Product | None = None
    for line, row in table.records(rejects):
        own = row[handle].strip()
        if not own and any(str(value).strip() for value in row.values()):
            rejects.add(table.name, line, "missing item id", "the row has no handle", row)
        elif not own:
            continue
        elif product is not None and own == product.handle:
            if len(product.rows) < _MOST_ROWS:
                product.rows.append((line, row))
            else:
                rejects.add(table.name, line, "malformed row", f"more than {_MOST_ROWS:,} rows of one handle", row)
        else:
            if product is not None:
                yield product
            product = _Product(own, line, [(line, row)])
    if product is not None:
        yield product


def _variants(said: _Said, reading: Reading, file: str, rejects: Rejects) -> Iterator[FeedItem]:
    product = said.product
    if (why := _hidden(said)) is not None:
        reading.leave_out(why)
        return
    rows = [(line, row) for line, row in product.rows if line == product.line or said.is_variant(row)]
    for line, row in rows:

        def build(row: Record = row) -> Item:
            return _item(said, row, reading, alone=len(rows) == 1)

        if found := reading.item(build, said.item_id(row, alone=len(rows) == 1), file, line, row, rejects):
            yield found


class _Said:
    """What the rows of a product say of it."""

    def __init__(self, product: _Product, names: Mapping[str, str], metafields: Mapping[str, str]) -> None:
        self.product, self.handle, self._names, self.metafields = product, product.handle, names, metafields
        self.first = product.rows[0][1]
        self.options = [self.of(self.first, f"option{n} name") or "" for n in _OPTIONS]
        placed = [
            (self._position(row), at, url)
            for at, (_, row) in enumerate(product.rows)
            if (url := self.of(row, "image")) is not None
        ]
        self.images = tuple(url for _, _, url in sorted(placed))

    def of(self, row: Record, ours: str) -> str | None:
        """Return a cell, stripped; None where it is blank or there is no such column."""
        column = self._names.get(ours)
        return (row[column].strip() or None) if column is not None else None

    def has(self, ours: str) -> bool:
        """Whether the file has such a column."""
        return ours in self._names

    def is_variant(self, row: Record) -> bool:
        """Whether a later row is a variant, and not a further picture only."""
        return any(self.of(row, name) is not None for name in ("sku", "price", *(f"option{n} value" for n in _OPTIONS)))

    def choices(self, row: Record) -> dict[str, str]:
        """Return option -> value of a variant; a product without options has none."""
        pairs = zip(self.options, (self.of(row, f"option{n} value") for n in _OPTIONS), strict=True)
        found = {name.casefold() or f"option{n}": value for n, (name, value) in enumerate(pairs, 1) if value}
        return {} if list(found.values()) == ["Default Title"] else found

    def item_id(self, row: Record, *, alone: bool) -> str:
        """Return the SKU, else the handle with the options behind it."""
        sku = (self.of(row, "sku") or "").removeprefix("'")
        choices = "/".join(self.choices(row).values())
        return sku or (self.handle if alone or not choices else f"{self.handle}:{choices}")

    def _position(self, row: Record) -> float:
        try:
            place = as_number(self.of(row, "position"), "position")
        except BadValue:
            place = None
        return float("inf") if place is None else place


def _hidden(said: _Said) -> str | None:
    """Return why a product is not on offer, or None; a cell that says neither yes nor no hides it as well."""
    status = (said.of(said.first, "status") or "").casefold()
    if status not in _SHOWN_STATUS:
        return status
    try:
        return "unpublished" if as_bool(said.of(said.first, "published"), "published") is False else None
    except BadValue:
        return "unpublished"


def _item(said: _Said, row: Record, reading: Reading, *, alone: bool) -> Item:
    """Return one variant.

    Raises:
        BadValue: When the product has no title, or a price or a quantity is none.
    """
    first = said.first
    title = said.of(first, "title")
    if title is None:
        raise BadValue("missing title", f"product {shown(said.handle)} has no title in its first row")
    price = as_money(said.of(row, "price"), "price")
    before = as_money(said.of(row, "compare"), "compare_at_price")
    choices = said.choices(row)
    attributes = _attributes(said, row, choices)
    if price is not None and before is not None and before[0] > price[0]:
        attributes["regular_price"] = (f"{before[0]:g}",)
    kind = said.of(first, "type")
    path = said.of(first, "category") or said.of(first, "google category") or ""
    categories = tuple(part.strip() for part in path.split(">") if part.strip() and not path.isdecimal())
    own = said.of(row, "variant image")
    return Item(
        item_id=said.item_id(row, alone=alone),
        parent_id=None if alone else said.handle,
        title=title,
        description=as_plain(said.of(first, "body")),
        price=None if price is None else price[0],
        currency=None if price is None else price[1] or reading.currency,
        brand=said.of(first, "vendor"),
        categories=(*categories, kind) if kind is not None and kind not in categories else categories,
        attributes=attributes,
        images=reading.media.resolve([*([own] if own else []), *said.images]),
        availability=_availability(said, row),
        sizes=tuple(value for name, value in choices.items() if name in _SIZES),
    )


def _availability(said: _Said, row: Record) -> bool | None:
    """Return whether a variant can be bought: untracked, in stock, or sold when out of stock; None: not said."""
    tracker, quantity = said.of(row, "tracker"), said.of(row, "quantity")
    number = as_number(quantity, "quantity")
    policy = (said.of(row, "policy") or "").casefold()
    if policy in ("continue", "true", "yes"):
        return True
    if number is not None and (tracker is not None or not said.has("tracker")):
        return number > 0
    return True if tracker is None and said.has("tracker") else None


def _attributes(said: _Said, row: Record, choices: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    first = said.first
    found: dict[str, list[str]] = {}
    for column, name in said.metafields.items():
        if value := first[column].strip():
            found.setdefault(name, []).extend(value.split(";"))
    for name in ("gender", "age_group", "condition", "mpn"):
        if (text := said.of(row, name) or said.of(first, name)) is not None:
            found[name] = [text]
    if (barcode := said.of(row, "barcode")) is not None:
        found["gtin"] = [barcode.removeprefix("'")]
    if (tags := said.of(first, "tags")) is not None:
        found["tags"] = tags.split(",")
    found |= {name: [value] for name, value in choices.items()}
    clean = {name: tuple(dict.fromkeys(v.strip() for v in each if v.strip())) for name, each in found.items()}
    return {name: each for name, each in clean.items() if name and each}
