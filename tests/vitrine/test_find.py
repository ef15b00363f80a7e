"""`vitrine find` over a small boutique with its pictures, films and everything trained for a moment."""

from __future__ import annotations

import json

import pytest

from catalog.shop_data import load_shop
from catalog.workspace import Workspace
from embedding.tiny_models import tiny_clip

SHOP = {"n_items": 48, "n_users": 60, "n_events": 1000, "image_size": 64, "video_size": 64, "video_frames": 8}
QUICK = {"components": 8, "width": 8, "dim": 8, "steps": 5, "folds": 2, "frame_embedder": "thumbnail"}


@pytest.fixture(scope="module")
def store(tmp_path_factory, run):
    folder = tmp_path_factory.mktemp("find")
    tiny_clip(folder / "clip")
    (folder / "vitrine.toml").write_text(
        "\n".join(
            [
                "[boutique]",
                *(f"{name} = {value}" for name, value in SHOP.items()),
                "video_share = 0.3",
                "seed = 51",
                "[embedding.pictures]",
                f"model = {json.dumps(str(folder / 'clip'))}",
                "[encoders.fusion]",
                "dim = 16",
                "epochs = 1",
                "[encoders.video]",
                *(f"{name} = {json.dumps(value)}" for name, value in QUICK.items()),
            ]
        )
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for words in ("generate", "caption", "embed", "train video", "train fusion", "index"):
            done = run(*words.split())
            assert done.code == 0, done
    return folder


@pytest.fixture
def find(store, run, monkeypatch):
    monkeypatch.chdir(store)

    def found(*arguments):
        done = run("find", "--json", *arguments)
        assert done.code == 0, done
        return json.loads(done.out)

    return found


@pytest.fixture
def catalog(store):
    return load_shop(Workspace(store / "store")).catalog


def stocked(catalog, *, film=False):
    return [item for item in catalog if item.availability is not False and (item.videos if film else item.images)]


def test_the_picture_of_an_item_finds_it_first(find, store, catalog):
    for item in stocked(catalog)[:5]:
        found = find("--picture", store / "store" / item.images[0])
        first = found["items"][0]
        assert first["item_id"] == item.item_id
        assert set(found["searched"]) == {"caption", "picture", "fused"} and found["seen"]
        if not item.videos and len(item.images) == 1:
            assert first["modalities"]["picture"] == pytest.approx(1.0, abs=1e-5)
        assert found["left_out"] == []


def test_the_film_of_an_item_finds_it(find, store, catalog):
    for item in stocked(catalog, film=True)[:3]:
        found = find("--video", store / "store" / item.videos[0])
        assert item.item_id in [each["item_id"] for each in found["items"][:3]]
        scores = {each["item_id"]: each["modalities"] for each in found["items"]}
        assert scores[item.item_id]["video"] == pytest.approx(1.0, abs=1e-5)
        assert all((scores[i]["video"] is None) == (not catalog[i].videos) for i in scores)


def test_a_picture_and_a_word(find, store, catalog):
    item = stocked(catalog)[7]
    found = find(item.categories[-1], "--picture", store / "store" / item.images[0])
    assert found["items"][0]["item_id"] == item.item_id
    assert set(found["searched"]) == {"keyword", "text", "caption", "picture", "fused"}


def test_the_table_has_a_column_a_modality(run, store, monkeypatch, catalog):
    monkeypatch.chdir(store)
    item = stocked(catalog)[0]
    said = run("find", "a gift", "--picture", store / "store" / item.images[0], "--top-n", 2)
    seen, head, *rows = said.out.splitlines()
    assert said.code == 0 and seen.startswith("seen: ")
    assert head.split() == ["item", "title", "price", "keyword", "text", "caption", "picture", "fused"]
    assert len(rows) == 2 and rows[0].split()[0] == "1"


def test_what_cannot_be_looked_at_is_one_line(run, store, monkeypatch, tmp_path):
    monkeypatch.chdir(store)
    (tmp_path / "fake.jpg").write_bytes(b"PK\x03\x04 no picture")
    assert "--picture, --voice or --video would be valid" in run("find").line
    assert "fake.jpg" in run("find", "--picture", tmp_path / "fake.jpg").line
    none = tmp_path / "none.jpg"
    assert run("find", "--picture", none).line == (
        f"--picture {str(none)!r} does not exist; the path of a picture would be valid"
    )
    assert "is no file; the path of a film would be valid" in run("find", "--video", tmp_path).line
    assert "not one frame could be decoded" in run("find", "--video", tmp_path / "fake.jpg").line
    assert "price" in run("find", "mug", "--filters", '{"price": 5}').line
    assert run("find", "mug", "--filters", "{").line.startswith("--filters '{': Invalid JSON")


def test_a_picture_is_no_film(run, store, monkeypatch, catalog):
    monkeypatch.chdir(store)
    picture = store / "store" / stocked(catalog)[0].images[0]
    line = run("find", "--video", picture).line
    assert line == f"--video {str(picture)!r} is a still picture (JPEG), no film; as a picture it would be valid"


def test_arguments_are_checked_before_the_shop_is_opened(run, store, monkeypatch, tmp_path, catalog):
    monkeypatch.chdir(store)
    refused = (["--picture", tmp_path / "none.jpg"], ["--voice", store / "vitrine.toml"], ["a", "--filters", "{"], [])
    for arguments in refused:
        assert "opening" not in run("find", *arguments).err
    told = run("find", "--picture", store / "store" / stocked(catalog)[0].images[0])
    assert told.err.splitlines()[:2] == ["opening the shop ...", "opening the picture-text model ..."]
    assert "opening" not in told.out
    assert run("find", "mug").err.splitlines() == ["opening the shop ...", "searching by the words ..."]


def test_a_voice_needs_a_speech_model(run, store, monkeypatch, tmp_path):
    import wave

    monkeypatch.chdir(store)
    with wave.open(str(tmp_path / "wish.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(32_000))
    line = run("find", "--voice", tmp_path / "wish.wav").line
    assert line.startswith("voice: no speech model is configured") and "speech.whisper.model" in line


def test_a_model_trained_since_is_told(run, store, monkeypatch, catalog, tmp_path):
    monkeypatch.chdir(store)
    tiny_clip(tmp_path / "other", size=64)
    picture = store / "store" / stocked(catalog)[0].images[0]
    said = run("find", "--picture", picture, "--set", f"embedding.pictures.model={json.dumps(str(tmp_path / 'other'))}")
    assert said.code == 0 and "was made by another picture-text model" in said.out and "run vitrine embed" in said.out
    assert "open_clip" not in said.out
