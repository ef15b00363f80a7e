"""Cards on a terminal."""

from __future__ import annotations

from agent.base import Evidence, ShownRecommendation
from vitrine.cli.terminal import recommendation_lines

VASE = ShownRecommendation(
    "V01",
    "Cobalt bud vase",
    24.0,
    "EUR",
    1,
    1.0,
    "Blue, as you asked.",
    (Evidence("field", "colour", "blue", "colour: blue"),),
)


def test_what_backs_a_reason_is_printed_when_asked_for() -> None:
    card = ["  1. Cobalt bud vase  €24.00", "     Blue, as you asked."]
    assert recommendation_lines([VASE]) == card
    assert recommendation_lines([VASE], why=True) == [*card, "     because: colour: blue"]
