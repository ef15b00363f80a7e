"""The room a medium has in a generated shop."""

from __future__ import annotations

import numpy as np
import pytest

from bench.media_ceiling import ceilings, denied
from catalog.boutique.config import BoutiqueConfig
from catalog.boutique.factors import Medium
from catalog.boutique.plan import Plan, plan
from catalog.splits import make_split


def shop(video_share: float) -> tuple[BoutiqueConfig, Plan]:
    config = BoutiqueConfig(seed=3, n_items=96, n_users=200, n_events=4_000, video_share=video_share)
    return config, plan(config)


@pytest.mark.parametrize("medium", ["picture", "video", "text"])
def test_denied_a_medium_one_knows_the_tastes_that_others_show(medium: Medium) -> None:
    _, made = shop(0.5)
    known = denied(made, medium).truth
    for user in list(made.truth.users)[:20]:
        np.testing.assert_allclose(known.relevance(user), made.truth.relevance(user, without={medium}), atol=1e-6)


def test_films_are_worth_something_where_there_are_films_alone() -> None:
    worth = []
    for share in (0.0, 0.8):
        config, made = shop(share)
        split = make_split(made.shop.log, made.shop.catalog.ids, protocol="mmrec", positives=None, seed=1)
        found = ceilings(config, split, "ndcg@20", ("video",))
        assert found[""].shape == found["video"].shape
        worth.append(found[""] - found["video"])
    assert not worth[0].any()
    assert worth[1].mean() > 0.02
