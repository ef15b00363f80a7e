"""Further retrievers through the commands: fitted beside the served model, kept with it, read by the ranker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from catalog.errors import ConfigError, NotBuiltError
from catalog.items import items_frame, users_frame
from catalog.log import log_frame
from catalog.nouns import Interaction, Item
from catalog.shop_data import ShopData, save_shop
from catalog.workspace import Workspace
from tools.base import Shopper, ToolContext
from tools.registry import Registry
from vitrine import jobs
from vitrine.retrievers import asked_for
from vitrine.settings import load_settings
from vitrine.wiring import open_shop

START = datetime(2026, 1, 1, tzinfo=UTC)
QUOTAS = {"itemknn": 20, "ease": 10, "liked": 8, "popularity": 5}


def settings_of(folder, retrievers):
    return load_settings(
        {"store": str(folder), "models": {"serve": "itemknn"}, "pipeline": {"retrievers": retrievers}}
    )  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Shoppers who keep to one colour, three purchases in four."""
    folder = tmp_path_factory.mktemp("beside") / "store"
    rng = np.random.default_rng(4)
    colours = ("red", "blue", "green")
    items = [Item(f"i{n}", title=f"{colours[n % 3]} mug {n}", price=5.0 + n) for n in range(36)]
    events = []
    for turn in range(700):
        who = turn % 40
        own = rng.random() < 0.75
        n = int(rng.integers(12)) * 3 + (who % 3 if own else int(rng.integers(3)))
        events.append(Interaction(f"e{turn}", f"u{who:02}", f"i{n}", START + timedelta(hours=turn), "purchase"))
    data = ShopData("mugs", items_frame(items), log_frame(events), users_frame([]))
    save_shop(Workspace(folder), data)
    settings = settings_of(folder, QUOTAS)
    jobs.embed_store(settings)
    jobs.index_store(settings)
    return folder


def test_they_are_trained_saved_served_and_read_by_the_ranker(store):
    lines = jobs.train_store(settings_of(store, QUOTAS))
    assert "beside it propose: ease" in lines
    shop = open_shop(settings_of(store, QUOTAS))
    assert set(shop.retrievers) == {"ease"}
    assert shop.ranker is not None and {"score.ease", "rank.ease", "rank.itemknn"} <= set(shop.ranker.names)
    context = ToolContext(Shopper("u03"), START + timedelta(days=60), "r")
    trace = Registry(shop).call("recommend_items", {"top_n": 5}, context).trace
    assert {name: count for name, count in trace["sources"].items() if not name.startswith("liked:")} == {
        "itemknn": 20, "ease": 10, "popularity": 5,
    }  # fmt: skip
    shop.events.close()
    assert "already current" in jobs.train_store(settings_of(store, QUOTAS))[0]


def test_a_retriever_the_version_lacks_is_refused_with_the_cure(store):
    jobs.train_store(settings_of(store, QUOTAS))
    with pytest.raises(NotBuiltError, match=r"names 'als', and itemknn@\d+ was trained without: run vitrine train"):
        open_shop(settings_of(store, {**QUOTAS, "als": 10}))


def test_a_name_that_is_no_retriever_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"names 'itemkn', which proposes nothing\. Did you mean 'itemknn'"):
        asked_for(settings_of(tmp_path, {"itemkn": 10}))
    assert asked_for(settings_of(tmp_path, QUOTAS)) == ("ease",)


def test_the_command_shows_who_proposed_what(store, run):
    jobs.train_store(settings_of(store, QUOTAS))
    ran = run("recommend", "--store", store, "--set", "models.serve=itemknn", "--user", "u03", "--top-n", 3)
    assert ran.code == 0, ran
    assert "ease" in ran.out and "retrieve" in ran.out and "proposed:" in ran.out
