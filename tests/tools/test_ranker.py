"""The learned re-ranker inside the pipeline, trained on what the pipeline itself retrieves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from catalog.log import log_frame
from catalog.nouns import Interaction
from models.features import FeatureConfig, FeatureStore
from models.ranker import LightGBMRanker, RankerConfig
from models.ranking_data import build_ranking_data
from tools.base import Shopper, ToolContext
from tools.evidence import contributions_of
from tools.pipeline.training import source_names, training_candidates
from tools.registry import Registry
from tools.shop import Shop

CUT = datetime(2026, 1, 1, tzinfo=UTC)
LATER = CUT + timedelta(days=20)


def past(shop: Shop) -> list[Interaction]:
    """Forty shoppers who each buy two cheap things before the cut and two more after it, whatever they are."""
    rng = np.random.default_rng(3)
    cheap = [i.item_id for i in shop.catalog if i.price is not None and i.price < 30]
    events = []
    for n in range(40):
        for k, item_id in enumerate(rng.choice(cheap, 4, replace=False)):
            when = CUT + timedelta(days=(-10, -5, 5, 8)[k], minutes=n)
            events.append(Interaction(f"e{n}-{k}", f"u{n}", str(item_id), when, "purchase"))
    return events


@pytest.fixture
def trained(shop: Shop) -> Shop:
    log = log_frame(past(shop))
    config = FeatureConfig(sources=source_names(shop))
    then = replace(shop, statistics=FeatureStore(shop.catalog, log, as_of=CUT, spaces=shop.spaces, config=config))
    data = build_ranking_data(
        log, then.statistics, lambda u: training_candidates(then, u, CUT), recommender=shop.recommender
    )
    ranker = LightGBMRanker(RankerConfig(trees=30, leaves=7, min_leaf_rows=5))
    ranker.fit(data.table, data.groups, data.labels)
    now = replace(then, statistics=FeatureStore(shop.catalog, log, as_of=LATER, spaces=shop.spaces, config=config))
    return replace(now, ranker=ranker)


def recommend(shop: Shop, user: str | None, when: datetime = LATER) -> Any:
    return Registry(shop).call("recommend_items", {"top_n": 5}, ToolContext(Shopper(user), when, "r"))


def test_sources_are_those_a_recommendation_reports(shop: Shop) -> None:
    found = recommend(shop, "ana", datetime(2026, 3, 2, 12, tzinfo=UTC))
    assert set(found.trace["sources"]) == set(source_names(shop))
    assert {c.source for c in training_candidates(shop, "ana", datetime(2026, 3, 2, 12, tzinfo=UTC))} == set(
        source_names(shop)
    )


def test_it_learns_what_shoppers_take_and_orders_by_it(trained: Shop) -> None:
    def prices(shop: Shop) -> list[float]:
        return [shop.catalog[c.item_id].price or 999 for c in recommend(shop, "u1").candidates]

    assert np.mean(prices(trained)) < np.mean(prices(replace(trained, ranker=None)))
    assert max(prices(trained)[:3]) < 40


def test_every_place_carries_the_rankers_features_and_its_contributions_follow_from_them(trained: Shop) -> None:
    result = recommend(trained, "u1")
    assert next(s for s in result.trace["stages"] if s["stage"] == "rank")["ranker"] is True
    best = result.trace["ranked"][0]
    assert best["features"]["price"] == trained.catalog[best["item_id"]].price
    assert {"ranker", "popularity", "similarity.text-hashing"} <= set(best["features"])
    moved = {r["item_id"]: contributions_of(trained, r["features"]) for r in result.trace["ranked"]}
    told = list(moved[best["item_id"]].values())
    assert told == sorted(told, key=abs, reverse=True)
    # TreeSHAP: contributions sum to the score, less one bias that all items share.
    bias = {round(r["features"]["ranker"] - sum(moved[r["item_id"]].values()), 4) for r in result.trace["ranked"]}
    assert len(bias) == 1


def test_the_log_of_the_load_counts_as_history(trained: Shop) -> None:
    bought = {e.item_id for e in past(trained) if e.user_id == "u1"}
    found = Registry(trained).call("recommend_items", {"top_n": 100}, ToolContext(Shopper("u1"), LATER, "r"))
    assert not bought & {c.item_id for c in found.candidates}
    history = Registry(trained).call("shopper_history", {}, ToolContext(Shopper("u1"), LATER, "r"))
    assert {(e["item_id"], e["kind"]) for e in history.facts["events"]} == {(i, "history") for i in bought}


def test_a_stranger_is_not_ranked_by_it(trained: Shop) -> None:
    result = recommend(trained, None)
    assert next(s for s in result.trace["stages"] if s["stage"] == "rank")["ranker"] is False
    assert result.facts["ground"] == "popularity"


def test_a_moment_before_the_statistics_is_served_without_it(trained: Shop) -> None:
    result = recommend(trained, "u1", LATER - timedelta(days=1))
    assert next(s for s in result.trace["stages"] if s["stage"] == "rank")["ranker"] is False
    assert result.candidates
