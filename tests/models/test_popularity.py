from __future__ import annotations

import numpy as np
import pytest

from catalog.errors import ConfigError
from catalog.ids import IdMap
from catalog.log import Interactions
from models.base import TrainingData
from models.popularity import Popularity, PopularityConfig
from models.registry import build

DAY = 86_400_000_000


def aged() -> TrainingData:
    """Item a: one positive today, one 7 days old; b: two, 14 days old; c: none."""
    users, items = IdMap(["u", "v"], "user"), IdMap(["a", "b", "c"])
    rows = np.array([0, 0, 1, 1], np.int32)
    stamps = np.array([20, 13, 6, 6], np.int64) * DAY
    return TrainingData(Interactions(users, items, np.array([0, 1, 0, 1], np.int32), rows, stamps))


def test_plain_counts() -> None:
    model = Popularity()
    model.fit(aged())
    assert model.score(None).values.tolist() == [2, 2, 0]


def test_a_positive_halves_every_half_life() -> None:
    model = Popularity(PopularityConfig(half_life_days=7))
    model.fit(aged())
    assert model.score("u").values.tolist() == [1 + 1 / 2, 1 / 4 + 1 / 4, 0]


def test_a_half_life_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"popularity: half_life_days = 0"):
        build("popularity", {"half_life_days": 0})
