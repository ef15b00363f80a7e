"""BPR-MF and VBPR beside implementations of others, on a generated shop whose tastes are planted."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import sparse

from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.vectors import EmbeddingTable
from models.base import TrainingData
from models.registry import build

N_USERS, N_ITEMS, TRAIN, TEST = 300, 200, 15, 5
Scores = npt.NDArray[Any]


class Shop:
    """Shoppers take what their six hidden tastes like; half of an item is in its picture."""

    def __init__(self) -> None:
        rng = np.random.default_rng(5)
        tastes = rng.normal(size=(N_USERS, 6))
        items = rng.normal(size=(N_ITEMS, 6))
        demand = 0.5 * rng.normal(size=N_ITEMS)
        utility = tastes @ items.T + demand + rng.gumbel(size=(N_USERS, N_ITEMS))
        best = np.argsort(-utility, axis=1)[:, : TRAIN + TEST]
        best = rng.permuted(best, axis=1)
        self.train = (np.repeat(np.arange(N_USERS), TRAIN), best[:, :TRAIN].ravel())
        self.test = best[:, TRAIN:]
        self.picture = (items[:, :3] @ rng.normal(size=(3, 10)) + 0.1 * rng.normal(size=(N_ITEMS, 10))).astype(
            np.float32
        )

    def data(self) -> TrainingData:
        ids = IdMap([f"i{n}" for n in range(N_ITEMS)])
        users, items = (rows.astype(np.int32) for rows in self.train)
        log = Interactions(
            IdMap([f"u{n}" for n in range(N_USERS)], "user"), ids, users, items, np.zeros(len(users), np.int64)
        )
        return TrainingData(log, {"picture": EmbeddingTable(ids, self.picture, "picture")})

    def ndcg(self, scores: Scores) -> float:
        """NDCG@10 of the held-out items among those not taken in training."""
        scores = np.array(scores, np.float64)
        scores[self.train] = -np.inf
        ranked = np.argsort(-scores, axis=1)[:, :10]
        hit = (ranked[:, :, None] == self.test[:, None, :]).any(axis=2)
        discount = 1 / np.log2(np.arange(2, 12))
        return float((hit @ discount).mean() / discount[:TEST].sum())

    def popularity(self) -> float:
        return self.ndcg(np.tile(np.bincount(self.train[1], minlength=N_ITEMS), (N_USERS, 1)))


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop()


def ours(shop: Shop, name: str, **overrides: Any) -> float:
    model = build(name, {"dim": 16, "batch_size": 256, "learning_rate": 0.003, "epochs": 60, **overrides})
    model.fit(shop.data(), seed=1)
    return shop.ndcg(model.score_users(np.arange(N_USERS)))


def quietly(run: Callable[[], float]) -> float:
    """Run a library whose imports and training warn of its own affairs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return run()


def implicit_bpr(shop: Shop) -> float:
    bpr = pytest.importorskip("implicit.bpr", reason="implicit is not installed")
    model = bpr.BayesianPersonalizedRanking(
        factors=16, iterations=150, learning_rate=0.05, regularization=0.01, num_threads=1, random_state=1
    )
    model.fit(sparse.csr_matrix(shop.data().train.csr()), show_progress=False)
    return shop.ndcg(model.user_factors @ model.item_factors.T)


def cornac_model(shop: Shop, kind: str, **settings: Any) -> float:
    cornac = pytest.importorskip("cornac", reason="cornac is not installed")
    from cornac.data import Dataset, ImageModality

    triples = [(str(u), str(i), 1.0) for u, i in zip(*shop.train, strict=True)]
    train = Dataset.build(triples, seed=1)
    order = [int(item) for item in train.item_ids]
    train.add_modalities(item_image=ImageModality(features=shop.picture[order], ids=train.item_ids, normalized=False))
    train.item_image.build(id_map=train.iid_map)
    model = getattr(cornac.models, kind)(seed=1, verbose=False, **settings).fit(train)
    scores = np.full((N_USERS, N_ITEMS), -np.inf)
    for user in range(N_USERS):
        scores[user, order] = model.score(train.uid_map[str(user)])
    return shop.ndcg(scores)


def test_bprmf_agrees_with_cornac(shop: Shop) -> None:
    settings = {"k": 16, "max_iter": 150, "learning_rate": 0.05, "lambda_reg": 0.02, "num_threads": 1}
    theirs = quietly(lambda: cornac_model(shop, "BPR", **settings))
    assert theirs > shop.popularity() + 0.2, "cornac has learned something"
    assert ours(shop, "bprmf", regularisation=0.02) == pytest.approx(theirs, abs=0.03)


def test_bprmf_is_no_worse_than_implicit(shop: Shop) -> None:
    theirs = implicit_bpr(shop)
    assert theirs > shop.popularity() + 0.1, "implicit has learned something"
    assert ours(shop, "bprmf", regularisation=0.02) > theirs


def test_vbpr_is_no_worse_than_cornac(shop: Shop) -> None:
    settings = {"k": 16, "k2": 16, "n_epochs": 10, "batch_size": 100, "learning_rate": 0.005, "lambda_w": 0.02}
    theirs = quietly(lambda: cornac_model(shop, "VBPR", **settings))
    assert theirs > shop.popularity() + 0.2, "cornac has learned something"
    mine = ours(shop, "vbpr", regularisation=0.02)
    assert mine > theirs - 0.03
