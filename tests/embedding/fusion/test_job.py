"""The encoder and the space `fused` of a store: made, kept, made anew, left alone; and what they were learned from."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from catalog.columns import INTERACTIONS
from catalog.errors import ConfigError, NotBuiltError, NothingToDo
from catalog.nouns import Item
from catalog.shop_data import ShopData, save_shop
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace
from embedding.fusion.encoder import WEIGHTS, load_fusion
from embedding.fusion.job import retrained, train_fusion
from embedding.job import load_embeddings
from embedding.learned import learned_rows

ROLES = {"text": "text-toy", "picture": "picture-toy"}


@pytest.fixture
def store(toy, tmp_path):
    workspace = Workspace(tmp_path / "store")
    rows = toy.events.with_columns(
        pl.lit("purchase").alias("kind"), pl.int_range(pl.len()).cast(pl.String).alias("event_id")
    )
    log = pl.concat([pl.DataFrame(schema=INTERACTIONS), rows], how="diagonal")
    save_shop(workspace, ShopData.of("toy", [Item(i, title=i) for i in toy.items], log))
    for table in toy.tables.values():
        with workspace.writing(f"embeddings/{table.space}", "k" * 64, {"embedder": "toy"}) as folder:
            table.save(folder)
    return workspace


def short(toy, **more):
    return toy.quick.model_copy(update={"epochs": 2, **more})


def weights(store):
    return (store.path("encoders/fusion") / WEIGHTS).read_bytes()


def test_encoder_and_space_are_made_once_and_anew_where_an_input_changes(toy, store):
    made = train_fusion(store, short(toy), roles=ROLES, seed=1)
    assert made.made and made.meta["takes"] == 600 and made.meta["baskets"] == 150
    table = load_embeddings(store, "fused")
    assert table.vectors.shape == (60, 16)
    tables = {role: load_embeddings(store, space) for role, space in ROLES.items()}
    assert (load_fusion(store).encode_items(tables, toy.items).vectors == table.vectors).all()
    before = weights(store)
    again = train_fusion(store, short(toy), roles=ROLES, seed=1)
    assert not again.made and again.lines() == ["encoders/fusion: already current (text text-toy, picture picture-toy)"]
    assert train_fusion(store, short(toy), roles=ROLES, seed=2).made and weights(store) != before


def test_it_learns_nothing_from_as_of_on_and_says_from_what(toy, store):
    cut = toy.events["timestamp"].min() + timedelta(days=2)
    train_fusion(store, short(toy, as_of=cut), roles=ROLES, seed=1)
    rows = learned_rows(store, "fused")
    assert rows is not None and len(rows) == 300 and rows["timestamp"].max() < cut
    earlier = retrained(store, toy.items, toy.events.filter(pl.col("timestamp") < cut))
    assert (earlier.vectors == load_embeddings(store, "fused").vectors).all()
    everything = retrained(store, toy.items, toy.events)
    assert not np.allclose(everything.vectors, earlier.vectors, atol=1e-3)


def test_what_was_learned_from_the_same_rows_is_read_again(toy, store):
    train_fusion(store, short(toy), roles=ROLES)
    rows = toy.events.head(200)
    first = retrained(store, toy.items, rows)
    (folder,) = (store.root / "reports" / "spaces").iterdir()
    made_at = (folder / "manifest.json").stat().st_mtime_ns
    assert (retrained(store, toy.items, rows.reverse()).vectors == first.vectors).all()
    assert (folder / "manifest.json").stat().st_mtime_ns == made_at


def test_a_training_that_nothing_judged_says_so(toy, store):
    report = train_fusion(store, short(toy, held_out=0.02), roles=ROLES)  # 3 of 150, fewer than 5
    assert ", nothing held out, " in report.lines()[0] and report.meta["epochs"] == 2
    assert report.lines()[1].startswith(
        "  all 2 rounds were run and nothing was judged: of 150 shoppers fewer than 5 can be held out; "
        "encoders.fusion.held_out=0.04 holds some out"
    )
    judged = train_fusion(store, short(toy, held_out=0.04), roles=ROLES)  # 6 of them
    assert judged.meta["held_out"] and len(judged.lines()) == 2


def test_sessions_make_other_baskets(toy, store):
    made = train_fusion(store, short(toy, together="session"), roles=ROLES)
    assert made.meta["baskets"] == 300 and "of 300 sessions" in made.lines()[0]


def test_what_cannot_be_made_is_told(toy, store):
    with pytest.raises(NotBuiltError, match="run vitrine train fusion first"):
        load_fusion(store)
    with pytest.raises(NothingToDo, match="no space to fuse"):
        train_fusion(store, short(toy))
    with pytest.raises(ConfigError, match="names 'fused', which is what it makes"):
        train_fusion(store, short(toy), roles={"text": "fused"})
    with pytest.raises(NotBuiltError, match="no embedding space 'gone'"):
        train_fusion(store, short(toy), roles={"text": "gone"})
    with pytest.raises(ConfigError, match=r"encoders.fusion.as_of is '2026-01-01T00:00:00.*nothing was taken"):
        train_fusion(store, short(toy, as_of=toy.events["timestamp"].min()), roles=ROLES)
    with store.writing("embeddings/fused", "k" * 64, {"model": "theirs"}) as folder:
        EmbeddingTable(toy.items, np.ones((60, 2), np.float32), "fused").save(folder)
    with pytest.raises(NothingToDo, match="'fused': the one in the store was brought along"):
        train_fusion(store, short(toy), roles=ROLES)


def test_a_diverged_training_is_one_line_and_writes_nothing(toy, store):
    before = {path: path.stat().st_mtime_ns for path in store.root.rglob("*")}
    for more in ({}, {"held_out": 1e-3}):  # with baskets held out, and with none
        with pytest.raises(ConfigError, match=r"^encoders.fusion: diverged at epoch \d, .*learning_rate \(now 1e\+38"):
            train_fusion(store, short(toy, learning_rate=1e38, **more), roles=ROLES)
    assert {path: path.stat().st_mtime_ns for path in store.root.rglob("*")} == before
