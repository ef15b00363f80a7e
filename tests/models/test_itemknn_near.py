"""Of one shopper, what `near` says is what `score` says of every item it does not score 0."""

from __future__ import annotations

import numpy as np

from catalog.ids import IdMap
from catalog.log import Interactions
from models.base import TrainingData
from models.itemknn import ItemKNN

ITEMS, USERS = IdMap(f"i{n}" for n in range(60)), IdMap((f"u{n}" for n in range(20)), "user")
RNG = np.random.default_rng(4)
ROWS, TAKEN = np.repeat(np.arange(20), 5).astype(np.int32), RNG.integers(0, 60, 100).astype(np.int32)
MODEL = ItemKNN()
MODEL.fit(TrainingData(Interactions(USERS, ITEMS, ROWS, TAKEN, np.arange(100, dtype=np.int64))))


def test_near_is_score_without_the_zeros() -> None:
    asked = [("u3", ("i1", "i9"), ("i2",)), ("u4", (), ()), (None, ("i1",), ()), ("nobody", ("i5", "i6"), ("i7",))]
    for user_id, recent, against in asked:
        scores, found = MODEL.score(user_id, recent, against).values, MODEL.near(user_id, recent, against)
        assert found is not None
        rows, said = found
        assert (np.diff(rows) > 0).all() and (said == scores[rows]).all()
        assert not scores[np.setdiff1d(np.arange(60), rows)].any()


def test_of_whom_nothing_is_known_nothing_is_near() -> None:
    assert MODEL.near("nobody") is None and MODEL.near(None, ("unknown",)) is None
