"""`vitrine eval dialogue` on a small shop: a file made from its log goes through, and the shop remembers nothing."""

import json
import sqlite3

import pytest


def rows(store, table):
    with sqlite3.connect(store / "events.sqlite") as database:
        return database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_a_made_file_is_judged_and_nothing_but_the_report_is_kept(run, store, tree, tmp_path):
    made = run("eval", "dialogue", "--make", tmp_path / "made.jsonl", "--store", store)
    assert made.code == 0, made.err
    assert made.out.endswith(f"next: vitrine eval dialogue {tmp_path / 'made.jsonl'} --store {store}\n")
    with (tmp_path / "made.jsonl").open("a") as file:
        file.write("not a dialogue\n")
    before = tree(store)
    told = run(
        "eval", "dialogue", tmp_path / "made.jsonl", "--store", store, "--history", "none,said", "--ks", "1,5",
        "--json", tmp_path / "d.json",
    )  # fmt: skip
    assert told.code == 0, told.err
    assert "agent, history said" in told.out and "popularity" in told.out and "not JSON" in told.out
    report = json.loads((tmp_path / "d.json").read_text())["dialogue"]
    assert report["moments"] == 2 * report["dialogues"] > 0 and report["rejected"]["lines"] == 1
    assert list(report["contenders"]) == ["agent, history none", "agent, history said", "popularity"]
    assert all(set(each["outcomes"]) <= {"recommended", "nearest", "nothing", "question", "answered"}
               for each in report["contenders"].values())  # fmt: skip
    after = tree(store)
    assert {path for path in after if after[path] != before.get(path)} == {
        "reports/dialogue.json",
        "reports/dialogue.md",
    }
    assert [rows(store, table) for table in ("events", "slates", "traces")] == [0, 0, 0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "a FILE of dialogues to judge, or --make FILE"),
        (["x.jsonl", "--make", "y.jsonl"], "a FILE of dialogues to judge, or --make FILE"),
        (["gone.jsonl"], "dialogues 'gone.jsonl': there is no such file"),
        (["x.jsonl", "--history", "sayd"], "unknown --history 'sayd'. Did you mean 'said'?"),
        (["x.jsonl", "--history", ","], "--history ',' names none"),
        (["x.jsonl", "--targets", "like"], "unknown --targets 'like'. Did you mean 'liked'?"),
        (["x.jsonl", "--ks", "10,51"], "numbers from 1 to 50"),
        (["x.jsonl", "--set", "agent.max_top_n=20"], "agent.max_top_n is 20 and the largest cut-off 50"),
        (["x.jsonl", "--as-of", "2026-01-01"], "--as-of says which part of the log --make takes targets from"),
        (["--make", "no/such/place.jsonl"], "there is no folder 'no/such'"),
        (["--make", "m.jsonl", "--as-of", "2100-01-01"], "no shopper of 8 liked 2 items and took 2 later"),
    ],
)
def test_a_mistake_is_one_line(run, life, arguments, said):
    assert said in run("eval", "dialogue", "--store", life.store, *arguments).line
