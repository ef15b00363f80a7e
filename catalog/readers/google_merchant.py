"""Products of Google Merchant Center: XML (RSS 2.0, Atom) and delimited feeds -> `Item`s.

Source: Google's product data specification (support.google.com/merchants/answer/7052112).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from catalog.nouns import Item
from catalog.readers.feed_item import FeedItem, Reading
from catalog.readers.feed_table import FeedTable
from catalog.readers.feed_values import as_availability, as_moment, as_money, as_span
from catalog.readers.feed_xml import Nested, XmlItem
from catalog.readers.html_text import as_plain
from catalog.readers.rejects import Rejects, shown
from catalog.readers.values import BadValue

Values = Mapping[str, Sequence[str | Nested]]

ONLY_GOOGLE = frozenset({
    "image_link", "additional_image_link", "google_product_category", "item_group_id", "sale_price",
    "sale_price_effective_date", "identifier_exists", "mobile_link", "age_group", "custom_label_0", "product_highlight",
})  # fmt: skip
"""Names that tell a Google feed from a table of a shop's own."""

_FIELDS = frozenset({
    "id", "title", "structured_title", "description", "structured_description", "summary", "content", "link", "price",
    "sale_price", "sale_price_effective_date", "availability", "expiration_date", "item_group_id", "brand",
    "product_type", "google_product_category", "image_link", "additional_image_link", "lifestyle_image_link",
    "video_link", "content_language", "product_detail",
})  # fmt: skip
_LEFT_OUT = re.compile(
    r"(shipping|ads_|adwords_|display_ads|loyalty|installment|subscription|cost_of_goods|auto_pricing|unit_pricing|"
    r"return_|min_handling|max_handling|transit|pickup_|checkout|(ex|in)cluded_).*|"
    r"tax(_.*)?|promotion_id|identifier_exists|pause|mobile_link|canonical_link|link_template|mobile_link_template|"
    r"disclosure_date|store_code|feed_label|target_country|external_seller_id|guid|pubdate|published|updated|enclosure"
)
"""Terms of trade and advertising, which say nothing of the product; some, such as costs, are not for shoppers."""

_URLS = re.compile(r"(?<![,|\s])[,|\s]+(?=https?://)")
_DETAILS = re.compile(r",(?=[^,:]*:[^,:]*:)")
_SLASHED = frozenset({"color", "colour", "material"})


def column_name(header: str) -> str:
    """Return Google's name for a column: `image link`, `g:image_link`, `Image [image_link]` are `image_link`.

    A shop's own `c:season:string` is `season`, and `shipping(country:price)` is `shipping`.
    """
    text = header.strip().casefold()
    if (bracketed := re.search(r"\[([^\[\]]+)\]$", text)) is not None:
        text = bracketed[1]
    text = text.removeprefix("g:")
    if text.startswith("c:"):
        text = text[2:].split(":", 1)[0]
    return re.sub(r"[^\w]+", "_", text.split("(", 1)[0]).strip("_")


def google_table(table: FeedTable, reading: Reading, rejects: Rejects) -> Iterator[FeedItem]:
    """Yield the products of a delimited feed; a row that cannot be used is rejected."""
    names = {column: column_name(column) for column in table.columns if column}
    for line, row in table.records(rejects):
        values: dict[str, list[str | Nested]] = {}
        for column, name in names.items():
            if text := row[column].strip():
                values.setdefault(name, []).extend(_listed(text) if name == "product_highlight" else [text])
        build = partial(_item, values, None, reading)
        if values and (found := reading.item(build, _one(values, "id"), table.name, line, row, rejects)):
            yield found


def google_xml(items: Iterator[XmlItem], name: str, reading: Reading, rejects: Rejects) -> Iterator[FeedItem]:
    """Yield the products of RSS or Atom; one that cannot be used is rejected."""
    for each in items:
        build = partial(_item, each.values, each.language, reading)
        if found := reading.item(build, _one(each.values, "id"), name, each.line, each.values, rejects):
            yield found


def _item(values: Values, language: str | None, reading: Reading) -> Item:
    """Return the product.

    Raises:
        BadValue: When the id is missing, or a price, an availability or a time is none.
    """
    item_id = _one(values, "id")
    if item_id is None:
        raise BadValue("missing item id", "the item has no id")
    attributes = _attributes(values)
    price, currency = _price(values, attributes, reading)
    available, word = as_availability(_one(values, "availability"))
    if word is not None:
        attributes["availability"] = (word,)
    expires = _one(values, "expiration_date")
    if expires is not None and reading.is_over(as_moment(expires, "expiration_date")):
        available = False
    language = _one(values, "content_language") or language
    categories = _path(_one(values, "product_type"))
    google = _one(values, "google_product_category")
    if google is not None and not categories and not google.isdecimal():
        categories = _path(google)
    elif google is not None:
        attributes["google_product_category"] = (google,)
    return Item(
        item_id=item_id,
        parent_id=_one(values, "item_group_id"),
        title=_one(values, "title") or _nested(values, "structured_title", "content"),
        description=as_plain(
            _one(values, "description")
            or _nested(values, "structured_description", "content")
            or _one(values, "summary")
            or _one(values, "content")
        ),
        price=price,
        currency=currency or (reading.currency if price is not None else None),
        brand=_one(values, "brand"),
        categories=categories,
        attributes=attributes,
        images=reading.media.resolve(
            url
            for name in ("image_link", "additional_image_link", "lifestyle_image_link")
            for text in _texts(values, name)
            for url in _URLS.split(text)
        ),
        videos=reading.media.resolve(url for text in _texts(values, "video_link") for url in _URLS.split(text)),
        url=_one(values, "link"),
        availability=available,
        language=language,
        sizes=tuple(_texts(values, "size")),
    )


def _price(values: Values, attributes: dict[str, tuple[str, ...]], reading: Reading) -> tuple[float | None, str | None]:
    """Return what the product costs now, and note beside it what it costs otherwise, or will cost.

    Raises:
        BadValue: When a price or the time of a sale is none.
    """
    regular, sale = as_money(_one(values, "price"), "price"), as_money(_one(values, "sale_price"), "sale_price")
    if regular is not None and sale is not None:
        codes = {money[1] or reading.currency for money in (regular, sale)} - {None}
        if len(codes) > 1:
            detail = f"sale_price {shown(_one(values, 'sale_price'))} beside price {shown(_one(values, 'price'))}"
            raise BadValue("bad sale_price", f"{detail}: the price's own currency would be valid")
    if regular is None or sale is None or sale[0] >= regular[0]:
        return regular or (None, None)
    effective = _one(values, "sale_price_effective_date")
    begin, end = (None, None) if effective is None else as_span(effective, "sale_price_effective_date")
    if end is not None and reading.is_over(end):
        return regular
    if begin is not None and not reading.is_over(begin):
        attributes["sale_price"] = (f"{sale[0]:g}",)
        attributes["sale_price_effective_date"] = (effective or "",)
        return regular
    attributes["regular_price"] = (f"{regular[0]:g}",)
    return sale[0], sale[1] or regular[1]


def _attributes(values: Values) -> dict[str, tuple[str, ...]]:
    """Return what is no field: gtin, mpn, color, details and the shop's own names among it."""
    found: dict[str, list[str]] = {}
    for name in values:
        if name in _FIELDS or _LEFT_OUT.fullmatch(name):
            continue
        for text in _texts(values, name):
            found.setdefault(name, []).extend(text.split("/") if name in _SLASHED else [text])
    for each in values.get("product_detail", ()):
        for name, text in _details(each):
            found.setdefault(name, []).append(text)
    clean = {name: tuple(dict.fromkeys(v.strip() for v in each if v.strip())) for name, each in found.items()}
    return {name: each for name, each in clean.items() if each}


def _details(value: str | Nested) -> Iterator[tuple[str, str]]:
    """Yield name and value of `section:name:value, ...`, or of what XML nests."""
    if not isinstance(value, str):
        name, text = value.get("attribute_name", ""), value.get("attribute_value", "")
        if name:
            yield name, text
        return
    for part in _DETAILS.split(value):
        section, *rest = part.strip().strip('"').split(":", 2)
        if len(rest) == 2 and rest[0].strip():
            yield rest[0].strip(), rest[1].strip()
        elif len(rest) == 1 and section.strip():
            yield section.strip(), rest[0].strip()


def _listed(text: str) -> list[str]:
    """Return the members of a list in one cell, those with commas in quotes; XML repeats the tag instead."""
    return next(csv.reader([text], skipinitialspace=True), [])


def _texts(values: Values, name: str) -> list[str]:
    return [value for value in values.get(name, ()) if isinstance(value, str)]


def _one(values: Values, name: str) -> str | None:
    return next(iter(_texts(values, name)), None)


def _nested(values: Values, name: str, member: str) -> str | None:
    """Return a member of what XML nests, or the last part of `trained_algorithmic_media:"a text"`."""
    for value in values.get(name, ()):
        if isinstance(value, str):
            return value.split(":", 1)[-1].strip().strip('"') or None
        if value.get(member):
            return value[member]
    return None


def _path(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(">") if part.strip()) if text else ()
