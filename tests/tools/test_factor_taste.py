"""In a large shop a factor model's best are searched for: what is found is what scoring every item gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.nouns import Interaction
from models.als import ALS, ALSConfig
from models.base import TrainingData
from models.feature_columns import model_score
from tools.base import Shopper
from tools.doubles import TOY_NOW, toy_shop
from tools.pipeline.factor_taste import FactorTaste
from tools.pipeline.pool import Reach
from tools.pipeline.taste_scores import taste_at_hand, taste_scores
from tools.shop import Shop
from tools.taste import taste_of


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Shop]:
    """The toy shop with ALS over all but two of its items, and every shop counted as large."""
    shop = toy_shop(tmp_path)
    rng = np.random.default_rng(3)
    known = IdMap([item.item_id for item in shop.catalog][2:])
    users = IdMap([*(f"u{n}" for n in range(30)), "ana"], "user")
    rows = np.repeat(np.arange(31), 6).astype(np.int32)
    taken = rng.integers(0, len(known), len(rows)).astype(np.int32)
    model = ALS(ALSConfig(dim=8, epochs=3))
    model.fit(TrainingData(Interactions(users, known, rows, taken, np.arange(len(rows), dtype=np.int64))))
    config = shop.pipeline.model_copy(update={"exact_items": 1})
    yield replace(shop, recommender=model, pipeline=config)
    shop.events.close()


@pytest.mark.parametrize("shopper", [Shopper("ana"), Shopper("ana", "s", ("L02",)), Shopper(None, "s", ("L02", "M03"))])
def test_search_and_scores_agree(large: Shop, shopper: Shopper) -> None:
    large.events.put([Interaction("d", "ana", "V02", TOY_NOW.replace(hour=1), "dismiss")])
    taste = taste_of(large, shopper, TOY_NOW)
    found, every = taste_at_hand(large, shopper, taste), taste_scores(large, shopper, taste)
    assert isinstance(found, FactorTaste)
    rows = np.arange(len(large.catalog))
    # New items have the mean of their kin's rows, so their score is the mean of their kin's scores.
    assert found.at(rows) == pytest.approx(every.at(rows), abs=2e-5)
    assert (found.ground, found.source) == (every.ground, every.source)
    reach = Reach(rows % 3 > 0, 5)
    assert found.top(reach).rows.tolist() == every.top(reach).rows.tolist()


def test_the_rankers_feature_is_the_models_own_score(large: Shop) -> None:
    """Of a new item the model has none, whatever its kin's is; of one that nobody took it has a neutral one."""
    taste = taste_of(large, Shopper("ana"), TOY_NOW)
    found = taste_at_hand(large, Shopper("ana"), taste)
    told = found.plain(np.arange(len(large.catalog)))
    assert told is not None and np.isnan(told[:2]).all()
    assert told == pytest.approx(
        model_score(large.recommender, "ana", taste.live, large.catalog.ids.ids), abs=1e-5, nan_ok=True
    )


def test_a_stranger_is_served_by_popularity_as_before(large: Shop) -> None:
    assert not isinstance(taste_at_hand(large, Shopper(None), taste_of(large, Shopper(None), TOY_NOW)), FactorTaste)


def test_most_of_the_best_are_found_among_many() -> None:
    from indexes.inner_product import InnerProducts

    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(5000, 17)).astype(np.float32) * rng.lognormal(0, 0.5, (5000, 1)).astype(np.float32)
    near, wishes = InnerProducts(vectors), rng.normal(size=(20, 17)).astype(np.float32)
    hits = [len(set(near.search(w, 20)) & set(np.argsort(-(vectors @ w))[:20].tolist())) for w in wishes]
    assert np.mean(hits) > 19


def test_who_wants_few_looks_at_the_long_rows_and_who_wants_many_at_all() -> None:
    from indexes.inner_product import DEPTH, InnerProducts

    rng = np.random.default_rng(0)
    lengths = rng.lognormal(0, 1.5, (20_000, 1)).astype(np.float32)
    vectors = rng.normal(size=(20_000, 17)).astype(np.float32) * lengths
    wishes = rng.normal(size=(120, 17)).astype(np.float32)
    near = InnerProducts(vectors, wishes[:100])
    assert near.long < 10_000
    hits = [len(set(near.search(w, 100)) & set(np.argsort(-(vectors @ w))[:100].tolist())) for w in wishes[100:]]
    assert np.mean(hits) > 90
    wanted = np.argsort(-(vectors @ wishes[0]))[: 4 * DEPTH]
    assert len(set(near.search(wishes[0], 4 * DEPTH)) & set(wanted.tolist())) > 0.97 * 4 * DEPTH
