"""Intents as vectors and features: worked values, and nothing of what was said later."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from catalog.errors import DataError, NothingToDo
from catalog.ids import IdMap
from catalog.intents import INTENTS
from catalog.items import Catalog
from catalog.log import log_frame
from catalog.nouns import Candidate, Interaction, Item
from catalog.splits import make_split
from catalog.vectors import EmbeddingTable
from eval.audit_intents import intent_finding
from models.features import FeatureContext, FeatureStore, build_features
from models.intents.features import INTENT_FEATURES, INTENT_MEANINGS, IntentFeatures
from models.intents.item_space import item_intents
from models.intents.user_vectors import user_vectors
from models.intents.words import IntentWords, intent_words

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CATALOG = Catalog(
    [Item("a", title="Striped mug", price=10.0), Item("b", title="Dotted mug", price=30.0), Item("c", title="Vase")]
)


def said(user, item, days, kind, value, *, polarity=1, amount=None, aspect=None, source="review", event="e"):
    row = {
        "event_id": event, "user_id": user, "item_id": item, "timestamp": NOON + timedelta(days=days), "source": source,
        "kind": kind, "aspect": aspect, "value": value, "polarity": polarity, "amount": amount, "start": 0, "end": 1,
    }  # fmt: skip
    return row


def table(*rows):
    return pl.DataFrame(list(rows), schema=INTENTS, orient="row")


PAST = table(
    said("ann", "a", -60, "praised", "stripes"),
    said("ann", "b", -30, "complained_of", "dots", polarity=-1),
    said("ann", "b", -10, "budget", "under 20", amount=20.0, aspect="max", polarity=None),
    said("bob", "c", -5, "sought", "stripes", source="query"),
)
LATER = table(said("ann", "c", 1, "praised", "dots"), said("ann", "c", 0, "budget", "9", amount=9.0, aspect="max"))


def test_words_are_stems_without_filling():
    assert intent_words("how easy it is to clean the Polka Dots") == ["easy", "clean", "polka", "dot"]


def test_vectors_by_hand():
    words = IntentWords.of([["mug", "stripe"], ["mug", "dot"], ["vase"]])
    assert words.words == ("dot", "mug", "stripe", "vase")
    (row,) = words.vectors([["mug", "mug", "dot", "unheard"]]).toarray()
    np.testing.assert_allclose(row, [math.log(3), (1 + math.log(2)) * math.log(3 / 2), 0, 0], rtol=1e-6)


def test_shoppers_are_the_mean_of_their_wants_the_newer_the_more():
    rows = table(
        said("ann", "a", -60, "praised", "x"), said("ann", "a", -1e-9, "praised", "y"),
        said("ann", "a", -1, "sought", "x", polarity=-1), said("bob", "a", 1, "praised", "x"),
    )  # fmt: skip
    place = {"x": [1.0, 0.0], "y": [0.0, 1.0]}
    found = user_vectors(rows, lambda values: np.array([place[v] for v in values], np.float32), as_of=NOON)
    assert list(found) == ["praised", "sought"]
    assert list(found["praised"].ids) == ["ann"]  # bob spoke later
    np.testing.assert_allclose(found["praised"].vectors, [[1 / 3, 2 / 3]], atol=1e-6)  # weights 0.5 and 1
    np.testing.assert_allclose(found["sought"].vectors, [[-1, 0]])


def test_items_of_the_same_words_are_alike():
    items = IdMap([f"i{n}" for n in range(8)])
    rows = [said("u", f"i{n}", -n - 1, "praised", "stripes" if n < 4 else "polka dots") for n in range(7)]
    found = item_intents(table(*rows), items, as_of=NOON)
    assert list(found.ids) == [f"i{n}" for n in range(7)]  # nobody spoke of the last
    cosine = found.vectors @ found.vectors.T
    np.testing.assert_allclose(cosine[:4, :4], 1, atol=1e-5)
    np.testing.assert_allclose(cosine[:4, 4:], 0, atol=1e-5)
    early = item_intents(table(*rows), items, as_of=NOON - timedelta(days=2), least_items=2)
    assert "i0" not in early.ids and "i2" in early.ids
    with pytest.raises(NothingToDo, match="no word is said of 3 or more"):
        item_intents(table(rows[0]), items, as_of=None)


def test_features_by_hand():
    intents = IntentFeatures(PAST, CATALOG, as_of=NOON)
    columns = intents.columns("ann", np.arange(3), np.array([10.0, 30.0, np.nan]))
    assert tuple(columns) == INTENT_FEATURES
    # "stripe" stands with a (praised) and c (sought): those match what ann praised, b does not.
    assert columns["intent_praised"][0] > 0 and columns["intent_praised"][1] == 0
    assert np.isnan(columns["intent_sought"]).all()
    np.testing.assert_allclose(columns["intent_budget"][:2], [math.log(11 / 21), math.log(31 / 21)])
    np.testing.assert_allclose(columns["intent_item_praise"], [math.log(2), 0, 0])
    np.testing.assert_array_equal(columns["intent_item_blame"], [0, 1, np.nan])
    stranger = intents.columns(None, np.arange(3), np.ones(3))
    assert np.isnan(stranger["intent_praised"]).all() and np.isnan(stranger["intent_budget"]).all()


def test_meanings_are_cosines_with_the_shoppers_vectors():
    place = {"stripes": [1.0, 0.0], "dots": [0.0, 2.0]}
    texts = EmbeddingTable(IdMap(["b", "a"]), np.array([[0, 3], [3, 4]], np.float32), "text")
    meaning = texts, lambda values: np.array([place[v] for v in values], np.float32)
    intents = IntentFeatures(PAST, CATALOG, as_of=NOON, meaning=meaning)
    assert intents.names == (*INTENT_FEATURES, *INTENT_MEANINGS)
    columns = intents.columns("ann", np.arange(3), np.ones(3))
    np.testing.assert_allclose(columns["intent_meaning.praised"], [0.6, 0, np.nan], atol=1e-6)
    np.testing.assert_allclose(columns["intent_meaning.complained_of"], [0.8, 1, np.nan], atol=1e-6)
    assert np.isnan(columns["intent_meaning.sought"]).all()
    assert np.isnan(intents.columns(None, np.arange(3), np.ones(3))["intent_meaning.praised"]).all()


def test_nothing_later_counts():
    before, after = (IntentFeatures(rows, CATALOG, as_of=NOON) for rows in (PAST, pl.concat([PAST, LATER])))
    for user in ("ann", "bob", None):
        one, other = (each.columns(user, np.arange(3), np.ones(3)) for each in (before, after))
        for name in INTENT_FEATURES:
            np.testing.assert_array_equal(one[name], other[name])


def test_a_store_with_intents_has_their_columns_and_one_without_has_none():
    log = log_frame([Interaction("e", "ann", "a", NOON - timedelta(days=1), "purchase")])
    candidates = [Candidate("b", 1.0, "missed")]
    intents = IntentFeatures(PAST, CATALOG, as_of=NOON)
    with_them = FeatureStore(CATALOG, log, as_of=NOON, intents=intents)
    found = build_features(candidates, FeatureContext(with_them, "ann"), NOON)
    assert found.column("intent_item_blame")[0] == 1
    bare = build_features(candidates, FeatureContext(FeatureStore(CATALOG, log, as_of=NOON), "ann"), NOON)
    assert not set(bare.names) & set(INTENT_FEATURES)
    assert set(found.names) - set(bare.names) == set(INTENT_FEATURES)
    with pytest.raises(DataError, match="they know later"):
        FeatureStore(CATALOG, log, as_of=NOON - timedelta(days=1), intents=intents)


def _shop(shift: timedelta):
    events = [
        Interaction(f"e{n}", f"u{n % 5}", f"i{n % 7}", NOON + timedelta(hours=n), "purchase", text="stripes")
        for n in range(60)
    ]
    log = log_frame(events)
    rows = [
        said(e.user_id, e.item_id, 0, "praised", "stripes", event=e.event_id) | {"timestamp": e.timestamp + shift}
        for e in events
    ]
    catalog = Catalog([Item(f"i{n}", title=f"Thing {n}") for n in range(7)])
    return make_split(log, catalog.ids, protocol="last"), catalog, log, table(*rows)


def test_the_audit_passes_honest_intents_and_fails_early_ones():
    assert intent_finding(*_shop(timedelta(0))).status == "passed"
    found = intent_finding(*_shop(timedelta(days=-3)))
    assert found.status == "failed" and "dated before their event" in found.text
