"""Shopify's product CSV: rows of one handle to variants, by the names of columns until 2024 and since."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from catalog.errors import DataError
from catalog.items import item_from_row
from catalog.nouns import Item
from catalog.readers.feeds import FeedConfig, read_feed
from catalog.readers.rejects import Rejects

CLASSIC = (
    "Handle", "Title", "Body (HTML)", "Vendor", "Product Category", "Type", "Tags", "Published", "Option1 Name",
    "Option1 Value", "Option2 Name", "Option2 Value", "Variant SKU", "Variant Inventory Tracker",
    "Variant Inventory Qty", "Variant Inventory Policy", "Variant Price", "Variant Compare At Price",
    "Variant Barcode", "Image Src", "Image Position", "Variant Image", "Status", "Cost per item",
    "Fabric (product.metafields.shopify.fabric)",
)  # fmt: skip
SINCE = (
    "URL handle", "Title", "Description", "Vendor", "Product category", "Type", "Tags", "Published on online store",
    "Option1 name", "Option1 value", "Option2 name", "Option2 value", "SKU", "Inventory tracker",
    "Inventory quantity", "Continue selling when out of stock", "Price", "Compare-at price", "Barcode",
    "Product image URL", "Image position", "Variant image URL", "Status", "Cost per item",
    "Fabric (product.metafields.shopify.fabric)",
)  # fmt: skip
Row = dict[str, str]
TEE: list[Row] = [
    {
        "Handle": "tee", "Title": "Tee", "Body (HTML)": "<p>Soft<br>cotton.</p>", "Vendor": "Ann",
        "Product Category": "Apparel > Tops", "Type": "Shirts", "Tags": "summer, new", "Published": "TRUE",
        "Option1 Name": "Size", "Option1 Value": "S", "Option2 Name": "Color", "Option2 Value": "Red",
        "Variant SKU": "'00T-S", "Variant Inventory Tracker": "shopify", "Variant Inventory Qty": "3",
        "Variant Inventory Policy": "deny", "Variant Price": "10.00", "Variant Compare At Price": "15.00",
        "Variant Barcode": "'4006381333931", "Image Src": "https://i.example/1.jpg", "Image Position": "2",
        "Status": "active", "Cost per item": "1.23", "Fabric (product.metafields.shopify.fabric)": "cotton; linen",
    },
    {
        "Handle": "tee", "Option1 Value": "M", "Option2 Value": "Red", "Variant Inventory Tracker": "shopify",
        "Variant Inventory Qty": "0", "Variant Inventory Policy": "deny", "Variant Price": "11",
        "Image Src": "https://i.example/0.jpg", "Image Position": "1", "Variant Image": "https://i.example/m.jpg",
    },
    {"Handle": "tee", "Image Src": "https://i.example/3.jpg", "Image Position": "3"},
]  # fmt: skip
MUG: Row = {
    "Handle": "mug", "Title": "Mug", "Vendor": "Bob", "Option1 Name": "Title", "Option1 Value": "Default Title",
    "Variant Price": "5", "Published": "true", "Status": "active",
}  # fmt: skip


def feed_of(rows: Sequence[Row], header: Sequence[str] = CLASSIC) -> str:
    buffer = io.StringIO()
    written = csv.writer(buffer, lineterminator="\n")
    written.writerow(header)
    written.writerows([[row.get(name, "") for name in CLASSIC[: len(header)]] for row in rows])
    return buffer.getvalue()


def read(folder: Path, text: str, rejects: Rejects | None = None, **config: object) -> tuple[list[Item], tuple]:
    (folder / "products.csv").write_text(text)
    feed = read_feed([folder / "products.csv"], FeedConfig(**config), rejects=rejects)
    assert feed.form == "Shopify CSV"
    return [item_from_row(row) for row in feed.items.iter_rows(named=True)], feed.notes


@pytest.mark.parametrize("header", [CLASSIC, SINCE], ids=["classic", "since 2024"])
def test_rows_of_a_handle_are_variants_with_the_products_words_and_pictures(
    header: Sequence[str], tmp_path: Path
) -> None:
    items, notes = read(tmp_path, feed_of([*TEE, MUG], header), currency="EUR")
    small, medium, mug = items
    assert small == Item(
        "00T-S", parent_id="tee", title="Tee", description="Soft\ncotton.", price=10.0, currency="EUR", brand="Ann",
        categories=("Apparel", "Tops", "Shirts"), availability=True, sizes=("S",),
        attributes={
            "fabric": ("cotton", "linen"), "gtin": ("4006381333931",), "tags": ("summer", "new"), "size": ("S",),
            "color": ("Red",), "regular_price": ("15",),
        },
        images=("https://i.example/0.jpg", "https://i.example/1.jpg", "https://i.example/3.jpg"),
    )  # fmt: skip
    assert (medium.item_id, medium.parent_id, medium.price, medium.availability) == ("tee:M/Red", "tee", 11.0, False)
    assert medium.images[:2] == ("https://i.example/m.jpg", "https://i.example/0.jpg")
    assert (mug.item_id, mug.parent_id, mug.availability, mug.attributes) == ("mug", None, True, {})
    assert notes == ()


@pytest.mark.parametrize(
    ("tracker", "quantity", "policy", "available"),
    [
        ("shopify", "2", "deny", True), ("shopify", "0", "deny", False), ("shopify", "-1", "deny", False),
        ("shopify", "0", "continue", True), ("", "0", "deny", True), ("shopify", "", "deny", None),
        ("shopify", "0", "TRUE", True), ("shopify", "0", "FALSE", False),
    ],
)  # fmt: skip
def test_what_can_be_bought(tracker: str, quantity: str, policy: str, available: bool | None, tmp_path: Path) -> None:
    said = {
        "Variant Inventory Tracker": tracker, "Variant Inventory Qty": quantity, "Variant Inventory Policy": policy,
    }  # fmt: skip
    [[item], _] = read(tmp_path, feed_of([{**MUG, **said}]))
    assert item.availability is available


def test_drafts_are_nobodys_to_see(tmp_path: Path) -> None:
    hidden = [
        {**MUG, "Handle": "a", "Status": "draft"}, {**MUG, "Handle": "b", "Status": "archived"},
        {**MUG, "Handle": "c", "Published": "false"}, {**MUG, "Handle": "d", "Published": "who knows"},
        {**MUG, "Handle": "e", "Status": "unlisted"},
    ]  # fmt: skip
    items, notes = read(tmp_path, feed_of([*hidden, MUG]))
    assert [item.item_id for item in items] == ["mug"]
    assert notes == ("left out, since the shop does not offer them: 1 archived, 1 draft, 1 unlisted, 2 unpublished",)


def test_a_bad_variant_goes_alone_and_a_product_without_a_title_as_a_whole(tmp_path: Path) -> None:
    bad = [{**TEE[0], "Variant Price": "ten"}, *TEE[1:]]
    nameless = [{**row, "Handle": "x", "Title": "", "Variant SKU": sku} for row, sku in zip(TEE[:2], "pq", strict=True)]
    again = {**MUG, "Title": "Another mug"}
    rejects = Rejects()
    rows = [*bad, MUG, *nameless, again, {"Title": "No handle"}]
    items, _ = read(tmp_path, feed_of(rows), rejects)
    assert [item.item_id for item in items] == ["tee:M/Red", "mug"]
    assert [(each.line, each.reason) for each in rejects] == [
        (2, "bad price"), (6, "missing title"), (7, "missing title"), (9, "missing item id"), (8, "repeated handle"),
    ]  # fmt: skip
    assert read_feed([tmp_path / "products.csv"]).refused == {"00T-S", "p", "q"}


def test_what_is_no_shopify_feed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("sku,title\n1,x\n")
    with pytest.raises(DataError, match="no column 'Handle'"):
        read_feed([tmp_path / "a.csv"], FeedConfig(form="shopify"))
