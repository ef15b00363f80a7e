from __future__ import annotations

import pytest

from eval.agent.claims import Claims
from tools.toy_items import toy_items

CLAIMS = Claims(toy_items())


def faults(text: str, said: str = "", reason: str = "") -> list[str]:
    return CLAIMS.faults({"text": text, "recommendations": [{"item_id": "M01", "reason": reason}]}, said)


@pytest.mark.parametrize(
    "text",
    [
        "Blue speckled mug is rated 4.5.",
        "Some are rated 4.9.",
        "It is made by Terrano.",
        "Blue speckled mug, rated 5, made by hand.",  # 4.5 rounds to 5
    ],
)
def test_what_the_records_say_passes(text: str) -> None:
    assert faults(text) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Blue speckled mug is rated 4.9.", "invented rating"),  # the silk square's, not the mug's
        ("It has 1.2 stars.", "invented rating"),
        ("It is made by Zephyrix.", "invented maker"),
    ],
)
def test_what_no_record_says_is_found(text: str, fault: str) -> None:
    assert [found.partition(":")[0] for found in faults(text)] == [fault]


def test_a_reason_is_held_to_its_own_item_and_the_shopper_may_be_quoted() -> None:
    assert faults("", reason="Rated 4.5 by 82 shoppers") == []
    assert len(faults("", reason="Rated 4.7 by 82 shoppers")) == 1
    assert faults("Nothing is made by Zephyrix here.", said="anything by Zephyrix?") == []
