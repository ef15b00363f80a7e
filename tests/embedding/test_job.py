from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from batch.local import LocalEngine
from catalog.columns import CAPTIONS, INTERACTIONS
from catalog.errors import DataError, NotBuiltError, ServiceError
from catalog.nouns import Item
from catalog.shop_data import ShopData, save_shop
from catalog.workspace import Workspace
from embedding.base import TextEmbedder
from embedding.job import (
    EmbedJobConfig,
    cut_items,
    default_space,
    embed_catalog,
    load_embeddings,
    review_sources,
)
from embedding.minilm import MiniLM
from embedding.reviews import ReviewConfig


class Counting(TextEmbedder):
    """Embeds a text as (length, vowels, 1), and remembers what it was asked."""

    name, model, dim = "count", "count-1", 3

    def __init__(self, outage=None):
        self.asked, self.outage = [], outage

    def embed(self, texts):
        if self.outage in texts:
            raise ServiceError("down")
        self.asked += texts
        rows = np.array([[len(t), sum(c in "aeiou" for c in t), 1] for t in texts], np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def shop(root, *items):
    save_shop(Workspace(root), ShopData.of("test", items, pl.DataFrame(schema=INTERACTIONS)))
    return Workspace(root)


def embed(workspace, embedder, **changes):
    config = EmbedJobConfig(batch_size=1, flush_rows=1)
    return embed_catalog(workspace, embedder, engine=LocalEngine(), config=config, **changes)


ITEMS = [Item("b", title="bee"), Item("a", title="ant"), Item("none"), Item("c", title="cat")]


def test_a_vector_an_item_in_catalogue_order_and_none_for_items_without_text(tmp_path):
    workspace = shop(tmp_path, *ITEMS)
    report = embed(workspace, Counting())
    table = load_embeddings(workspace, "text-count")
    assert table.ids.ids == ("b", "a", "c")
    assert table.vector("b") == pytest.approx(np.array([3, 2, 1]) / 14**0.5)
    assert report.done == 3
    meta = workspace.manifest("embeddings/text-count").meta
    assert (meta["model"], meta["items_without_text"], meta["dim"]) == ("count-1", 1, 3)


def test_only_changed_texts_are_embedded_again(tmp_path):
    embed(shop(tmp_path, *ITEMS), Counting())
    second = Counting()
    workspace = shop(tmp_path, Item("a", title="ant"), Item("b", title="bee, new"), Item("d", title="cat"))
    report = embed(workspace, second)
    assert second.asked == ["bee, new"]
    assert (report.done, report.reused) == (1, 2)
    assert load_embeddings(workspace, "text-count").ids.ids == ("a", "b", "d")


def test_an_outage_keeps_what_was_done(tmp_path):
    workspace = shop(tmp_path / "cut", *ITEMS)
    with pytest.raises(ServiceError):
        embed(workspace, Counting(outage="cat"))
    second = Counting()
    embed(workspace, second)
    assert second.asked == ["cat"]
    whole = shop(tmp_path / "whole", *ITEMS)
    embed(whole, Counting())
    for name in ("vectors.npy", "ids.parquet"):
        folders = [w.path("embeddings/text-count") for w in (workspace, whole)]
        assert folders[0].joinpath(name).read_bytes() == folders[1].joinpath(name).read_bytes()


def test_captions_have_a_space_of_their_own(tmp_path):
    workspace = shop(tmp_path, *ITEMS)
    rows = [("a", "1.jpg", "Red."), ("a", "2.jpg", "Round."), ("c", "3.jpg", "Blue.")]
    with workspace.writing("captions/pixels", "k" * 64) as folder:
        pl.DataFrame([(*row, "m", "p", "s", None) for row in rows], schema=CAPTIONS, orient="row").write_parquet(
            folder / "captions.parquet"
        )
    embedder = Counting()
    embed(workspace, embedder, captions="pixels")
    assert embedder.asked == ["Red. Round.", "Blue."]
    assert load_embeddings(workspace, "caption-pixels-count").ids.ids == ("a", "c")
    assert workspace.manifest("embeddings/caption-pixels-count").meta["captions_key"] == "k" * 64
    both = Counting()
    embed(workspace, both, captions="pixels", parts=("title", "captions"), space="mixed")
    assert both.asked[1] == "ant. Red. Round."


def test_default_names():
    assert default_space("minilm") == "text-minilm"
    assert default_space("minilm", "pixels") == "caption-pixels-minilm"


def test_what_is_missing_is_one_clear_line(tmp_path):
    with pytest.raises(NotBuiltError, match="vitrine generate or vitrine import"):
        embed(Workspace(tmp_path / "empty"), Counting())
    workspace = shop(tmp_path, Item("a"))
    with pytest.raises(DataError, match="none of the 1 items has title"):
        embed(workspace, Counting())
    with pytest.raises(NotBuiltError, match="vitrine caption"):
        embed(workspace, Counting(), captions="pixels")
    with pytest.raises(DataError, match="name both, or neither"):
        embed(workspace, Counting(), parts=("captions",))
    with pytest.raises(NotBuiltError, match=r"'text-x'.*Available: none"):
        load_embeddings(workspace, "text-x")


def reviewed(root):
    rows = [
        ("e1", "ann", "a", datetime(2026, 1, 1, tzinfo=UTC), "rating", 5.0, "early and short", 0),
        ("e2", "ben", "a", datetime(2026, 3, 1, tzinfo=UTC), "rating", 1.0, "late", 2),
        ("e3", "ann", "b", datetime(2026, 3, 2, tzinfo=UTC), "rating", 4.0, "later", 1),
    ]
    names = ["event_id", "user_id", "item_id", "timestamp", "kind", "value", "text", "x_label"]
    own = pl.DataFrame(rows, schema=names, orient="row")
    log = pl.concat([pl.DataFrame(schema=INTERACTIONS), own], how="diagonal_relaxed").with_columns(
        pl.col("timestamp").cast(INTERACTIONS["timestamp"])
    )
    save_shop(Workspace(root), ShopData.of("test", [Item("a", title="ant"), Item("b", title="bee")], log))
    return Workspace(root)


def test_reviews_stand_in_the_text_and_their_sources_beside_the_vectors(tmp_path):
    workspace, embedder = reviewed(tmp_path), Counting()
    embed(workspace, embedder, parts=("title", "reviews"))
    assert embedder.asked == ["ant. early and short. late.", "bee. later."]
    sources = review_sources(workspace, "text-count")
    assert sources.select("item_id", "user_id").rows() == [("a", "ann"), ("a", "ben"), ("b", "ann")]
    told = workspace.manifest("embeddings/text-count").meta["reviews"]
    assert (told["as_of"], told["used"], told["latest"][:10]) == (None, 3, "2026-03-02")


@pytest.mark.parametrize(
    "only", [{"as_of": datetime(2026, 2, 1, tzinfo=UTC)}, {"label_column": "x_label"}], ids=["as_of", "label"]
)
def test_an_evaluation_can_keep_the_future_out(tmp_path, only):
    workspace, embedder = reviewed(tmp_path), Counting()
    embed(workspace, embedder, parts=("title", "reviews"), reviews=ReviewConfig(**only))
    assert embedder.asked == ["ant. early and short.", "bee"]
    assert review_sources(workspace, "text-count")["user_id"].to_list() == ["ann"]


def test_without_reviews_nothing_is_said_of_them(tmp_path):
    workspace = reviewed(tmp_path)
    embed(workspace, Counting())
    assert review_sources(workspace, "text-count") is None
    assert workspace.manifest("embeddings/text-count").meta["reviews"] is None


def test_texts_too_long_are_counted_and_named(tmp_path):
    workspace = shop(tmp_path, Item("a", title="ant"), Item("b", title="bee " * 40), Item("c", title="cat"))
    config = EmbedJobConfig(budget_chars=20)
    embedder = Counting()
    report = embed_catalog(workspace, embedder, engine=LocalEngine(), config=config)
    assert embedder.asked == ["ant", "bee bee bee bee bee", "cat"]
    assert cut_items(workspace, "text-count") == ["b"]
    assert report.meta["budget"] == ["characters", 20]


def test_where_tokens_can_be_counted_they_are_the_budget(tmp_path):
    workspace = shop(tmp_path, Item("a", title="blue " * 400))
    embed_catalog(workspace, MiniLM(), engine=LocalEngine(), config=EmbedJobConfig(budget_tokens=8))
    manifest = workspace.manifest("embeddings/text-minilm")
    assert manifest.meta["budget"] == ["tokens", 8]
    assert load_embeddings(workspace, "text-minilm").vectors == pytest.approx(MiniLM().embed(["blue " * 7 + "blue"]))
    report = embed_catalog(workspace, MiniLM(), engine=LocalEngine(), config=EmbedJobConfig(budget_tokens=900))
    assert report.meta["budget"] == ["tokens", 254]
    assert report.usage.prompt == 256
