from __future__ import annotations

import numpy as np
import pytest
import torch

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.log import Interactions
from models.base import TrainingData
from models.din import DIN, DINConfig
from models.din_network import Interest
from models.itemknn import ItemKNN
from models.popularity import Popularity
from models.sasrec import SASRec, SASRecConfig
from models.sasrec_network import Block, Transformer, windows
from models.sequence_model import EMPTY, histories, last_items

N_ITEMS = 24


def log(sequences: list[list[int]], n_items: int = N_ITEMS) -> Interactions:
    """One history a shopper, written into the log back to front: times say the order, not the log."""
    rows = [(user, item, when) for user, items in enumerate(sequences) for when, item in enumerate(items)]
    users, items, times = np.array(rows[::-1], np.int64).reshape(-1, 3).T
    ids = IdMap([f"u{n}" for n in range(len(sequences))], "user")
    items_ids = IdMap([f"i{n}" for n in range(n_items)])
    return Interactions(ids, items_ids, users.astype(np.int32), items.astype(np.int32), times)


def test_histories_follow_time_and_the_last_items_stand_at_the_end():
    train = log([[3, 1, 2], [], [5]])
    items, starts = histories(train)
    assert (items.tolist(), starts.tolist()) == ([3, 1, 2, 5], [0, 3, 3, 4])
    assert last_items(train, 2).tolist() == [[1, 2], [EMPTY, EMPTY], [EMPTY, 5]]


def test_every_place_but_the_first_is_a_target_once():
    inputs, targets = windows(log([[0, 1, 2, 3, 4, 5], [6, 7], [8]]), 3)
    pairs = [(int(a), int(b)) for a, b in zip(inputs.ravel(), targets.ravel(), strict=True) if b != EMPTY]
    assert sorted(pairs) == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (6, 7)]


def walks() -> Interactions:
    """Whoever took i takes i + 1 next: order tells all, and every item is taken about as often."""
    rng = np.random.default_rng(0)
    return log([[(start + step) % N_ITEMS for step in range(8)] for start in rng.integers(0, N_ITEMS, 150)])


def share_of_next_first(model: Popularity | ItemKNN | SASRec) -> float:
    train = walks()
    latest = last_items(train, 1)[:, 0]
    scores = model.score_users(np.arange(len(train.users)))
    scores[train.user_rows, train.item_rows] = -np.inf
    return float((scores.argmax(axis=1) == (latest + 1) % N_ITEMS).mean())


@pytest.mark.parametrize("loss", ["softmax", "bce"])
def test_sasrec_learns_what_comes_next_and_the_orderless_cannot(loss):
    config = SASRecConfig(dim=16, length=8, epochs=40, batch_size=16, learning_rate=0.01, dropout=0.0, loss=loss)
    models = (SASRec(config), ItemKNN(), Popularity())
    for model in models:
        model.fit(TrainingData(walks()), seed=1)
    sasrec, *others = (share_of_next_first(model) for model in models)
    assert sasrec > 0.9
    assert max(others) < 0.7


def test_a_later_item_never_changes_an_earlier_state():
    network = Transformer(N_ITEMS, SASRecConfig(dim=8, length=5, heads=2)).eval()
    sequences = torch.tensor([[EMPTY, 1, 2, 3, 4], [EMPTY, 1, 2, 3, 9]])
    first, second = network(sequences)
    torch.testing.assert_close(first[:4], second[:4])
    assert not torch.allclose(first[4], second[4])


def test_attention_is_the_papers():
    torch.manual_seed(0)
    block = Block(4, 1, 0.0).eval()
    states = torch.randn(1, 3, 4)
    allowed = torch.ones(3, 3, dtype=torch.bool).tril()[None, None]
    x = states[0].detach().numpy().astype(float)
    weight = {name: value.detach().numpy().astype(float) for name, value in block.named_parameters()}

    def normed(v: np.ndarray) -> np.ndarray:
        return (v - v.mean(1, keepdims=True)) / np.sqrt(v.var(1, keepdims=True) + 1e-5)

    query, key, value = np.split(normed(x) @ weight["mixed.weight"].T + weight["mixed.bias"], 3, axis=1)
    scores = np.where(np.tril(np.ones((3, 3))) > 0, query @ key.T / 2, -np.inf)  # sqrt(4)
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    x = x + (shares @ value) @ weight["joined.weight"].T + weight["joined.bias"]
    inner = np.maximum(normed(x) @ weight["wide.weight"].T + weight["wide.bias"], 0)
    x = x + inner @ weight["narrow.weight"].T + weight["narrow.bias"]
    np.testing.assert_allclose(block(states, allowed)[0].detach().numpy(), x, atol=1e-5)


def test_din_weighs_the_history_for_each_candidate_by_hand():
    torch.manual_seed(0)
    interest = Interest(3, 2)
    history, candidates = torch.randn(1, 2, 3), torch.randn(1, 4, 3)
    there = torch.tensor([[True, False]])
    part = {name: value.detach().numpy().astype(float) for name, value in interest.named_parameters()}
    e = history[0, 0].numpy().astype(float)  # the second place is empty: only the first counts
    for at, c in enumerate(candidates[0].numpy().astype(float)):
        inner = part["of_history.weight"] @ e + part["of_history.bias"] + part["of_candidate.weight"] @ c
        inner = np.maximum(inner + part["of_both.weight"] @ (e * c), 0)
        weight = part["weigh.weight"][0] @ inner + part["weigh.bias"][0]
        seen = interest.attended(history, there, candidates)[0, at].detach().numpy()
        np.testing.assert_allclose(seen, weight * e, atol=1e-5)


def test_din_scores_all_items_as_it_scores_a_few():
    model = DIN(DINConfig(dim=4, length=5, hidden=3, epochs=1))
    model.fit(TrainingData(walks()), seed=2)
    scores = model.score(None, ["i3", "i7"]).values
    held = model._arrays
    interest = Interest(4, 3)
    for name, value in interest.named_parameters():
        value.data = torch.from_numpy(held[f"net.{name}"])
    rows = torch.from_numpy(held["items"])
    few = interest(rows[[3, 7]][None], torch.ones(1, 2, dtype=torch.bool), rows[[2, 20]][None])[0]
    np.testing.assert_allclose(scores[[2, 20]], few.detach().numpy() + held["bias"][[2, 20]], atol=1e-5)


def test_din_refuses_what_it_cannot_score_in_time():
    with pytest.raises(DataError, match=r"din: 24 items exceed max_items = 20 \(0\.00 GFLOP to score one shopper"):
        DIN(DINConfig(max_items=20)).fit(TrainingData(walks()))
