"""What is made of what: the doctor names what is older than its source, and the commands that renew it, in order."""

from __future__ import annotations

import json

import pytest

from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace
from embedding.job import load_embeddings
from vitrine.chain import commands, stale_artifacts
from vitrine.doctor import examine
from vitrine.fusing import fusion_roles
from vitrine.reads import no_longer_read, ranker_text, spaces_text
from vitrine.settings import load_settings

FUSION = {"dim": 16, "epochs": 1, "batch_size": 16}


@pytest.fixture
def settings(store):
    return load_settings({"store": str(store), "encoders": {"fusion": FUSION}})


def renewed(workspace: Workspace, name: str, **more: object) -> None:
    """Write an artifact anew under another key, as a later run of its job would."""
    made = workspace.manifest(name)
    assert made is not None
    with workspace.reading(name) as old:
        files = {path.name: path.read_bytes() for path in old.iterdir() if path.is_file()}
    with workspace.writing(name, "f" * 64, {**made.meta, **more}) as folder:
        for file, data in files.items():
            (folder / file).write_bytes(data)


def told(settings):
    return {each.artifact: each for each in stale_artifacts(settings, Workspace(settings.store))}


def test_a_store_that_was_made_in_order_has_nothing_stale(settings):
    assert told(settings) == {}
    assert not [each for each in examine(settings, False) if each.subject.strip() == "stale"]


def test_what_is_made_of_a_stale_space_is_stale_as_well_and_renewed_after_it(settings, run):
    fused = [word for name, value in FUSION.items() for word in ("--set", f"encoders.fusion.{name}={value}")]
    assert run("train", "fusion", "--store", settings.store, *fused).code == 0
    assert run("index", "--store", settings.store).code == 0
    workspace = Workspace(settings.store)
    renewed(workspace, "embeddings/text-minilm", model="another MiniLM")
    found = told(settings)
    assert "made by 'another MiniLM', and texts are read by" in found["embeddings/text-minilm"].why
    assert found["encoders/fusion"].why == "embeddings/text-minilm changed since it was made"
    assert found["embeddings/fused"].why == "it was made by encoders/fusion"
    assert found["indexes/fused"].why == "it was made of embeddings/fused"
    assert found["models/lirdrec"].why == "embeddings/text-minilm changed since it was made"
    assert "indexes/keyword" not in found and "embeddings/caption-pixels-minilm" not in found
    order = ["vitrine embed", "vitrine train fusion", "vitrine index", "vitrine train"]
    assert commands(found.values()) == order
    lines = [each.text for each in examine(settings, False) if each.subject.strip() == "stale"]
    assert lines[-1] == "in this order: " + ", then ".join(order) and len(lines) == len(found) + 1


def test_captions_that_were_read_anew_leave_their_vectors_behind(settings):
    renewed(Workspace(settings.store), "captions/pixels")
    found = told(settings)
    assert found["embeddings/caption-pixels-minilm"].why == "captions/pixels changed since it was made"
    assert found["models/lirdrec"].why == "it was made of embeddings/caption-pixels-minilm"
    assert commands(found.values()) == ["vitrine embed", "vitrine index", "vitrine train"]


def test_of_two_spaces_of_films_the_encoder_s_own_is_fused_and_the_other_is_told(settings):
    workspace = Workspace(settings.store)
    text = load_embeddings(workspace, "text-minilm")
    for space in ("video-clip", "video-thumbnail"):
        with workspace.writing(f"embeddings/{space}", "a" * 64, {"pooling": "temporal", "embedder": "x"}) as folder:
            EmbeddingTable(text.ids, text.vectors, space).save(folder)
    assert fusion_roles(settings, workspace)["video"] == "video-thumbnail"
    with workspace.writing("encoders/video", "a" * 64, {"space": "video-clip"}):
        pass
    assert fusion_roles(settings, workspace)["video"] == "video-clip"
    found = told(settings)
    assert "encoders/video makes video-clip now; nothing renews it" in str(found["embeddings/video-thumbnail"])
    assert commands(found.values()) == []


def test_a_version_says_what_it_reads_and_a_later_one_what_it_does_not_any_more(life, store, run):
    assert "  reads picture caption-pixels-minilm, text text-minilm; no ranker\n" in life.ran["train"].out
    listed = run("models", "list", "--store", store).out.splitlines()
    assert listed[0].split()[-2:] == ["ranker", "reads"]
    assert listed[1].endswith("none    picture caption-pixels-minilm, text text-minilm")
    again = run("train", "--store", store, *life.fast, "--modality", "text=text-minilm").out
    assert "  reads text text-minilm; no ranker\n" in again
    assert "no longer read, and lirdrec@1 did: caption-pixels-minilm (picture)\n" in again
    (models,) = [each for each in examine(load_settings({"store": str(store)}), False) if each.subject == "  models"]
    assert models.text == "lirdrec reads text text-minilm; no ranker"


def test_what_a_ranker_loses_is_told():
    before = {
        "roles": {"text": "text-minilm", "fused": "fused"},
        "ranker": {"spaces": ["text-minilm", "fused"], "sources": ["keyword", "recommender"], "intents": "trained"},
    }
    now = {"roles": {"words": "text-minilm"}, "ranker": {"spaces": ["text-minilm"], "sources": ["keyword"]}}
    assert no_longer_read(before, now) == [
        "fused (fused)", "fused (ranker)", "recommender (source of candidates)", "intents/trained (ranker)",
    ]  # fmt: skip
    assert no_longer_read(before, {**before, "ranker": None}) == ["the ranker"]
    assert no_longer_read(now, before) == [] and no_longer_read({}, now) == []
    assert spaces_text(before) == "text text-minilm, fused" and spaces_text({}) == "no space"
    assert ranker_text(before) == "its ranker: text-minilm, fused; intents/trained"


def test_a_version_from_before_inputs_were_kept_is_judged_by_its_data_and_the_clock(settings):
    path = Workspace(settings.store).root / "models" / "lirdrec" / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["meta"]["inputs"]
    path.write_text(json.dumps(manifest))
    assert told(settings) == {}
    manifest["made_at"] = "2020-01-01T00:00:00+00:00"
    manifest["meta"]["data_key"] = "of another catalogue"
    path.write_text(json.dumps(manifest))
    assert told(settings)["models/lirdrec"].why == (
        "catalog, embeddings/caption-pixels-minilm, embeddings/text-minilm changed since it was made"
    )


def test_vectors_that_were_brought_along_are_nobody_s_to_renew(settings):
    workspace = Workspace(settings.store)
    made = workspace.manifest("embeddings/text-minilm")
    assert made is not None
    meta = {name: value for name, value in made.meta.items() if name != "embedder"} | {"model": "theirs"}
    with workspace.reading("embeddings/text-minilm") as old:
        files = {path.name: path.read_bytes() for path in old.iterdir()}
    with workspace.writing("embeddings/text-minilm", made.key, meta) as folder:
        for name, data in files.items():
            (folder / name).write_bytes(data)
    assert "embeddings/text-minilm" not in told(settings)


def test_items_that_came_after_their_vectors_are_told(settings, run, tmp_path):
    (tmp_path / "new.csv").write_text("item_id,title\nV01,Blue vase\nN1,A new thing\n")
    assert run("import", "table", "--items", tmp_path / "new.csv", "--store", settings.store).code == 0
    found = told(settings)
    assert found["embeddings/text-minilm"].why == "1 of the catalogue's 2 items are not in it"
    assert found["models/lirdrec"].why == "catalog changed since it was made and it was made of embeddings/text-minilm"
    assert commands(found.values()) == ["vitrine embed", "vitrine index", "vitrine train"]
