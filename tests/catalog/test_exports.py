"""What is exported comes back: the same log, ids verbatim, features and split."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from catalog.errors import DataError
from catalog.exports.mmrec import export_mmrec
from catalog.exports.recbole import export_recbole
from catalog.ids import IdMap
from catalog.log import log_frame
from catalog.nouns import Interaction, Item, User
from catalog.readers.mmrec import read_mmrec
from catalog.readers.recbole import read_recbole
from catalog.readers.rejects import Rejects
from catalog.shop_data import ShopData
from catalog.splits import make_split
from catalog.vectors import EmbeddingTable

START = datetime(2023, 5, 5, 14, 8, 48, 923_000, UTC)
ITEMS = [
    Item("007", title='Hat, "wool" | soft', price=12.5, currency="EUR", brand="Ann & Co",
         categories=("Hair Care", "Hats"), attributes={"colour": ("dark red", "blue"), "genre": ("x",)},
         description="Two\nlines\tand a tab.", rating=4.5,
         rating_count=12, images=("https://m.example/1.jpg",), availability=True, sizes=("S", "M")),
    Item("Ünï-8", title="Shoe", price=3.0),
    Item("9 a"),
    Item("10", categories=("Coats",)),
]  # fmt: skip
SAME = ["user_id", "item_id", "timestamp", "kind", "value", "x_label"]


def shop(*, label: bool = True, kinds: bool = False) -> ShopData:
    rng = np.random.default_rng(1)
    events = [
        Interaction(
            f"e{n}", f"00{rng.integers(0, 9)}", ITEMS[rng.integers(0, 4)].item_id,
            START + timedelta(seconds=n, microseconds=7 * n), "purchase" if kinds and n % 2 else "rating",
            value=None if n % 5 == 0 else float(rng.integers(1, 11)) / 2,
        )
        for n in range(60)
    ]  # fmt: skip
    log = log_frame(events)
    if label:
        log = log.with_columns(
            pl.Series("x_label", rng.integers(0, 3, 60)), pl.Series("x_label_last", rng.integers(0, 3, 60))
        )
    users = [User(f"00{n}", "gold", {"city": ("Den Haag",)}) for n in range(9)]
    return ShopData.of("my shop/1", ITEMS, log, users)


def features(n: int = 4) -> dict[str, EmbeddingTable]:
    rng = np.random.default_rng(2)
    ids = IdMap(item.item_id for item in ITEMS)
    some = IdMap([ITEMS[2].item_id, ITEMS[0].item_id])
    return {
        "image_feat": EmbeddingTable(ids, rng.normal(size=(n, 6)).astype(np.float32), "a"),
        "text_feat": EmbeddingTable(some, rng.normal(size=(2, 3)).astype(np.float32), "b"),
    }


@pytest.mark.parametrize("kinds", [False, True])
def test_an_mmrec_folder_comes_back_as_it_was(tmp_path: Path, kinds: bool) -> None:
    before, given = shop(kinds=kinds), features()
    done = export_mmrec(before, tmp_path / "out", features=given, kinds=("rating", "purchase"))
    assert (done.name, done.interactions, done.items, done.left_out) == ("my_shop_1", 60, 4, 0)
    assert dict(done.without_vector) == {"image_feat": 0, "text_feat": 2} and "2 items have no vector" in done.text()
    after = read_mmrec(tmp_path / "out", rejects=Rejects())
    assert after.counts["rejected"] == 0
    assert after.shop.log.select(*SAME, "x_label_last").equals(before.log.select(*SAME, "x_label_last"))
    assert list(after.shop.catalog) == ITEMS
    images, texts = after.embeddings["image_feat"], after.embeddings["text_feat"]
    assert images.ids == given["image_feat"].ids and np.array_equal(images.vectors, given["image_feat"].vectors)
    assert set(texts.ids) == set(given["text_feat"].ids) == {"007", "9 a"}
    for item_id in given["text_feat"].ids:
        assert np.array_equal(texts.vector(item_id), given["text_feat"].vector(item_id))


def test_a_row_of_zeros_is_a_vector_unless_it_is_named_and_still_zero(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    export_mmrec(shop(), folder, features=features())
    absent = json.loads((folder / "without_vectors.json").read_text())
    assert absent == {"image_feat": [], "text_feat": [1, 3]}
    filled = np.load(folder / "text_feat.npy")
    assert not filled[[1, 3]].any()
    filled[3], filled[0] = 1, 0  # somebody else gives one a vector, and another a vector of zeros
    np.save(folder / "text_feat.npy", filled)
    texts = read_mmrec(folder, rejects=Rejects()).embeddings["text_feat"]
    assert list(texts.ids) == ["007", "9 a", "10"] and not texts.vector("007").any()
    (folder / "without_vectors.json").unlink()
    assert len(read_mmrec(folder, rejects=Rejects()).embeddings["text_feat"].ids) == 4
    (folder / "without_vectors.json").write_text('{"text_feat": ["1"]}')
    with pytest.raises(DataError, match="rows by feature"):
        read_mmrec(folder, rejects=Rejects())


def test_the_files_are_those_of_mmrec(tmp_path: Path) -> None:
    export_mmrec(shop(), tmp_path / "out", features=features(), name="baby")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "baby.inter", "i_id_mapping.csv", "image_feat.npy", "items.jsonl", "text_feat.npy", "u_id_mapping.csv",
        "without_vectors.json",
    ]  # fmt: skip
    header, first = (tmp_path / "out" / "baby.inter").read_text().splitlines()[:2]
    assert header.split("\t") == ["userID", "itemID", "rating", "timestamp", "x_label", "x_label_last"]
    user, item, rating, time, *_ = first.split("\t")
    assert (user, rating, time) == ("0", "", "1683295728.923")
    row = shop().log.row(0, named=True)
    assert (tmp_path / "out" / "i_id_mapping.csv").read_text().splitlines()[
        1 + int(item)
    ] == f"{row['item_id']}\t{item}"
    assert (tmp_path / "out" / "u_id_mapping.csv").read_text().splitlines()[:2] == [
        "user_id\tuserID", f"{row['user_id']}\t0",
    ]  # fmt: skip
    (tmp_path / "out" / "items.jsonl").unlink()
    assert read_mmrec(tmp_path / "out", rejects=Rejects()).shop.items["item_id"].to_list() == [
        "007",
        "Ünï-8",
        "9 a",
        "10",
    ]


def test_recbole_files_come_back_with_ids_log_and_split(tmp_path: Path) -> None:
    before = shop(kinds=True)
    export_recbole(before, tmp_path / "out", kinds=("rating", "purchase"), name="s")
    after = read_recbole(tmp_path / "out")
    assert after.counts["rejected"] == 0
    assert after.shop.log.select(*SAME, "x_label_last").equals(before.log.select(*SAME, "x_label_last"))
    hat, shoe, bare, coat = after.shop.catalog
    assert [item.item_id for item in (hat, shoe, bare, coat)] == [item.item_id for item in ITEMS]
    assert hat.title == "Hat, 'wool' | soft" and hat.categories == ("Hair Care", "Hats") and hat.rating == 4.5
    assert hat.attributes == {"colour": ("dark red", "blue"), "attribute_genre": ("x",)}
    assert (hat.price, hat.currency, hat.brand, hat.rating_count) == (12.5, "EUR", "Ann & Co", 12)
    assert after.shop.user_nouns["004"] == before.user_nouns["004"]
    for part in ("train", "valid", "test"):
        assert (tmp_path / "out" / f"s.{part}.inter").exists()
    (tmp_path / "out" / "s.inter").unlink()
    parts = read_recbole(tmp_path / "out").shop.log
    assert sorted(parts.select(SAME).rows()) == sorted(before.log.select(SAME).rows())
    assert json.loads((tmp_path / "out" / "recbole.json").read_text())["seq_separator"] == "|"


def test_only_positives_go_out_and_a_split_is_drawn_where_there_is_none(tmp_path: Path) -> None:
    before = shop(label=False, kinds=True)
    done = export_mmrec(before, tmp_path / "out", features={}, seed=4)
    assert done.left_out == 30 and done.label == "MMRec's rule, seed 4"
    after = read_mmrec(tmp_path / "out", rejects=Rejects()).shop
    drawn, given = (make_split(each.log, before.catalog.ids, protocol="mmrec", seed=4) for each in (before, after))
    assert (drawn.meta["source"], given.meta["source"]) == ("random", "x_label")
    assert drawn.users == given.users
    for name in ("train", "valid", "test"):
        a, b = getattr(drawn, name), getattr(given, name)
        assert sorted(zip(a.user_rows, a.item_rows, strict=True)) == sorted(zip(b.user_rows, b.item_rows, strict=True))


def test_another_label_column_can_be_the_split(tmp_path: Path) -> None:
    export_mmrec(shop(), tmp_path / "out", features={}, label_column="x_label_last")
    after = read_mmrec(tmp_path / "out", rejects=Rejects()).shop.log
    assert after["x_label"].equals(after["x_label_last"].rename("x_label"))
    with pytest.raises(DataError, match=r"label column 'x_labl' is not in the log. Did you mean 'x_label'"):
        export_mmrec(shop(), tmp_path / "two", features={}, label_column="x_labl")
    assert not (tmp_path / "two").exists()


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("x")
    with pytest.raises(DataError, match="is there already"):
        export_recbole(shop(), tmp_path / "mine")
    broken = ShopData.of("b", [Item("a\tb")], log_frame([Interaction("e", "u", "a\tb", START, "rating")]))
    for export in (export_recbole, lambda shop, folder: export_mmrec(shop, folder, features={})):
        with pytest.raises(DataError, match=r"item id 'a\\tb' cannot be exported"):
            export(broken, tmp_path / "new")
    seen = ShopData.of("s", [Item("a")], log_frame([Interaction("e", "u", "a", START, "dismiss")]))
    with pytest.raises(DataError, match="has no positive of a known item"):
        export_recbole(seen, tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.realdata
def test_movies_come_back(movies_import, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    before = movies_import.shop
    export_mmrec(before, tmp_path / "movies", features=movies_import.embeddings, name="movies")
    after = read_mmrec(tmp_path / "movies", rejects=Rejects())
    columns = [column for column in before.log.columns if column not in ("text", "context")]
    assert after.shop.log.select(columns).equals(before.log.select(columns))
    assert list(after.shop.catalog) == list(before.catalog)
    for space, table in movies_import.embeddings.items():
        assert np.array_equal(after.embeddings[space].vectors, table.vectors)
    export_recbole(before, tmp_path / "ml", name="movies")
    again = read_recbole(tmp_path / "ml").shop.log
    assert again.select(columns).equals(before.log.select(columns))
