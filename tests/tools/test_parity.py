"""Features logged when serving are, to the bit, those rebuilt offline from the log; a later word would show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog.errors import DataError
from catalog.events import SqliteEventStore
from catalog.log import log_frame
from catalog.nouns import Interaction, User
from models.feature_table import FeatureTable
from models.features import FeatureConfig, FeatureContext, FeatureStore, build_features
from models.impressions import OPENED_KINDS
from models.ranker import LightGBMRanker, RankerConfig
from models.ranking_data import build_ranking_data
from models.session import Session
from tools.base import Shopper, ToolContext
from tools.doubles import toy_shop
from tools.pipeline.training import source_names, training_candidates
from tools.registry import Registry
from tools.shop import Shop
from tools.taste import digested

CUT = datetime(2026, 1, 1, tzinfo=UTC)
LOADED = CUT + timedelta(days=20)
NOW = LOADED + timedelta(hours=3)
WHO, SESSION = "u1", "s-live"
USERS = {f"u{n}": User(f"u{n}", "gold" if n % 3 else None) for n in range(40)}


def bought(shop: Shop) -> list[Interaction]:
    rng = np.random.default_rng(3)
    ids = [item.item_id for item in shop.catalog]
    events = []
    for n in range(40):
        for k, item_id in enumerate(rng.choice(ids, 4, replace=False)):
            when = CUT + timedelta(days=(-10, -5, 5, 8)[k], minutes=n)
            events.append(Interaction(f"e{n}-{k}", f"u{n}", str(item_id), when, "purchase"))
    return events


def live(shop: Shop, moments: Sequence[timedelta], first: int) -> list[Interaction]:
    ids = [item.item_id for item in shop.catalog]
    return [
        Interaction(f"live-{first + k}", WHO, ids[(first + k) % len(ids)], NOW + after, kind, SESSION, context=context)
        for k, after in enumerate(moments)
        for kind, context in ((("view", "click", "dismiss")[k % 3], {"device": "phone"}),)
    ]


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Shop]:
    """A shop loaded at LOADED, in which things go on happening."""
    shop = toy_shop(tmp_path)
    log = log_frame(bought(shop))
    config = FeatureConfig(sources=source_names(shop))
    then = replace(shop, statistics=FeatureStore(shop.catalog, log, as_of=CUT, spaces=shop.spaces, config=config))
    data = build_ranking_data(
        log, then.statistics, lambda u: training_candidates(then, u, CUT), recommender=shop.recommender
    )
    ranker = LightGBMRanker(RankerConfig(trees=10, leaves=4, min_leaf_rows=5))
    ranker.fit(data.table, data.groups, data.labels)
    now = FeatureStore(shop.catalog, log, as_of=LOADED, spaces=shop.spaces, config=config, users=USERS)
    yield replace(shop, statistics=now, ranker=ranker)
    shop.events.close()


def logged(shop: Shop) -> dict[str, Any]:
    """What the trace of an answer keeps of each place."""
    context = ToolContext(Shopper(WHO, SESSION), NOW, "r")
    found = Registry(shop).call("recommend_items", {"top_n": 8}, context)
    return {entry["item_id"]: entry["features"] for entry in found.trace["ranked"]}


def rebuilt(shop: Shop, log: list[Interaction], folder: Path, as_of: datetime = LOADED) -> FeatureTable:
    """The same features from the whole log, which by now tells of much that came later."""
    assert shop.statistics is not None
    store = FeatureStore(
        shop.catalog, log_frame(log), as_of=as_of, spaces=shop.spaces, config=shop.statistics.config, users=USERS
    )
    events = SqliteEventStore(folder / "offline.sqlite")
    events.put([each for each in log if each.timestamp >= as_of])
    offline = replace(shop, statistics=store, events=events)
    mine = sorted((e for e in log if e.user_id == WHO and as_of <= e.timestamp < NOW), key=lambda e: e.timestamp)
    viewed = tuple(e.item_id for e in mine if e.session_id == SESSION and e.kind in OPENED_KINDS)
    context = FeatureContext(
        store, WHO, digested(mine).live, shop.recommender, session=Session(viewed, "phone" if mine else None)
    )
    table = build_features(training_candidates(offline, WHO, NOW), context, NOW)
    events.close()
    return table


def differences(served: dict[str, Any], table: FeatureTable) -> list[str]:
    """Names of features that are not equal to the bit; a missing one is NaN."""
    row = {item_id: at for at, item_id in enumerate(table.item_ids)}
    found = set()
    for item_id, features in served.items():
        for name, value in zip(table.names, table.values[row[item_id]], strict=True):
            told = np.float32(features.get(name, np.nan))
            if told.tobytes() != value.tobytes() and not (np.isnan(told) and np.isnan(value)):
                found.add(name)
    return sorted(found)


def test_what_serving_logged_is_what_the_log_gives_back(serving: Shop, tmp_path: Path) -> None:
    before = live(serving, [timedelta(hours=-2), timedelta(minutes=-20), timedelta(seconds=-5)], 3)
    after = live(serving, [timedelta(seconds=1), timedelta(hours=1)], 9)
    rush = [
        Interaction(f"rush-{n}", f"u{n}", "bag-1", NOW + timedelta(minutes=n + 1), "purchase") for n in range(2, 30)
    ]
    serving.events.put(before)
    served = logged(serving)
    assert len(served) == 8
    assert any("session_seen" in features for features in served.values())
    known = [item.item_id for item in serving.catalog]
    later = [replace(each, item_id=known[0]) if each.item_id not in known else each for each in rush]
    table = rebuilt(serving, [*bought(serving), *before, *after, *later], tmp_path)
    assert differences(served, table) == []


def test_a_path_that_knows_later_events_is_found_out(serving: Shop, tmp_path: Path) -> None:
    serving.events.put(live(serving, [timedelta(minutes=-20)], 3))
    served = logged(serving)
    first = next(iter(served))
    leaked = [
        Interaction(f"leak-{n}", f"u{n}", first, LOADED - timedelta(seconds=n + 1), "purchase") for n in range(2, 30)
    ]
    log = [*bought(serving), *live(serving, [timedelta(minutes=-20)], 3)]
    assert {"popularity", "days_since_taken"} <= set(differences(served, rebuilt(serving, [*log, *leaked], tmp_path)))
    with pytest.raises(DataError, match="it knows later events"):
        rebuilt(serving, log, tmp_path, NOW + timedelta(days=1))
