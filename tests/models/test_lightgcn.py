"""LightGCN against dense matrices."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import sparse

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.log import Interactions
from models.base import TrainingData
from models.lightgcn import LightGCN, LightGCNConfig
from models.lightgcn_network import LightGCNNetwork
from models.taken import Taken

N_USERS, N_ITEMS, LAYERS = 6, 8, 3
RNG_SEED = 3


def taken() -> npt.NDArray[np.float32]:
    matrix = (np.random.default_rng(RNG_SEED).random((N_USERS, N_ITEMS)) < 0.4).astype(np.float32)
    matrix[0, 0] = 1
    matrix[-1] = 0  # someone who took nothing
    return matrix


def data() -> TrainingData:
    users, items = (rows.astype(np.int32) for rows in np.nonzero(taken()))
    ids = IdMap([f"u{n}" for n in range(N_USERS)], "user"), IdMap([f"i{n}" for n in range(N_ITEMS)])
    return TrainingData(Interactions(*ids, users, items, np.zeros(len(users), np.int64)))


def smoothing(n_layers: int) -> npt.NDArray[np.float64]:
    """The mean of the powers 0..L of `D^-1/2 A D^-1/2`, users over items."""
    nodes = N_USERS + N_ITEMS
    graph = np.zeros((nodes, nodes))
    graph[:N_USERS, N_USERS:] = taken()
    graph += graph.T
    root = np.zeros(nodes)
    degrees = graph.sum(axis=1)
    root[degrees > 0] = degrees[degrees > 0] ** -0.5
    normal = root[:, None] * graph * root[None, :]
    mean: npt.NDArray[np.float64] = np.mean([np.linalg.matrix_power(normal, n) for n in range(n_layers + 1)], axis=0)
    return mean


def network(regularisation: float = 0.0) -> LightGCNNetwork:
    config = LightGCNConfig(dim=5, n_ui_layers=LAYERS, regularisation=regularisation)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(1)
        return LightGCNNetwork(sparse.csr_array(taken()), config)


def layer0(made: LightGCNNetwork) -> npt.NDArray[np.float64]:
    return np.concatenate([made.users.detach().numpy(), made.items.detach().numpy()]).astype(float)


def test_rows_are_the_mean_of_the_layers() -> None:
    made = network()
    tables = {name: table.detach().numpy() for name, table in made.tables().items()}
    expected = smoothing(LAYERS) @ layer0(made)
    np.testing.assert_allclose(tables["users"], expected[:N_USERS], atol=1e-6)
    np.testing.assert_allclose(tables["items"], expected[N_USERS:], atol=1e-6)


def test_gradient_through_the_graph_by_hand() -> None:
    """With `x = P e`, the gradient in e is `P^T` times that in x, and lambda pulls at layer 0."""
    made, strength = network(0.2), 0.2
    triples = np.array([[0, 1, 2, 0], [0, 3, 5, 2], [4, 6, 1, 7]])
    torch.autograd.backward(made.loss(torch.from_numpy(triples)))
    smooth, rows = smoothing(LAYERS), layer0(made)
    final, pull = smooth @ rows, np.zeros_like(rows)
    direct = np.zeros_like(rows)
    for u, i, j in triples.T:
        i, j = i + N_USERS, j + N_USERS
        weight = 1 / (1 + np.exp(final[u] @ (final[i] - final[j]))) / 4
        pull[u] -= weight * (final[i] - final[j])
        pull[i] -= weight * final[u]
        pull[j] += weight * final[u]
        for node in (u, i, j):
            direct[node] += strength * rows[node] / 4
    expected = smooth.T @ pull + direct
    assert made.users.grad is not None
    assert made.items.grad is not None
    np.testing.assert_allclose(made.users.grad, expected[:N_USERS], atol=1e-6)
    np.testing.assert_allclose(made.items.grad, expected[N_USERS:], atol=1e-6)


def test_a_new_shopper_gets_the_row_the_graph_would_give() -> None:
    """The graph's row of a user whose own layer 0 is zero, in direction; its length is a usual one."""
    made = network()
    with torch.no_grad():
        made.users[1] = 0
    model = LightGCN(LightGCNConfig(dim=5, n_ui_layers=LAYERS, epochs=1))
    model.fit(data(), seed=1)
    tables = {name: table.detach().numpy() for name, table in made.tables().items()}
    model._arrays = {**model._arrays, **tables}
    items = np.flatnonzero(taken()[1])
    row = model._session_row(Taken(items, np.ones(len(items), np.float32)))
    expected = tables["users"][1]
    np.testing.assert_allclose(row / np.linalg.norm(row), expected / np.linalg.norm(expected), atol=1e-5)
    assert np.linalg.norm(row) == pytest.approx(model._arrays["user_length"][0], rel=1e-5)


def test_a_graph_beyond_the_limit_is_refused() -> None:
    n = int(taken().sum())
    with pytest.raises(DataError, match=rf"lightgcn: {n} training rows exceed max_interactions = 3 \(1 walks"):
        LightGCN(LightGCNConfig(max_interactions=3)).fit(data())
