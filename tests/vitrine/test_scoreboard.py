"""`vitrine eval captions` on a small shop, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest


def test_a_scoreboard_of_the_store(run, store):
    ran = run("eval", "captions", "pixels", "--store", store, "--price", "hour=2", "--json", "out.json")
    assert ran.code == 0, ran
    report = json.loads(Path("out.json").read_text())
    assert list(report["contenders"]) == ["caption-pixels-minilm"]
    made = report["contenders"]["caption-pixels-minilm"]
    assert made["captioner"].startswith("pixels (") and made["embedder"] == "minilm" and not made["stale"]
    assert made["cost"]["money"] == pytest.approx(made["cost"]["seconds"] / 3600 * 2)
    assert [(each["part"], each["ground"]) for each in report["sections"]][:2] == [
        ("warm", "no content"), ("warm", "text-minilm")
    ]  # fmt: skip
    for name in ("mmrec.json", "mmrec.md", "mmrec.png"):
        assert (store / "reports" / "captions" / name).is_file()
    assert "caption-pixels-minilm" in ran.out and "Written: " in ran.out


def test_every_space_is_a_contender_unless_some_are_named(run, store):
    assert run("eval", "captions", "--store", store, "--json", "out.json").code == 0
    there = {path.name for path in (store / "embeddings").iterdir()}
    assert set(json.loads(Path("out.json").read_text())["contenders"]) == there >= {"text-minilm"}


def test_the_plain_command_is_what_it_was(run, store):
    ran = run("eval", "--store", store, "--models", "popularity")
    assert ran.code == 0 and "popularity" in ran.out and "scoreboard" not in ran.out


REFUSED = {
    "contender": (["pixles"], "no embedding space and no captions 'pixles' in the store. Did you mean 'pixels'?"),
    "ground": (["--ground", "text"], "no embedding space 'text' in the store"),
    "protocol": (["--protocol", "mmreg"], "unknown protocol 'mmreg'. Did you mean 'mmrec'?"),
    "check": (["--check", "popularity"], "--check 'popularity' reads no vectors"),
    "kind": (["--price", "tokens=3"], "--price 'tokens': unknown kind 'tokens'"),
    "price": (["--price", "text-minilm:hour=free"], "--price text-minilm:hour='free' is no price"),
    "seeds": (["--check-seeds", "a"], "--check-seeds 'a' is not a list"),
    "place": (["--json", "nowhere/x.json"], "there is no folder 'nowhere'"),
}


@pytest.mark.parametrize(("arguments", "said"), REFUSED.values(), ids=REFUSED)
def test_a_mistake_is_one_line(run, life, arguments, said):
    assert said in run("eval", "captions", "--store", life.store, *arguments).line


def test_an_option_before_the_word_is_not_lost_silently(run, life):
    line = run("eval", "--store", life.store, "captions").line
    assert "('store') stands before 'captions'" in line


def test_captions_without_vectors_name_what_makes_them(run, store):
    shutil.rmtree(store / "embeddings" / "caption-pixels-minilm")
    assert (
        "captions 'pixels' have no vectors yet: run vitrine embed"
        in run("eval", "captions", "pixels", "--store", store).line
    )


def test_without_any_space_the_commands_are_named(run, store):
    shutil.rmtree(store / "embeddings")
    line = run("eval", "captions", "--store", store).line
    assert line == "no embedding space is in the store: run vitrine caption and vitrine embed first"


def test_a_space_that_learned_from_the_log_is_learned_anew_and_ranked_where_it_knows_nothing(run, store):
    small = ("encoders.fusion.dim=16", "encoders.fusion.epochs=2", "encoders.fusion.batch_size=16")
    options = [word for pair in small for word in ("--set", pair)]
    assert run("train", "fusion", "--store", store, *options).code == 0
    ran = run("eval", "captions", "--store", store, "--json", "out.json")
    assert ran.code == 0, ran
    report = json.loads(Path("out.json").read_text())
    assert [name for name, each in report["contenders"].items() if each["learned_anew"]] == ["fused"]
    warm = [each for each in report["sections"] if each["part"] == "warm"]
    assert warm and all("fused" not in each["seen"] for each in warm), "train rows are judged by nobody"
    assert "Learned anew from train rows" in " ".join(ran.out.split())
    drawn = [each for each in report["sections"] if each["part"] == "cold" and "fused" in each["seen"]]
    assert ("fused *" in ran.out) == bool(drawn)
