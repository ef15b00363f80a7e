from __future__ import annotations

import numpy as np
import torch

from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.vectors import EmbeddingTable
from models.base import TrainingData
from models.two_tower import TwoTower, TwoTowerConfig
from models.two_tower_network import Towers, corrected_softmax


def test_the_loss_is_a_softmax_over_the_batch_less_log_q():
    rng = np.random.default_rng(0)
    users, items = rng.normal(size=(2, 3, 4))
    rows = np.array([5, 9, 5])  # the first and the last positive are the same item
    log_q = np.log(np.array([0.5, 0.1, 0.5]))
    scores = users @ items.T / 0.3 - log_q
    losses = []
    for at, others in enumerate(([0, 1], [0, 1, 2], [1, 2])):
        losses.append(np.log(np.exp(scores[at, others]).sum()) - scores[at, at])
    found = corrected_softmax(*(torch.from_numpy(x) for x in (users, items, rows, log_q)), 0.3)
    np.testing.assert_allclose(found.item(), np.mean(losses), rtol=1e-6)


def test_the_correction_undoes_that_popular_items_are_drawn_as_negatives_more_often():
    """Weighted by 1 / Q, in-batch draws estimate the sum over all items without bias."""
    rng = np.random.default_rng(1)
    scores, q = rng.normal(size=50), rng.dirichlet(np.ones(50))
    drawn = rng.choice(50, 200_000, p=q)
    np.testing.assert_allclose(np.exp(scores[drawn] - np.log(q[drawn])).mean(), np.exp(scores).sum(), rtol=0.05)


def test_a_shoppers_mean_leaves_the_positive_out():
    towers = Towers(np.zeros((4, 1), np.float32), 1, TwoTowerConfig(dim=2))
    with torch.no_grad():
        towers.users.zero_()
        towers.history[:] = torch.tensor([[1.0, 0], [0, 1], [5, 5], [9, 9]])
    everyone, items, offsets = torch.tensor([0]), torch.tensor([0, 1, 2]), torch.tensor([0])
    row = towers.user_rows(everyone, items, offsets, without=torch.tensor([2]))
    torch.testing.assert_close(row, torch.tensor([[0.5**0.5, 0.5**0.5]]))


def test_a_new_item_stands_where_its_features_put_it():
    rng = np.random.default_rng(2)
    ids = IdMap([f"i{n}" for n in range(20)])
    users, items = np.nonzero(rng.random((15, 20)) < 0.4)
    train = Interactions(
        IdMap([f"u{n}" for n in range(15)], "user"), ids,
        users.astype(np.int32), items.astype(np.int32), np.arange(len(users)),
    )  # fmt: skip
    vectors = rng.normal(size=(20, 6)).astype(np.float32)
    model = TwoTower(TwoTowerConfig(dim=4, hidden=8, epochs=3, batch_size=16))
    model.fit(TrainingData(train, {"text": EmbeddingTable(ids, vectors, "text")}), seed=0)
    assert model.add_items({"text": EmbeddingTable(IdMap(["new"]), vectors[:1], "text")}) == 1
    held = model._arrays
    moved = vectors[0] - vectors.mean(axis=0)
    inner = np.maximum(moved / np.linalg.norm(moved) @ held["inner.weight"].T + held["inner.bias"], 0)
    row = inner @ held["outer.weight"].T  # the id part of an item nobody took is zero
    np.testing.assert_allclose(held["items"][-1], row / np.linalg.norm(row), atol=1e-5)
