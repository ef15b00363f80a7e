"""A small shop through every stage of its life, by the commands a shop's engineer types."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

CONSOLE = Path(sys.executable).parent / "vitrine"


def test_every_stage_ends_well(life):
    assert {name: ran.code for name, ran in life.ran.items()} == dict.fromkeys(life.ran, 0), life.ran


def test_import_counts_what_was_read(life):
    assert life.ran["import"].out.startswith("items: 6 items, 40 interactions, 8 users, 6 pictures")


def test_caption_embed_and_index_count_what_they_did(life):
    assert life.ran["caption"].out.startswith("captions/pixels: 6 done, 0 reused, ")
    lines = life.ran["embed"].out.splitlines()
    text, captions, stated, after = (line for line in lines if not line.startswith("  "))  # indented: how it went
    assert text.startswith("embeddings/text-minilm: 6 done, 0 reused")
    assert captions.startswith("embeddings/caption-pixels-minilm: 6 done, 0 reused")
    assert stated == "embeddings/attributes: 6 items, 9 directions, made"
    assert after.startswith("next: vitrine index --store ") and ", then vitrine train --store " in after
    assert "indexes/keyword: 6 items, built" in life.ran["index"].out


def test_nothing_is_called_reused_or_done_before_at_the_first_run(life):
    assert "reused" not in life.ran["caption"].err + life.ran["embed"].err
    assert "done before" not in life.ran["caption"].err + life.ran["embed"].err


def test_the_report_holds_every_model_of_every_protocol(life):
    reports = json.loads((life.folder / "r.json").read_text())["reports"]
    assert [report["protocol"] for report in reports] == ["mmrec", "last"]
    for report in reports:
        assert set(report["models"]) == {"popularity", "itemknn", "lirdrec"}
        for row in report["models"].values():
            low, high = row["metrics"]["ndcg@20"]["ci95"]
            assert 0 <= low <= row["metrics"]["ndcg@20"]["mean"] <= high <= 1
    out = life.ran["eval"].out
    assert out.count("\nmodel ") == 4, "two tables, each in two blocks of columns"
    assert max(map(len, out.splitlines()[:-1])) <= 100
    said = out.splitlines()[-1]
    assert said.startswith("Written: ") and said.endswith("r.json, r-mmrec.npz, r-last.npz")


def test_a_second_run_does_nothing_again(life, store, run):
    assert run("caption", "--store", store).out.startswith("captions/pixels: 0 done, 6 reused")
    *spaces, stated, _ = run("embed", "--store", store).out.splitlines()
    assert all(": 0 done, 6 reused" in line for line in spaces)
    assert stated == "embeddings/attributes: 6 items, 9 directions, already current"
    assert "built" not in run("index", "--store", store).out


def test_a_model_too_small_for_a_ranker_is_still_current(life, run, store):
    assert "ranker: none, too few positives to hold any out: 50 in the newest 10% of them" in life.ran["train"].out
    assert run("train", "--store", store, *life.fast).out == "models/lirdrec: already current\n"


def test_without_an_index_the_training_says_why_there_is_no_ranker(run, files):
    tables = ("--items", "files/items.csv", "--interactions", "files/interactions.csv")
    run("import", "table", *tables, "--store", "bare")
    one = ("--set", "models.serve=itemknn")
    assert run("train", "--store", "bare", *one).out.splitlines()[-2] == "ranker: none, no index (vitrine index)"
    ran = run("train", "--store", "bare", "--set", "models.serve=popularity", "--set", "models.ranker=false")
    assert ran.out.splitlines()[-2] == "ranker: none, models.ranker is false"


def test_a_training_up_to_a_moment_knows_nothing_after_it_and_is_then_current(store, life, run):
    moment = ("--as-of", "2023-11-15T10:00:00")  # the first event is of 2023-11-14T22:13:20, one an hour follows
    assert run("train", "--store", store, *moment, *life.fast).out.startswith("models/lirdrec: ")
    manifest = json.loads((store / "models" / "lirdrec" / "manifest.json").read_text())
    assert manifest["meta"]["as_of"] == "2023-11-15T10:00:00+00:00"
    assert run("train", "--store", store, *moment, *life.fast).out == "models/lirdrec: already current\n"
    assert run("chat", "recommend me something", "--user", "u1", "--store", store).code == 0


def test_chat_refines_and_shows_prices(store, run):
    ran = run("chat", "a blue vase under 50 euros", "cheaper ones", "--store", store, "--json")
    first, second = (json.loads(line) for line in ran.out.splitlines())
    assert first["recommendations"][0]["item_id"] == "V01"
    assert first["session_id"] == second["session_id"]
    assert [item["item_id"] for item in second["recommendations"]] == ["V02"]  # the only vase below 35 euros
    assert second["recommendations"][0]["price"] == 25.0


def test_an_unknown_shopper_gets_what_others_choose_and_is_told(store, run):
    answer = json.loads(run("chat", "recommend me something", "--user", "nobody", "--store", store, "--json").out)
    assert len(answer["recommendations"]) == 5
    assert any("Nothing is known of you yet" in said for said in answer["disclosures"])


def test_a_known_shopper_is_answered_from_their_history(store, run):
    answer = json.loads(run("chat", "recommend me something", "--user", "u1", "--store", store, "--json").out)
    assert not any("Nothing is known" in said for said in answer["disclosures"])
    assert any(e["kind"] == "event" for item in answer["recommendations"] for e in item["evidence"])


@pytest.mark.parametrize("top_n", ["1", "1000000"])
def test_top_n_is_a_ceiling(store, run, top_n):
    ran = run("chat", "vases", "--top-n", top_n, "--store", store, "--json")
    assert len(json.loads(ran.out)["recommendations"]) == min(int(top_n), 2)


def test_an_unreachable_llm_is_replaced_and_named(store, run):
    ran = run(
        "chat", "blue vase", "--store", store, "--json",
        "--set", "agent.llm.base_url=http://127.0.0.1:9/v1", "--set", "agent.llm.model=m",
    )  # fmt: skip
    answer = json.loads(ran.out)
    assert answer["recommendations"][0]["item_id"] == "V01"
    assert answer["disclosures"]


def test_the_console_command_serves_and_closes_on_ctrl_c(store):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [CONSOLE, "serve", "--store", store, "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            said = [process.stdout.readline(), process.stdout.readline()]
            assert "is open at http://127.0.0.1:" in said[1], (said, process.communicate())
            address = next(word for word in said[1].split() if word.startswith("http"))
            with urllib.request.urlopen(f"{address}/health/live", timeout=10) as answer:
                assert answer.status == 200
            process.send_signal(signal.SIGINT)
            assert process.wait(20) in (0, 130)
        finally:
            process.kill()
        assert "Traceback" not in process.stderr.read()
