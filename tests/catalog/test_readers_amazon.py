from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import DataError
from catalog.log import Interactions
from catalog.readers.amazon import read_amazon
from catalog.readers.amazon_files import AmazonFiles, find_files
from catalog.readers.amazon_rows import images_of, price_of
from catalog.readers.refining import RefineConfig
from catalog.splits import make_split

# One row of each kind, in the words of the published data card.
REVIEW: dict[str, Any] = {
    "rating": 5.0,
    "title": "Such a lovely scent",
    "text": "This spray is really nice.",
    "images": [{"small_image_url": "https://m.example/s.jpg", "large_image_url": "https://m.example/l.jpg"}],
    "asin": "B00YQ6X8EO",
    "parent_asin": "B00PARENT0",
    "user_id": "AGKHLEW2SOWHNMFQIJGBECAF7INQ",
    "timestamp": 1588687728923,
    "helpful_vote": 3,
    "verified_purchase": True,
}
META: dict[str, Any] = {
    "main_category": "All Beauty",
    "title": "Howard LC0008 Leather Conditioner",
    "average_rating": 4.8,
    "rating_number": 10,
    "features": ["Cleans leather.", "Contains beeswax."],
    "description": ["For all colours of leather."],
    "price": 12.99,
    "images": [
        {"thumb": "https://m.example/t1.jpg", "large": "https://m.example/l1.jpg", "variant": "MAIN", "hi_res": None},
        {
            "thumb": "https://m.example/t2.jpg",
            "large": "https://m.example/l2.jpg",
            "hi_res": "https://m.example/h2.jpg",
        },
    ],
    "videos": [{"title": "How to", "url": "https://m.example/v.mp4", "user_id": ""}],
    "store": "Howard Products",
    "categories": ["Beauty", "Hair Care"],
    "details": {"Package Dimensions": "7 x 3 inches", "Best Sellers Rank": {"Beauty": 3}},
    "parent_asin": "B00PARENT0",
    "bought_together": None,
}


def lines(path: Path, rows: list[Any]) -> Path:
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def reviews(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**REVIEW, **row} for row in rows]


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz"])
def test_reviews_and_products_become_a_shop(tmp_path: Path, ending: str) -> None:
    files = AmazonFiles(lines(tmp_path / f"Soap.{ending}", [REVIEW]), lines(tmp_path / f"meta_Soap.{ending}", [META]))
    imported = read_amazon(files)
    [item] = imported.shop.catalog
    assert (item.item_id, item.brand, item.price, item.currency) == ("B00PARENT0", "Howard Products", 12.99, "USD")
    assert (item.rating, item.rating_count, item.categories) == (4.8, 10, ("Beauty", "Hair Care"))
    assert item.description == "For all colours of leather.\nCleans leather.\nContains beeswax."
    assert item.images == ("https://m.example/l1.jpg", "https://m.example/h2.jpg")
    assert item.videos == ("https://m.example/v.mp4",)
    assert item.attributes == {"main_category": ("All Beauty",), "Package Dimensions": ("7 x 3 inches",)}
    row = imported.shop.log.row(0, named=True)
    assert (row["user_id"], row["item_id"], row["kind"]) == (REVIEW["user_id"], "B00PARENT0", "rating")
    assert row["value"] == 5.0 and row["text"] == "Such a lovely scent\nThis spray is really nice."
    assert row["timestamp"] == datetime(2020, 5, 5, 14, 8, 48, 923000, UTC)
    assert json.loads(row["context"]) == {"asin": "B00YQ6X8EO", "helpful_vote": 3, "verified_purchase": True}
    assert imported.counts["media"] == 3 and imported.clock == "time" and imported.shop.name == "Soap"


def test_a_bad_row_is_rejected_alone_and_an_item_without_products_is_known_by_its_id(tmp_path: Path) -> None:
    rows: list[Any] = [
        REVIEW,
        "{not json",
        {**REVIEW, "user_id": None},
        {**REVIEW, "rating": "five"},
        {**REVIEW, "timestamp": "soon"},
        {**REVIEW, "parent_asin": "B00LONELY0", "asin": "B00LONELY0"},
    ]
    metas: list[Any] = [META, {**META, "price": "cheap", "parent_asin": "B2"}, META, {**META, "parent_asin": None}]
    files = AmazonFiles(lines(tmp_path / "S.jsonl", rows), lines(tmp_path / "meta_S.jsonl", metas))
    imported = read_amazon(files)
    assert imported.shop.items["item_id"].to_list() == ["B00PARENT0", "B00LONELY0"]
    assert imported.counts["items_by_id_alone"] == 1 and "known by their id alone" in imported.notes[0]
    assert dict(imported.rejects.counts) == {
        "malformed row": 1, "missing user": 1, "bad value": 1, "bad timestamp": 1,
        "bad price": 1, "missing item id": 1, "repeated item id": 1,
    }  # fmt: skip
    places = {(each.file, each.line) for each in imported.rejects}
    assert ("S.jsonl", 2) in places and ("meta_S.jsonl", 3) in places
    [again] = [each for each in imported.rejects if each.reason == "repeated item id"]
    assert again.detail == "item id 'B00PARENT0' stands in line 1 already"


def test_prices_and_pictures_in_the_forms_that_occur() -> None:
    assert [price_of(text) for text in ("from 9.99", "$1,299.00", "5.5 - 9", "None", 3, None)] == [
        9.99, 1299.0, 5.5, None, 3, None,
    ]  # fmt: skip
    assert images_of({"hi_res": [None, "h"], "large": ["l", "m"], "thumb": ["t", "u"]}) == ["l", "h"]


TRAIN, VALID, TEST = (
    [("u1", "a", 1), ("u2", "b", 1), ("u2", "a", 2)],
    [("u1", "b", 2)],
    [("u1", "c", 3), ("u2", "c", 3)],
)
CUT = {("u1", "a"): 0, ("u2", "b"): 0, ("u2", "a"): 1, ("u1", "b"): 1, ("u1", "c"): 2, ("u2", "c"): 2}


def split_folder(folder: Path, *, nested: bool = False, history: bool = True) -> Path:
    header = "user_id,parent_asin,rating,timestamp" + (",history" if history else "")
    by_cut = [[(u, i, CUT[u, i]) for u, i in CUT if CUT[u, i] == part] for part in range(3)]
    for rule, parts in (("last_out", (TRAIN, VALID, TEST)), ("timestamp", by_cut)):
        for part, rows in zip(("train", "valid", "test"), parts, strict=True):
            place = folder / rule / f"Soap.{part}.csv.gz" if nested else folder / f"Soap.{rule}.{part}.csv"
            tail = ",a b" if history else ""
            times = {("u1", "a"): 1, ("u2", "b"): 1, ("u2", "a"): 2, ("u1", "b"): 2, ("u1", "c"): 3, ("u2", "c"): 3}
            lines(place, [header, *(f"{u},{i},4.0,{1_600_000_000_000 + times[u, i]}{tail}" for u, i, _ in rows)])
    return folder


@pytest.mark.parametrize("nested", [False, True])
def test_published_splits_are_read_as_they_are(tmp_path: Path, nested: bool) -> None:
    files = find_files(split_folder(tmp_path, nested=nested))
    imported = read_amazon(files)
    log = imported.shop.log
    pairs = list(zip(log["user_id"], log["item_id"], strict=True))
    assert pairs == [(u, i) for u, i, _ in [*TRAIN, *VALID, *TEST]]
    assert log["x_label_last_out"].to_list() == [0, 0, 0, 1, 2, 2]
    assert log["x_label_timestamp"].to_list() == [CUT[pair] for pair in pairs]
    assert log["context"].to_list() == [None] * 6  # the history is not kept twice
    split = make_split(log, imported.shop.catalog.ids, protocol="mmrec", label_column="x_label_last_out")
    assert (_pairs(split.train), _pairs(split.valid), _pairs(split.test)) == (
        [(u, i) for u, i, _ in TRAIN], [(u, i) for u, i, _ in VALID], [(u, i) for u, i, _ in TEST],
    )  # fmt: skip


def _pairs(part: Interactions) -> list[tuple[str, str]]:
    return list(zip(part.users.at(part.user_rows), part.items.at(part.item_rows), strict=True))


def test_beside_published_splits_reviews_only_add_words_and_products_outside_are_left_out(tmp_path: Path) -> None:
    split_folder(tmp_path, history=False)
    rows = reviews(
        {"user_id": "u1", "parent_asin": "a", "timestamp": 1_600_000_000_001, "text": "mine"},
        {"user_id": "u9", "parent_asin": "a", "timestamp": 1_600_000_000_001, "text": "of another"},
    )
    lines(tmp_path / "Soap.jsonl", rows)
    lines(tmp_path / "meta_Soap.jsonl", [{**META, "parent_asin": each} for each in "abcxyz"])
    imported = read_amazon(find_files(tmp_path))
    assert imported.counts["interactions"] == 6 and imported.counts["items_outside"] == 3
    assert imported.shop.items["item_id"].to_list() == ["a", "b", "c"]
    assert imported.shop.log["text"].to_list() == ["Such a lovely scent\nmine", *[None] * 5]


def test_a_row_that_one_published_rule_lacks_is_rejected(tmp_path: Path) -> None:
    split_folder(tmp_path)
    path = tmp_path / "Soap.last_out.train.csv"
    path.write_text(path.read_text() + "u3,a,1.0,1600000000009,\n")
    imported = read_amazon(find_files(tmp_path))
    [reject] = list(imported.rejects)
    assert (reject.file, reject.line, reject.reason) == ("Soap.last_out.train.csv", 5, "missing label")


def test_the_files_of_2014_that_mmrec_uses(tmp_path: Path) -> None:
    ratings = lines(tmp_path / "ratings_Baby.csv", ["A3PM,0000031852,4.0,1388275200", "A1SN,0000031853,2.0,1392940800"])
    meta = lines(
        tmp_path / "meta_Baby.json.gz",
        [
            "{'asin': '0000031852', 'title': \"Girl's tutu\", 'imUrl': 'http://m.example/1.jpg', 'price': 3.17, "
            "'categories': [['Baby', 'Clothes'], ['Sports']], 'related': {'also_bought': ['x']}}",
            "{'asin': __import__('os')}",
        ],
    )
    imported = read_amazon(AmazonFiles(ratings, meta))
    assert imported.shop.name == "Baby"
    item = imported.shop.catalog["0000031852"]
    assert (item.title, item.categories, item.images) == (
        "Girl's tutu", ("Baby", "Clothes"), ("http://m.example/1.jpg",),
    )  # fmt: skip
    assert imported.shop.log["value"].to_list() == [4.0, 2.0]
    [reject] = imported.rejects
    assert (reject.reason, reject.line) == ("malformed row", 2)
    assert reject.detail == """neither JSON nor a literal: "{'asin': __import__('os')}\""""
    review = {
        "reviewerID": "A1",
        "asin": "7",
        "overall": 4,
        "unixReviewTime": 1388275200,
        "summary": "Good",
        "reviewText": "Yes",
        "helpful": [2, 3],
    }
    row = read_amazon(AmazonFiles(lines(tmp_path / "reviews_Baby_5.json.gz", [review]))).shop.log.row(0, named=True)
    assert (row["user_id"], row["item_id"], row["value"], row["text"]) == ("A1", "7", 4.0, "Good\nYes")
    assert json.loads(row["context"]) == {"helpful_vote": 2}


def test_the_same_review_under_two_variants_counts_once(tmp_path: Path) -> None:
    rows = reviews(
        {}, {"asin": "B0VARIANT", "timestamp": 1588687728999}, {"text": "another", "timestamp": 1600000000000}
    )
    imported = read_amazon(AmazonFiles(lines(tmp_path / "S.jsonl", rows)), refine=RefineConfig(dedup_reviews=True))
    assert imported.counts["repeated_reviews"] == 1
    assert imported.shop.log["event_id"].to_list() == ["S.jsonl:1", "S.jsonl:3"]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no reviews and no published split"):
        read_amazon(AmazonFiles())
    with pytest.raises(DataError, match="holds 0 categories"):
        find_files(tmp_path)
    split_folder(tmp_path)
    (tmp_path / "Soap.timestamp.valid.csv").unlink()
    with pytest.raises(DataError, match="split 'timestamp' lacks valid"):
        find_files(tmp_path)
    (tmp_path / "Soap.timestamp.valid.csv").write_text("user,item\n1,2\n")
    with pytest.raises(DataError, match=r"Soap.timestamp.valid.csv' has no column 'user_id'"):
        read_amazon(find_files(tmp_path))
    lines(tmp_path / "Hats.jsonl", [REVIEW])
    with pytest.raises(DataError, match=r"2 categories \(Hats, Soap\)"):
        find_files(tmp_path)
    assert find_files(tmp_path, "Hats").reviews == tmp_path / "Hats.jsonl"
    with pytest.raises(DataError, match="has no category 'Hat'"):
        find_files(tmp_path, "Hat")
