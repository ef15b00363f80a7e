"""`vitrine embed` with models of one's own, and what evaluation says of reviews it should not have read."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from PIL import Image

from catalog.columns import INTERACTIONS
from catalog.errors import ConfigError, NotBuiltError
from catalog.nouns import Item
from catalog.shop_data import ShopData, save_shop
from catalog.workspace import Workspace
from embedding.job import load_embeddings
from embedding.tiny_models import tiny_clip, tiny_decoder
from eval.config import EvalConfig
from vitrine.evaluation import evaluate_store
from vitrine.jobs import Scope, embed_store, index_store
from vitrine.settings import load_settings
from vitrine.wiring import active_parts, make_embedder, make_picture_embedder, open_shop, spaces_to_come

START = datetime(2026, 1, 1, tzinfo=UTC)
PARTS = ["title", "reviews"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return {"decoder": str(tiny_decoder(root / "decoder")), "clip": str(tiny_clip(root / "clip"))}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    root = tmp_path_factory.mktemp("store")
    rng = np.random.default_rng(0)
    items = []
    for n in range(12):
        Image.fromarray(rng.integers(0, 255, (24, 24, 3), dtype=np.uint8)).save(root / f"{n}.png")
        items.append(Item(f"i{n}", title=f"vase number {n}", images=(f"{n}.png",)))
    rows = [
        {
            "event_id": f"e{user}-{day}", "user_id": f"u{user}", "item_id": f"i{(3 * user + day) % 12}",
            "kind": "rating", "timestamp": START + timedelta(days=day), "value": 5.0, "text": f"words {user} {day}",
        }
        for user in range(8)
        for day in range(10)
    ]  # fmt: skip
    log = pl.DataFrame(rows, schema=INTERACTIONS)
    save_shop(Workspace(root), ShopData.of("vases", items, log))
    return root


def settings(store, models, **embedding):
    own = {
        "embedder": "decoder", "decoder": {"model": models["decoder"], "name": "tiny"},
        "pictures": {"model": models["clip"]},
    }  # fmt: skip
    return load_settings({"store": store, "embedding": {**own, **embedding}})


def test_words_and_pictures_by_models_of_ones_own(store, models):
    chosen = settings(store, models)
    planned = embed_store(chosen, scope=Scope(dry_run=True))
    assert len([line for line in planned if "text-tiny" in line or "picture-clip" in line]) == 2
    lines = embed_store(chosen)
    assert {"text-tiny", "picture-clip"} <= set(spaces_to_come(chosen)) and any(
        "picture-clip" in line for line in lines
    )
    workspace = Workspace(store)
    assert (load_embeddings(workspace, "text-tiny").dim, load_embeddings(workspace, "picture-clip").dim) == (32, 16)
    assert active_parts(chosen)["text vectors"].startswith("decoder@")
    index_store(chosen)
    shop = open_shop(chosen)
    assert np.array_equal(shop.embedder.embed_queries(["a vase"]), make_embedder(chosen).embed_queries(["a vase"]))


def test_a_picture_space_may_be_named_for_the_models_that_train(store, models):
    chosen = settings(store, models)
    embed_store(chosen)
    named = load_settings({
        "store": store, "models": {"modalities": {"picture": "picture-clip", "text": "text-tiny"}},
        "embedding": chosen.embedding.model_dump(),
    })  # fmt: skip
    report = evaluate_store(named, EvalConfig(models=("content_knn",)), protocols=("last",)).report
    assert report["modalities"] == {"picture": "picture-clip", "text": "text-tiny"}


@pytest.mark.parametrize(
    ("reviews", "verdict"),
    [({}, "failed"), ({"as_of": "2026-01-09T00:00:00Z"}, "passed")],
    ids=["of any time", "before the cut"],
)
def test_an_evaluation_fails_where_item_texts_hold_reviews_of_test_rows(store, models, reviews, verdict):
    chosen = settings(store, models, parts=PARTS, reviews=reviews)
    embed_store(chosen)
    report = evaluate_store(chosen, EvalConfig(models=("popularity",)), protocols=("last",)).report
    found = next(each for each in report["audit"]["findings"] if each["check"] == "reviews in 'text'")
    assert found["status"] == verdict
    assert report["audit"]["passed"] is (verdict == "passed")


def test_texts_that_were_cut_are_told(store, models):
    lines = embed_store(settings(store, models, job={"budget_tokens": 4}))
    assert any("12 texts were longer than 4 tokens and were cut" in line for line in lines)


def test_what_cannot_be_is_one_line(store, models):
    with pytest.raises(
        NotBuiltError, match=r"embedding\.parts names captions, and the store has none: run vitrine caption"
    ):
        embed_store(settings(store, models, parts=["captions"]))
    with pytest.raises(ConfigError, match=r"'sentence' and embedding\.sentence is missing; its model would be valid"):
        make_embedder(load_settings({"embedding": {"embedder": "sentence"}}))
    with pytest.raises(ConfigError, match=r"embedding\.pictures\.name is 'tiny', as the text embedder's"):
        make_picture_embedder(settings(store, models, pictures={"model": models["clip"], "name": "tiny"}))
