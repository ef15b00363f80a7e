from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bench.conversation_curve import last_taken, without
from catalog.log import log_frame
from catalog.nouns import Interaction, Kind

START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS: tuple[tuple[str, str, Kind], ...] = (
    ("a", "x", "view"), ("a", "y", "purchase"), ("b", "x", "purchase"), ("a", "x", "purchase"), ("b", "x", "cart"),
    ("a", "y", "view"),
)  # fmt: skip
LOG = log_frame(
    [Interaction(f"e{n}", user, item, START + timedelta(hours=n), kind) for n, (user, item, kind) in enumerate(ROWS)]
)


def test_the_last_thing_taken_is_held_out_of_those_who_took_another_before() -> None:
    assert last_taken(LOG, None) == {"a": "x"}  # b took x alone


def test_nothing_of_a_shopper_and_their_held_out_item_remains() -> None:
    left = without(LOG, {"a": "x"})
    assert [(row["user_id"], row["item_id"]) for row in left.iter_rows(named=True)] == [
        ("a", "y"), ("b", "x"), ("b", "x"), ("a", "y"),
    ]  # fmt: skip
