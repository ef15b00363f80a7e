import pytest

from catalog.ids import IdMap
from catalog.nouns import Candidate
from indexes.fusion import SourceRank, fuse

ITEMS = IdMap("abcd")


def ranked(source: str, *item_ids: str) -> list[Candidate]:
    return [Candidate(item_id, 10.0 - n, source) for n, item_id in enumerate(item_ids)]


def test_score_is_the_sum_of_reciprocal_ranks() -> None:
    fused = fuse({"keyword": ranked("keyword", "a", "b"), "text": ranked("text", "c", "a")}, ITEMS)
    assert [f.item_id for f in fused] == ["a", "c", "b"]
    assert [f.score for f in fused] == pytest.approx([1 / 61 + 1 / 62, 1 / 61, 1 / 62])
    assert fused[0].sources == (SourceRank("keyword", 1, 10.0), SourceRank("text", 2, 9.0))


def test_ties_go_to_the_lower_row() -> None:
    fused = fuse({"one": ranked("one", "d"), "two": ranked("two", "b")}, ITEMS)
    assert [f.item_id for f in fused] == ["b", "d"]


def test_weights_scale_a_source() -> None:
    fused = fuse({"one": ranked("one", "a"), "two": ranked("two", "b")}, ITEMS, weights={"two": 2.0})
    assert [(f.item_id, f.score) for f in fused] == [("b", pytest.approx(2 / 61)), ("a", pytest.approx(1 / 61))]


def test_nothing_in_nothing_out() -> None:
    assert fuse({}, ITEMS) == fuse({"one": []}, ITEMS) == []
