"""What a page tells of each result: the values it was ordered by, and what it is closest to."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable
from tools.base import Shopper
from tools.pipeline.nouns import Closest, PipelineRequest
from tools.pipeline.page import Features, closest
from tools.taste import Taste


def test_features_are_those_of_the_order_over_those_the_ranker_saw() -> None:
    seen = np.array([24.0, np.nan, 0.5], np.float32)
    features = Features({"taste": 0.9, "fused": 1.0}, seen, ("price", "age", "taste"))
    assert dict(features) == {"price": 24.0, "taste": 0.9, "fused": 1.0} and next(iter(features)) == "price"
    assert len(features) == 3 and "age" not in features and features.get("ctr") is None and features["price"] == 24.0


def table(space: str, **vectors: list[float]) -> EmbeddingTable:
    return EmbeddingTable(IdMap(vectors), np.array(list(vectors.values()), np.float32), space)


@pytest.fixture
def shop() -> Any:
    text = table("text", a=[1, 0], b=[3, 4], x=[2, 0], y=[0, 1])
    look = table("look", a=[0, 1], x=[1, 0], z=[0, 5])
    tables = {"text": text, "look": look, "none": EmbeddingTable(IdMap([]), np.zeros((0, 2), np.float32), "none")}
    return SimpleNamespace(spaces=tables, indexes=tables, table=tables.__getitem__)


def found(shop: Any, item_ids: list[str], **request: Any) -> dict[str, Closest]:
    liked = Taste(why=(("x", "view"), ("y", "purchase"), ("z", "cart")))
    return closest(shop, PipelineRequest(Shopper("ana"), datetime.now(UTC), **request), liked, item_ids)


def test_each_result_names_the_liked_item_nearest_in_any_space(shop: Any) -> None:
    near = found(shop, ["a", "b", "c"])
    assert near == {
        "a": Closest("x", "view", "text", 1.0),  # as near as z in `look`: the first space says
        "b": Closest("y", "purchase", "text", float(np.float32(0.8))),  # 4/5, against 3/5 of x
    }


def test_no_result_is_closest_to_itself_and_examples_come_before_likes(shop: Any) -> None:
    assert found(shop, ["x"], like=("x", "b"))["x"] == Closest("b", "example", "text", float(np.float32(0.6)))
    assert found(shop, ["x"], like=("x",)) == {} and found(shop, []) == {} and found(shop, ["a"], spaces=()) == {}
