from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalog.errors import ConfigError, DataError
from catalog.readers.importing import Import
from catalog.readers.recbole import read_recbole
from catalog.readers.recbole_fields import RecBoleConfig
from catalog.readers.refining import RefineConfig

INTER = (
    "user_id:token\titem_id:token\trating:float\ttimestamp:float\n196\t0242\t3\t881250949\n186\t302\t3.5\t891717742.0\n"
)
ITEM = (
    "item_id:token\tmovie_title:token_seq\trelease_year:token\tgenre:token_seq\tvector:float_seq\n"
    '0242\tKolya "the" film\t1996\tComedy Drama\t0.5 1\n302\tL.A. Confidential\t1997\tCrime\t1 2\n'
)
USER = "user_id:token\tage:token\tgender:token\n196\t49\tM\n186\t39\tF\n7\t20\tF\n"


def folder_of(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for ending, text in files.items():
        (folder / f"ml.{ending.replace('_', '.')}").write_text(text, encoding="utf-8")
    return folder


def read(folder: Path, **fields: str) -> Import:
    return read_recbole(folder, config=RecBoleConfig.model_validate(fields) if fields else None)


def test_atomic_files_become_a_shop(tmp_path: Path) -> None:
    imported = read(folder_of(tmp_path, inter=INTER, item=ITEM, user=USER))
    log = imported.shop.log
    assert log["user_id"].to_list() == ["196", "186"] and log["item_id"].to_list() == ["0242", "302"]
    assert log["value"].to_list() == [3.0, 3.5] and log["timestamp"][0] == datetime(1997, 12, 4, 15, 55, 49, tzinfo=UTC)
    kolya = imported.shop.catalog["0242"]
    assert kolya.categories == ("Comedy", "Drama")
    assert kolya.attributes["movie_title"] == ("Kolya", '"the"', "film")
    assert kolya.attributes["vector"] == ("0.5", "1") and kolya.attributes["release_year"] == ("1996",)
    assert [user.user_id for user in imported.shop.user_nouns.values()] == ["196", "186", "7"]
    assert imported.shop.user_nouns["7"].attributes["gender"] == ("F",)
    assert imported.counts["rejected"] == 0 and imported.clock == "time"


def test_words_of_a_title_stay_one_text(tmp_path: Path) -> None:
    item = "item_id:token\ttitle:token_seq\n0242\tToy Story | (1995)\n"
    assert read(folder_of(tmp_path, inter=INTER, item=item)).shop.catalog["0242"].title == "Toy Story | (1995)"


def test_names_and_separators_come_from_the_configuration(tmp_path: Path) -> None:
    folder_of(
        tmp_path,
        inter="uid:token,iid:token,stars:float,at:float\nu,i,2,1000000000\n",
        item="iid:token,tags:token_seq\ni,a b|c\n",
    )
    fields = {"USER_ID_FIELD": "uid", "ITEM_ID_FIELD": "iid", "RATING_FIELD": "stars", "TIME_FIELD": "at"}
    imported = read(tmp_path, **fields, field_separator=",", seq_separator="|")
    assert imported.shop.log.row(0)[5:7] == ("rating", 2.0) and imported.clock == "time"
    assert imported.shop.catalog["i"].attributes["tags"] == ("a b", "c")


def test_the_parts_of_a_benchmark_are_the_split(tmp_path: Path) -> None:
    head, first, second = INTER.splitlines(keepends=True)
    parts = {"train_inter": head + first + second, "valid_inter": head + first, "test_inter": head + second}
    imported = read(folder_of(tmp_path, **parts))
    assert imported.shop.log["x_label"].to_list() == [0, 0, 1, 2]
    assert imported.shop.name == "ml" and imported.shop.items["item_id"].to_list() == ["0242", "302"]


def test_bad_rows_are_rejected_alone(tmp_path: Path) -> None:
    inter = INTER + "\t302\t1\t1\n1\t302\tgood\t1\n1\t302\t1\tlater\n1\t302\n"
    item = ITEM + "302\tAgain\t1997\tCrime\t1 2\n"
    imported = read(folder_of(tmp_path, inter=inter, item=item, user=USER + "196\t1\tM\n\t1\tM\n"))
    assert dict(imported.rejects.counts) == {
        "missing user": 1, "bad value": 1, "bad timestamp": 1, "malformed row": 1, "repeated item id": 1,
        "repeated user id": 1, "missing user id": 1,
    }  # fmt: skip
    assert {(each.file, each.line) for each in imported.rejects} >= {("ml.inter", 4), ("ml.inter", 7), ("ml.item", 4)}


def test_missing_pictures_are_those_of_the_items_kept(tmp_path: Path) -> None:
    inter = "user_id:token\titem_id:token\ttimestamp:float\nu\ta\t1\nu\tc\t2\nv\ta\t3\nv\tc\t4\nw\td\t5\n"
    item = "item_id:token\tprice:float\timage:token_seq\n" + "".join(
        f"{row}\n"
        for row in (
            "a\t1\tno.jpg none.jpg", "b\tcheap\tno.jpg", "a\t1\tno.jpg", "c\t1\t", "c\t1\tno.jpg none.jpg",
            "d\t1\tno.jpg",
        )
    )  # fmt: skip
    folder = folder_of(tmp_path / "d", inter=inter, item=item)
    for config, missing in ((None, 3), (RefineConfig(k_core=2), 2)):  # a has 2, c none, d 1 outside the core
        imported = read_recbole(folder, refine=config, batch_rows=2)
        assert dict(imported.rejects.counts) == {"bad price": 1, "repeated item id": 2}
        assert imported.counts["media_missing"] == missing


def test_what_is_wrong_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"holds 0 data sets \(no .inter file\)"):
        read(tmp_path)
    folder_of(tmp_path, inter="user_id\titem_id\n1\t2\n")
    with pytest.raises(DataError, match="header field 'user_id' is not name:type"):
        read(tmp_path)
    folder_of(tmp_path, inter="user_id:word\titem_id:token\n1\t2\n")
    with pytest.raises(DataError, match="a type of token, token_seq, float, float_seq"):
        read(tmp_path)
    folder_of(tmp_path, inter="uid:token\titem_id:token\n1\t2\n")
    with pytest.raises(DataError, match=r"has no field 'user_id' for user_id. Did you mean 'uid'"):
        read(tmp_path)
    folder_of(tmp_path, inter="user_id:token\titem_id:token\n")
    with pytest.raises(DataError, match="no interaction was read"):
        read(tmp_path)
    (tmp_path / "recbole.json").write_text(json.dumps({"seq_separator": 3}))
    with pytest.raises(ConfigError, match="is no configuration of ours"):
        read(tmp_path)
    (tmp_path / "ml.inter").unlink()
    folder_of(tmp_path, train_inter=INTER)
    with pytest.raises(DataError, match=r"lacks 'ml.valid.inter'"):
        read_recbole(tmp_path, config=RecBoleConfig())
