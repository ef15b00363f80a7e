"""Google Merchant feeds: RSS, Atom and tables give the same products; values as the specification writes them."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from catalog.columns import INTERACTIONS, USERS
from catalog.errors import DataError
from catalog.nouns import Item
from catalog.readers.feed_values import as_availability, as_money, as_span
from catalog.readers.feeds import FeedConfig, read_feed
from catalog.readers.html_text import as_plain
from catalog.readers.preview import preview_table
from catalog.readers.rejects import Rejects
from catalog.readers.table import read_table
from catalog.readers.values import BadValue
from catalog.shop_data import ShopData

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss xmlns:g="http://base.google.com/ns/1.0" xmlns:c="http://base.google.com/cns/1.0" version="2.0"><channel>
<title>The shop itself</title><link>https://shop.example</link><language>en</language>
<item>
  <g:id>H-1</g:id><title>Short</title><g:title>Wool hat &amp; scarf</g:title>
  <description>&lt;p&gt;Warm.&lt;/p&gt;&lt;p&gt;Soft &amp;amp; light.&lt;/p&gt;</description>
  <link>https://shop.example/h1</link><g:price>29.90 EUR</g:price><g:availability>in_stock</g:availability>
  <g:image_link>https://img.example/1.jpg</g:image_link>
  <g:additional_image_link>https://img.example/2.jpg</g:additional_image_link>
  <g:additional_image_link>https://img.example/3,w=80.jpg</g:additional_image_link>
  <g:brand>Ann</g:brand><g:gtin>4006381333931</g:gtin><g:mpn>AH1</g:mpn><g:item_group_id>H</g:item_group_id>
  <g:product_type>Clothing &gt; Women &gt; Hats</g:product_type>
  <g:google_product_category>173</g:google_product_category>
  <g:color>Red/Blue</g:color><g:size>M</g:size><g:material>wool</g:material><g:pattern>striped</g:pattern>
  <g:gender>female</g:gender><g:age_group>adult</g:age_group><c:season type="string">winter</c:season>
  <g:product_highlight>Fits well, always</g:product_highlight><g:cost_of_goods_sold>3.00 EUR</g:cost_of_goods_sold>
  <g:product_detail><g:section_name>Care</g:section_name><g:attribute_name>Wash</g:attribute_name>
    <g:attribute_value>30 degrees</g:attribute_value></g:product_detail>
  <g:shipping><g:country>DE</g:country><g:price>4.90 EUR</g:price></g:shipping>
</item>
</channel></rss>
"""
ATOM = (
    RSS.replace("<rss", "<feed xmlns='http://www.w3.org/2005/Atom'", 1)
    .replace(' version="2.0"><channel>', ">")
    .replace("</channel></rss>", "</feed>")
    .replace("<item>", "<entry><id>tag:shop.example,2026:h1</id>")
    .replace("</item>", "</entry>")
    .replace("<link>https://shop.example/h1</link>", "<link href='https://shop.example/h1'/>")
    .replace("<description>", "<summary>")
    .replace("</description>", "</summary>")
)
TABLE = {
    "id": "H-1",
    "title": "Wool hat & scarf",
    "description": "<p>Warm.</p><p>Soft &amp; light.</p>",
    "link": "https://shop.example/h1",
    "price": "29.90 EUR",
    "availability": "in stock",
    "image link": "https://img.example/1.jpg",
    "Additional image link [additional_image_link]": "https://img.example/2.jpg, https://img.example/3,w=80.jpg",
    "g:brand": "Ann",
    "GTIN[gtin]": "4006381333931",
    "mpn": "AH1",
    "item group id": "H",
    "product_type": "Clothing > Women > Hats",
    "google_product_category": "173",
    "color": "Red/Blue",
    "size": "M",
    "material": "wool",
    "pattern": "striped",
    "gender": "female",
    "age_group": "adult",
    "c:season:string": "winter",
    "product_highlight": '"Fits well, always"',
    "cost_of_goods_sold": "3.00 EUR",
    "product_detail": "Care:Wash:30 degrees",
    "shipping(country:price)": "DE:4.90 EUR",
    "content_language": "en",
}


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def table(rows: list[dict[str, str]], separator: str = "\t") -> str:
    """Rows as Google's tab-delimited files: a field that holds a quote is quoted."""

    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if '"' in text or separator in text else text

    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    return "".join(separator.join(map(cell, line)) + "\n" for line in lines)


def items(*paths: Path, rejects: Rejects | None = None, **config: object) -> dict[str, Item]:
    feed = read_feed(paths, FeedConfig(**config), as_of=NOW, rejects=rejects)
    shop = ShopData("s", feed.items, pl.DataFrame(schema=INTERACTIONS), pl.DataFrame(schema=USERS))
    return {item.item_id: item for item in shop.catalog}


EXPECTED = Item(
    "H-1",
    parent_id="H",
    title="Wool hat & scarf",
    description="Warm.\nSoft & light.",
    price=29.9,
    currency="EUR",
    brand="Ann",
    categories=("Clothing", "Women", "Hats"),
    attributes={
        "gtin": ("4006381333931",), "mpn": ("AH1",), "google_product_category": ("173",), "color": ("Red", "Blue"),
        "size": ("M",), "material": ("wool",), "pattern": ("striped",), "gender": ("female",), "age_group": ("adult",),
        "season": ("winter",), "product_highlight": ("Fits well, always",), "Wash": ("30 degrees",),
    },
    images=("https://img.example/1.jpg", "https://img.example/2.jpg", "https://img.example/3,w=80.jpg"),
    url="https://shop.example/h1",
    availability=True,
    language="en",
    sizes=("M",),
)  # fmt: skip


@pytest.mark.parametrize(
    "form", ["rss", "atom", "undeclared g:", "tsv", "csv", "txt", "gzip", "utf-16", "bom", "crlf", "latin-1"]
)
def test_every_form_gives_the_same_product(form: str, tmp_path: Path) -> None:
    config = {}
    if form in ("rss", "atom", "undeclared g:"):
        text = {"rss": RSS, "atom": ATOM}.get(form, RSS.replace('xmlns:g="http://base.google.com/ns/1.0"', ""))
        path = write(tmp_path, "feed.xml", text)
    else:
        text = table([TABLE], "," if form == "csv" else "\t")
        raw = text.replace("\n", "\r\n").encode() if form == "crlf" else text.encode()
        if form == "latin-1":
            raw, config = text.replace("Ann", "Änn").encode("latin-1"), {"encoding": "latin-1"}
        coded = {"gzip": gzip.compress(raw), "utf-16": text.encode("utf-16"), "bom": b"\xef\xbb\xbf" + raw}
        path = write(tmp_path, {"csv": "feed.csv", "gzip": "feed"}.get(form, "feed.txt"), coded.get(form, raw))
    [item] = items(path, **config).values()
    expected = {name: getattr(EXPECTED, name) for name in EXPECTED.__slots__}
    found = {name: getattr(item, name) for name in EXPECTED.__slots__}
    assert found == {**expected, "brand": "Änn" if form == "latin-1" else "Ann"}


@pytest.mark.parametrize(
    ("sale", "dates", "price", "attributes"),
    [
        ("19.90 EUR", "", 19.9, {"regular_price": ("29.9",)}),
        ("19.90 EUR", "2026-06-01T00:00+0200/2026-06-15T14:01+0200", 19.9, {"regular_price": ("29.9",)}),
        ("19.90 EUR", "2026-06-01T00:00+0200/2026-06-15T14:00+0200", 29.9, {}),  # ends at noon UTC
        ("19.90 EUR", "2026-06-01/2026-06-15", 19.9, {"regular_price": ("29.9",)}),  # the last day counts
        (
            "19.90 EUR",
            "2026-07-01T00:00Z/2026-07-02T00:00Z",
            29.9,
            {"sale_price": ("19.9",), "sale_price_effective_date": ("2026-07-01T00:00Z/2026-07-02T00:00Z",)},
        ),
        ("39.90 EUR", "", 29.9, {}),  # no sale: it costs more
    ],
)
def test_the_price_is_what_holds_now(
    sale: str, dates: str, price: float, attributes: dict[str, tuple[str, ...]], tmp_path: Path
) -> None:
    row = {"id": "1", "price": "29.90 EUR", "sale_price": sale, "sale_price_effective_date": dates}
    [item] = items(write(tmp_path, "f.tsv", table([row]))).values()
    assert (item.price, item.currency, item.attributes) == (price, "EUR", attributes)


def test_a_sale_in_another_currency_is_no_price(tmp_path: Path) -> None:
    row = {"id": "1", "price": "10 EUR", "sale_price": "8 USD"}
    rejects = Rejects()
    read_feed([write(tmp_path, "f.tsv", table([row, {**row, "id": "2", "sale_price": "8"}]))], rejects=rejects)
    assert rejects.summary() == (
        "1 row rejected: 1 bad sale_price (first: f.tsv line 2: sale_price '8 USD' beside price '10 EUR': "
        "the price's own currency would be valid)"
    )
    path = write(tmp_path, "g.tsv", table([{**row, "price": "10"}]))
    nameless = read_feed([path], FeedConfig(currency="USD"), as_of=NOW)
    assert nameless.items.select("price", "currency").row(0) == (8.0, "USD")


def test_prices_of_several_currencies_are_told(tmp_path: Path) -> None:
    prices = ("10 EUR", "9 EUR", "1200 JPY", "8", "")
    rows = [{"id": str(n), "price": price, "image_link": "https://img.example/1.jpg"} for n, price in enumerate(prices)]
    [note] = read_feed([write(tmp_path, "f.tsv", table(rows))]).notes
    assert note.startswith("prices of several currencies (EUR 2, JPY 1, none named 1): filters and sorting compare")
    assert not read_feed([write(tmp_path, "g.tsv", table([*rows[:2], rows[4]]))]).notes


def test_a_feed_says_when_it_reads_otherwise_by_itself(tmp_path: Path) -> None:
    row = {"id": "1", "price": "9 EUR", "sale_price": "5 EUR", "expiration_date": "2026-09-01"}
    dates = ("2026-07-01T00:00Z/2026-07-02T00:00Z", "2026-06-20T00:00Z/2026-07-02T00:00Z")
    rows = [{**row, "id": date, "sale_price_effective_date": date} for date in dates]
    feed = read_feed([write(tmp_path, "f.tsv", table(rows))], as_of=NOW)
    assert feed.changes_at == datetime(2026, 6, 20, tzinfo=UTC)
    assert read_feed([write(tmp_path, "g.tsv", table([TABLE]))], as_of=NOW).changes_at is None


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("12.99 EUR", 12.99, "EUR"), ("EUR 12.99", 12.99, "EUR"), ("12,99 EUR", 12.99, "EUR"), ("12.99", 12.99, None),
        ("1.299,50 EUR", 1299.5, "EUR"), ("1,299.50 usd", 1299.5, "USD"), ("1,299", 1299.0, None), ("0", 0.0, None),
        ("1 299,00 SEK", 1299.0, "SEK"), ("1'299.00 CHF", 1299.0, "CHF"), ("€ 5", 5.0, "EUR"), ("$5.50", 5.5, None),
        ("1.234.567 EUR", 1234567.0, "EUR"), ("1.299 EUR", 1.299, "EUR"),
    ],
)  # fmt: skip
def test_money(text: str, amount: float, currency: str | None) -> None:
    assert as_money(text, "price") == (amount, currency)


@pytest.mark.parametrize("text", ["cheap", "-1 EUR", "12.99 EURO", "1-2 EUR", "nan", "", "12 EUR EUR"])
def test_no_money(text: str) -> None:
    with pytest.raises(BadValue, match="price"):
        as_money(text, "price")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("in_stock", (True, None)), ("Out of Stock", (False, None)), ("preorder", (True, "preorder")),
        ("backorder", (True, "backorder")), ("https://schema.org/InStock", (True, None)), ("yes", (True, None)),
        ("http://schema.org/SoldOut", (False, None)), (None, (None, None)),
    ],
)  # fmt: skip
def test_availability(text: str | None, found: tuple[bool | None, str | None]) -> None:
    assert as_availability(text) == found


def test_a_span_and_html() -> None:
    begin, end = as_span("2016-02-24T13:00-0800/2016-02-29T15:30-0800", "x")
    assert (begin, end) == (datetime(2016, 2, 24, 21, tzinfo=UTC), datetime(2016, 2, 29, 23, 30, tzinfo=UTC))
    for bad in ("2016-02-24", "a/b", "2016-01-01/2016-01-02/2016-01-03"):
        with pytest.raises(BadValue, match="slash"):
            as_span(bad, "x")
    assert as_plain("5 < 6 & 7 > 2") == "5 < 6 & 7 > 2"
    assert as_plain("<script>steal()</script><p>A<br>B</p><style>p{}</style>") == "A\nB"
    assert as_plain('<img alt="5 > 4" src=x>A<!-- > hidden -->B<p') == "AB"
    assert as_plain("3 <4 &#" + "9" * 5_000 + ";<br>x") == "3 <4 &#" + "9" * 5_000 + ";\nx"
    assert as_plain("<SCRIPT>a</b></Script >b</div>c<style>d") == "b\nc"
    assert as_plain("<svg><script>x</script>y</svg> &lt;b&gt;") == "<b>"


def test_a_bad_row_is_rejected_alone_with_its_line(tmp_path: Path) -> None:
    rows = [
        {"id": "1", "title": "A", "price": "cheap", "availability": "in_stock", "image_link": ""},
        {"id": "2", "title": "B", "price": "2 EUR", "availability": "perhaps", "image_link": ""},
        {"id": "", "title": "C", "price": "2 EUR", "availability": "in_stock", "image_link": ""},
        {"id": "4", "title": "D", "price": "2 EUR", "availability": "in_stock", "image_link": ""},
        {"id": "4", "title": "E", "price": "2 EUR", "availability": "in_stock", "image_link": ""},
    ]
    rejects = Rejects()
    text = table(rows) + "5\ttoo few\n"
    found = items(write(tmp_path, "f.tsv", text), rejects=rejects)
    assert {item_id: item.title for item_id, item in found.items()} == {"4": "D"}
    told = {(each.line, each.reason) for each in rejects}
    assert told == {
        (2, "bad price"), (3, "bad availability"), (4, "missing item id"), (6, "repeated item id"),
        (7, "malformed row"),
    }  # fmt: skip
    feed = read_feed([tmp_path / "f.tsv"])
    assert feed.refused == {"1", "2"}


def test_xml_rejects_an_item_with_the_line_it_begins_in(tmp_path: Path) -> None:
    text = RSS.replace("</channel>", "<item><g:id>X</g:id><g:price>free</g:price></item>\n</channel>")
    rejects = Rejects()
    assert list(items(write(tmp_path, "f.xml", text), rejects=rejects)) == ["H-1"]
    [reject] = rejects
    assert (reject.line, reject.reason) == (RSS[: RSS.index("</channel>")].count("\n") + 1, "bad price")


def test_structured_titles_expired_offers_and_details_with_commas(tmp_path: Path) -> None:
    row = {
        "id": "1", "image_link": "", "structured_title": 'trained_algorithmic_media:"A, new: hat"',
        "expiration_date": "2026-06-14T10:00Z", "availability": "preorder",
        "product_detail": "General:Fits:S, M:and L,Care:Wash:cold, then dry",
    }  # fmt: skip
    [item] = items(write(tmp_path, "f.tsv", table([row]))).values()
    assert (item.title, item.availability) == ("A, new: hat", False)
    assert item.attributes["Wash"] == ("cold, then dry",) and item.attributes["availability"] == ("preorder",)


def test_several_files_are_one_feed(tmp_path: Path) -> None:
    one, two = dict(TABLE), {**TABLE, "id": "H-2"}
    paths = [write(tmp_path, "a.tsv", table([one])), write(tmp_path, "b.csv", table([one, two], ","))]
    rejects = Rejects()
    assert list(items(*paths, rejects=rejects)) == ["H-1", "H-2"]
    [reject] = rejects
    assert (reject.file, reject.line, reject.reason) == ("b.csv", 2, "repeated item id")
    assert "a.tsv line 2" in reject.detail


def test_what_is_no_feed_is_said(tmp_path: Path) -> None:
    for text, said in (
        ("", "is empty"),
        ("<html><body>Log in</body></html>", "is a web page"),
        ("<rss><channel><title>x</title></channel></rss>", "holds no <item>"),
        ("name,price\nhat,3\n", "has no item id"),
        ("id,image_link\n", "no item was read"),
    ):
        with pytest.raises(DataError, match=said):
            read_feed([write(tmp_path, "f.csv", text)])
    with pytest.raises(DataError, match="does not exist"):
        read_feed([tmp_path / "none.xml"])
    with pytest.raises(DataError, match="column map is for tables"):
        read_feed([write(tmp_path, "g.tsv", table([TABLE]))], FeedConfig(form="google"), columns={"title": "brand"})
    for config, columns in ((FeedConfig(form="shopify"), {}), (FeedConfig(), {"title": "name"})):
        with pytest.raises(DataError, match="is XML"):
            read_feed([write(tmp_path, "f.xml", RSS)], config, columns=columns)


def test_a_table_of_the_shops_own_is_read_by_names_and_by_a_map(tmp_path: Path) -> None:
    path = write(tmp_path, "own.csv", "sku,label,price,shade\n7,Hat,3.5,red\n")
    feed = read_feed([path])
    assert feed.form == "table" and feed.items["title"].to_list() == [None]
    [row] = read_feed([path], columns={"title": "label"}).items.iter_rows(named=True)
    assert (row["item_id"], row["title"], row["price"], row["currency"]) == ("7", "Hat", 3.5, None)
    path = write(tmp_path, "own.csv", 'sku,price,currency\n7,"12,99 €",\n8,5,CHF\n9,5,\n,,\n')
    rows = read_feed([path], FeedConfig(currency="USD")).items.select("price", "currency").rows()
    assert rows == [(12.99, "EUR"), (5.0, "CHF"), (5.0, "USD")]


def test_json_lines_without_a_name_that_says_so(tmp_path: Path) -> None:
    rejects = Rejects()
    path = write(tmp_path, "export", gzip.compress(b'{"sku": "7", "name": "Hat", "price": "1 EUR"}\nno json\n[1]\n'))
    [row] = read_feed([path], rejects=rejects).items.iter_rows(named=True)
    assert (row["item_id"], row["title"], row["price"], row["currency"]) == ("7", "Hat", 1.0, "EUR")
    assert [(each.line, each.reason) for each in rejects] == [(2, "malformed row"), (3, "malformed row")]
    with pytest.raises(DataError, match="one JSON object a line"):
        read_feed([write(tmp_path, "list.json", '[{"sku": "7"}]\n')])


def test_who_reads_a_feed_as_a_table_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "f.tsv", table([TABLE]))
    with pytest.raises(DataError, match=r"bad price.*Google Merchant's: vitrine import feed"):
        read_table(path)
    assert "its columns are Google Merchant's" in preview_table(path).text()
    with pytest.raises(DataError, match="vitrine sync read product feeds"):
        preview_table(write(tmp_path, "f.xml", RSS))
