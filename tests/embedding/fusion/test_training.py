"""The pieces of training, each against arithmetic."""

import math

import numpy as np
import pytest
import torch

from catalog.vectors import unit_rows
from embedding.fusion.baskets import Baskets
from embedding.fusion.config import FusionConfig
from embedding.fusion.inputs import RoleInputs, role_inputs
from embedding.fusion.network import FusionNetwork
from embedding.fusion.training import contrast, encode_all, judged, some_hidden

BASKETS = Baskets(np.array([0, 1, 2, 3, 0, 2]), np.array([0, 2, 4, 6]), 4)


def test_a_role_is_always_left_and_the_absent_never_appear():
    present = np.array([[True, True, False], [False, True, False], [True, True, True]] * 200)
    kept = some_hidden(present, np.full(len(present), 0.9), np.random.default_rng(0))
    assert kept.any(axis=1).all() and not (kept & ~present).any()
    assert (kept.sum(axis=1) < present.sum(axis=1)).any()
    assert (some_hidden(present, np.zeros(len(present)), np.random.default_rng(0)) == present).all()


def test_the_loss_leaves_out_the_baskets_own_items_and_takes_off_popularity():
    vectors = torch.eye(4)
    rows, taken, own = np.array([1, 3, 2]), np.array([0, 1, 2]), np.array([0, 2, 0])
    log_q = torch.log(torch.tensor([0.4, 0.3, 0.2, 0.1]))
    config = FusionConfig(dim=8, temperature=0.5)
    anchors, targets = vectors[[1, 3, 1]], vectors[[1, 3, 2]]
    loss = contrast(anchors, targets, rows, BASKETS, taken, own, log_q, config)
    # Row 0 (basket {0, 1}) sees 1, 3, 2; row 1 (basket {2, 3}) sees 3 and 1, since 2 is its own; row 2 (basket
    # {0, 2}) sees 2, 1, 3. A score is 2 where the directions agree, less log q of the item.
    first = -math.log((math.exp(2) / 0.3) / (math.exp(2) / 0.3 + 1 / 0.1 + 1 / 0.2))
    second = -math.log((math.exp(2) / 0.1) / (math.exp(2) / 0.1 + 1 / 0.3))
    third = -math.log((1 / 0.2) / (1 / 0.2 + math.exp(2) / 0.3 + 1 / 0.1))
    assert loss.item() == pytest.approx((first + second + third) / 3, rel=1e-5)


def test_a_held_out_basket_is_judged_by_the_rank_of_each_of_its_items():
    # Centred, items 0 and 1 point one way, 2 and 3 the other: each is its partner's nearest, a first place each.
    vectors = np.array([[1, 0.1], [1, -0.1], [-1, 0.1], [-1, -0.1]], np.float32)
    assert judged(vectors, Baskets(np.array([0, 1, 2, 3]), np.array([0, 2, 4]), 4)) == 1.0
    # Of the baskets {0, 2} and {1, 3} each item finds its partner after one wrong item (and itself is not shown).
    assert judged(vectors, Baskets(np.array([0, 2, 1, 3]), np.array([0, 2, 4]), 4)) == pytest.approx(1 / math.log2(3))


def test_before_training_the_fused_cosine_is_the_mean_of_the_roles_cosines():
    rng = np.random.default_rng(2)
    given = {role: rng.standard_normal((9, width)).astype(np.float32) for role, width in (("text", 5), ("speech", 3))}
    inputs = role_inputs(given, {role: each.mean(axis=0) for role, each in given.items()})
    config = FusionConfig(dim=12, heads=2)
    network = FusionNetwork({"text": 5, "speech": 3}, config)
    network.begin(inputs.vectors)
    fused = encode_all(network, inputs, config)
    plain = [unit_rows(each - each.mean(axis=0)) for each in given.values()]
    np.testing.assert_allclose(fused @ fused.T, sum(each @ each.T for each in plain) / 2, atol=1e-5)


def test_an_absent_role_leaves_the_others_cosine():
    rng = np.random.default_rng(3)
    text = unit_rows(rng.standard_normal((4, 5)).astype(np.float32))
    inputs = RoleInputs({"text": text, "video": np.zeros((4, 3), np.float32)}, np.array([[True, False]] * 4))
    config = FusionConfig(dim=10, heads=2)
    network = FusionNetwork({"text": 5, "video": 3}, config)
    network.begin(inputs.vectors)
    fused = encode_all(network, inputs, config)
    np.testing.assert_allclose(fused @ fused.T, text @ text.T, atol=1e-5)
