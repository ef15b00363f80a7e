"""The judge finds what a record does not back, and lets true answers pass."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.nouns import Item
from eval.grounding import Judge, _amount

ITEMS = [
    Item(
        "v1",
        title="Harbour Stone Vase",
        price=34.5,
        currency="EUR",
        brand="Maren Holt",
        categories=("Home", "Vases"),
        description="Thrown from clay; it shall hold.",
    ),
    Item("v2", title="Quiet Morning Vase", price=1299.0, currency="EUR", brand="Lumo", categories=("Home", "Vases")),
    Item("v3", title="Lamp", brand="Jill Lumo", categories=("Night Vases",)),
]
GOOD = {"item_id": "v1", "title": "Harbour Stone Vase", "price": 34.5, "reason": "by Maren Holt"}


def faults(text: str, said: str = "", **changed: Any) -> list[str]:
    answer = {"text": text, "recommendations": [{**GOOD, **changed}]}
    return [finding.fault for finding in Judge(ITEMS).judge(answer, said=said)]


@pytest.mark.parametrize(
    "text",
    [
        "The Harbour Stone Vase by Maren Holt costs 34.50 EUR.",
        "I found one. The dearest is 1,299 euros.",
        "Here Are the vases I would pick.",
        "It is €34.50.",
        "Then Harbour Stone Vase and Quiet Morning Vase by Lumo.",
        "Shall I note it?",  # a record says "shall", and still the sentence is no name
        "From Night Vases.",
        "By J. Maren Holt and Jill Lumo.",  # two names of two records
    ],
)
def test_true_sentences_pass(text: str) -> None:
    assert faults(text) == []


def test_the_shoppers_own_numbers_and_words_are_no_invention() -> None:
    assert faults("Under 40 euros I have this one.", said="a vase under 40") == []
    assert faults("I do not carry Big Boat Vases.", said="got any big boat vases?") == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("The Harbour Stone Vase costs 12.00 EUR.", "invented price"),
        ("The Harbour Stone Vase costs 1299 EUR.", "invented price"),
        ("Everything starts at $3.", "invented price"),
        ("Also look at the Golden Swan Pitcher.", "invented name"),
        ("By Maren Holt and Golden Swan.", "invented name"),
        ("The Golden Swan fits.", "invented name"),
        ("From Golden Pitchers.", "invented name"),
        ("Take #4.", "bare handle"),
    ],
)
def test_inventions_are_found(text: str, fault: str) -> None:
    assert fault in faults(text)


def test_entries_are_checked_against_the_record() -> None:
    assert faults("", item_id="v9") == ["unknown item"]
    assert faults("", title="Harbor Stone Vase") == ["wrong title"]
    assert faults("", price=30.0) == ["wrong price"]
    assert faults("", reason="only 9.99 EUR") == ["invented price"]


@pytest.mark.parametrize(
    ("text", "cents"), [("40", 4000), ("34.5", 3450), ("1,299", 129900), ("1 299,50", 129950), ("1,299.50", 129950)]
)
def test_amounts_are_read_in_both_notations(text: str, cents: int) -> None:
    assert _amount(text) == cents
