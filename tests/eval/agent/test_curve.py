from __future__ import annotations

from pathlib import Path

import pytest

from eval.agent.curve import MOST, cases, curve, curve_text, filters_of
from eval.agent.harness import Harness
from eval.agent.tasks import Wish
from tools.doubles import TOY_NOW
from tools.shop import Shop

HELD_OUT = {"ana": "V03", "ben": "L06", "cleo": "M03", "dora": "V04", "eve": "gone"}


def test_cases_are_items_in_stock_that_can_be_asked_for_by_kind_first(shop: Shop) -> None:
    chosen = cases(shop.catalog, HELD_OUT, n=10, seed=0)
    assert {case.user_id for case in chosen} == {"ana", "ben", "cleo"}  # V04 is out of stock, "gone" no item
    assert all(case.wishes[0].field == "category" and len(case.wishes) <= MOST for case in chosen)
    assert all(wish.holds(shop.catalog[case.item_id]) for case in chosen for wish in case.wishes)
    assert len(cases(shop.catalog, HELD_OUT, n=2, seed=0)) == 2


def test_each_constraint_brings_the_conversation_nearer(shop: Shop, tmp_path: Path) -> None:
    harness = Harness(shop, tmp_path, now=lambda: TOY_NOW)
    found = curve(harness, cases(shop.catalog, HELD_OUT, n=3, seed=0), now=TOY_NOW)
    harness.close()
    agent, recommender = ([point["mean"] for point in found["ndcg"][name]] for name in ("agent", "recommender"))
    assert len(agent) == MOST + 1 and found["cases"] == 3
    assert agent[MOST] == pytest.approx(1.0)  # kind, brand, colour, material and price leave one item of this shop
    assert agent[0] < agent[1] < agent[MOST]
    assert recommender == [recommender[0]] * (MOST + 1)
    gain = found["agent_minus"]["recommender"][MOST]["mean"]
    assert gain == pytest.approx(agent[MOST] - recommender[MOST])
    assert "agent" in curve_text(found) and "3 shoppers" in curve_text(found)


def test_wishes_become_the_shops_filters() -> None:
    wishes = (
        Wish(field="category", value="vases"),
        Wish(field="attribute", name="colour", value="blue"),
        Wish(field="price", high=30.0),
    )
    assert filters_of(wishes) == {"category": ["vases"], "attributes": {"colour": ["blue"]}, "price": {"max": 30.0}}
