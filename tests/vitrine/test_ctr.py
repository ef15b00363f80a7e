"""The click model through the commands: taught, judged, served beside the score, and left out when it must be."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from catalog.items import items_frame, users_frame
from catalog.log import log_frame
from catalog.nouns import Interaction, Item, User
from catalog.shop_data import ShopData, save_shop
from catalog.workspace import Workspace
from tools.base import Shopper, ToolContext
from tools.registry import Registry
from vitrine import jobs
from vitrine.settings import load_settings
from vitrine.wiring import active_parts, open_shop

START = datetime(2026, 1, 1, tzinfo=UTC)
SERVE = {"serve": "itemknn"}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Shoppers who click on the one colour they like, on logged slates of six."""
    folder = tmp_path_factory.mktemp("clicks") / "store"
    rng = np.random.default_rng(2)
    colours = ("red", "blue", "green")
    items = [
        Item(f"i{n}", title=f"{colours[n % 3]} mug {n}", price=5.0 + n, categories=("mugs", colours[n % 3]))
        for n in range(36)
    ]
    events = []
    for turn in range(240):
        user, when = f"u{turn % 24:02}", START + timedelta(hours=6 * turn)
        for place, n in enumerate(rng.permutation(36)[:6].tolist(), start=1):
            context = {"position": place, "device": "phone"}
            common = {"session_id": f"s{turn}", "context": context, "request_id": f"r{turn}"}
            events.append(Interaction(f"{turn}-{n}", user, f"i{n}", when, "impression", **common))
            liked = n % 3 == turn % 3
            if rng.random() < (0.6 if liked else 0.08):
                later = when + timedelta(seconds=place)
                events.append(Interaction(f"{turn}-{n}-c", user, f"i{n}", later, "click", **common))
                if liked:
                    later += timedelta(seconds=9)
                    events.append(Interaction(f"{turn}-{n}-p", user, f"i{n}", later, "purchase"))
    users = [User(f"u{n:02}", "gold" if n % 4 else None) for n in range(24)]
    save_shop(Workspace(folder), ShopData("mugs", items_frame(items), log_frame(events), users_frame(users)))
    settings = load_settings({"store": str(folder), "models": SERVE})
    jobs.embed_store(settings)
    jobs.index_store(settings)
    return folder


@pytest.fixture(scope="module")
def trained(store):
    return jobs.train_store(load_settings({"store": str(store), "models": SERVE}))


def asked(store, top_n=5):
    shop = open_shop(load_settings({"store": str(store), "models": SERVE}))
    context = ToolContext(Shopper("u03"), START + timedelta(days=70), "r")
    found = Registry(shop).call("recommend_items", {"top_n": top_n}, context).trace["ranked"]
    shop.events.close()
    return shop, found


def test_training_says_what_it_taught_and_the_shop_serves_it(store, trained):
    assert any(line.startswith("click model: LightGBM on 1,") and "clicked (" in line for line in trained)
    shop, found = asked(store)
    assert shop.ctr is not None
    assert set(shop.scorers) == {"taken", "opened"}
    assert active_parts(load_settings({"store": str(store), "models": SERVE}))["click model"] == "LightGBM, calibrated"
    for place in found:
        assert 0 < place["features"]["ctr"] < 1
    everything = {place["item_id"]: place["features"]["ctr"] for place in asked(store, 36)[1]}
    liked = [chance for item_id, chance in everything.items() if int(item_id[1:]) % 3 == 0]
    others = [chance for item_id, chance in everything.items() if int(item_id[1:]) % 3]
    assert others
    assert not liked or np.mean(liked) > np.mean(others) + 0.1


def test_eval_ctr_prints_and_writes_its_report(store, run, tmp_path):
    ran = run("eval", "--ctr", "--store", store, "--json", tmp_path / "ctr.json")
    assert ran.code == 0
    assert "impressions: taught on" in ran.out
    report = json.loads((tmp_path / "ctr.json").read_text())
    assert [row["name"] for row in report["rows"]] == ["click model", "place on the page alone", "base rate"]
    assert report["rows"][0]["auc"]["mean"] > 0.7
    assert report["rows"][0]["gain"]["low"] > 0
    assert report == json.loads((store / "reports" / "ctr.json").read_text())


def test_eval_advise_prints_the_pick_of_each_category(store, run):
    ran = run("eval", "--advise", "--store", store)
    assert ran.code == 0, ran.err
    assert "ndcg@20 within a category on test" in ran.out
    assert json.loads((store / "reports" / "advice.json").read_text())["metric"] == "ndcg@20"
    both = run("eval", "--advise", "--ctr", "--store", store)
    assert both.code != 0
    assert "one of them would be valid" in both.err


def test_settings_switch_it_off_and_no_impression_is_said(store, run, tmp_path):
    off = run(
        "train", "--store", store, "--no-promote", "--set", "models.serve=popularity", "--set", "models.ctr=never"
    )
    assert "click model: none, models.ctr is 'never'" in off.out
    bare = ShopData("bare", *(getattr(load(store), name) for name in ("items", "log", "users")))
    quiet = ShopData(bare.name, bare.items, bare.log.filter(bare.log["kind"] == "purchase"), bare.users)
    save_shop(Workspace(tmp_path), quiet)
    told = jobs.train_store(load_settings({"store": str(tmp_path), "models": SERVE}))
    assert "click model: none, 0 clicked impressions in the log (50 would do)" in told
    proxy = jobs.train_store(load_settings({"store": str(tmp_path), "models": {**SERVE, "ctr": "always"}}))
    assert any("a proxy for impressions" in line for line in proxy)
    rare = ShopData(quiet.name, quiet.items, quiet.log.head(40), quiet.users)
    save_shop(Workspace(tmp_path), rare)
    refused = run("eval", "--ctr", "--store", tmp_path).line
    assert "rows drawn for want of impressions in the log" in refused


def test_clicks_that_cite_nothing_are_said_with_what_they_lack(store, run, tmp_path):
    bare = load(store)
    log = bare.log.with_columns(pl.lit(None, pl.String).alias(name) for name in ("request_id", "session_id"))
    save_shop(Workspace(tmp_path), ShopData("uncited", bare.items, log, bare.users))
    refused = run("eval", "--ctr", "--store", tmp_path).line
    assert refused.startswith("impressions: 0 of ") and " to judge by were clicked" in refused
    assert "A click counts where it has its impression's request_id and item_id" in refused


def load(store):
    from catalog.shop_data import load_shop

    return load_shop(Workspace(store))
