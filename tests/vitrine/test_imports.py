"""`vitrine import` of data sets through the console command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def folders() -> None:
    amazon, lens, recbole = Path("amazon"), Path("ml"), Path("rb")
    for folder in (amazon, lens, recbole):
        folder.mkdir()
    rows = [(u, i) for u in range(12) for i in range(12) if (u * 5 + i) % 3]
    reviews = [
        {"rating": 4, "title": "t", "text": f"{u} {i}", "asin": f"B{i}", "parent_asin": f"B{i}", "user_id": f"U{u}",
         "timestamp": 1_600_000_000_000 + u}
        for u, i in rows
    ]  # fmt: skip
    (amazon / "Soap.jsonl").write_text("".join(json.dumps(each) + "\n" for each in [*reviews, reviews[0]]))
    metas = [{"parent_asin": f"B{i}", "title": f"Soap {i}"} for i in range(13)]
    (amazon / "meta_Soap.jsonl").write_text("".join(json.dumps(each) + "\n" for each in metas))
    (lens / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,4,964982703\n")
    (recbole / "r.inter").write_text("uid:token\titem_id:token\n1\t1\n")


def test_amazon_with_every_option(run, folders):
    ran = run("import", "amazon", "amazon", "--dedup-reviews", "--k-core", 5, "--split-rule", "mmrec", "--store", "s")
    assert ran.code == 0, ran
    assert ran.out.splitlines()[0].startswith("Soap: 12 items, 96 interactions, 12 users")
    assert "1 repeated review left out" in ran.out and "5-core: 0 interactions, 1 items" in ran.out
    assert "x_label by rule 'mmrec', seed 0: train 72, valid 12, test 12" in ran.out
    report = run("eval", "--models", "popularity", "--store", "s")
    assert report.code == 0 and "12 users" in report.out


def test_what_a_core_leaves_out_is_counted_from_all_there_was(run, folders):
    with Path("amazon/Soap.jsonl").open("a") as file:  # a shopper of two items, one of them in no product file
        for item in ("B0", "B99"):
            said = {"rating": 4, "asin": item, "parent_asin": item, "user_id": "once", "timestamp": 1_600_000_000_000}
            file.write(json.dumps(said) + "\n")
    pictures = [{"large": "https://a.example/1.jpg"}, {"large": "https://a.example/2.jpg"}]
    metas = [{"parent_asin": f"B{i}", "title": f"Soap {i}", "images": pictures} for i in range(13)]
    Path("amazon/meta_Soap.jsonl").write_text("".join(json.dumps(each) + "\n" for each in metas))
    ran = run("import", "amazon", "amazon", "--k-core", 5, "--store", "s")
    assert ran.out.startswith("Soap: 12 items, 97 interactions, 12 users, 24 pictures and videos\n"), ran
    assert "5-core: 2 interactions, 2 items and 1 users left out" in ran.out


def test_the_other_data_sets(run, folders):
    assert run("import", "movielens", "ml", "--store", "a").out.startswith("ml: 1 items, 1 interactions")
    assert run("import", "recbole", "rb", "--field", "USER_ID_FIELD=uid", "--store", "b").out.startswith("r: 1 items")


BAD = {
    "both": (["amazon", "amazon", "--meta", "x"], "a folder ('amazon') or files of your choice"),
    "nothing": (["amazon"], "no reviews and no published split"),
    "no core": (["amazon", "amazon", "--k-core", "99"], "--k-core 99 leaves none of 97 interactions"),
    "no split": (["amazon", "--split", "x.csv"], "file 'x.csv' is no published split"),
    "no lens": (["movielens", "rb"], "holds none of ratings.csv, ratings.dat, u.data"),
    "no setting": (["recbole", "rb", "--field", "USER=1"], "unknown setting 'USER'. Available: ITEM_ID_FIELD"),
    "no separator": (["recbole", "rb", "--field", "seq_separator"], "is not of the form NAME=VALUE"),
    "no user": (["recbole", "rb"], "has no field 'user_id'"),
}


@pytest.mark.parametrize(("options", "said"), BAD.values(), ids=BAD)
def test_what_cannot_be_imported_is_one_line_and_writes_nothing(run, folders, options, said):
    assert said in run("import", *options, "--store", "store").line
    assert not Path("store").exists()


def test_an_event_of_a_rejected_item_says_so(run):
    Path("items.csv").write_text("item_id,title,price\na,one,5\ngone1,two,dear\n")
    Path("events.csv").write_text("user_id,item_id\nu,a\nu,gone1\nu,never\n")
    ran = run("import", "table", "--items", "items.csv", "--interactions", "events.csv", "--store", "s")
    assert ran.code == 0
    assert "1 rejected item (first: events.csv line 3: item 'gone1' was rejected: its row of the item table" in ran.out
    assert "1 unknown item (first: events.csv line 4: item 'never' is none of the 1 in the item table" in ran.out


def test_events_at_times_that_cannot_be_are_told(run):
    Path("i.csv").write_text("item_id,title\na,A\nb,B\n")
    rows = ["u,a,2025-01-01", "u,b,2999-01-01", "v,a,99999999999999", "v,b,-5"]
    Path("x.csv").write_text("\n".join(["user_id,item_id,timestamp", *rows, ""]))
    ran = run("import", "table", "--items", "i.csv", "--interactions", "x.csv", "--store", "s")
    stray = "2 in the future (the last of 5138-11-16), 1 before 1973 (the first of 1969-12-31)"
    assert f"interactions at stray times: {stray}" in ran.out
    Path("x.csv").write_text("\n".join(["user_id,item_id,timestamp", rows[0], ""]))
    assert "stray" not in run("import", "table", "--items", "i.csv", "--interactions", "x.csv", "--store", "s").out
