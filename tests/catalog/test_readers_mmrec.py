from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog.errors import DataError, NotBuiltError
from catalog.readers.importing import Import, save_import
from catalog.readers.mmrec import read_mmrec
from catalog.readers.rejects import Rejects
from catalog.shop_data import load_shop
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace

HEADER = ("userID", "itemID", "rating", "timestamp", "x_label", "x_label_last")
ROWS = [(0, 0, 5.0, 1000, 0, 0), (0, 1, 3.5, 2000, 1, 1), (0, 2, 1.0, 3000, 2, 2), (1, 1, 4.0, 1500, 0, 0)]
ITEMS: list[dict[str, Any]] = [
    {"itemID": 0, "item_id": "007", "title": "Hat", "genres": ["Head", "Wool"], "image": "images/007.png"},
    {"itemID": 1, "item_id": "8", "title": "Shoe", "price": 12.5, "brand": "Ann & Co", "image": "images/none.png"},
    {"itemID": 2, "item_id": "9", "title": "Coat", "categories": "'Body', \"Women's\", 'Warm'", "keywords": "a|b|a"},
]


def folder_of(
    tmp_path: Path,
    *,
    rows: list[tuple[Any, ...]] = ROWS,
    header: tuple[str, ...] = HEADER,
    items: list[dict[str, Any]] | list[str] | None = ITEMS,
    **features: Any,
) -> Path:
    folder = tmp_path / "tiny"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "007.png").write_bytes(b"picture")
    lines = ["\t".join(map(str, row)) for row in (header, *rows)]
    (folder / "tiny.inter").write_text("\n".join(lines) + "\n")
    if items is not None:
        text = [each if isinstance(each, str) else json.dumps(each) for each in items]
        (folder / "items.jsonl").write_text("\n".join(text) + "\n")
    for name, array in features.items():
        np.save(folder / f"{name}.npy", array)
    return folder


def read(folder: Path) -> Import:
    return read_mmrec(folder, rejects=Rejects())


def reasons(imported: Import) -> dict[str, int]:
    return dict(imported.rejects.counts)


def test_a_folder_becomes_a_shop(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, image_feat=np.eye(3, 4), text_feat=np.eye(3, 2, dtype=np.float32))
    imported = read(folder)
    hat, shoe, coat = imported.shop.catalog.items
    assert (hat.item_id, hat.title, hat.categories) == ("007", "Hat", ("Head", "Wool"))
    assert hat.images == (str(folder / "images" / "007.png"),)
    assert (shoe.price, shoe.brand, shoe.images) == (12.5, "Ann & Co", ())
    assert coat.categories == ("Body", "Women's", "Warm")
    assert coat.attributes == {"keywords": ("a", "b")}
    log = imported.shop.log
    assert log["item_id"].to_list() == ["007", "8", "9", "8"]
    assert log["value"].to_list() == [5.0, 3.5, 1.0, 4.0]
    assert set(log["kind"]) == {"rating"}
    assert log["timestamp"].to_list()[0] == datetime(1970, 1, 1, 0, 16, 40, tzinfo=UTC)
    assert log["x_label"].to_list() == [0, 1, 2, 0] and log["x_label_last"].to_list() == [0, 1, 2, 0]
    assert log["event_id"].to_list() == ["tiny.inter:2", "tiny.inter:3", "tiny.inter:4", "tiny.inter:5"]
    assert imported.shop.users["user_id"].to_list() == ["0", "1"]
    assert {space: table.vectors.shape for space, table in imported.embeddings.items()} == {
        "image_feat": (3, 4), "text_feat": (3, 2),
    }  # fmt: skip
    assert imported.embeddings["image_feat"].vector("9").tolist() == [0, 0, 1, 0]
    assert dict(imported.counts) == {
        "items": 3, "interactions": 4, "users": 2, "media": 1, "media_missing": 1, "rejected": 0,
    }  # fmt: skip
    assert imported.clock == "rank"


def test_vectors_follow_the_itemid_whatever_the_order_of_the_items(tmp_path: Path) -> None:
    imported = read(folder_of(tmp_path, items=[ITEMS[2], ITEMS[0], ITEMS[1]], text_feat=np.arange(3.0)[:, None]))
    vectors = {item: imported.embeddings["text_feat"].vector(item).tolist() for item in ("007", "8", "9")}
    assert vectors == {"007": [0], "8": [1], "9": [2]}
    assert imported.shop.log["item_id"].to_list() == ["007", "8", "9", "8"]


def test_without_items_the_rows_are_the_ids(tmp_path: Path) -> None:
    imported = read(folder_of(tmp_path, items=None, text_feat=np.zeros((5, 2))))
    assert imported.shop.items["item_id"].to_list() == ["0", "1", "2", "3", "4"]


def test_without_items_and_features_the_items_are_those_up_to_the_highest(tmp_path: Path) -> None:
    imported = read(folder_of(tmp_path, items=None))
    assert imported.shop.items["item_id"].to_list() == ["0", "1", "2"]


def test_without_a_better_id_the_itemid_is_the_id(tmp_path: Path) -> None:
    imported = read(folder_of(tmp_path, items=[{"itemID": n, "title": f"t{n}"} for n in range(3)]))
    assert imported.shop.items["item_id"].to_list() == ["0", "1", "2"]


def test_without_rating_and_time_rows_are_clicks_in_the_order_of_the_file(tmp_path: Path) -> None:
    imported = read(folder_of(tmp_path, header=("userID", "itemID"), rows=[(0, 0), (0, 1)]))
    assert imported.shop.log["kind"].to_list() == ["click", "click"]
    assert imported.shop.log["value"].to_list() == [None, None]
    assert imported.shop.log["timestamp"].is_sorted() and imported.shop.log["timestamp"].n_unique() == 2
    assert imported.clock == "file order"


def test_bad_rows_are_rejected_alone_with_line_and_reason(tmp_path: Path) -> None:
    rows: list[tuple[Any, ...]] = [
        *ROWS[:2],
        (0, 99, 5.0, 1, 0, 0),
        ("", 1, 5.0, 1, 0, 0),
        (0, 1, 5.0, "soon", 0, 0),
        (0, 1, "nan", 1, 0, 0),
        (0, 1, 5.0, 1, 7, 0),
        (0, 1, 5.0),
        ROWS[3],
    ]
    items: list[Any] = [
        *(json.dumps(item) for item in ITEMS),
        "{not json",
        json.dumps({"itemID": 3, "item_id": "8"}),
        json.dumps({"itemID": 4, "item_id": "10", "price": -1}),
        '{"itemID": 5, "item_id": "11", "price": NaN}',
        json.dumps({"itemID": 6, "item_id": "12", "price": "cheap"}),
        json.dumps({"itemID": 7, "item_id": None}),
        json.dumps({"itemID": 1, "item_id": "13"}),
        json.dumps({"itemID": "x", "item_id": "14"}),
        json.dumps(["a list"]),
    ]
    imported = read(folder_of(tmp_path, rows=rows, items=items))
    assert imported.shop.log.height == 3
    assert imported.shop.items["item_id"].to_list() == ["007", "8", "9"]
    assert reasons(imported) == {
        "malformed row": 3, "repeated item id": 1, "bad price": 3, "missing item id": 1, "repeated itemID": 1,
        "bad itemID": 1, "unknown item": 1, "missing user": 1, "bad timestamp": 1, "bad value": 1, "bad label": 1,
    }  # fmt: skip
    lines = {(each.file, each.line): each for each in imported.rejects}
    assert lines["tiny.inter", 4].detail == "item '99' is none of the 3 in the item table"
    assert lines["tiny.inter", 9].detail == "3 fields where the header has 6"
    assert json.loads(lines["items.jsonl", 6].row)["price"] == -1
    assert "at least 0" in lines["items.jsonl", 6].detail
    assert "15 rows rejected" in imported.rejects.summary()


def test_the_vector_of_a_rejected_item_goes_with_it(tmp_path: Path) -> None:
    items = [ITEMS[0], {**ITEMS[1], "price": -5}, ITEMS[2]]
    imported = read(folder_of(tmp_path, items=items, text_feat=np.arange(3.0)[:, None]))
    table = imported.embeddings["text_feat"]
    assert table.ids.ids == ("007", "9") and table.vectors.tolist() == [[0], [2]]
    assert reasons(imported) == {"bad price": 1, "unknown item": 2}


def test_a_vector_that_is_not_finite_is_rejected_and_its_item_kept(tmp_path: Path) -> None:
    imported = read(folder_of(tmp_path, text_feat=np.array([[1.0], [np.nan], [3.0]])))
    assert imported.embeddings["text_feat"].ids.ids == ("007", "9")
    assert len(imported.shop.items) == 3
    assert reasons(imported) == {"bad vector": 1}


def test_a_vector_too_large_to_square_is_rejected_and_its_item_kept(tmp_path: Path) -> None:
    imported = read(folder_of(tmp_path, text_feat=np.array([[1.0], [-1e30], [1e300]])))
    assert imported.embeddings["text_feat"].ids.ids == ("007",)
    assert reasons(imported) == {"bad vector": 2}


def test_a_picture_outside_the_folder_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"x")
    imported = read(folder_of(tmp_path, items=[{**item, "image": "../secret.png"} for item in ITEMS]))
    assert imported.counts["media_missing"] == 3
    assert not any(item.images for item in imported.shop.catalog)


@pytest.mark.parametrize(
    ("features", "says"),
    [
        (np.zeros((2, 4)), r"text_feat.npy has 2 rows for 3 items; shape \(3, d\) would be valid"),
        (np.zeros((4, 4)), r"text_feat.npy has 4 rows for 3 items"),
        (np.zeros(3), r"text_feat.npy': shape \(3,\) of float64; \(n_items, d\) numbers"),
        (np.zeros((3, 0)), r"text_feat.npy': shape \(3, 0\) of float64; .* d at least 1"),
        (np.array([["a"]] * 3), "numbers would be valid"),
        (np.array([[{}]] * 3, object), "cannot be read: .*Python objects"),
    ],
    ids=["short", "long", "flat", "no width", "text", "pickle"],
)
def test_features_of_a_wrong_shape_stop_the_import(tmp_path: Path, features: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read(folder_of(tmp_path, text_feat=features))


def test_a_broken_folder_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"folder .*nowhere' does not exist"):
        read(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"holds 0 \.inter files \(none\)"):
        read(tmp_path)
    folder = folder_of(tmp_path)
    with pytest.raises(DataError, match=r"has no tinny.inter. Did you mean 'tiny'\?"):
        read_mmrec(folder, name="tinny", rejects=Rejects())
    (folder / "other.inter").write_text("userID\titemID\n0\t0\n")
    with pytest.raises(DataError, match=r"holds 2 \.inter files \(other, tiny\)"):
        read(folder)
    assert read_mmrec(folder, name="other", rejects=Rejects()).counts["interactions"] == 1
    (folder / "other.inter").write_text("user\titem\n0\t0\n")
    with pytest.raises(DataError, match=r"has no column 'userID'. Did you mean 'user'"):
        read_mmrec(folder, name="other", rejects=Rejects())
    (folder / "other.inter").write_text("")
    with pytest.raises(DataError, match=r"other.inter' is empty"):
        read_mmrec(folder, name="other", rejects=Rejects())
    (folder / "other.inter").write_text("userID\titemID\n0\t77\n")
    with pytest.raises(DataError, match=r"no interaction was read; 1 row rejected: 1 unknown item"):
        read_mmrec(folder, name="other", rejects=Rejects())


def test_an_import_is_saved_whole_with_its_rejects_and_spaces(tmp_path: Path) -> None:
    rows = [*ROWS, (0, 99, 5.0, 1, 0, 0)]
    imported = read(folder_of(tmp_path, rows=rows, image_feat=np.eye(3, 4), text_feat=np.eye(3, 2)))
    store = Workspace(tmp_path / "store")
    summary = save_import(store, imported)
    shop = load_shop(store)
    assert shop.catalog.items == imported.shop.catalog.items
    assert shop.log.equals(imported.shop.log) and shop.users.equals(imported.shop.users)
    [line] = (store.path("catalog") / "rejects.jsonl").read_text().splitlines()
    assert {key: json.loads(line)[key] for key in ("file", "line", "reason")} == {
        "file": "tiny.inter", "line": 6, "reason": "unknown item",
    }  # fmt: skip
    assert store.names("embeddings") == ["image_feat", "text_feat"]
    loaded = EmbeddingTable.load(store.path("embeddings/image_feat"), "image_feat")
    assert loaded.ids == imported.embeddings["image_feat"].ids
    assert np.array_equal(loaded.vectors, np.eye(3, 4, dtype=np.float32))
    assert summary.spaces == {"image_feat": (3, 4), "text_feat": (3, 2)}
    assert summary.rejected == {"unknown item": 1}
    assert summary.text().splitlines()[0] == (
        "tiny: 3 items, 4 interactions, 2 users, 1 pictures and videos (1 more named and not there)"
    )
    again = save_import(store, imported)
    assert again.key == summary.key and load_shop(store).log.equals(shop.log)


def test_another_import_takes_away_the_spaces_of_the_one_before_but_not_our_own(tmp_path: Path) -> None:
    store = Workspace(tmp_path / "store")
    save_import(store, read(folder_of(tmp_path / "a", image_feat=np.eye(3, 4), text_feat=np.eye(3, 2))))
    with store.writing("embeddings/caption-minilm", "0" * 64, {}) as folder:
        (folder / "x").touch()
    save_import(store, read(folder_of(tmp_path / "b", text_feat=np.eye(3, 5))))
    assert store.names("embeddings") == ["caption-minilm", "text_feat"]
    with pytest.raises(NotBuiltError):
        store.path("embeddings/image_feat")
    assert EmbeddingTable.load(store.path("embeddings/text_feat"), "text_feat").dim == 5


@pytest.mark.realdata
def test_movies(movies_import: Import) -> None:
    assert dict(movies_import.counts) == {
        "items": 3264, "interactions": 86_697, "users": 610, "media": 3264, "media_missing": 0, "rejected": 0,
    }  # fmt: skip
    shapes = {space: table.vectors.shape for space, table in movies_import.embeddings.items()}
    assert shapes == {"image_feat": (3264, 1024), "text_feat": (3264, 384)}
    toys = movies_import.shop.catalog["1"]
    assert toys.title == "Toy Story (1995)"
    assert toys.categories == ("Adventure", "Animation", "Children", "Comedy", "Fantasy")
    assert toys.attributes["actors"] == ("Tom Hanks", "Tim Allen", "Don Rickles", "Jim Varney")
    assert toys.attributes["keywords"] == ("claw crane", "cowboy", "jealousy", "rivalry", "toy")
    assert [Path(image).name for image in toys.images] == ["1.jpg"]
    first = movies_import.shop.log.row(0, named=True)
    assert (first["user_id"], first["kind"], first["value"]) == ("0", "rating", 4.0)
    assert first["timestamp"] == datetime.fromtimestamp(964980499, UTC)
    assert movies_import.clock == "time"


@pytest.mark.realdata
def test_beauty(beauty_import: Import) -> None:
    assert (beauty_import.counts["items"], beauty_import.counts["interactions"]) == (12_101, 198_502)
    assert beauty_import.counts["users"] == 22_363 and beauty_import.counts["rejected"] == 0
    assert sorted(beauty_import.embeddings) == ["taxonomy_feat", "text_feat"]
    first = beauty_import.shop.catalog.items[0]
    assert (first.item_id, first.price, first.brand) == ("7806397051", 5.04, "COKA")
    assert first.categories == ("Beauty", "Makeup", "Face", "Concealers & Neutralizers")
    assert sum(item.price is None for item in beauty_import.shop.catalog) == 585
    assert beauty_import.clock == "rank"
