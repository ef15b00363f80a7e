import numpy as np
import pytest
from scipy import sparse

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.log import Interactions
from models.als import ALS, ALSConfig, half_step
from models.base import TrainingData


def taken(n_users: int = 30, n_items: int = 20, seed: int = 3) -> sparse.csr_array:
    rng = np.random.default_rng(seed)
    return sparse.csr_array((rng.random((n_users, n_items)) < 0.25).astype(np.float32))


def test_a_half_step_solves_every_row_exactly():
    history = taken()
    other = np.random.default_rng(1).normal(size=(20, 5)).astype(np.float32)
    solved = half_step(history, other, regularisation=0.7, alpha=3.0)
    for row, dense in enumerate(history.toarray()):
        confidence = np.diag(1 + 3.0 * dense)
        left = other.T @ confidence @ other + 0.7 * np.eye(5)
        np.testing.assert_allclose(solved[row], np.linalg.solve(left, other.T @ confidence @ dense), atol=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_it_agrees_with_implicit_from_the_same_start(monkeypatch):
    implicit_als = pytest.importorskip("implicit.cpu.als", reason="implicit is not installed")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    history = taken(60, 40)
    start = np.random.default_rng(2).normal(0, 0.1, (40, 8)).astype(np.float32)
    theirs = implicit_als.AlternatingLeastSquares(
        factors=8, regularization=0.5, alpha=5.0, iterations=4, use_native=False, use_cg=False, num_threads=1
    )
    theirs.user_factors = np.zeros((60, 8), np.float32)
    theirs.item_factors = start.copy()
    theirs.fit(sparse.csr_matrix(history), show_progress=False)
    items = start
    for _ in range(4):
        users = half_step(history, items, 0.5, alpha=4.0)  # their alpha is the whole confidence of a positive
        items = half_step(history.T.tocsr(), users, 0.5, alpha=4.0)
    np.testing.assert_allclose(items, theirs.item_factors, atol=2e-3)
    np.testing.assert_allclose(users @ items.T, theirs.user_factors @ theirs.item_factors.T, atol=2e-3)


def test_an_unseen_shopper_gets_the_row_they_would_have_had():
    history = taken()
    users, items = history.nonzero()
    data = TrainingData(
        Interactions(
            IdMap([f"u{k}" for k in range(30)], "user"), IdMap([f"i{k}" for k in range(20)]),
            users.astype(np.int32), items.astype(np.int32), np.zeros(len(users), np.int64),
        )
    )  # fmt: skip
    model = ALS(ALSConfig(dim=4, epochs=3, regularisation=0.5))
    model.fit(data)
    like_first = [f"i{k}" for k in items[users == 0]]
    np.testing.assert_allclose(model.score(None, like_first).values, model.score("u0").values, atol=1e-4)
    with pytest.raises(DataError, match="als: 50 users and items exceed max_rows = 40"):
        ALS(ALSConfig(max_rows=40)).fit(data)
