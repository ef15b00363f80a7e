"""Features that say nothing, or cannot be computed with: a model scores without them or refuses in one line."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.vectors import EmbeddingTable
from models.base import TrainingData
from models.registry import build, names, recommender

N_USERS, N_ITEMS, WIDTH = 12, 16, 5
RNG = np.random.default_rng(3)
ORDINARY = RNG.normal(size=(N_ITEMS, WIDTH)).astype(np.float32)
ALIKE = {
    "zeros": np.zeros((N_ITEMS, WIDTH)),
    "constant": np.full((N_ITEMS, WIDTH), 0.3),
    "constant at the limit": np.full((N_ITEMS, WIDTH), 1e15),
    "differences too small to square": ORDINARY * np.float32(1e-30),
}
"""No item differs from another."""
USABLE = {
    "one row": np.eye(1, N_ITEMS * WIDTH).reshape(N_ITEMS, WIDTH),
    "one column": ORDINARY * (np.arange(WIDTH) == 0),
    "width 1": ORDINARY[:, :1],
    "values of 1e14": ORDINARY * np.float32(1e14),
    "differences of 1e-12": ORDINARY * np.float32(1e-12),
    "tiny differences far from zero": 1e6 + ORDINARY,
}
"""Odd, yet every model can be fitted on them."""
REFUSED = {
    "1e30": ORDINARY * np.float32(1e30),
    "3e38": np.sign(ORDINARY) * np.float32(3e38),
    "infinite": np.full((N_ITEMS, WIDTH), -np.inf),
    "not a number": np.full((N_ITEMS, WIDTH), np.nan),
    "width 0": ORDINARY[:, :0],
}
"""Never become a table, so that no model sees them."""
NEEDS_DIFFERENCES = {"lirdrec", "content_knn"} | {
    name for name in names() if recommender(name)[0].name == "lirdrec" and name != "lirdrec-exact"
}


def interactions(n_items: int = N_ITEMS) -> Interactions:
    pairs = [(user, item) for user in range(N_USERS) for item in range(n_items) if (user * 5 + item * 3) % 4 == 0]
    users, items = np.array(pairs, np.int32).T
    shop = IdMap(f"i{row}" for row in range(n_items))
    times = np.arange(len(pairs)) * 1_000_000
    return Interactions(IdMap([f"u{row}" for row in range(N_USERS)], "user"), shop, users, items, times)


def scores(name: str, tables: dict[str, npt.NDArray[Any]], n_items: int = N_ITEMS) -> npt.NDArray[np.float32]:
    train = interactions(n_items)
    modalities = {role: EmbeddingTable(train.items, vectors, f"{role}_feat") for role, vectors in tables.items()}
    fields = recommender(name)[1].model_fields
    quick = {"epochs": 2, "dim": 8, "max_trials": 2, "batch_size": 16}
    model = build(name, {setting: value for setting, value in quick.items() if setting in fields})
    model.fit(TrainingData(train, modalities))
    return model.score_users(np.arange(N_USERS))


@pytest.mark.parametrize("kind", ALIKE)
@pytest.mark.parametrize("name", names())
def test_features_that_are_all_alike_are_done_without_or_refused_by_name(name: str, kind: str) -> None:
    tables = {"picture": ALIKE[kind]}
    if name in NEEDS_DIFFERENCES:
        with pytest.raises(DataError) as refused:
            scores(name, tables)
        said = str(refused.value)
        assert said.startswith(f"{recommender(name)[0].name}: modality 'picture' (space 'picture_feat'): "), said
        assert "the vectors of all its items (16) are alike; vectors that differ would be valid" in said, said
        assert "\n" not in said
    else:
        assert np.isfinite(scores(name, tables)).all()


@pytest.mark.parametrize("kind", USABLE)
@pytest.mark.parametrize("name", names())
def test_odd_features_give_finite_scores(name: str, kind: str) -> None:
    assert np.isfinite(scores(name, {"picture": USABLE[kind], "text": ORDINARY})).all()


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_computed_with_never_becomes_a_table(kind: str) -> None:
    with pytest.raises(DataError, match=r"^space 'picture_feat': .* would be valid$"):
        scores("popularity", {"picture": REFUSED[kind]})


@pytest.mark.parametrize("name", [name for name in names() if hasattr(build(name), "modalities")])
def test_a_modality_without_any_vector_is_refused_by_name(name: str) -> None:
    empty = EmbeddingTable(IdMap([]), np.zeros((0, WIDTH), np.float32), "picture_feat")
    data = TrainingData(interactions(), {"picture": empty})
    line = r"modality 'picture' \(space 'picture_feat'\) has none of the 16 items; .* would be valid"
    with pytest.raises(DataError, match=f"^{recommender(name)[0].name}: {line}"):
        build(name).fit(data)


@pytest.mark.parametrize("name", names())
def test_a_shop_of_one_item_is_served_or_refused_in_one_line(name: str) -> None:
    try:
        found = scores(name, {"picture": ORDINARY[:1]}, n_items=1)
    except DataError as error:
        assert "\n" not in str(error) and str(error).endswith(("would be valid", "without this modality")), error
    else:
        assert found.shape == (N_USERS, 1) and np.isfinite(found).all()


def test_content_neighbours_go_on_with_the_modality_that_says_something() -> None:
    both = scores("content_knn", {"picture": ALIKE["constant"], "text": ORDINARY})
    alone = scores("content_knn", {"text": ORDINARY})
    assert both.any()
    np.testing.assert_allclose(both * 2, alone, rtol=1e-5)  # the mean of two cosines, one of them 0
