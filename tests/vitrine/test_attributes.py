"""The space `attributes` in a shop's life: who reads it, who does not, and what items that come later are given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from catalog.workspace import Workspace
from embedding.attribute_space import load_basis
from models import registry
from vitrine.settings import load_settings
from vitrine.wiring import choose_spaces, open_shop

USUAL = {"picture": "caption-pixels-minilm", "text": "text-minilm"}
ASKING = ("sequence_linear", "sequence_tower")
LINEAR = ("--set", "models.serve=sequence_linear")
TABLES = ("--items", "items.csv", "--interactions", "interactions.csv", "--images", "images/{item_id}.png")


def chosen(store: Path, model: str | None, **more: object) -> Mapping[str, str]:
    return choose_spaces(load_settings({"store": str(store), **more}), Workspace(store), model)


def test_only_models_that_ask_are_given_the_role_and_as_the_last(life):
    for name in (*registry.names(), None):
        asked = {"attributes": "attributes"} if name in ASKING else {}
        assert list(chosen(life.store, name).items()) == list({**USUAL, **asked}.items()), name


def test_what_the_settings_name_is_read_as_it_stands(life):
    own = {"attributes": "attributes", "text": "text-minilm"}
    assert chosen(life.store, "lirdrec", models={"modalities": own}) == own
    assert chosen(life.store, "sequence_tower", models={"modalities": {"text": "text-minilm"}}) == {
        "text": "text-minilm"
    }
    assert chosen(life.store, "sequence_tower", embedding={"attributes": {"enabled": False}}) == USUAL


def test_no_shop_searches_in_it(life):
    assert Workspace(life.store).names("indexes") == ["caption-pixels-minilm", "keyword", "text-minilm"]


def test_switched_off_it_is_not_made(files, run, tmp_path, monkeypatch):
    monkeypatch.chdir(files)
    assert run("import", "table", *TABLES, "--store", tmp_path / "store").code == 0
    ran = run("embed", "--store", tmp_path / "store", "--set", "embedding.attributes.enabled=false")
    assert (ran.code, "embeddings/attributes" in ran.out) == (0, False)
    assert Workspace(tmp_path / "store").names("embeddings") == ["text-minilm"]


def test_a_report_gives_the_role_to_those_who_ask_and_says_so(store, run, tmp_path):
    def report(models: str, *more: str) -> dict[str, object]:
        asked = ("--models", models, "--metrics", "ndcg@5,diversity@5", *more)
        ran = run("eval", "--store", store, *asked, "--json", tmp_path / "r.json")
        assert ran.code == 0, ran
        return {"text": ran.out, **json.loads((tmp_path / "r.json").read_text())}

    alone = report("content_knn")
    Workspace(store).remove("reports/cells")  # so that the row is measured again beside the other
    both = report("content_knn,sequence_linear", "--shuffle", "attributes")
    assert "attributes" not in str(alone["modalities"])
    assert both["modalities"] == {**USUAL, "attributes": "attributes"}
    assert both["config"]["roles"]["content_knn"] == ["picture", "text"]
    assert both["config"]["roles"]["sequence_linear"] == ["picture", "text", "attributes"]
    assert list(both["models"]) == ["content_knn", "sequence_linear", "sequence_linear (attributes shuffled)"]
    assert both["models"]["content_knn"]["metrics"] == alone["models"]["content_knn"]["metrics"]
    assert "attributes = attributes, for sequence_linear alone." in " ".join(both["text"].split())


@pytest.fixture
def grown(store: Path, life, run, tmp_path, monkeypatch) -> Path:
    """A store whose served model was trained before a green vase came, and whose space was made anew after."""
    assert run("train", "--store", store, *LINEAR).code == 0
    items = (life.folder / "items.csv").read_text()
    for name in ("interactions.csv", "images"):
        (tmp_path / name).symlink_to(life.folder / name)
    (tmp_path / "items.csv").write_text(items + "V03,Green vase,A low green vase,20,EUR,Klara,Vases\n")
    monkeypatch.chdir(tmp_path)
    for command in (("import", "table", *TABLES), ("embed",), ("index",)):
        assert run(*command, "--store", store).code == 0
    return store


def test_a_later_item_is_placed_in_the_basis_the_model_was_trained_in(store, request):
    before = load_basis(Workspace(store), "attributes")
    request.getfixturevalue("grown")
    after = load_basis(Workspace(store), "attributes")
    assert before is not None and after is not None
    assert ("title", "green") in after.tokens and len(after.tokens) > len(before.tokens), "another basis by now"
    settings = load_settings({"store": str(store), "models": {"serve": "sequence_linear"}})
    shop = open_shop(settings)
    assert shop.recommender is not None and shop.recommender.content_items == {"V03"}
    assert set(shop.spaces) == set(USUAL.values())

    expected = registry.load(Workspace(store).path("models/sequence_linear"))
    usual = {role: shop.spaces[space] for role, space in USUAL.items()}
    expected.add_items({**usual, "attributes": before.fold([shop.catalog["V03"]])})
    for recent in (["V03"], ["V01"], ["M01", "L01"]):
        got, wanted = (model.score(None, recent).values for model in (shop.recommender, expected))
        np.testing.assert_array_equal(got, wanted)


def test_a_version_keeps_serving_when_the_space_is_gone(store, run):
    assert run("train", "--store", store, *LINEAR).code == 0
    Workspace(store).remove("embeddings/attributes")
    ran = run("chat", "recommend me something", "--user", "u1", "--store", store, *LINEAR)
    assert ran.code == 0, ran
