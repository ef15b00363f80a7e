import numpy as np
import polars as pl
import pytest

from catalog.boutique.config import BoutiqueConfig
from catalog.boutique.oracle import expected_takes
from catalog.boutique.plan import Plan
from catalog.log import positives

DAYS = BoutiqueConfig().days


def takes(full: Plan) -> np.ndarray:
    """Who took what, (n_users, n_items)."""
    taken = positives(full.shop.log, None).unique(["user_id", "item_id"])
    out = np.zeros((len(full.truth.users), len(full.truth.items)))
    out[full.truth.users.rows(taken["user_id"].to_list()), full.truth.items.rows(taken["item_id"].to_list())] = 1
    return out


def test_the_expectation_is_what_the_shop_then_sold(full):
    expected = expected_takes(full, DAYS)
    visits = full.shop.log.drop_nulls("session_id").group_by("user_id").agg(pl.col("session_id").n_unique())
    sessions = np.zeros(len(full.truth.users))
    sessions[full.truth.users.rows(visits["user_id"].to_list())] = visits["session_id"].to_list()
    chance = 1 - np.exp(-sessions[:, None] * expected)  # an item is taken once
    assert chance.sum() == pytest.approx(takes(full).sum(), rel=0.1)
    by_item = np.corrcoef(chance.sum(axis=0), takes(full).sum(axis=0))[0, 1]
    assert by_item > 0.9


def test_it_tells_what_each_shopper_takes_from_what_others_do(full):
    expected, taken = expected_takes(full, DAYS), takes(full).astype(bool)
    own = np.argsort(np.argsort(expected, axis=1), axis=1)[taken].mean()
    anyone = np.argsort(np.argsort(np.tile(taken.sum(axis=0), (len(taken), 1)), axis=1), axis=1)[taken].mean()
    assert own > anyone > len(full.truth.items) / 2


def test_what_is_not_for_sale_is_never_expected_to_be_taken(full):
    gone = [row for row, piece in enumerate(full.pieces) if not piece.available]
    assert gone
    assert (expected_takes(full, DAYS)[:, gone] == 0).all()
