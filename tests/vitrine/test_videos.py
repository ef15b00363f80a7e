from __future__ import annotations

import json

import pytest

from catalog.marketing import load_marketing
from catalog.workspace import Workspace

SMALL = [
    "boutique.n_items=48", "boutique.n_users=40", "boutique.n_events=900", "boutique.image_size=64",
    "boutique.video_size=64", "boutique.video_frames=4", "marketing.n_films=12", "marketing.n_impressions=1500",
    "marketing.size=64", "marketing.rate=4", "encoders.video.steps=5", "encoders.video.folds=3",
    "encoders.video.frames.frames=6",
]  # fmt: skip
SET = [word for pair in SMALL for word in ("--set", pair)]


@pytest.fixture(scope="module")
def made(tmp_path_factory, run):
    """A small boutique with its films, and an encoder of five steps."""
    store = tmp_path_factory.mktemp("store")
    said = run("generate", "--marketing", "--store", str(store), *SET)
    return store, said, run("train", "video", "--store", str(store), *SET)


def test_films_are_shot_learned_from_and_ranked(made, run):
    store, generated, trained = made
    assert "marketing: 12 films, 1,500 impressions" in generated.out
    assert "encoders/video: " in trained.out and "embeddings/video-thumbnail: " in trained.out
    ranked = run("videos", "--store", str(store), *SET, "--top", "3")
    table, notes = ranked.out.splitlines()[:4], ranked.out.splitlines()[4:]
    assert ranked.code == 0 and table[0].split() == ["expected", "counted", "clicks", "of", "film"]
    assert notes[0].startswith("expected: by what a film shows") and " than chance, over 1,500 impr" in notes[1]
    assert not any("item films" in note for note in notes)
    rows = json.loads(run("videos", "--store", str(store), *SET, "--json", "--of", "all").out)
    assert [row["rate"] for row in rows] == sorted((row["rate"] for row in rows), reverse=True)
    assert {row["source"] for row in rows} == {"marketing", "item"}
    assert all(row["low"] <= row["rate"] <= row["high"] for row in rows)


def test_another_reader_of_frames_asks_for_another_training(made, run, tmp_path):
    from embedding.tiny_models import tiny_clip

    store, _, _ = made
    other = f"embedding.pictures={json.dumps({'model': str(tiny_clip(tmp_path / 'clip'))})}"
    ran = run("videos", "--store", str(store), *SET, "--set", other)
    assert ran.code == 2 and ran.err.startswith("error: encoders/video reads frames by 'thumbnail of")
    assert "run vitrine train video again" in ran.err


def test_options_that_mean_nothing_to_films_are_refused(run, tmp_path):
    ran = run("train", "video", "--store", str(tmp_path), "--as-of", "2025-01-01")
    moment = "--set encoders.video.as_of=2025-01-01T00:00:00+00:00 would be valid"
    assert "of vitrine train video it is a setting" in ran.line and ran.line.endswith(moment)
    assert "clip, which reads no event" in run("train", "clip", "--store", tmp_path, "--as-of", "2025-01-01").line
    naive = run("train", "video", "--store", tmp_path, "--set", "encoders.video.as_of=2025-01-01").line
    assert naive.startswith("setting 'encoders.video.as_of' is '2025-01-01'") and "timezone" in naive


def test_a_store_without_films_is_one_line(run, tmp_path):
    trained = run("train", "video", "--store", str(tmp_path))
    assert trained.code == 2 and "run vitrine generate or vitrine import first" in trained.err
    ranked = run("videos", "--store", str(tmp_path))
    assert ranked.code == 2 and "run vitrine train video first" in ranked.err


def test_films_of_one_s_own_are_imported_with_their_rejects(run, tmp_path):
    (tmp_path / "one.mp4").write_bytes(b"any")
    (tmp_path / "ads.csv").write_text("ad,file\n7,one.mp4\n8,two.mp4\n")
    (tmp_path / "seen.csv").write_text("ad,time,clicked\n7,2025-03-01,1\n7,2025-03-02,0\n8,2025-03-02,0\n")
    ran = run(
        "import", "marketing", "--media", str(tmp_path / "ads.csv"), "--impressions", str(tmp_path / "seen.csv"),
        "--column", "media_id=ad", "--store", str(tmp_path / "store"),
    )  # fmt: skip
    assert ran.code == 0 and ran.out.startswith("marketing: 1 media, 2 impressions, 1 clicks\n2 rows rejected")
    workspace = Workspace(tmp_path / "store")
    assert load_marketing(workspace).media["media_id"].to_list() == ["7"]
    assert len((workspace.path("marketing") / "rejects.jsonl").read_text().splitlines()) == 2
