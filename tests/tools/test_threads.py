"""A shop is read by many at once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any


def test_many_shoppers_at_once_get_what_each_would_get_alone(ids: Any) -> None:
    calls = [
        ("search_items", {"query": "blue vase"}, "ana"),
        ("search_items", {"filters": {"category": ["bags"]}}, "ben"),
        ("recommend_items", {"top_n": 7}, "ana"),
        ("recommend_items", {"top_n": 7}, None),
        ("similar_items", {"item_id": "S01"}, "ben"),
    ] * 8
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda c: ids(c[0], c[1], user=c[2]), calls))
    assert together == [ids(name, arguments, user=user) for name, arguments, user in calls]
