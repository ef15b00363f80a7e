"""The fused space in a shop's life: made by `vitrine train fusion`, and learned anew wherever a model is judged."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from catalog.errors import ConfigError, NotBuiltError
from catalog.shop_data import load_shop
from catalog.splits import make_split
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace
from embedding.job import load_embeddings
from embedding.learned import learned_rows, save_learned
from eval.audit import audit
from vitrine.fusing import events_of, fusion_roles, later_fused, relearned, require_earlier
from vitrine.settings import load_settings

SMALL = (
    "--set", "encoders.fusion.dim=16", "--set", "encoders.fusion.epochs=2", "--set", "encoders.fusion.batch_size=16",
)  # fmt: skip


@pytest.fixture(scope="module")
def fused(life, run, tmp_path_factory) -> Path:
    """A store with the fused space, learned from the whole log."""
    store = tmp_path_factory.mktemp("fused") / "store"
    shutil.copytree(life.store, store)
    ran = run("train", "fusion", "--store", store, *SMALL)
    assert ran.code == 0, ran
    assert ran.out.startswith("encoders/fusion: text text-minilm, picture caption-pixels-minilm; ")
    assert "embeddings/fused: 6 items, 16 wide" in ran.out
    return store


def test_a_second_run_leaves_it_alone(fused, run):
    ran = run("train", "fusion", "--store", fused, *SMALL)
    assert ran.out.startswith("encoders/fusion: already current")


def test_an_evaluation_reads_it_as_train_rows_make_it(fused, run, tmp_path):
    ran = run(
        "eval", "--store", fused, "--models", "content_knn,content_linear,lirdrec", "--metrics", "ndcg@5",
        "--modality", "fused=fused", "--json", tmp_path / "r.json",
    )  # fmt: skip
    assert ran.code == 0, ran
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["modalities"] == {"fused": "fused"} and len(report["models"]) == 3
    (finding,) = [each for each in report["audit"]["findings"] if each["check"] == "rows behind 'fused'"]
    assert finding["status"] == "passed" and finding["numbers"]["rows"] == report["split"]["train"]


def test_only_learned_roles_are_learned_anew_and_from_train_rows_alone(fused):
    workspace = Workspace(fused)
    data = load_shop(workspace)
    split = make_split(data.log, data.catalog.ids, protocol="mmrec", seed=7)
    roles = {"text": "text-minilm", "fused": "fused"}
    given = {role: load_embeddings(workspace, space) for role, space in roles.items()}
    read, rows = relearned(workspace, roles, given, split.train, data.log)
    assert read["text"] is given["text"] and not np.allclose(read["fused"].vectors, given["fused"].vectors, atol=1e-4)
    pairs = set(rows["fused"].select("user_id", "item_id").iter_rows())
    assert len(pairs) == len(split.train) and list(rows) == ["fused"]
    hidden = events_of(split.test, data.log).select("user_id", "item_id").iter_rows()
    assert not pairs & set(hidden)


def test_what_cannot_be_learned_anew_is_told_with_the_rows_it_knows(fused, tmp_path):
    store = tmp_path / "store"
    shutil.copytree(fused, store)
    workspace = Workspace(store)
    data = load_shop(workspace)
    vectors = load_embeddings(workspace, "text-minilm")
    with workspace.writing("embeddings/video-x", "k", {"embedder": "video", "dim": vectors.dim}) as folder:
        EmbeddingTable(vectors.ids, vectors.vectors, "video-x").save(folder)
        save_learned(data.log, folder)
    split = make_split(data.log, data.catalog.ids, protocol="mmrec", seed=7)
    given = {"video": load_embeddings(workspace, "video-x")}
    read, rows = relearned(workspace, {"video": "video-x"}, given, split.train, data.log)
    assert read["video"] is given["video"] and len(rows["video"]) == len(data.log)
    found = audit(split, read, catalog=data.catalog, log=data.log, learned=rows).as_json()["findings"]
    assert [each["status"] for each in found if each["check"] == "rows behind 'video'"] == ["failed"]


def test_the_sessions_of_train_rows_are_looked_up(fused):
    data = load_shop(Workspace(fused))
    log = data.log.with_columns(pl.lit("s1").alias("session_id"))
    split = make_split(log, data.catalog.ids, protocol="mmrec", seed=7)
    assert events_of(split.train, log)["session_id"].unique().to_list() == ["s1"]


def test_a_shop_trained_as_of_a_moment_refuses_a_space_that_knows_more(fused, run):
    workspace = Workspace(fused)
    rows = learned_rows(workspace, "fused")
    assert rows is not None
    last = rows["timestamp"].max()
    with pytest.raises(ConfigError, match=r"--as-of .*'fused' of role 'x' was learned from \d+ later events; run"):
        require_earlier(workspace, {"x": "fused"}, last)
    require_earlier(workspace, {"x": "fused", "text": "text-minilm"}, last + timedelta(seconds=1))
    require_earlier(workspace, {"x": "fused"}, None)
    require_earlier(workspace, {"text": "text-minilm"}, datetime(2000, 1, 1, tzinfo=UTC))


def test_a_version_keeps_the_encoder_that_places_later_items(fused, run, tmp_path):
    store = tmp_path / "store"
    shutil.copytree(fused, store)
    served = ("--set", "models.serve=content_linear")
    assert run("train", "--store", store, *served, "--modality", "fused=fused").code == 0
    workspace = Workspace(store)
    folder, catalog = workspace.path("models/content_linear"), load_shop(workspace).catalog
    before = load_embeddings(workspace, "fused")
    assert run("train", "fusion", "--store", store, *SMALL, "--set", "seed=8").code == 0
    later = later_fused(workspace, folder, {"fused": "fused", "text": "text-minilm"}, list(catalog)[:2])
    assert list(later) == ["fused"] and later["fused"].ids.ids == before.ids.ids[:2]
    np.testing.assert_allclose(later["fused"].vectors, before.vectors[:2], atol=1e-5)
    assert not np.allclose(load_embeddings(workspace, "fused").vectors, before.vectors, atol=1e-3), "another by now"
    assert run("chat", "recommend me something", "--user", "u1", "--store", store, *served).code == 0


def test_which_spaces_are_fused(fused):
    workspace = Workspace(fused)

    def chosen(**roles: str) -> list[tuple[str, str]]:
        settings = load_settings({"store": str(fused), "encoders": {"fusion": {"roles": roles}}})
        return list(fusion_roles(settings, workspace).items())

    assert chosen() == [("text", "text-minilm"), ("picture", "caption-pixels-minilm")]
    assert chosen(facts="attributes") == [("facts", "attributes")]
    with pytest.raises(NotBuiltError, match=r"encoders.fusion.roles.x is 'text-minlm', .* Did you mean 'text-minilm'"):
        chosen(x="text-minlm")
    for name in ("picture-clip", "video"):
        with workspace.writing(f"embeddings/{name}", "k" * 64, {"embedder": "toy"}) as folder:
            (folder / "vectors.npy").touch()
    assert chosen() == [
        ("text", "text-minilm"), ("caption", "caption-pixels-minilm"), ("picture", "picture-clip"), ("video", "video"),
    ]  # fmt: skip
    for name in ("picture-clip", "video"):
        workspace.remove(f"embeddings/{name}")
