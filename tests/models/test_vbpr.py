"""VBPR by arithmetic, and where it places new items."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.vectors import EmbeddingTable
from models.base import TrainingData
from models.item_features import training_features
from models.vbpr import VBPR, VBPRConfig
from models.vbpr_network import VBPRNetwork

ITEMS = IdMap([f"i{n}" for n in range(6)])
USERS = IdMap([f"u{n}" for n in range(4)], "user")
SMALL = VBPRConfig(dim=3, epochs=2, batch_size=4, learning_rate=0.05, centred=False)


def tables(ids: IdMap = ITEMS) -> dict[str, EmbeddingTable]:
    rng = np.random.default_rng(8)
    return {
        "picture": EmbeddingTable(ids, rng.normal(size=(len(ids), 4)).astype(np.float32), "p"),
        "text": EmbeddingTable(ids, rng.normal(size=(len(ids), 2)).astype(np.float32), "t"),
    }


def train() -> Interactions:
    users, items = np.array([(0, 0), (0, 1), (1, 2), (2, 3), (3, 4), (3, 5), (1, 0)], np.int32).T
    return Interactions(USERS, ITEMS, users, items, np.zeros(len(users), np.int64))


def network(regularisation: float) -> VBPRNetwork:
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(2)
        made = VBPRNetwork(
            4,
            training_features("vbpr", tables(), ITEMS),
            VBPRConfig(dim=3, regularisation=regularisation, centred=False),
        )
        torch.nn.init.normal_(made.reading.bias)
    return made


@pytest.mark.parametrize("n_triples", [2, 40], ids=["fewer items than there are", "more"])
def test_loss_and_gradients_by_hand(n_triples: int) -> None:
    """`score = p.q + t.(W x + c)`; gradients by the chain rule, one triple at a time."""
    strength = 0.1
    made = network(strength)
    rng = np.random.default_rng(1)
    triples = np.stack([rng.integers(4, size=n_triples), *rng.integers(6, size=(2, n_triples))])
    loss = made.loss(torch.from_numpy(triples))
    torch.autograd.backward(loss)
    named = dict(made.named_parameters())
    users, q, w, c = (
        named[n].detach().numpy().astype(float) for n in ("users", "items", "reading.weight", "reading.bias")
    )
    x = np.concatenate([table.vectors for table in tables().values()], axis=1).astype(float)
    rows = np.concatenate([q, x @ w.T + c], axis=1)
    total, of_users, of_rows = 0.0, np.zeros_like(users), np.zeros_like(rows)
    for u, i, j in triples.T:
        margin = users[u] @ (rows[i] - rows[j])
        pull = 1 / (1 + np.exp(margin))
        total += np.log1p(np.exp(-margin)) + strength / 2 * sum(r @ r for r in (users[u], rows[i], rows[j]))
        of_users[u] += -pull * (rows[i] - rows[j]) + strength * users[u]
        of_rows[i] += -pull * users[u] + strength * rows[i]
        of_rows[j] += pull * users[u] + strength * rows[j]
    expected = {
        "users": of_users,
        "items": of_rows[:, :3],
        "reading.weight": of_rows[:, 3:].T @ x,
        "reading.bias": of_rows[:, 3:].sum(axis=0),
    }
    assert loss.item() == pytest.approx(total / n_triples, rel=1e-5)
    for name, gradient in expected.items():
        found = named[name].grad
        assert found is not None
        np.testing.assert_allclose(found, gradient / n_triples, atol=1e-6, err_msg=name)


def score_by_hand(model: VBPR, x: npt.NDArray[np.float32], q: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    arrays = {name: a.astype(float) for name, a in model._arrays.items()}
    half = model.config.dim
    read = x @ arrays["weight"].T + arrays["offset"]
    scores: npt.NDArray[np.float64] = arrays["users"][:, :half] @ q.T + arrays["users"][:, half:] @ read.T
    return scores


def test_scores_by_hand_and_a_new_item_by_its_features_alone() -> None:
    model = VBPR(SMALL)
    model.fit(TrainingData(train(), tables()), seed=1)
    x = np.concatenate([table.vectors for table in tables().values()], axis=1)
    everyone = np.arange(4)
    known = score_by_hand(model, x, model._arrays["items"][:, :3])
    np.testing.assert_allclose(model.score_users(everyone), known, atol=1e-5)

    only_text = EmbeddingTable(IdMap(["new"]), np.array([[2.0, -1.0]], np.float32), "t")
    assert model.add_items({"text": only_text}) == 1
    mean_picture = tables()["picture"].vectors.mean(axis=0)
    new = np.concatenate([mean_picture, [2.0, -1.0]])[None].astype(np.float32)
    np.testing.assert_allclose(
        model.score_users(everyone)[:, 6:], score_by_hand(model, new, np.zeros((1, 3), np.float32)), atol=1e-5
    )
    assert model.content_items == {"new"}
    assert model.score(None, ["new"]).ground == "content"


def test_centred_features_by_hand() -> None:
    """Each modality less its mean, at length 1; an item that lacks one has zeros there."""
    given = tables()["picture"]
    half = EmbeddingTable(IdMap(ITEMS.ids[:3]), np.array([[1, 0], [4, 4], [1, -4]], np.float32), "t")  # mean (2, 0)
    joined = training_features("vbpr", {"picture": given, "text": half}, ITEMS).joined(centred=True)
    picture = given.vectors - given.vectors.mean(axis=0)
    np.testing.assert_allclose(joined[:, :4], picture / np.linalg.norm(picture, axis=1, keepdims=True), atol=1e-6)
    root = np.sqrt([20, 17])
    text = [[-1, 0], [2 / root[0], 4 / root[0]], [-1 / root[1], -4 / root[1]], [0, 0], [0, 0], [0, 0]]
    np.testing.assert_allclose(joined[:, 4:], text, atol=1e-6)

    model = VBPR(SMALL.model_copy(update={"centred": True}))
    model.fit(TrainingData(train(), {"text": half}), seed=1)
    model.add_items({"text": EmbeddingTable(IdMap(["far"]), np.array([[8, 8]], np.float32), "t")})
    along = np.array([[0.6, 0.8]], np.float32)
    expected = along @ model._arrays["weight"].T + model._arrays["offset"]
    np.testing.assert_allclose(model._arrays["items"][6, 3:], expected[0], atol=1e-6)


def test_a_modality_it_was_not_trained_on_places_nothing() -> None:
    model = VBPR(SMALL)
    model.fit(TrainingData(train(), tables()))
    assert model.add_items({"sound": EmbeddingTable(IdMap(["new"]), np.ones((1, 7), np.float32), "s")}) == 0
    assert (model.score_users(np.arange(4))[:, 6] == 0).all()
    assert model.content_items == frozenset()


def test_unfit_features_are_one_clear_line() -> None:
    with pytest.raises(DataError, match="vbpr: no modality was given"):
        VBPR(SMALL).fit(TrainingData(train()))
    stranger = EmbeddingTable(IdMap(["x"]), np.ones((1, 4), np.float32), "s")
    with pytest.raises(DataError, match=r"vbpr: modality 'text' \(space 's'\) has none of the 6 items"):
        VBPR(SMALL).fit(TrainingData(train(), {"text": stranger}))
    model = VBPR(SMALL)
    model.fit(TrainingData(train(), tables()))
    with pytest.raises(DataError, match="'text' was trained 2 wide, space 's' is 4 wide"):
        model.add_items({"text": stranger})
    assert model.items == ITEMS, "a refused item changes nothing"


def test_an_item_a_modality_lacks_gets_its_mean() -> None:
    some = IdMap(ITEMS.ids[:4])
    table = EmbeddingTable(some, np.arange(8, dtype=np.float32).reshape(4, 2), "t")
    features = training_features("vbpr", {"text": table}, ITEMS)
    np.testing.assert_allclose(features.inputs["text"][4:], [[3, 4], [3, 4]])
    assert (features.units["text"][4:] == 0).all()
    model = VBPR(SMALL)
    model.fit(TrainingData(train(), {"text": table}), seed=1)
    np.testing.assert_allclose(model._arrays["items"][4, 3:], model._arrays["items"][5, 3:])
