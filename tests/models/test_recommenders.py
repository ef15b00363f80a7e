"""One contract for every recommender in the registry."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from catalog.errors import ConfigError, DataError, NotBuiltError
from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.vectors import EmbeddingTable
from models.base import Recommender, TrainingData, UserScorer
from models.registry import RECOMMENDERS, build, load

QUICK: dict[str, dict[str, Any]] = {
    "popularity": {},
    "itemknn": {"neighbours": 5, "shrinkage": 1.0},
    "bprmf": {"dim": 8, "epochs": 30, "max_epochs": 12, "batch_size": 64, "learning_rate": 0.01},
    "lightgcn": {"dim": 8, "epochs": 15, "max_epochs": 12, "batch_size": 64, "learning_rate": 0.01},
    "vbpr": {"dim": 8, "epochs": 15, "max_epochs": 12, "batch_size": 64, "learning_rate": 0.01},
    "freedom": {"dim": 8, "epochs": 15, "max_epochs": 12, "neighbours": 3, "batch_size": 64, "learning_rate": 0.01},
    "content_knn": {"neighbours": 5},
    "ease": {"regularisation": 5.0},
    "content_linear": {"regularisation": 5.0, "weight": 2.0},
    "sequence_linear": {"regularisation": 5.0, "weight": 2.0, "max_trials": 3},
    "sequence_tower": {"regularisation": 5.0, "weight": 2.0, "max_trials": 3, "dim": 8, "epochs": 15, "batch_size": 8},
    "als": {"dim": 4, "epochs": 5, "regularisation": 0.5},
    "two_tower": {"dim": 8, "hidden": 8, "epochs": 15, "max_epochs": 10, "batch_size": 32, "learning_rate": 0.01},
    "sasrec": {"dim": 8, "length": 6, "batch_size": 4, "epochs": 15, "max_epochs": 12, "learning_rate": 0.01},
    "din": {"dim": 8, "length": 6, "epochs": 15, "max_epochs": 6, "batch_size": 32, "learning_rate": 0.01},
    "lirdrec": {"dim": 8, "epochs": 6, "max_epochs": 12, "neighbours": 3, "batch_size": 64, "learning_rate": 0.01},
}
NAMES = sorted(RECOMMENDERS)
CONTENT = {
    "two_tower",
    "content_knn",
    "content_linear",
    "sequence_linear",
    "sequence_tower",
    "lirdrec",
    "vbpr",
    "freedom",
}
"""Models that give a new item a place from its features."""
SAME_FOR_ALL = {"popularity"}
TRAINED_IN_EPOCHS = {
    "two_tower",
    "sasrec",
    "din",
    "als",
    "sequence_linear",
    "sequence_tower",
    "lirdrec",
    "bprmf",
    "lightgcn",
    "vbpr",
    "freedom",
}
USERS = IdMap([f"user-{row:02}" for row in range(20)], "user")
ITEMS = IdMap([f"{row:03}" for row in range(30)])


def checkerboard() -> TrainingData:
    """Even shoppers take even items, odd ones odd items; the last shopper took nothing.

    Features say which half an item belongs to.
    """
    rng = np.random.default_rng(7)
    pairs = [(u, i) for u in range(19) for i in range(30) if u % 2 == i % 2 and rng.random() < 0.6]
    users, items = np.array(pairs, np.int32).T
    train = Interactions(USERS, ITEMS, users, items, np.arange(len(pairs)) * 1_000_000)
    side = np.where(np.arange(30) % 2 == 0, 1.0, -1.0)[:, None]
    picture = (side + 0.3 * rng.normal(size=(30, 12))).astype(np.float32)
    text = (side + 0.3 * rng.normal(size=(30, 6))).astype(np.float32)
    return TrainingData(
        train, {"picture": EmbeddingTable(ITEMS, picture, "pic"), "text": EmbeddingTable(ITEMS, text, "txt")}
    )


def fitted(name: str, seed: int = 3) -> Recommender:
    model = build(name, QUICK[name])
    report = model.fit(checkerboard(), seed=seed)
    assert report.epochs >= 1
    assert report.seconds >= 0
    return model


def all_scores(model: Recommender) -> npt.NDArray[np.float32]:
    return model.score_users(np.arange(len(model.users)))


@pytest.fixture(scope="module", params=NAMES)
def model(request: pytest.FixtureRequest) -> Recommender:
    return fitted(request.param)


def test_scores_have_their_shape_and_are_finite(model: Recommender) -> None:
    scores = model.score_users(np.array([4, 0, 4]))
    assert scores.shape == (3, 30)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
    assert (scores[0] == scores[2]).all()
    assert model.score_users(np.array([], np.int64)).shape == (0, 30)


def test_known_user_scores_are_those_of_score_users(model: Recommender) -> None:
    scores = model.score("user-04")
    np.testing.assert_allclose(scores.values, model.score_users(np.array([4]))[0], rtol=1e-5)
    assert scores.ground == ("popularity" if model.name in SAME_FOR_ALL else "history")


@pytest.mark.parametrize("user_id", [None, "nobody", "user-19"])
def test_a_shopper_without_anything_gets_popularity(model: Recommender, user_id: str | None) -> None:
    scores = model.score(user_id)
    assert scores.ground == "popularity"
    counts = np.bincount(checkerboard().train.item_rows, minlength=30)
    assert (np.argsort(-scores.values, kind="stable") == np.argsort(-counts, kind="stable")).all()
    scores.values[:] = -1.0
    assert (model.score(user_id).values >= 0).all(), "the caller's array is its own"


@pytest.mark.parametrize("user_id", [None, "nobody", "user-19"])
def test_an_unseen_shopper_is_served_from_recent_items(model: Recommender, user_id: str | None) -> None:
    scores = model.score(user_id, ["002", "no such item", "004"])
    if model.name in SAME_FOR_ALL:
        assert scores.ground == "popularity"
        return
    assert scores.ground == "session"
    even, odd = scores.values[0::2], scores.values[1::2]
    assert even.mean() > odd.mean()
    assert (scores.values == model.score(user_id, ["002", "004"]).values).all()


def test_recent_items_move_a_known_shopper(model: Recommender) -> None:
    alone, moved = model.score("user-04"), model.score("user-04", ["001", "003", "005"])
    assert moved.ground == alone.ground
    if model.name not in SAME_FOR_ALL:
        share = [np.mean(s.values[1::2]) - np.mean(s.values[0::2]) for s in (alone, moved)]
        assert share[1] > share[0]
    assert (model.score("user-04", ["no such item"]).values == alone.values).all()


@pytest.mark.parametrize("name", [n for n in NAMES if n not in SAME_FOR_ALL])
def test_personal_models_learn_the_checkerboard(name: str) -> None:
    scores = all_scores(fitted(name))[:19]
    own = scores[np.arange(19)[:, None] % 2 == np.arange(30)[None, :] % 2]
    other = scores[np.arange(19)[:, None] % 2 != np.arange(30)[None, :] % 2]
    assert own.mean() > other.mean()


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_bytes(name: str, tmp_path: Path) -> None:
    digests = []
    for run in ("a", "b"):
        (tmp_path / run).mkdir()
        fitted(name, seed=11).save(tmp_path / run)
        digests.append(hashlib.sha256((tmp_path / run / "model.safetensors").read_bytes()).hexdigest())
    assert digests[0] == digests[1]


@pytest.mark.parametrize("name", NAMES)
def test_another_seed_changes_a_model_unless_it_says_that_chance_plays_no_part(name: str) -> None:
    same = (all_scores(fitted(name, seed=1)) == all_scores(fitted(name, seed=2))).all()
    assert same == getattr(build(name), "deterministic", False)


@pytest.mark.parametrize("name", NAMES)
def test_new_items_join_behind_the_known(name: str) -> None:
    model = fitted(name)
    before = all_scores(model)
    table = EmbeddingTable(IdMap(["new-even", "000", "new-odd"]), features(12), "pic")
    count = model.add_items({"picture": table})
    assert count == (2 if name in CONTENT else 0)
    assert model.items.ids == (*ITEMS.ids, "new-even", "new-odd")
    after = all_scores(model)
    assert after.shape == (20, 32)
    assert np.isfinite(after).all()
    np.testing.assert_allclose(after[:, :30], before, rtol=1e-5)
    assert model.add_items({"picture": table}) == 0
    for scores in (model.score("user-04"), model.score(None), model.score(None, ["new-even"])):
        assert scores.values.shape == (32,)
    if name not in CONTENT:
        assert (after[:, 30:] == 0).all()
        assert (model.score("user-04", ["002"]).values[30:] == 0).all()


def features(width: int) -> npt.NDArray[np.float32]:
    return np.array([[1.0] * width, [0.0] * width, [-1.0] * width], np.float32)


SCORE_ALONE = """
import sys
from pathlib import Path
import numpy as np
from models.registry import load
model = load(Path(sys.argv[1]))
rows = [model.score_users(np.arange(len(model.users)))]
rows += [model.score(u, r).values[None] for u, r in ((None, []), (None, ["002", "new-even"]), ("user-04", ["001"]))]
np.save(sys.argv[2], np.concatenate(rows))
assert "torch" not in sys.modules or model.name in {"sasrec", "din"}, "serving needs no torch"
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_model_serves_alone(name: str, tmp_path: Path) -> None:
    model = fitted(name)
    model.add_items({"picture": EmbeddingTable(IdMap(["new-even", "b", "new-odd"]), features(12), "pic")})
    (tmp_path / "model").mkdir()
    model.save(tmp_path / "model")
    asked: list[tuple[str | None, list[str]]] = [(None, []), (None, ["002", "new-even"]), ("user-04", ["001"])]
    expected = np.concatenate([all_scores(model), *(model.score(u, r).values[None] for u, r in asked)])
    command = [sys.executable, "-c", SCORE_ALONE, str(tmp_path / "model"), str(tmp_path / "out.npy")]
    subprocess.run(command, check=True, cwd=tmp_path)
    assert (np.load(tmp_path / "out.npy", allow_pickle=False) == expected).all()
    again = load(tmp_path / "model")
    assert type(again) is type(model)
    assert again.content_items == model.content_items  # type: ignore[attr-defined]
    assert again.config == model.config  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", NAMES)
def test_validate_sees_scores_of_the_asked_rows_and_its_value_is_reported(name: str) -> None:
    values = iter([0.1, 0.3, 0.2, *[0.0] * 100])

    def validate(scorer: UserScorer) -> float:
        assert scorer(np.array([2, 5])).shape == (2, 30)
        return next(values)

    report = build(name, QUICK[name]).fit(checkerboard(), validate=validate, seed=1)
    assert report.best == (0.3 if name in TRAINED_IN_EPOCHS else 0.1)
    assert report.history[0] == 0.1
    assert len(report.history) == report.epochs


@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_learn_from_is_a_data_error(name: str) -> None:
    empty = np.zeros(0, np.int32)
    data = checkerboard()
    nothing = TrainingData(Interactions(USERS, ITEMS, empty, empty, np.zeros(0, np.int64)), data.modalities)
    with pytest.raises(DataError, match="no training interaction for 20 users and 30 items"):
        build(name).fit(nothing)


@pytest.mark.parametrize("name", NAMES)
def test_config_round_trips_and_refuses_unknown_keys(name: str) -> None:
    kind = RECOMMENDERS[name][1]
    config = kind.model_validate(QUICK[name])
    assert kind.model_validate_json(config.model_dump_json()) == config
    with pytest.raises(ConfigError, match=f"{name}: unknown setting 'neighbors'"):
        build(name, {"neighbors": 3})


def test_unknown_names_and_values_say_what_would_be_valid(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown recommender 'lirdrek'\. Did you mean 'lirdrec'"):
        build("lirdrek")
    with pytest.raises(ConfigError, match=r"itemknn: neighbours = 0: .*greater than or equal to 1"):
        build("itemknn", {"neighbours": 0})
    with pytest.raises(NotBuiltError, match=r"no model\.json"):
        load(tmp_path)
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(DataError, match="is not JSON"):
        load(tmp_path)
    (tmp_path / "model.json").write_text('{"name": "svd"}')
    with pytest.raises(ConfigError, match="unknown recommender 'svd'"):
        load(tmp_path)


def test_importing_the_registry_loads_nothing_heavy() -> None:
    code = "import sys, models.registry; sys.exit(any(m in sys.modules for m in ('torch', 'lightgbm', 'faiss')))"
    subprocess.run([sys.executable, "-c", code], check=True)
