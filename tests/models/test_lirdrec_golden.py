"""The reference implementation's own numbers, to 1e-5 (tests/golden/README.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import sparse

from catalog.vectors import unit_rows
from models.lirdrec.graphs import bipartite_graph, item_graph
from models.lirdrec.modalities import transformed
from models.lirdrec.network import Network, bpr_loss
from models.lirdrec.products import Graph
from models.lirdrec.training import WeightCopying

GOLDEN = Path(__file__).parents[1] / "golden" / "lirdrec_reference.npz"
BRANCHES = {"picture": ("v", "v_preference", "a"), "text": ("t", "t_preference", "b")}
BRANCHES["transformed"] = ("s", "id_preference", "c")
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    with np.load(GOLDEN, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays}


def reference_names() -> dict[str, str]:
    names = {"theta": "fusion_module.theta"}
    for branch, (short, users, scorer) in BRANCHES.items():
        own = f"branch_{branch}"
        names[f"{own}.inner.weight"] = f"{short}_MLP.weight"
        names[f"{own}.inner.bias"] = f"{short}_MLP.bias"
        names[f"{own}.outer.weight"] = f"{short}_MLP_1.weight"
        names[f"{own}.users"] = users
        for layer, theirs in (("scorer.0", "fc1"), ("scorer.2", "fc2")):
            for kind in ("weight", "bias"):
                names[f"{own}.{layer}.{kind}"] = f"fusion_module.weco_{scorer}.{theirs}.{kind}"
    return names


def graphs(golden: dict[str, Any]) -> tuple[sparse.csr_array, sparse.csr_array]:
    users, items = golden["train"].T
    positives = sparse.csr_array((np.ones(len(users), np.float32), (users, items)), shape=(60, 90))
    units = [unit_rows(golden["image_feat"]), unit_rows(golden["text_feat"])]
    return bipartite_graph(positives), item_graph(units, k=5, weight=0.1)


def test_both_graphs_are_the_references(golden: dict[str, Any]) -> None:
    bipartite, items = graphs(golden)
    assert np.abs(bipartite.toarray() - golden["adj_norm"][:60, 60:]).max() < 1e-6
    assert np.abs(bipartite.T.toarray() - golden["adj_norm"][60:, :60]).max() < 1e-6
    assert np.abs(items.toarray() - golden["item_graph"]).max() < 1e-6


def test_three_epochs_forward_loss_gradients_and_copying(golden: dict[str, Any]) -> None:
    bipartite, items = graphs(golden)
    given = {"picture": golden["image_feat"], "text": golden["text_feat"]}
    features = {**given, "transformed": transformed(list(given.values()))}
    network = Network(
        {name: torch.from_numpy(table) for name, table in features.items()},
        Graph(bipartite), Graph(items), dim=16, n_layers=2,
    )  # fmt: skip
    names = reference_names()
    parameters = dict(network.named_parameters())
    assert parameters.keys() == names.keys()
    for ours, theirs in names.items():
        parameters[ours].data.copy_(torch.from_numpy(golden[f"param.{theirs}"]))

    triples = torch.from_numpy(np.stack([golden[f"batch.{part}"] for part in ("users", "pos", "neg")]))
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    weights = WeightCopying(0.9, 0.9)
    alpha = None
    for epoch in (1, 2, 3):
        weights.start_epoch(epoch, network.theta, alpha)
        expected = {
            name.removeprefix(f"epoch{epoch}."): value
            for name, value in golden.items()
            if name.startswith(f"epoch{epoch}.")
        }
        np.testing.assert_allclose((weights.scorer_weight, weights.copy_weight), expected["pwc_w"], atol=1e-12)
        np.testing.assert_allclose(network.theta.detach(), expected["pwc_theta"], atol=TOLERANCE)
        tables = network(weights.scorer_weight, weights.copy_weight)
        loss = bpr_loss(tables, triples, 1e-3)
        optimiser.zero_grad()
        loss.backward()
        assert float(loss.detach()) == pytest.approx(float(expected["loss"]), abs=TOLERANCE)
        np.testing.assert_allclose(tables.users.detach(), expected["user_rep"], atol=TOLERANCE)
        np.testing.assert_allclose(tables.items.detach(), expected["item_rep"], atol=TOLERANCE)
        for ours, theirs in names.items():
            gradient = parameters[ours].grad
            assert gradient is not None
            np.testing.assert_allclose(gradient, expected[f"grad.{theirs}"], atol=TOLERANCE, err_msg=ours)
            # Gradients are small numbers, so an absolute bound alone would say little.
            scale = max(np.abs(expected[f"grad.{theirs}"]).max(), 1e-6)
            assert np.abs(gradient.numpy() - expected[f"grad.{theirs}"]).max() / scale < 1e-3, ours
        alpha = tables.alpha.detach()
        optimiser.step()
