"""Features as of a moment: worked values, no look ahead, and the same numbers in training and serving."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import get_args

import numpy as np
import pytest

from catalog.errors import DataError, NotFoundError
from catalog.ids import IdMap
from catalog.items import Catalog
from catalog.log import Interactions, log_frame
from catalog.nouns import Candidate, Interaction, Item, Kind, User
from catalog.vectors import EmbeddingTable
from models.base import TrainingData
from models.exposure import EXPOSURE_FEATURES, PRIOR_CLICKS
from models.features import FeatureConfig, FeatureContext, FeatureStore, build_features, proposed_features
from models.impressions import labelled_impressions
from models.membership import MEMBERSHIP_FEATURES, PRIOR_TAKES
from models.popularity import Popularity
from models.ranking_data import RankingDataConfig, build_ranking_data
from models.session import Session

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CATALOG = Catalog(
    [
        Item("007", price=10.0, brand="Aster", categories=("shoes", "boots"), availability=True),
        Item("b", price=30.0, brand="Aster", categories=("shoes",), availability=False),
        Item("c", price=50.0, brand="Birch", categories=("hats",)),
        Item("d"),
    ]
)
PLANE = EmbeddingTable(IdMap(["007", "b", "c"]), np.array([[2, 0], [0, 3], [1, 1]], np.float32), "plane")


def event(user: str, item: str, days: float, kind: Kind = "purchase", value: float | None = None) -> Interaction:
    """An event `days` after noon (before, when negative)."""
    assert kind in get_args(Kind)
    at = NOON + timedelta(days=days)
    return Interaction(f"{user}-{item}-{kind}-{days}", user, item, at, kind, value=value)


PAST = [
    event("ann", "007", -20),
    event("ann", "b", -10),
    event("ann", "b", -9, "return"),
    event("bob", "b", -10),
    event("bob", "b", -5, "rating", 4.0),
    event("ann", "b", -5, "rating", 1.0),
    event("cat", "c", -2, "view"),
]
FUTURE = [
    event("ann", "c", 0),
    event("ann", "d", 1),
    event("bob", "007", 2),
    event("bob", "c", 2, "cart"),
    event("bob", "c", 3, "return"),
    event("bob", "007", 4, "rating", 5.0),
]
CONFIG = FeatureConfig(sources=("keyword", "vector"), half_life_days=10.0)


def store(events: Sequence[Interaction], as_of: datetime = NOON) -> FeatureStore:
    return FeatureStore(CATALOG, log_frame(events), as_of=as_of, spaces={"plane": PLANE}, config=CONFIG)


def proposed(*pairs: tuple[str, str]) -> list[Candidate]:
    return [Candidate(item, 1.0 - 0.1 * at, source) for at, (item, source) in enumerate(pairs)]


def test_every_feature_is_what_arithmetic_says() -> None:
    candidates = proposed(("007", "keyword"), ("b", "keyword"), ("b", "vector"), ("d", "vector"))
    table = build_features(candidates, FeatureContext(store(PAST + FUTURE), "ann"), NOON)
    assert table.item_ids == ("007", "b", "d")
    nan = math.nan
    expected = {
        "price": [10, 30, nan],
        "log_price": [math.log(11), math.log(31), nan],
        "item_age_days": [20, 10, nan],
        "days_since_taken": [20, 10, nan],
        "popularity": [math.log(1 + 0.25), math.log(1 + 0.5 + 0.5), 0],
        "return_rate": [0, 1 / 2, nan],
        "rating": [nan, (4 + 1) / 2, nan],
        "rating_count": [0, 2, 0],
        "availability": [1, 0, nan],
        "price_to_median": [math.log(11 / 21), math.log(31 / 21), nan],
        "price_in_range": [1, 1, nan],
        "brand_affinity": [1, 1, nan],
        "category_affinity": [(1 + 1 / 2) / 2, 1, nan],
        "taken_before": [1, 1, 0],
        "against_before": [0, 1, 0],
        "shopper_takes": [math.log(3)] * 3,
        "shopper_return_rate": [1 / 2] * 3,
        **dict.fromkeys((*MEMBERSHIP_FEATURES, *EXPOSURE_FEATURES), [nan] * 3),
        "session_items": [0] * 3,
        **dict.fromkeys(("session_seen", "session_brand", "session_category", "session_price"), [nan] * 3),
        "hour": [12] * 3,
        "weekday": [6] * 3,  # a Sunday
        "month": [3] * 3,
        "screen": [nan] * 3,
        "similarity.plane": [math.sqrt(0.5), math.sqrt(0.5), nan],
        "nearest.plane": [1, 1, nan],
        "session_similarity.plane": [nan] * 3,
        "score.keyword": [1.0, 0.9, nan],
        "rank.keyword": [1, 2, nan],
        "score.vector": [nan, 0.8, 0.7],
        "rank.vector": [nan, 1, 2],
        "model_score": [nan, nan, nan],
    }
    assert table.names == tuple(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(table.column(name), values, rtol=1e-5, err_msg=name)
    assert table.values.dtype == np.float32


def test_popularity_ages_with_the_request() -> None:
    table = build_features(proposed(("b", "keyword")), FeatureContext(store(PAST)), NOON + timedelta(days=10))
    assert table.column("popularity")[0] == pytest.approx(math.log(1 + 0.25 + 0.25))
    assert table.column("item_age_days")[0] == pytest.approx(20)


def test_a_stranger_has_no_taste_and_a_session_gives_one() -> None:
    candidates = proposed(("b", "keyword"), ("c", "keyword"))
    stranger = build_features(candidates, FeatureContext(store(PAST)), NOON)
    for name in ("price_to_median", "price_in_range", "brand_affinity", "category_affinity", "similarity.plane"):
        assert np.isnan(stranger.column(name)).all(), name
    session = build_features(candidates, FeatureContext(store(PAST), None, ["no such item", "c"]), NOON)
    np.testing.assert_allclose(session.column("brand_affinity"), [0, 1])
    np.testing.assert_allclose(session.column("similarity.plane"), [math.sqrt(0.5), 1], rtol=1e-6)


def shown(
    user: str, item: str, days: float, kind: Kind = "impression", position: int = 1, slate: str = "r1"
) -> Interaction:
    """An event of a slate, with the position on it."""
    at = NOON + timedelta(days=days)
    context = {"position": position, "device": "phone", "propensity": 0.5}
    name = f"{user}-{item}-{kind}-{days}-{slate}"
    return Interaction(name, user, item, at, kind, session_id="s1", context=context, request_id=slate)


SLATES = [
    shown("ann", "007", -3, position=1, slate="r1"),
    shown("ann", "b", -3, position=2, slate="r1"),
    shown("ann", "007", -3 + 1e-4, "click", position=1, slate="r1"),
    shown("bob", "007", -2, position=1, slate="r2"),
    shown("bob", "b", -2, position=2, slate="r2"),
    shown("bob", "b", -1, position=1, slate="r3"),
    shown("bob", "b", 1, "click", position=1, slate="r3"),
]


def test_impressions_know_their_click_and_nothing_of_another_slate() -> None:
    rows = labelled_impressions(log_frame(SLATES))
    assert rows["clicked"].to_list() == [True, False, False, False, True]
    assert rows["position"].to_list() == [1, 2, 1, 2, 1]
    assert rows["slate"].to_list() == ["r1", "r1", "r2", "r2", "r3"]
    assert rows["device"].unique().to_list() == ["phone"]
    assert rows["propensity"].to_list() == [0.5] * 5
    bare = [Interaction(e.event_id, e.user_id, e.item_id, e.timestamp, e.kind, session_id="s1") for e in SLATES[:3]]
    without = labelled_impressions(log_frame(bare))
    assert without["clicked"].to_list() == [True, False]
    assert without["position"].to_list() == [None, None]
    assert without["slate"].n_unique() == 1


@pytest.mark.parametrize(
    ("said", "position", "propensity"),
    [
        ({"position": "1e300", "propensity": "NaN"}, None, None),
        ({"position": "Infinity", "propensity": -0.1}, None, None),
        ({"position": 0, "propensity": 1.5}, None, None),
        ({"position": "top", "propensity": {"a": 1}}, None, None),
        ({"position": "2.0", "propensity": "0.25"}, 2, 0.25),
    ],
)
def test_a_place_that_is_none_is_unknown(
    said: dict[str, object], position: int | None, propensity: float | None
) -> None:
    row = labelled_impressions(log_frame([Interaction("1", "ann", "007", NOON, "impression", context=said)]))
    assert row.select("position", "propensity").row(0) == (position, propensity)


def test_exposure_is_clicks_over_those_its_places_let_expect() -> None:
    table = build_features(proposed(("007", "keyword"), ("b", "keyword")), FeatureContext(store(SLATES), "bob"), NOON)
    rate = 1 / 5  # of all impressions before noon; the click after it is not known
    first, second = (1 + 50 * rate) / (3 + 50), (0 + 50 * rate) / (2 + 50)
    p = PRIOR_CLICKS
    lifts = [math.log((1 + p) / (2 * first + p)), math.log((0 + p) / (2 * second + first + p))]
    np.testing.assert_allclose(table.column("click_lift"), lifts, rtol=1e-5)
    np.testing.assert_allclose(table.column("shown"), [math.log(3), math.log(4)], rtol=1e-6)
    np.testing.assert_allclose(table.column("shopper_click_lift"), math.log(p / (2 * first + second + p)), rtol=1e-5)
    assert table.column("shown_before").tolist() == [1, 2]
    assert table.column("opened_before").tolist() == [0, 0]
    np.testing.assert_allclose(table.column("days_since_shown"), [2, 1], rtol=1e-6)


def test_members_lift_what_members_take() -> None:
    users = {"ann": User("ann", "gold"), "bob": User("bob"), "eve": User("eve", "silver")}
    events = [event("ann", "c", -3), event("ann", "b", -3), event("bob", "b", -2), event("eve", "b", -2)]
    known = FeatureStore(CATALOG, log_frame(events), as_of=NOON, config=CONFIG, users=users)
    table = build_features(proposed(("c", "keyword"), ("b", "keyword")), FeatureContext(known, "ann"), NOON)
    assert table.column("membership").tolist() == [1, 1]  # no membership, gold, silver
    share, p = 2 / 4, PRIOR_TAKES
    expected = [math.log((1 + p * share) / ((1 + p) * share)), math.log((1 + p * share) / ((3 + p) * share))]
    np.testing.assert_allclose(table.column("membership_lift"), expected, rtol=1e-6)
    stranger = build_features(proposed(("c", "keyword")), FeatureContext(known), NOON)
    assert np.isnan(stranger.column("membership")).all()


def test_the_session_at_hand_is_told_apart_from_the_past() -> None:
    session = Session(("b", "c", "no such item", "b"), device="Phone")
    context = FeatureContext(store(PAST), "ann", session=session)
    table = build_features(proposed(("b", "keyword"), ("c", "keyword"), ("007", "keyword")), context, NOON)
    assert table.column("session_items").tolist() == [2, 2, 2]
    assert table.column("session_seen").tolist() == [2, 1, 0]
    np.testing.assert_allclose(table.column("session_brand"), [2 / 3, 1 / 3, 2 / 3], rtol=1e-6)
    np.testing.assert_allclose(table.column("session_category"), [2 / 3, 1 / 3, (2 / 3 + 0) / 2], rtol=1e-6)
    np.testing.assert_allclose(table.column("session_price"), [0, math.log(51 / 31), math.log(11 / 31)], atol=1e-6)
    assert table.column("screen").tolist() == [1, 1, 1]
    mean = (2 * np.array([0, 1]) + np.array([1, 1]) / math.sqrt(2)) / 3
    cosine = mean[1] / np.linalg.norm(mean)
    assert table.column("session_similarity.plane")[0] == pytest.approx(cosine)
    assert table.column("taken_before").tolist() == [1, 0, 1]


def test_training_features_equal_serving_features_of_the_same_log() -> None:
    """Training sees the whole log and cuts it; serving has only what had happened by then."""
    log = log_frame(PAST + FUTURE)
    train = Interactions.from_log(log_frame(PAST), IdMap(["ann", "bob"], "user"), CATALOG.ids)
    model = Popularity()
    model.fit(TrainingData(train))
    by_user = {
        "ann": proposed(("c", "keyword"), ("b", "vector"), ("d", "vector")),
        "bob": proposed(("007", "vector"), ("c", "vector"), ("b", "keyword")),
    }
    data = build_ranking_data(log, store(PAST + FUTURE), by_user.__getitem__, recommender=model)
    assert data.user_ids == ("ann", "bob")
    assert data.groups.tolist() == [3, 3]
    at = 0
    for user, size in zip(data.user_ids, data.groups, strict=True):
        served = build_features(by_user[user], FeatureContext(store(PAST), user, recommender=model), NOON)
        assert served.names == data.table.names
        assert served.item_ids == data.table.item_ids[at : at + size]
        np.testing.assert_array_equal(served.values, data.table.values[at : at + size])
        at += int(size)
    assert np.isfinite(data.table.column("model_score")).all()
    # Returned later, so the cart of bob's "c" is no positive; ann's purchases are graded 2.
    assert data.labels.tolist() == [2, 0, 2, 2, 0, 0]


def test_candidates_as_arrays_have_the_features_and_ids_of_the_same_candidates() -> None:
    known = store(PAST)
    context = FeatureContext(known, "ann", recent=["c", "b"], session=Session(("c", "d"), "tv"))
    candidates = proposed(("c", "keyword"), ("d", "keyword"), ("007", "vector"), ("c", "vector"))
    wanted = build_features(candidates, context, NOON)
    first, last = np.array([1.0, 0.9], np.float32), np.array([0.8, 0.7], np.float32)
    places = {"keyword": (np.array([0, 1]), first), "vector": (np.array([2, 0]), last)}
    rows = known.items.rows(["c", "d", "007"])
    found = proposed_features(rows, places, context, NOON)
    np.testing.assert_array_equal(found.values, wanted.values)
    assert found.names == wanted.names
    assert tuple(found.item_ids) == tuple(wanted.item_ids) == ("c", "d", "007")
    assert tuple(found.item_ids[1:]) == ("d", "007")
    assert found.rows(np.array([2])).item_ids == ("007",)
    only = proposed_features(rows, {"keyword": places["keyword"]}, context, NOON)
    assert np.isnan(only.column("rank.vector")).all()


def test_an_even_number_of_prices_has_its_median_between_the_two_in_the_middle() -> None:
    events = [event("ann", item, -1) for item in ("007", "b", "b", "c", "d")]
    table = build_features(proposed(("c", "keyword")), FeatureContext(store(events), "ann"), NOON)
    assert table.column("price_to_median")[0] == pytest.approx(math.log(51) - math.log(1 + (30 + 30) / 2))
    table = build_features(proposed(("c", "keyword")), FeatureContext(store(events[:2]), "ann"), NOON)
    assert table.column("price_to_median")[0] == pytest.approx(math.log(51) - math.log(1 + (10 + 30) / 2))
    assert table.column("price_in_range")[0] == 0


def test_later_events_change_nothing() -> None:
    candidates = proposed(("007", "keyword"), ("c", "keyword"))
    quiet = build_features(candidates, FeatureContext(store(PAST), "ann"), NOON)
    loud = [*PAST, *FUTURE, *(event("ann", "c", 0.001 * at) for at in range(50))]
    np.testing.assert_array_equal(
        quiet.values, build_features(candidates, FeatureContext(store(loud), "ann"), NOON).values
    )


def test_a_store_that_knows_the_future_is_refused() -> None:
    context = FeatureContext(store(PAST, NOON), "ann")
    with pytest.raises(DataError, match="it knows later events"):
        build_features(proposed(("b", "keyword")), context, NOON - timedelta(seconds=1))
    with pytest.raises(DataError, match="no time zone"):
        store(PAST, datetime(2026, 3, 1))  # noqa: DTZ001


def test_unknown_items_and_sources_are_named() -> None:
    context = FeatureContext(store(PAST))
    with pytest.raises(NotFoundError, match="unknown item 'nope'"):
        build_features(proposed(("nope", "keyword")), context, NOON)
    with pytest.raises(DataError, match=r"source 'psychic'; one of keyword, vector"):
        build_features(proposed(("b", "psychic")), context, NOON)
    assert build_features([], context, NOON).values.shape == (0, len(context.store.names))


def test_missed_positives_are_dropped_and_counted_or_kept() -> None:
    log = log_frame(PAST + FUTURE)
    only = {"ann": proposed(("c", "keyword"), ("b", "keyword")), "bob": proposed(("b", "keyword"))}
    data = build_ranking_data(log, store(PAST), only.__getitem__)
    assert data.user_ids == ("ann",)
    assert data.dropped == {"positives not retrieved": 2, "shoppers without a retrieved positive": 1}
    kept = build_ranking_data(log, store(PAST), only.__getitem__, config=RankingDataConfig(keep_missed=True))
    assert kept.user_ids == ("ann", "bob")
    assert kept.labels.tolist() == [2, 0, 2, 0, 2]
    assert np.isnan(kept.table.column("rank.keyword")[[2, 4]]).all()
    until = build_ranking_data(log, store(PAST), only.__getitem__, until=NOON + timedelta(hours=1))
    assert until.dropped["positives not retrieved"] == 0
    with pytest.raises(DataError, match="no ranking group: of 2 shoppers"):
        build_ranking_data(log, store(PAST), lambda _: proposed(("b", "keyword")))
    with pytest.raises(DataError, match="unknown kind 'stolen' in grades"):
        build_ranking_data(log, store(PAST), only.__getitem__, config=RankingDataConfig(grades={"stolen": 3}))
