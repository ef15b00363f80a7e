from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from catalog.boutique.plan import Plan
from catalog.boutique.truth import Truth
from catalog.errors import NotFoundError
from catalog.log import positives
from catalog.vectors import Floats


def ndcg_at_20(made: Plan, score: Callable[[str], Floats]) -> float:
    """Return the mean NDCG@20 of a ranking of the whole shop against what each shopper took."""
    gain = 1 / np.log2(np.arange(20) + 2)
    values = []
    for user, items in positives(made.shop.log).group_by("user_id").agg("item_id").sort("user_id").iter_rows():
        wanted = set(made.truth.items.rows(items).tolist())
        top = np.argsort(-score(user), kind="stable")[:20]
        hit = np.array([row in wanted for row in top])
        values.append((gain * hit).sum() / gain[: min(20, len(wanted))].sum())
    return float(np.mean(values))


def test_taste_beats_popularity_and_every_modality_counts(full: Plan) -> None:
    truth = full.truth
    popularity = np.zeros(len(truth.items), np.float32)
    for item in positives(full.shop.log)["item_id"]:
        popularity[truth.items.row(item)] += 1  # it even sees the very events it is judged by
    whole = ndcg_at_20(full, truth.relevance)
    assert whole > 3 * ndcg_at_20(full, lambda user: popularity)
    assert ndcg_at_20(full, lambda user: truth.relevance(user, without={"picture", "video"})) < 0.8 * whole
    assert ndcg_at_20(full, lambda user: truth.relevance(user, without={"text"})) < 0.9 * whole
    assert ndcg_at_20(full, lambda user: truth.relevance(user, without={"video"})) < 0.99 * whole


def test_relevance_is_the_sum_of_the_weights_of_an_items_levels(full: Plan) -> None:
    truth = full.truth
    for user in ("u0001", "u1234"):
        taste, score = truth.user_taste(user), truth.relevance(user)
        blind = truth.relevance(user, without={"picture", "video"})
        for row in (0, 17, 719):
            levels = {n: v for n, v in truth.item_factors(truth.items.ids[row]).items() if v is not None}
            assert score[row] == pytest.approx(sum(taste[n][v] for n, v in levels.items()), abs=1e-4)
            told = sum(taste[n][v] for n, v in levels.items() if n not in ("pattern", "silhouette", "motion"))
            assert blind[row] == pytest.approx(told, abs=1e-4)


def test_relevance_has_about_zero_mean_and_unit_spread(full: Plan) -> None:
    scores = np.stack([full.truth.relevance(user) for user in full.truth.users.ids[:200]])
    assert scores.mean() == pytest.approx(0, abs=0.05)
    assert scores.std(axis=1).mean() == pytest.approx(1, abs=0.15)


def test_click_probability_is_the_logistic_of_relevance(full: Plan) -> None:
    truth = full.truth
    relevance = truth.relevance("u0007").astype(float)
    expected = 1 / (1 + np.exp(-(truth.click.bias + truth.click.gain * relevance)))
    np.testing.assert_allclose(truth.click_probability("u0007"), expected, rtol=1e-5)
    third = truth.click_probability("u0007", position=3)
    np.testing.assert_allclose(third, expected * truth.click.patience**2, rtol=1e-5)


def test_ideal_items_are_the_most_relevant(full: Plan) -> None:
    truth, score = full.truth, full.truth.relevance("u0042")
    ideal = truth.ideal_items("u0042", 5)
    assert min(score[truth.items.row(i)] for i in ideal) >= np.sort(score)[-5]
    among = set(truth.items.ids[10:20])
    assert set(truth.ideal_items("u0042", 3, among=among)) < among
    assert truth.percentile("u0042", ideal[0]) == 1.0
    assert truth.percentile("u0042", truth.items.ids[int(np.argmin(score))]) == pytest.approx(1 / 720)


def test_unknown_ids_are_named(full: Plan) -> None:
    with pytest.raises(NotFoundError, match="'nobody'"):
        full.truth.relevance("nobody")
    with pytest.raises(NotFoundError, match="'nothing'"):
        full.truth.item_factors("nothing")


def test_truth_round_trips(full: Plan, tmp_path: Path) -> None:
    full.truth.save(tmp_path)
    back = Truth.load(tmp_path)
    assert back.factors == full.truth.factors
    assert back.items == full.truth.items
    assert back.users == full.truth.users
    assert back.click == full.truth.click
    np.testing.assert_array_equal(back.levels, full.truth.levels)
    np.testing.assert_array_equal(back.weights, full.truth.weights)
    np.testing.assert_array_equal(back.tribes, full.truth.tribes)
    np.testing.assert_array_equal(back.quality, full.truth.quality)
    assert back.item_table().equals(full.truth.item_table())


def test_the_item_table_agrees_with_the_record_where_the_record_speaks(full: Plan) -> None:
    for row in full.truth.item_table().iter_rows(named=True):
        item = full.shop.catalog[row["item_id"]]
        assert item.brand == row["brand"]
        assert item.attributes["occasion"] == (row["occasion"],)
        assert item.attributes.get("colour", (row["colour"],)) == (row["colour"],)
        assert bool(item.videos) == (row["motion"] is not None)
