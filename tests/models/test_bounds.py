"""Settings far beyond their use are refused by name, or every score is finite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from catalog.errors import ConfigError, DataError
from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.vectors import EmbeddingTable
from models.base import TrainingData
from models.registry import RECOMMENDERS, build

QUICK = {"epochs": 2, "dim": 8, "max_trials": 1, "batch_size": 16}
LINEAR = ("itemknn", "content_knn", "ease", "content_linear", "sequence_linear", "sequence_tower", "als")


def numbers(name: str) -> list[str]:
    return [field for field, info in RECOMMENDERS[name][1].model_fields.items() if "float" in str(info.annotation)]


def shop() -> TrainingData:
    pairs = [(user, item) for user in range(12) for item in range(16) if (user * 5 + item * 3) % 4 == 0]
    users, items = np.array(pairs, np.int32).T
    ids = IdMap(f"i{row}" for row in range(16))
    train = Interactions(IdMap([f"u{row}" for row in range(12)], "user"), ids, users, items, np.arange(len(pairs)))
    vectors = np.random.default_rng(0).normal(size=(16, 4)).astype(np.float32)
    return TrainingData(train, {"text": EmbeddingTable(ids, vectors, "t")})


@pytest.mark.parametrize("value", [1e300, 1e9, 1e-6, 1e-300])
@pytest.mark.parametrize(("name", "setting"), [(name, setting) for name in LINEAR for setting in numbers(name)])
def test_a_linear_model_refuses_a_number_or_computes_with_it(name: str, setting: str, value: float) -> None:
    quick = {field: given for field, given in QUICK.items() if field in RECOMMENDERS[name][1].model_fields}
    given: Any = {"text": value} if setting == "weights" else value
    try:
        model = build(name, {**quick, setting: given})
    except ConfigError as error:
        assert str(error).startswith(f"{name}: {setting}") and f"{value!r}: Input should be " in str(error)
        return
    try:
        model.fit(shop())
    except DataError as error:
        assert "a larger regularisation would be valid" in str(error) or "a lower learning_rate is valid" in str(error)
        return
    assert np.isfinite(model.score_users(np.arange(12))).all()
    assert np.isfinite(model.score("u1", ["i1", "i2"]).values).all()


@pytest.mark.parametrize(
    ("name", "setting", "value", "says"),
    [
        ("ease", "regularisation", 1e300, "ease: regularisation = 1e+300: Input should be less than"),
        ("ease", "regularisation", 0.0, "ease: regularisation = 0.0: Input should be greater than or equal"),
        ("content_linear", "weights", {"text": -1.0}, "content_linear: weights.text = -1.0: Input should be"),
        ("sequence_linear", "sequence", 1e10, "sequence_linear: sequence = 10000000000.0"),
        ("als", "alpha", 1e30, "als: alpha = 1e"),
        ("itemknn", "recent_weight", 1e300, "itemknn: recent_weight = 1e"),
    ],
)  # fmt: skip
def test_the_refusal_names_the_setting_its_value_and_its_bound(name: str, setting: str, value: Any, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        build(name, {setting: value})
    assert says in str(refused.value)
