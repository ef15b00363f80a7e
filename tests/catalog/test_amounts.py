"""Amounts in digits, and that both readers of money read them alike."""

import pytest

from agent.understanding.quantities import number, price_bounds
from captioning.intents.budgets import budgets
from catalog.amounts import amount

WRITTEN = {
    "1,200": 1200.0, "1.200": 1200.0, "1,200,000": 1_200_000.0, "9,50": 9.5, "9.5": 9.5, "0.5": 0.5, "40": 40.0,
    "1,234.56": 1234.56, "1.234,56": 1234.56, "2k": 2000.0, "1.5k": 1500.0,
}  # fmt: skip


@pytest.mark.parametrize(("written", "value"), WRITTEN.items())
def test_what_is_written(written, value):
    assert amount(written) == number(written) == pytest.approx(value)


@pytest.mark.parametrize(("written", "value"), WRITTEN.items())
def test_the_chat_and_the_intents_read_the_same_bound(written, value):
    text = f"a vase up to €{written}"
    (bound,) = price_bounds(text)
    (span,) = budgets(text, "query")
    assert (bound.high, span.aspect, span.amount) == (pytest.approx(value), "max", pytest.approx(value))


def test_more_digits_than_any_price_has_are_bounded():
    assert amount("9" * 12 + "k") == 1e12


def test_spaces_between_thousands():
    assert amount("12\u00a0500") == amount("12\u202f500") == amount("12 500") == 12_500.0
