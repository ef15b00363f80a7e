"""FREEDOM: its two graphs by hand, how edges are thinned, and where new items stand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import sparse

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.vectors import EmbeddingTable
from models.base import TrainingData
from models.freedom import FREEDOM, FREEDOMConfig
from models.freedom_network import FREEDOMNetwork, thinned
from models.item_features import training_features

N_USERS, N_ITEMS = 7, 9
USERS = IdMap([f"u{n}" for n in range(N_USERS)], "user")
ITEMS = IdMap([f"i{n}" for n in range(N_ITEMS)])
SMALL = FREEDOMConfig(dim=4, neighbours=3, epochs=2, batch_size=16, learning_rate=0.05)


def interactions(n_items: int = N_ITEMS) -> Interactions:
    rng = np.random.default_rng(4)
    pairs = [(u, i) for u in range(N_USERS) for i in range(n_items) if i == u or rng.random() < 0.3]
    users, items = np.array(pairs, np.int32).T
    return Interactions(USERS, ITEMS, users, items, np.zeros(len(pairs), np.int64))


def tables(ids: IdMap = ITEMS) -> dict[str, EmbeddingTable]:
    rng = np.random.default_rng(6)
    whole = {
        name: rng.normal(size=(N_ITEMS, width)).astype(np.float32) for name, width in (("picture", 4), ("text", 3))
    }
    return {name: EmbeddingTable(ids, values[[ITEMS.row(i) for i in ids]], name) for name, values in whole.items()}


def network(log: Interactions, features: dict[str, EmbeddingTable], config: FREEDOMConfig = SMALL) -> FREEDOMNetwork:
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(2)
        return FREEDOMNetwork(log.csr(), training_features("freedom", features, log.items), config)


def smoothed(taken: npt.NDArray[np.float64], users: npt.NDArray[np.float64], items: npt.NDArray[np.float64]) -> object:
    """The mean of layers 0, 1 and 2 over the normalised graph, users over items."""
    nodes = np.block([[np.zeros((N_USERS, N_USERS)), taken], [taken.T, np.zeros((N_ITEMS, N_ITEMS))]])
    root = np.zeros(len(nodes))
    degrees = nodes.sum(axis=1)
    root[degrees > 0] = degrees[degrees > 0] ** -0.5
    normal = root[:, None] * nodes * root
    rows = np.concatenate([users, items])
    return (rows + normal @ rows + normal @ normal @ rows) / 3


def test_the_item_graph_by_hand() -> None:
    """Angles 0, 10, 30, 100 degrees; two neighbours, the item itself among them: 0-1, 1-0, 2-1, 3-2."""
    angles = np.deg2rad([0, 10, 30, 100])
    picture = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    text = np.eye(4, dtype=np.float32)  # nobody is alike: ties go to the lower row
    ids = IdMap("abcd")
    log = Interactions(
        IdMap("u", "user"), ids, np.zeros(2, np.int32), np.array([0, 1], np.int32), np.zeros(2, np.int64)
    )
    features = {"picture": EmbeddingTable(ids, 5 * picture, "p"), "text": EmbeddingTable(ids, text, "t")}
    made = network(log, features, FREEDOMConfig(dim=4, neighbours=2, graph_weight=0.25))
    by_picture = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]) / 2
    by_text = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1]]) / 2
    graph = 0.25 * by_picture + 0.75 * by_text
    own, rows = made.items.detach().numpy(), {n: t.detach().numpy() for n, t in made.tables().items()}
    # Items c and d were taken by nobody, so the user-item graph leaves them a third of their own row.
    np.testing.assert_allclose(rows["items"][2:], own[2:] / 3 + (graph @ own)[2:], atol=1e-6)


def test_rows_and_loss_by_dense_matrices() -> None:
    config = SMALL.model_copy(update={"edge_dropout": 0.0, "regularisation": 0.5})
    log = interactions()
    made = network(log, tables(), config)
    users, own = (p.detach().numpy().astype(float) for p in (made.users, made.items))
    graph = made._alike.matrix.to_dense().numpy().astype(float)
    rows = smoothed(log.csr().toarray().astype(float), users, own)
    assert isinstance(rows, np.ndarray)
    x_users, x_items = rows[:N_USERS], rows[N_USERS:] + graph @ own
    found = {name: table.detach().numpy() for name, table in made.tables().items()}
    np.testing.assert_allclose(found["users"], x_users, atol=1e-6)
    np.testing.assert_allclose(found["items"], x_items, atol=1e-6)

    triples = np.array([[0, 1, 6], [0, 2, 3], [5, 8, 8]])
    u, i, j = triples
    expected = np.log1p(np.exp(-(x_users[u] * (x_items[i] - x_items[j])).sum(1))).mean()
    for reading, table in zip(made.readings, tables().values(), strict=True):
        weight = dict(reading.named_parameters())["weight"].detach().numpy()
        read = table.vectors @ weight.T
        expected += 0.5 * np.log1p(np.exp(-(x_users[u] * (read[i] - read[j])).sum(1))).mean()
    assert made.loss(torch.from_numpy(triples)).item() == pytest.approx(expected, rel=1e-5)


def test_training_walks_a_thinned_graph_and_serving_the_whole() -> None:
    made = network(interactions(), tables())
    before = {name: table.detach().numpy().copy() for name, table in made.tables().items()}
    triples = torch.tensor([[0, 1], [0, 2], [5, 8]])
    losses = set()
    for epoch in range(4):
        made.start_epoch(np.random.default_rng(epoch))
        losses.add(made.loss(triples).item())
    assert len(losses) > 1
    for name, table in made.tables().items():
        assert (table.detach().numpy() == before[name]).all()


def test_thinning_keeps_the_share_it_should_and_drops_busy_edges_first() -> None:
    """User 0 took items 0, 1, 2; user 1 took item 0: weights 1/sqrt(6), 1/sqrt(3), 1/sqrt(3), 1/sqrt(2)."""
    taken = sparse.csr_array(np.array([[1, 1, 1], [1, 0, 0]], np.float32))
    weights = np.array([1 / np.sqrt(6), 1 / np.sqrt(3), 1 / np.sqrt(3), 1 / np.sqrt(2)])
    rng, draws = np.random.default_rng(0), 4000
    counts = np.zeros(4)
    for _ in range(draws):
        kept = thinned(taken, 0.7, rng).toarray()
        assert kept.sum() == 1, "int(4 * 0.3)"
        counts += [kept[0, 0], kept[0, 1], kept[0, 2], kept[1, 0]]
    chance = weights / weights.sum()
    assert np.abs(counts / draws - chance).max() < 4 * np.sqrt(0.25 / draws)
    two = [thinned(taken, 0.5, rng) for _ in range(50)]
    assert {graph.nnz for graph in two} == {2}
    assert all((graph.toarray() <= taken.toarray()).all() for graph in two)
    assert thinned(taken, 0.99, rng).nnz == 1


def test_a_new_item_stands_where_the_graph_would_have_put_it() -> None:
    """Trained with an item nobody took and no row of its own, then told of it later: the same row."""
    log = interactions(N_ITEMS - 1)
    made = network(log, tables())
    with torch.no_grad():
        made.items[-1] = 0
    rows = {name: table.detach().numpy() for name, table in made.tables().items()}

    shorter = FREEDOM(SMALL)
    shorter.fit(TrainingData(log, tables()))
    shorter._arrays = {**shorter._arrays, **rows, **made.constants()}
    per_item = ("items", "own", "fold_in", "counts", "bias", "features.picture", "features.text")
    shorter._arrays = {name: a[:-1] if name in per_item else a for name, a in shorter._arrays.items()}
    shorter.items = IdMap(ITEMS.ids[:-1])
    assert shorter.add_items(tables()) == 1
    np.testing.assert_allclose(shorter._arrays["items"][-1], rows["items"][-1], atol=1e-6)
    alone = shorter.score(None, ["i8"])
    assert alone.ground == "content"
    assert np.ptp(alone.values) > 0, "who took only the new item is still someone"


def test_what_is_missing_or_too_large_is_one_clear_line() -> None:
    data = TrainingData(interactions(), tables())
    with pytest.raises(DataError, match="freedom: no modality was given"):
        FREEDOM(SMALL).fit(TrainingData(interactions()))
    with pytest.raises(DataError, match=r"freedom: 9 items exceed max_items = 8 \("):
        FREEDOM(SMALL.model_copy(update={"max_items": 8})).fit(data)
    with pytest.raises(DataError, match=r"freedom: \d+ training rows exceed max_interactions = 2 \("):
        FREEDOM(SMALL.model_copy(update={"max_interactions": 2})).fit(data)
