"""`SequenceTower`: the blend by hand, the share chosen on validation, new items that move nothing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.vectors import EmbeddingTable
from models.base import TrainingData, UserScorer
from models.sequence_linear.config import SequenceLinearConfig
from models.sequence_linear.model import SequenceLinear
from models.sequence_tower.config import SequenceTowerConfig
from models.sequence_tower.model import SequenceTower
from models.sequence_tower.tower import Tower, standardised

USERS = IdMap([f"u{i}" for i in range(24)], "user")
ITEMS = IdMap([f"i{i:02}" for i in range(30)])
LINEAR = {"max_trials": 1, "regularisation": 5.0, "weight": 1.0}
TOWER = {"dim": 8, "epochs": 12, "max_epochs": 12, "batch_size": 8, "learning_rate": 0.01}


def shop() -> TrainingData:
    """Shoppers and items of three kinds; every shopper takes items of one kind, and features say which."""
    rng = np.random.default_rng(5)
    pairs = [(u, i) for u in range(24) for i in range(30) if u % 3 == i % 3 and rng.random() < 0.6]
    users, items = np.array(pairs, np.int32).T
    log = Interactions(USERS, ITEMS, users, items, rng.permutation(len(pairs)).astype(np.int64))
    vectors = np.eye(3)[np.arange(30) % 3] + 0.1 * rng.normal(size=(30, 3))
    return TrainingData(log, {"text": EmbeddingTable(ITEMS, vectors.astype(np.float32), "t")})


def everyone() -> npt.NDArray[np.int64]:
    return np.arange(len(USERS))


def test_without_a_share_it_is_the_linear_model() -> None:
    linear = SequenceLinear(SequenceLinearConfig.model_validate(LINEAR))
    linear.fit(shop())
    alone = SequenceTower(SequenceTowerConfig.model_validate({**LINEAR, **TOWER, "share": 0.0}))
    alone.fit(shop())
    assert (alone.score_users(everyone()) == linear.score_users(everyone())).all()


def test_the_blend_is_the_sum_of_standard_scores() -> None:
    data = shop()
    linear = SequenceLinear(SequenceLinearConfig.model_validate(LINEAR))
    linear.fit(data)
    model = SequenceTower(SequenceTowerConfig.model_validate({**LINEAR, **TOWER, "share": 0.7}))
    model.fit(data)
    tower = Tower.of(model._arrays)
    assert tower is not None
    taken = data.train.csr().toarray()
    shoppers = taken @ tower.asks
    shoppers /= np.maximum(np.linalg.norm(shoppers, axis=1, keepdims=True), 1e-9)
    parts = [linear.score_users(everyone()), shoppers @ tower.answers.T + tower.bias]
    linear_part, tower_part = ((p - p.mean(1, keepdims=True)) / p.std(1, keepdims=True) for p in parts)
    np.testing.assert_allclose(model.score_users(everyone()), linear_part + 0.7 * tower_part, rtol=1e-3, atol=1e-4)


def test_the_tower_alone_learns_who_takes_what() -> None:
    model = SequenceTower(SequenceTowerConfig.model_validate({**LINEAR, **TOWER}))
    model.fit(shop())
    tower = Tower.of(model._arrays)
    assert tower is not None
    scores = tower.logits(shop().train.csr())
    own = np.arange(24)[:, None] % 3 == np.arange(30)[None, :] % 3
    assert (scores[own].reshape(24, 10).min(axis=1) > scores[~own].reshape(24, 20).max(axis=1)).mean() > 0.9


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_share_is_chosen_on_validation_with_none_among_the_choices(sign: float) -> None:
    """Validation either likes only what the blend changes, or nothing that it changes."""
    model = SequenceTower(SequenceTowerConfig.model_validate({**LINEAR, **TOWER}))
    linear: list[npt.NDArray[np.float32]] = []

    def validate(scorer: UserScorer) -> float:
        scores = scorer(everyone())
        linear.append(scores)
        return sign * float(np.abs(scores - linear[0]).mean())

    report = model.fit(shop(), validate=validate)
    assert model.chosen["tower"] == (3.0 if sign > 0 else 0.0)
    assert len(report.history) == report.epochs == len(linear)
    assert report.best == report.history[-1 if sign > 0 else 0]


def test_new_items_are_placed_by_content_and_move_nobody_else() -> None:
    model = SequenceTower(SequenceTowerConfig.model_validate({**LINEAR, **TOWER}))
    model.fit(shop())
    before = model.score_users(everyone())
    table = EmbeddingTable(IdMap(["new0", "new1"]), np.eye(3, dtype=np.float32)[:2], "t")
    assert model.add_items({"text": table}) == 2
    after = model.score_users(everyone())
    np.testing.assert_allclose(after[:, :30], before, rtol=1e-4, atol=1e-5)
    kind = everyone() % 3
    assert (after[kind == 0, 30] > after[kind == 0, 31]).all()
    assert (after[kind == 1, 31] > after[kind == 1, 30]).all()


def test_standard_scores_are_taken_over_the_items_trained_on() -> None:
    got = standardised(np.array([[1.0, 3.0, 100.0]], np.float32), 2)
    np.testing.assert_allclose(got, [[-1.0, 1.0, 98.0]])


def test_without_features_there_is_no_tower() -> None:
    with pytest.raises(DataError, match="sequence_tower: no modality was given"):
        SequenceTower(SequenceTowerConfig.model_validate(LINEAR)).fit(TrainingData(shop().train))
