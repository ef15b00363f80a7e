"""Figures and pictures in sentences, as a shopper reads them."""

from __future__ import annotations

from typing import Any

import pytest

from agent.explanation_wish import seen
from agent.figures import figure
from agent.gate.grounds import Record
from agent.planner_records import detail
from catalog.nouns import Caption, Item


@pytest.mark.parametrize(
    ("value", "said"), [(4.3333333, "4.33"), (4.5, "4.5"), (5, "5"), (1234567.0, "1234567"), (-0.001, "0")]
)
def test_a_figure_has_two_decimals_at_most_and_no_powers_of_ten(value: float, said: str) -> None:
    assert figure(value) == said


def test_a_rating_is_told_short() -> None:
    row: dict[str, Any] = {"handle": "#1", "rating": 4.3333333, "price": 9.5, "currency": "EUR"}
    assert detail(row, "rating") == "#1 is rated 4.33."
    assert detail(row, None) == "#1: €9.50, rated 4.33."
    assert detail({"handle": "#1"}, "rating") == "#1 has no rating yet."


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("stripe", "its picture shows broad horizontal stripes"),
        ("foot", "its picture shows it on a foot"),
        ("navy", "its picture shows a wide, rounded object in navy"),
    ],
)
def test_what_a_picture_shows_is_said_as_a_clause(asked: str, said: str) -> None:
    text = "A wide, rounded object in navy. Pattern: broad horizontal stripes. Silhouette: on a foot, with a handle."
    record = Record(Item("v", title="Vase"), (Caption("v", "v.jpg", text, "pixels", "p", "k"),))
    assert [each.text for each in seen(record, [asked], set())] == [said]


def test_one_word_after_a_label_takes_the_label_along() -> None:
    record = Record(Item("v", title="Vase"), (Caption("v", "v.jpg", "Pattern: plain.", "pixels", "p", "k"),))
    assert [each.text for each in seen(record, ["plain"], set())] == ["its picture shows a plain pattern"]
