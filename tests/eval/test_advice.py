"""Rungs and the fusion that is picked from them, on shops where only one medium tells the taste."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.items import Catalog
from catalog.log import log_frame
from catalog.nouns import Interaction, Item
from catalog.vectors import EmbeddingTable
from eval.advice import ALL, OTHERS, advice_text, advise
from eval.rungs import BOTH, PICTURE, STRUCTURED, TEXT, Climbed, Part, RungConfig, Shelf, climb, features_of, group_ndcg
from models.feature_table import FeatureTable
from models.ranker import RankerConfig

START = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = ("hats", "cups")
QUICK = RungConfig(ranker=RankerConfig(trees=25, leaves=7, min_leaf_rows=10), least=5)


def shelf(told_by: str) -> Shelf:
    """Shoppers who each like a direction of their own; only the vectors of `told_by` show where an item lies."""
    rng = np.random.default_rng(1)
    catalog = Catalog([Item(f"{kind}-{n}", price=10.0, categories=("shop", kind)) for kind in KINDS for n in range(80)])
    shown, noise = rng.normal(size=(2, 160, 4)).astype(np.float32)
    tables = {
        role: EmbeddingTable(IdMap(catalog.ids), shown if role == told_by else noise, role)
        for role in ("text", "picture")
    }
    events = []
    for user in range(70):
        liked = np.argsort(-(shown @ rng.normal(size=4)))[:24]
        for turn, row in enumerate(rng.permutation(liked)[:16].tolist()):
            when = START + timedelta(days=turn, minutes=user)
            events.append(Interaction(f"{user}-{turn}", f"u{user}", catalog.ids.ids[row], when, "purchase"))
    return Shelf(catalog, log_frame(events), {}, tables)


@pytest.mark.parametrize(("medium", "rung", "other"), [("text", TEXT, PICTURE), ("picture", PICTURE, TEXT)])
def test_the_medium_that_tells_the_taste_is_picked_in_every_category(medium: str, rung: str, other: str) -> None:
    found = climb(shelf(medium), START + timedelta(days=10), START + timedelta(days=13), QUICK, seed=1)
    assert set(found.valid) == {STRUCTURED, TEXT, PICTURE, BOTH}
    assert found.test[rung].mean() > found.test[other].mean() + 0.03
    advice = advise(found, QUICK)
    assert [row.category for row in advice.categories] == ["cups", "hats"]
    assert {row.pick for row in advice.categories} <= {rung, BOTH}
    assert advice.over_structured.low > 0
    assert advice.whole.shoppers[1] == len(found.test_part.groups)
    text = advice_text(advice)
    assert "hats" in text
    assert ALL in text
    assert OTHERS not in text
    assert "no rung with" not in text


def test_what_the_table_lacks_is_said() -> None:
    whole = shelf("text")
    found = climb(replace(whole, modalities={"text": whole.modalities["text"]}), START + timedelta(days=10),
                  START + timedelta(days=13), QUICK, seed=1)  # fmt: skip
    text = advice_text(advise(found, QUICK.model_copy(update={"least": 10_000})))
    assert f"{OTHERS}: those with fewer than 10000 shoppers in validation, as one" in text
    assert "no rung with pictures: the store has no space of that role" in text


def test_a_rung_reads_its_own_media_and_no_others() -> None:
    names = (
        "price", "hour", "session_seen", "similarity.text", "nearest.picture", "similarity.picture", "model_score",
        "model_lift.structured", "model_lift.+ text", "model_lift.+ picture", "model_lift.+ both", "shown",
    )  # fmt: skip
    assert features_of(STRUCTURED, names) == ("price", "model_lift.structured", "shown")
    assert set(features_of(TEXT, names)) - {"price", "model_lift.structured", "shown"} == {
        "similarity.text", "model_lift.+ text"
    }  # fmt: skip
    assert set(names) - set(features_of(BOTH, names)) == {"hour", "session_seen", "model_score"}


def test_what_comes_later_moves_no_earlier_part() -> None:
    cut, end = START + timedelta(days=10), START + timedelta(days=13)
    quiet = shelf("text")
    rush = [
        Interaction(f"x{n}", f"u{n % 60}", "hats-1", end + timedelta(days=1, minutes=n), "purchase") for n in range(90)
    ]
    loud = Shelf(quiet.catalog, quiet.log.vstack(log_frame(rush)), {}, quiet.modalities)
    one, two = climb(quiet, cut, end, QUICK, seed=1), climb(loud, cut, end, QUICK, seed=1)
    np.testing.assert_array_equal(one.valid_part.table.values, two.valid_part.table.values)
    np.testing.assert_array_equal(one.valid[BOTH], two.valid[BOTH])
    assert len(two.test_part.groups) > len(one.test_part.groups)
    with pytest.raises(DataError, match="nothing to teach rungs on"):
        climb(quiet, START, end, QUICK, seed=1)


def part(categories: tuple[str, ...]) -> Part:
    size = len(categories)
    table = FeatureTable(("price",), ("a", "b") * size, np.zeros((2 * size, 1), np.float32))
    users = tuple(f"u{n}" for n in range(size))
    return Part(table, np.full(size, 2), np.tile([True, False], size), users, categories)


def test_few_shoppers_follow_all_and_test_has_no_say() -> None:
    valid = part(("hats",) * 40 + ("cups",) * 40 + ("rare",) * 3)
    low, high = np.full(83, 0.2), np.where(np.array(valid.categories) == "hats", 0.6, 0.1)
    high[-3:] = 0.0
    test = part(("hats", "cups", "rare"))
    found = Climbed(
        {STRUCTURED: low, TEXT: high}, {STRUCTURED: np.full(3, 0.3), TEXT: np.array([0.1, 0.9, 0.5])}, valid, test
    )
    advice = advise(found, RungConfig(least=25))
    picks = {row.category: row.pick for row in advice.categories}
    assert picks == {"hats": TEXT, "cups": STRUCTURED, OTHERS: TEXT}
    assert advice.single == TEXT
    assert advice.over_structured.mean == pytest.approx(((0.1 - 0.3) + 0 + (0.5 - 0.3)) / 3)
    assert advice.over_single.mean == pytest.approx((0 + (0.3 - 0.9) + 0) / 3)


def test_categories_that_scatter_no_more_than_by_chance_go_together() -> None:
    rng = np.random.default_rng(5)
    valid = part(tuple(f"c{n % 8}" for n in range(400)))
    gains = rng.normal(0.01, 0.2, 400)
    test = part(("c0", "c1"))
    levels = {STRUCTURED: np.zeros(2), TEXT: np.zeros(2)}
    advice = advise(Climbed({STRUCTURED: np.zeros(400), TEXT: gains}, levels, valid, test), RungConfig())
    assert {row.pick for row in advice.categories} == {advice.single}
    apart = np.where(np.arange(400) % 8 < 4, 0.3, -0.2) + gains
    told = advise(Climbed({STRUCTURED: np.zeros(400), TEXT: apart}, levels, valid, test), RungConfig())
    assert [row.pick for row in told.categories] == [TEXT] * 4 + [STRUCTURED] * 4


def test_ndcg_of_a_group_is_that_of_its_own_order() -> None:
    values = group_ndcg(np.array([1.0, 2.0, 3.0, 1.0], np.float32), part(("a", "b")), 20)
    np.testing.assert_allclose(values, [1 / np.log2(3), 1.0])
