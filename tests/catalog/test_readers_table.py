from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from catalog.errors import DataError
from catalog.readers.finishing import refine
from catalog.readers.preview import preview_table
from catalog.readers.refining import RefineConfig
from catalog.readers.table import read_table

ITEMS = """sku,name,price,brand,genres,colour,in_stock,notes
001,Red hat,9.50,Ann,"Head, Warm",red|dark,yes,"a, b"
2,Blue shoe,,Bob,Foot,blue,no,
"""
EVENTS = """user,sku,time,event,quantity,page
ann,001,2024-01-02T03:04:05Z,purchase,2,home
bob,2,1700000000,view,,
"""


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_columns_are_understood_by_name(tmp_path: Path) -> None:
    imported = read_table(write(tmp_path, "shop.csv", ITEMS), write(tmp_path, "events.csv", EVENTS))
    hat, shoe = imported.shop.catalog.items
    assert imported.shop.name == "shop"
    assert (hat.item_id, hat.title, hat.price, hat.brand) == ("001", "Red hat", 9.5, "Ann")
    assert hat.categories == ("Head", "Warm")
    assert hat.attributes == {"colour": ("red", "dark"), "notes": ("a, b",)}
    assert (hat.availability, shoe.availability, shoe.price) == (True, False, None)
    first, second = imported.shop.log.rows(named=True)
    assert first["timestamp"] == datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (first["user_id"], first["item_id"], first["kind"], first["value"]) == ("ann", "001", "purchase", 2.0)
    assert json.loads(first["context"]) == {"page": "home"}
    assert (second["kind"], second["value"], second["context"]) == ("view", None, None)
    assert imported.shop.users["user_id"].to_list() == ["ann", "bob"]


@pytest.mark.parametrize("form", ["csv", "csv.gz", "tsv", "jsonl", "jsonl.gz", "parquet", "semicolons", "bom"])
def test_every_form_gives_the_same_shop(tmp_path: Path, form: str) -> None:
    frame = pl.DataFrame({"item_id": ["007", "8"], "title": ["Hat, wool", 'The "8"'], "price": [1.5, None]})
    path = tmp_path / f"shop.{'csv' if form in ('semicolons', 'bom') else form}"
    if form == "parquet":
        frame.write_parquet(path)
    else:
        separator = {"tsv": "\t", "semicolons": ";"}.get(form, ",")
        text = frame.write_ndjson() if "jsonl" in form else frame.write_csv(separator=separator)
        raw = (b"\xef\xbb\xbf" if form == "bom" else b"") + text.encode()
        path.write_bytes(gzip.compress(raw) if form.endswith("gz") else raw)
    items = read_table(path).shop.catalog.items
    assert [(item.item_id, item.title, item.price) for item in items] == [
        ("007", "Hat, wool", 1.5),
        ("8", 'The "8"', None),
    ]


def test_parquet_keeps_types_and_ids(tmp_path: Path) -> None:
    moment = datetime(2024, 5, 6, 7, 8, 9, 123, tzinfo=UTC)
    log = pl.DataFrame({"user_id": [5, 6], "item_id": [1.0, 2.0], "timestamp": [moment, moment], "value": [1, None]})
    log.write_parquet(tmp_path / "events.parquet")
    imported = read_table(interactions=tmp_path / "events.parquet")
    assert imported.shop.log["user_id"].to_list() == ["5", "6"]
    assert imported.shop.log["item_id"].to_list() == ["1", "2"]
    assert imported.shop.log["timestamp"].to_list() == [moment, moment]
    assert imported.shop.items["item_id"].to_list() == ["1", "2"]


def test_a_map_says_where_the_names_are_wrong(tmp_path: Path) -> None:
    text = "code,ean,label,department,group,shade,name\n01,9,Hat,Head,Wool,red,ignored name\n"
    columns = {
        "item_id": "code", "title": "label", "categories": "department + group", "attributes.colour": "shade",
    }  # fmt: skip
    [item] = read_table(write(tmp_path, "a.csv", text), columns=columns).shop.catalog.items
    assert (item.item_id, item.title, item.categories) == ("01", "Hat", ("Head", "Wool"))
    assert item.attributes == {"ean": ("9",), "colour": ("red",), "name": ("ignored name",)}


def test_an_empty_source_gives_a_column_back(tmp_path: Path) -> None:
    text = "sku,available\n1,from May\n"
    assert read_table(write(tmp_path, "a.csv", text), columns={"availability": ""}).shop.catalog["1"].attributes == {
        "available": ("from May",)
    }


def test_a_target_holds_for_each_table_that_has_the_column_or_the_one_it_names(tmp_path: Path) -> None:
    items = write(tmp_path, "items.csv", "code,sku\nA,1\n")
    events = write(tmp_path, "events.csv", "who,thing\nann,A\n")
    users = write(tmp_path, "users.csv", "who,tier,town\nann,gold,Ulm\ncid,,Bonn\nann,,\n,x,\n")
    columns = {"item_id": "code", "interactions.item_id": "thing", "user_id": "who"}
    imported = read_table(items, events, users, columns, "named", kind="purchase")
    assert imported.shop.name == "named"
    assert imported.shop.log.select("user_id", "item_id", "kind").rows() == [("ann", "A", "purchase")]
    ann, cid = imported.shop.user_nouns.values()
    assert (ann.membership, ann.attributes, cid.membership) == ("gold", {"town": ("Ulm",)}, None)
    assert imported.rejects.counts == {"repeated user id": 1, "missing user id": 1}


def test_pictures_by_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for name in ("images/007.jpg", "own.jpg"):
        (tmp_path / name).write_bytes(b"x")
    text = "sku,image\n007,own.jpg\n8,https://shop.example/8.jpg\n../own,\n"
    imported = read_table(write(tmp_path, "a.csv", text), images="images/{sku}.jpg")
    pictures = {item.item_id: item.images for item in imported.shop.catalog}
    assert pictures == {
        "007": (str(tmp_path / "images/007.jpg"), str(tmp_path / "own.jpg")),
        "8": ("https://shop.example/8.jpg",),
        "../own": (),
    }
    assert (imported.counts["media"], imported.counts["media_missing"]) == (3, 2)
    again = read_table(write(tmp_path, "b.csv", "sku,image\n007,own.jpg\n007,own.jpg\n"), images="images/{sku}.jpg")
    assert again.counts["media"] == 2 and again.counts["rejected"] == 1


MEDIA_ITEMS = """item_id,price,image
a,1,no.jpg|none.jpg
b,cheap,no.jpg
a,1,no.jpg
,1,no.jpg
c,1,
c,1,no.jpg|none.jpg|nowhere.jpg
d,1,no.jpg
"""
"""Kept: a (2 missing), c (none), d (1)."""
MEDIA_LOG = "user_id,item_id,timestamp\nu,a,1\nu,c,2\nv,a,3\nv,c,4\nw,d,5\n"


def test_missing_pictures_are_those_of_the_items_kept(tmp_path: Path) -> None:
    imported = read_table(write(tmp_path, "a.csv", MEDIA_ITEMS), write(tmp_path, "log.csv", MEDIA_LOG))
    assert imported.shop.items["item_id"].to_list() == ["a", "c", "d"]
    assert imported.counts["media_missing"] == 3
    assert refine(imported, RefineConfig(k_core=2)).counts["media_missing"] == 2  # d is outside the core


def test_bad_rows_are_rejected_alone(tmp_path: Path) -> None:
    items = (
        b'sku,price,name\n1,nan,a\n2,-1,b\n3,cheap,c\n,1,d\n4,1,e\n4,2,f\n5,1\n6,1,\xff\n7,1,"g"h\n8,1,i\n9,1e308,j\n'
    )
    events = (
        "user_id,sku,time,event,event_id\nann,4,1,view,e1\nann,4,2,viewed,e2\nann,4,never,view,e3\n"
        "ann,99,4,view,e4\n,4,5,view,e5\nann,,6,view,e6\nann,8,7,view,e1\nann,8,,view,e7\n"
    )
    imported = read_table(write(tmp_path, "items.csv", items), write(tmp_path, "events.csv", events))
    assert imported.shop.items["item_id"].to_list() == ["4", "8"]
    assert imported.shop.log["event_id"].to_list() == ["e1"]
    assert dict(imported.rejects.counts) == {
        "bad price": 4, "missing item id": 1, "repeated item id": 1, "malformed row": 2, "not UTF-8": 1,
        "unknown kind": 1, "bad timestamp": 1, "unknown item": 1, "missing user": 1, "missing item": 1,
        "repeated event id": 1, "missing timestamp": 1,
    }  # fmt: skip
    found = {(each.file, each.line): each for each in imported.rejects}
    assert found["items.csv", 2].detail == "price 'nan': a number of at least 0 would be valid"
    assert found["items.csv", 7].detail == "item id '4' stands in line 6 already"
    assert found["events.csv", 3].detail.startswith("unknown kind 'viewed'. Did you mean 'view'?")
    assert imported.counts["rejected"] == len(imported.rejects) == 16


def test_a_quote_never_closed_costs_its_own_row_only(tmp_path: Path) -> None:
    rows = ['1,"fine"', '2,"never closed', "3,plain", '4,"two\nlines"', '5,"open', "6,last"]
    imported = read_table(write(tmp_path, "a.csv", "sku,title\n" + "\n".join(rows) + "\n"))
    assert imported.shop.items.select("item_id", "title").rows() == [
        ("1", "fine"), ("3", "plain"), ("4", "two\nlines"), ("6", "last"),
    ]  # fmt: skip
    assert [(each.line, each.reason, each.row) for each in imported.rejects] == [
        (3, "malformed row", '2,"never closed\n'), (7, "malformed row", '5,"open\n'),
    ]  # fmt: skip


def test_json_lines_may_bring_new_names_late_and_nested_attributes(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"asin": f"B{n:04}"} for n in range(1001)]
    rows.append({"asin": "LATE", "surprise": [1, True], "details": {"Color": "Red", "Size": {"eu": 42}}})
    text = "\n".join(json.dumps(row) for row in rows)
    item = read_table(write(tmp_path, "a.jsonl", text)).shop.catalog["LATE"]
    assert item.attributes == {"surprise": ("1", "true"), "Color": ("Red",), "Size": ('{"eu": 42}',)}


def test_hostile_values_cost_their_own_row_only(tmp_path: Path) -> None:
    lines = [
        '{"sku": "half", "title": "\\ud83d"}',
        '{"sku": "whole", "title": "\\ud83d\\ude00"}',
        '{"sku": "huge", "rating_count": 1e300}',
        '{"sku": "infinite", "price": 1e400}',
        '{"sku": "stars", "rating": 1e39}',
        '{"sku": "deep", "title": ' + "[" * 5000 + "]" * 5000 + "}",
        '{"sku": "nul", "title": "a\\u0000b"}',
    ]
    imported = read_table(write(tmp_path, "a.jsonl", "\n".join(lines)))
    assert imported.shop.items["item_id"].to_list() == ["whole", "nul"]
    assert imported.shop.catalog["whole"].title == "\N{GRINNING FACE}"
    assert dict(imported.rejects.counts) == {
        "not UTF-8": 1, "bad rating_count": 1, "bad price": 1, "bad rating": 1, "malformed row": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("sku,name\n1,a\n", {"columns": {"title": "nam"}}, r"a.csv' has no column 'nam'. Did you mean 'name'\?"),
        ("sku,name\n1,a\n", {"columns": {"titel": "name"}}, r"unknown target 'titel'. Did you mean 'title'\?"),
        ("sku,name\n1,a\n", {"columns": {"items.titel": "name"}}, r"unknown target 'titel' of items"),
        ("sku,name\n1,a\n", {"columns": {"users.user_id": "name"}}, "names a table that was not given; given: items"),
        ("sku,name\n1,a\n", {"columns": {"title": "sku + name"}}, "'title' takes one column"),
        ("sku,name\n1,a\n", {"images": "{sk}.jpg"}, r"has no column 'sk'. Did you mean 'sku'\?"),
        ("sku,name\n1,a\n", {"images": "a.jpg"}, "names no column"),
        ("sku,name\n1,a\n", {"images": "{sku.jpg"}, "picture pattern"),
        ("sku,name\n1,a\n", {"images": "{sku.__class__}.jpg"}, "has no column 'sku.__class__'"),
        ("sku,name\n1,a\n", {"kind": "buy"}, "unknown kind 'buy'"),
        ("name,price\na,1\n", {}, "a.csv' has no column for 'item_id' of items; its columns are name, price; one of"),
        ("sku,sku\n1,2\n", {}, "column 'sku' stands twice"),
        ("", {}, "a.csv' is empty"),
        ("\n\n", {}, "holds no row"),
        ("sku,name\n", {}, "no item was read; no row rejected"),
        ("sku,price\n1,x\n", {}, "no item was read; 1 row rejected: 1 bad price"),
    ],
)
def test_what_cannot_be_read_at_all_is_one_clear_line(
    tmp_path: Path, text: str, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(DataError, match=says) as caught:
        read_table(write(tmp_path, "a.csv", text), **options)
    assert "\n" not in str(caught.value)


def test_files_that_are_missing_or_of_no_known_form(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no table to read"):
        read_table()
    with pytest.raises(DataError, match=r"no\.csv' does not exist"):
        read_table(tmp_path / "no.csv")
    with pytest.raises(DataError, match=r"a\.xlsx': unknown form; one of \.csv"):
        read_table(write(tmp_path, "a.xlsx", "x"))
    (tmp_path / "tables.csv").mkdir()
    for folder in (Path(), tmp_path / "tables.csv"):
        with pytest.raises(DataError, match=r"file '.*(\.|tables\.csv)' is a folder; a file ending in one of \.csv"):
            read_table(folder)
    with pytest.raises(DataError, match="is not a readable Parquet file"):
        read_table(write(tmp_path, "a.parquet", "not parquet at all"))
    cut = gzip.compress(("sku,name\n" + "".join(f"{n},x\n" for n in range(5000))).encode())[:-100]
    with pytest.raises(DataError, match=r"a\.csv\.gz' cannot be read"):
        read_table(write(tmp_path, "a.csv.gz", cut))
    with pytest.raises(DataError, match="needs an item table"):
        read_table(interactions=write(tmp_path, "e.csv", EVENTS), images="{sku}.jpg")


def test_a_preview_says_what_each_column_would_become(tmp_path: Path) -> None:
    text = ",sku,name,shade,price\n0,1,Hat,red,oops\n1,2,Shoe,,5\n2,3,Coat,blue,6\n"
    preview = preview_table(write(tmp_path, "a.csv", text), {"attributes.colour": "shade"}, rows=2)
    assert [(each.source, each.becomes, each.given) for each in preview.columns] == [
        ("", "ignored", False), ("sku", "item_id", False), ("name", "title", False),
        ("shade", "attributes.colour", True), ("price", "price", False),
    ]  # fmt: skip
    assert preview.columns[3].samples == ("'red'",) and preview.columns[1].samples == ("'1'", "'2'")
    assert "brand" in preview.open_targets and "price" not in preview.open_targets
    assert "1 row rejected: 1 bad price (first: a.csv line 2: price 'oops'" in preview.text()
    assert "of all 3 rows: 1 row" in preview.text()
    with pytest.raises(DataError, match="Did you mean 'shade'"):
        preview_table(tmp_path / "a.csv", {"attributes.colour": "shad"})


def test_a_preview_says_how_many_rows_it_read(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "sku,price\n" + "".join(f"{n},1\n" for n in range(1000)) + "x,oops\n")
    assert preview_table(path).problems == ("of the first 1,000 rows: no row rejected",)
    users = preview_table(write(tmp_path, "u.csv", "user_id\nann\nann\n"), table="users")
    assert users.problems[-1].startswith("of all 2 rows: 1 row rejected: 1 repeated user id")


def test_a_preview_of_a_log_as_items_names_the_kind(tmp_path: Path) -> None:
    log = write(tmp_path, "e.csv", "user_id,sku,ts,event\nann,1,2026-01-01,purchase\nbob,1,never,view\n")
    assert preview_table(log).problems[0] == (
        "columns user_id, sku, ts, event look like a log of what people did: try --kind interactions"
    )
    (found,) = preview_table(log, table="interactions").problems
    assert found.startswith("of all 2 rows: 1 row rejected: 1 bad timestamp (first: e.csv line 3")
    people = write(tmp_path, "u.csv", "customer_id,tier\nann,gold\n")
    assert preview_table(people).problems[0].endswith("look like a table of shoppers: try --kind users")


def test_a_preview_shows_a_table_without_an_id(tmp_path: Path) -> None:
    preview = preview_table(write(tmp_path, "a.csv", "who,mood\nann,fine\n"), table="users")
    assert [each.becomes for each in preview.columns] == ["attributes.who", "attributes.mood"]
    assert "no column for 'user_id' of users" in preview.problems[0]


def test_a_preview_of_interactions(tmp_path: Path) -> None:
    path = write(tmp_path, "a.inter", "userID\titemID\trating\tx_label\tdevice\n0\t1\t5\t0\tphone\n")
    fates = {each.source: each.becomes for each in preview_table(path, table="interactions").columns}
    assert fates == {
        "userID": "user_id", "itemID": "item_id", "rating": "value", "x_label": "split", "device": "context",
    }  # fmt: skip


@pytest.mark.realdata
def test_fashion(fashion_folder: Path) -> None:
    columns = {
        "categories": "index_group_name + product_group_name + product_type_name",
        "attributes.colour": "colour_group_name",
        "parent_id": "product_code",
    }
    imported = read_table(fashion_folder / "articles.csv", columns=columns, images="images/{article_id}.jpg")
    assert (imported.counts["items"], imported.counts["media"], imported.counts["media_missing"]) == (2531, 2522, 9)
    assert imported.counts["rejected"] == 0
    top = imported.shop.catalog["0108775015"]
    assert (top.title, top.parent_id, top.description) == (
        "Strap top", "108775", "Jersey top with narrow shoulder straps.",
    )  # fmt: skip
    assert top.categories == ("Ladieswear", "Garment Upper body", "Vest top")
    assert top.attributes["colour"] == ("Black",) and "" not in top.attributes
    assert [Path(image).name for image in top.images] == ["0108775015.jpg"]
