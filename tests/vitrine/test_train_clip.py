"""`vitrine train clip` on a shop of twelve figures, and who uses what it made."""

import json

import polars as pl
import pytest
from PIL import Image, ImageDraw

from catalog.columns import INTERACTIONS
from catalog.nouns import Item
from catalog.shop_data import ShopData, save_shop
from catalog.workspace import Workspace

SMALL = {"picture_size": 32, "width": 8, "dim": 16, "context": 16, "epochs": 1, "folds": 0, "threads": 1}
TINY = ("--set", f"encoders.clip={json.dumps(SMALL)}")


@pytest.fixture
def figures(tmp_path):
    workspace = Workspace(tmp_path / "store")
    workspace.root.mkdir()
    items = []
    for colour in ("red", "green", "blue"):
        for size in range(8, 12):
            picture = Image.new("RGB", (32, 32), "white")
            ImageDraw.Draw(picture).ellipse((16 - size, 16 - size, 16 + size, 16 + size), fill=colour)
            picture.save(workspace.root / f"{colour}{size}.png")
            items.append(Item(f"{colour}{size}", title=f"{colour} ball", images=(f"{colour}{size}.png",)))
    save_shop(workspace, ShopData.of("figures", items, pl.DataFrame(schema=INTERACTIONS)))
    return workspace


def test_trained_here_is_what_embeds_pictures(run, figures):
    before = run("doctor", "--store", figures.root).out
    assert "picture vectors by" not in before and "none yet: run vitrine train clip" in before
    assert "picture-clip" not in run("embed", "--store", figures.root).out
    said = run("train", "clip", "--store", figures.root, *TINY)
    assert said.code == 0, said
    assert "encoders/clip: 12 items" in said.out and "vitrine embed makes the space picture-clip" in said.out
    again = run("train", "clip", "--store", figures.root, *TINY).out.splitlines()
    assert again == ["encoders/clip: already current", f"next: vitrine embed --store {figures.root}"]
    assert "embeddings/picture-clip: 12 done" in run("embed", "--store", figures.root).out
    after = run("doctor", "--store", figures.root).out
    assert "open_clip encoders/clip, trained here" in after
    (figures.path("encoders/clip") / "open_clip_config.json").write_text("no json")
    assert "no JSON" in run("embed", "--store", figures.root).line


def test_a_device_that_is_not_there_is_one_line(run, figures):
    ran = run("train", "clip", "--store", figures.root, *TINY, "--set", "encoders.clip.device=banana")
    assert ran.code == 2 and "encoders.clip.device is 'banana'" in ran.line and "'cpu' would be valid" in ran.line


def test_a_model_no_better_than_chance_says_so(run, figures):
    said = run("train", "clip", "--store", figures.root, *TINY).out
    assert "no better than chance" in said and "encoders.clip.held_out" in said


def test_from_is_what_it_begins_as(run, figures):
    assert "no model of open_clip" in run("train", "clip", "--from", "ViT-B-33", "--store", figures.root, *TINY).line
    line = run("train", "clip", "--from", "ViT-B-32:laion2b_s34b_b79k", "--store", figures.root, *TINY).line
    assert "'laion2b_s34b_b79k'" in line and "nothing is downloaded" in line


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["clip", "--no-promote"], "--no-promote says nothing to vitrine train clip"),
        (["clip", "--modality", "picture=x"], "--modality says nothing to vitrine train clip"),
        (["recommender", "--from", "x"], "--from says nothing to vitrine train recommender"),
        (["--from", "x"], "--from says nothing to vitrine train recommender"),
        (["clop"], "is not one of 'recommender', 'clip'"),
        (["clip", "--store", "nowhere"], "vitrine generate or vitrine import"),
        (["clip", "--set", "encoders.clip.picture_size=8"], "encoders.clip.picture_size"),
        (["clip", "--set", "encoders.clip.picture_size=100"], "encoders.clip.picture_size"),
    ],
)
def test_what_cannot_be(run, arguments, option):
    assert option in run("train", *arguments).line
