from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from catalog.boutique.config import BoutiqueConfig
from catalog.boutique.phrases import FORBIDDEN
from catalog.boutique.plan import Plan, plan
from catalog.boutique.sessions import LAST_DAY
from catalog.log import positives
from catalog.nouns import KINDS


def test_the_shelf_is_as_promised(full: Plan) -> None:
    items = full.shop.catalog.items
    assert len(items) >= 600
    shelf = Counter(item.categories[-1] for item in items)
    assert len(shelf) >= 12
    assert min(shelf.values()) > 20
    assert len({item.title for item in items}) == len(items)
    assert len({item.brand for item in items}) > 15
    assert len({item.description for item in items}) > 0.8 * len(items)
    filmed = np.mean([bool(item.videos) for item in items])
    assert 0.15 < filmed < 0.25
    sold_out = np.mean([item.availability is False for item in items])
    assert 0.01 < sold_out < 0.08
    assert all(item.currency == "EUR" and item.language == "en" for item in items)
    told = np.mean(["colour" in item.attributes for item in items])
    assert 0.8 < told < 0.95
    assert all({"material", "occasion"} <= set(item.attributes) for item in items)


def test_prices_look_like_prices(full: Plan) -> None:
    for item in full.shop.catalog:
        assert item.price is not None
        assert item.price >= 4
        cents = round(item.price * 100) % 100
        assert cents in (0, 50, 90, 95), item
    by_category = defaultdict(list)
    for item in full.shop.catalog:
        by_category[item.categories[-1]].append(item.price)
    assert np.median(by_category["Armchairs"]) > 5 * np.median(by_category["Mugs"])


def test_the_record_never_tells_what_only_the_eye_should_see(full: Plan) -> None:
    words = re.compile(r"\b(" + "|".join(FORBIDDEN) + r")s?\b", re.IGNORECASE)
    for item in full.shop.catalog:
        record = [item.title or "", item.description or "", *item.categories, *item.sizes]
        record += [f"{name} {value}" for name, values in item.attributes.items() for value in values]
        found = words.search(" ".join(record))
        assert found is None, f"{item.item_id} says {found[0]!r}" if found else ""


def test_the_forbidden_words_cover_the_hidden_levels(full: Plan) -> None:
    hidden = {level for f in full.truth.factors if f.seen_in <= {"picture", "video"} for level in f.levels}
    spoken = {"slow turn", "fast turn", "light sweep", "still"}  # "turn", "light" and "still" are everyday words
    for level in hidden - spoken:
        assert any(level.rstrip("s") in word for word in FORBIDDEN), level


def test_variants_share_all_but_colour(full: Plan) -> None:
    families = defaultdict(list)
    for item in full.shop.catalog:
        if item.parent_id is not None:
            families[item.parent_id].append(item.item_id)
    assert len(families) > 50
    for members in families.values():
        assert len(members) >= 2
        facts = [full.truth.item_factors(item_id) for item_id in members]
        assert len({fact["colour"] for fact in facts}) == len(facts)
        for name in ("category", "pattern", "silhouette", "theme", "function", "occasion", "price"):
            assert len({fact[name] for fact in facts}) == 1, name


def test_the_log_holds_every_kind_in_a_sound_balance(full: Plan) -> None:
    log = full.shop.log
    assert 0.93 * 60_000 < len(log) < 1.07 * 60_000
    counts = Counter(log["kind"].to_list())
    assert set(counts) == set(KINDS)
    assert min(counts.values()) > 200
    strong = positives(log).unique(["user_id", "item_id"])
    assert len(strong) / 2_000 > 6
    assert log["event_id"].n_unique() == len(log)
    assert log["timestamp"].is_sorted()
    end = LAST_DAY + timedelta(days=1)
    assert log["timestamp"].max() < end  # type: ignore[operator]
    assert log["timestamp"].min() >= end - timedelta(days=182)  # type: ignore[operator]
    assert set(log["item_id"]) <= set(full.shop.catalog.ids)
    assert set(log["user_id"]) <= set(full.shop.user_nouns)


def test_some_shoppers_and_items_are_cold(full: Plan) -> None:
    strong = positives(full.shop.log)
    assert len(full.shop.users) - strong["user_id"].n_unique() > 20
    assert len(full.shop.items) - strong["item_id"].n_unique() > 5
    popularity = np.sort(strong["item_id"].value_counts()["count"].to_numpy())[::-1]
    assert popularity[: len(popularity) // 5].sum() > 0.35 * popularity.sum()  # a long tail


def test_events_of_a_session_come_in_a_plausible_order(full: Plan) -> None:
    rank = {"impression": 0, "click": 1, "dismiss": 1, "view": 2, "cart": 3, "purchase": 4}
    last: dict[tuple[str, str], int] = {}
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    bought: set[tuple[str, str]] = set()
    owners: dict[str, str] = {}
    for row in full.shop.log.iter_rows(named=True):
        pair = (row["user_id"], row["item_id"])
        if row["session_id"] is None:
            assert row["kind"] in ("rating", "return", "complaint", "praise")
            assert pair in bought
            continue
        assert owners.setdefault(row["session_id"], row["user_id"]) == row["user_id"]
        place = (row["session_id"], row["item_id"])
        assert rank[row["kind"]] >= last.get(place, 0), row
        last[place] = rank[row["kind"]]
        seen[place].add(row["kind"])
        if row["kind"] in ("cart", "purchase"):
            assert "view" in seen[place]
        if row["kind"] == "purchase":
            assert pair not in bought  # nothing is bought twice
            bought.add(pair)


def test_slates_can_be_learned_from(full: Plan) -> None:
    shown = full.shop.log.filter(pl.col("kind") == "impression")
    assert shown["request_id"].null_count() == 0
    places = [json.loads(text) for text in shown["context"]]
    by_slate = defaultdict(list)
    for request, place in zip(shown["request_id"], places, strict=True):
        by_slate[request].append(place["position"])
        assert 0 < place["propensity"] <= 1
    assert all(sorted(slots) == list(range(1, 9)) for slots in by_slate.values())
    clicks = full.shop.log.filter(pl.col("kind") == "click")
    assert set(clicks["request_id"]) <= set(by_slate)
    assert not clicks["request_id"].has_nulls()
    # Drawn with chance p, the mean of 1/p at the first place is the number of items that could stand there.
    first = np.array([1 / place["propensity"] for place in places if place["position"] == 1])
    launched = np.mean([full.pieces[k].launched <= 91 for k in range(len(full.pieces))]) * len(full.pieces)
    assert first.mean() == pytest.approx(launched, rel=0.15)


def test_clicks_follow_the_click_model(full: Plan) -> None:
    log = full.shop.log.filter(pl.col("kind") == "impression")
    expected, variance = 0.0, 0.0
    for user, group in log.group_by("user_id"):
        relevance = full.truth.relevance(str(user[0]))
        rows = full.truth.items.rows(group["item_id"].to_list())
        position = np.array([json.loads(text)["position"] for text in group["context"]])
        chance = 0.93 ** (position - 1) / (1 + np.exp(2.6 - 1.5 * relevance[rows]))
        expected += float(chance.sum())
        variance += float((chance * (1 - chance)).sum())
    clicks = (full.shop.log["kind"] == "click").sum()
    assert abs(clicks - expected) < 4 * variance**0.5


def test_ratings_agree_with_the_log(full: Plan) -> None:
    stars = defaultdict(list)
    for row in full.shop.log.filter(pl.col("kind") == "rating").iter_rows(named=True):
        stars[row["item_id"]].append(row["value"])
    for item in full.shop.catalog:
        given = stars[item.item_id]
        assert item.rating_count == len(given)
        assert item.rating == (pytest.approx(sum(given) / len(given), abs=0.0051) if given else None)
    values = Counter(value for given in stars.values() for value in given)
    assert set(values) == {1.0, 2.0, 3.0, 4.0, 5.0}


def test_nothing_happens_to_an_item_before_its_launch(full: Plan) -> None:
    first_day = LAST_DAY - timedelta(days=181)
    launch = {piece.item_id: first_day + timedelta(days=piece.launched) for piece in full.pieces}
    late = [day for day in launch.values() if day > first_day]
    assert len(late) > 80
    for row in full.shop.log.select("item_id", "timestamp").iter_rows():
        assert row[1] >= launch[row[0]]


def test_people_write_in_their_own_words(full: Plan) -> None:
    texts = full.shop.log.filter(pl.col("text").is_not_null())
    assert len(texts) > 1_000
    assert texts["text"].n_unique() > 300
    assert not texts["text"].str.contains(r"[{}]").any()
    assert set(texts["kind"]) == {"rating", "praise", "complaint", "return"}


def test_an_empty_log_and_few_categories_are_fine() -> None:
    made = plan(BoutiqueConfig(n_items=48, n_users=3, n_events=0, n_categories=3))
    assert len(made.shop.log) == 0
    assert len({item.categories[-1] for item in made.shop.catalog}) == 3
    assert made.shop.catalog.items[0].rating is None
