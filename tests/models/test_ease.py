from pathlib import Path

import numpy as np
import pytest

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.vectors import EmbeddingTable
from models.base import TrainingData
from models.content_knn import ContentKNN, ContentKNNConfig
from models.content_linear import ContentLinear, ContentLinearConfig
from models.ease import EASE, EASEConfig

N_USERS, N_ITEMS = 40, 12


def data(n_items: int = N_ITEMS, modalities: bool = True) -> TrainingData:
    rng = np.random.default_rng(5)
    taken = rng.random((N_USERS, n_items)) < 0.3
    users, items = np.nonzero(taken)
    ids = IdMap([f"i{k}" for k in range(n_items)])
    train = Interactions(
        IdMap([f"u{k}" for k in range(N_USERS)], "user"), ids,
        users.astype(np.int32), items.astype(np.int32), np.zeros(len(users), np.int64),
    )  # fmt: skip
    if not modalities:
        return TrainingData(train)
    tables = {role: EmbeddingTable(ids, rng.normal(size=(n_items, 6)).astype(np.float32), role) for role in "ab"}
    return TrainingData(train, tables)


def dense(data: TrainingData) -> np.ndarray:
    return data.train.csr().toarray().astype(np.float64)


def ridge(x: np.ndarray, regularisation: float) -> np.ndarray:
    """Each item regressed on all others, one normal equation at a time: no closed form for the whole."""
    n = x.shape[1]
    weights = np.zeros((n, n))
    for j in range(n):
        others = np.delete(np.arange(n), j)
        a = x[:, others]
        weights[others, j] = np.linalg.solve(a.T @ a + regularisation * np.eye(n - 1), a.T @ x[:, j])
    return weights


def centred(table: EmbeddingTable) -> np.ndarray:
    moved = table.vectors - table.vectors.mean(axis=0)
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)


def test_ease_is_a_ridge_regression_of_each_item_on_the_others():
    given = data()
    model = EASE(EASEConfig(regularisation=3.0))
    model.fit(given)
    expected = dense(given) @ ridge(dense(given), 3.0)
    np.testing.assert_allclose(model.score_users(np.arange(N_USERS)), expected, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_ease_agrees_with_cornac():
    cornac = pytest.importorskip("cornac", reason="cornac is not installed")
    given = data()
    triples = [(int(u), int(i), 1.0) for u, i in zip(given.train.user_rows, given.train.item_rows, strict=True)]
    train = cornac.data.Dataset.from_uir(triples, seed=1)
    theirs = cornac.models.EASE(lamb=3.0, posB=False, verbose=False).fit(train)
    model = EASE(EASEConfig(regularisation=3.0))
    model.fit(given)
    ours = model.score_users(np.arange(N_USERS))
    for user in (0, 7, 31):
        scores = np.ravel(theirs.score(train.uid_map[user]))
        found = np.array([scores[train.iid_map[item]] for item in range(N_ITEMS)])
        np.testing.assert_allclose(ours[user], found, atol=1e-4)


def test_ease_refuses_a_catalogue_beyond_its_limit():
    with pytest.raises(DataError, match=r"ease: 12 items exceed max_items = 11 \(a dense item matrix of 0.0 GB\)"):
        EASE(EASEConfig(max_items=11)).fit(data())


def test_content_linear_is_ease_with_a_reader_for_every_dimension_of_the_vectors():
    given = data()
    model = ContentLinear(ContentLinearConfig(regularisation=3.0, weight=2.0, weights={"b": 5.0}))
    model.fit(given)
    readers = [np.sqrt(w) * centred(given.modalities[role]).T for role, w in (("a", 2.0), ("b", 5.0))]
    weights = ridge(np.concatenate([dense(given), *readers]), 3.0)
    np.testing.assert_allclose(model.score_users(np.arange(N_USERS)), dense(given) @ weights, atol=1e-5)


def test_a_new_item_stands_where_the_larger_system_would_put_it():
    given = data()
    model = ContentLinear(ContentLinearConfig(regularisation=3.0, weight=2.0))
    model.fit(given)
    rng = np.random.default_rng(8)
    new = {role: EmbeddingTable(IdMap(["new"]), rng.normal(size=(1, 6)).astype(np.float32), role) for role in "ab"}
    assert model.add_items(new) == 1
    readers = []
    for role, table in given.modalities.items():
        moved = np.concatenate([table.vectors, new[role].vectors]) - table.vectors.mean(axis=0)
        readers.append(np.sqrt(2.0) * (moved / np.linalg.norm(moved, axis=1, keepdims=True)).T)
    nobody = np.zeros((N_USERS, 1))
    weights = ridge(np.concatenate([np.hstack([dense(given), nobody]), *readers]), 3.0)
    found = model.score_users(np.arange(N_USERS))[:, -1]
    np.testing.assert_allclose(found, (np.hstack([dense(given), nobody]) @ weights)[:, -1], atol=1e-5)
    session = model.score(None, ["new"])
    assert session.ground == "content"
    np.testing.assert_allclose(session.values[:-1], weights[-1, :-1], atol=1e-5)


def test_content_models_need_a_modality():
    for model in (ContentLinear(), ContentKNN()):
        with pytest.raises(DataError, match=f"{model.name}: no modality was given"):
            model.fit(data(modalities=False))


def test_content_knn_sums_the_cosines_of_what_was_taken():
    given = data()
    model = ContentKNN(ContentKNNConfig(neighbours=N_ITEMS - 1))
    model.fit(given)
    cosine = np.mean([centred(t) @ centred(t).T for t in given.modalities.values()], axis=0)
    np.fill_diagonal(cosine, 0)
    np.testing.assert_allclose(model.score_users(np.arange(N_USERS)), dense(given) @ np.maximum(cosine, 0), atol=1e-5)


def test_content_linear_survives_its_folder(tmp_path: Path):
    given = data()
    model = ContentLinear(ContentLinearConfig(regularisation=3.0))
    model.fit(given)
    model.save(tmp_path)
    again = ContentLinear.load(tmp_path)
    assert again.modalities == ("a", "b")
    table = {"a": EmbeddingTable(IdMap(["new"]), np.ones((1, 6), np.float32), "a")}
    assert (model.add_items(table), again.add_items(table)) == (1, 1)
    assert (model.score_users(np.arange(3)) == again.score_users(np.arange(3))).all()
