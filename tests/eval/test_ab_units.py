"""Who counts in which arm, and for what: every event once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catalog.errors import DataError
from catalog.event_experiments import Deed
from catalog.nouns import Assignment, Slate
from eval.ab import RATE, ab_report
from eval.ab_text import ab_text
from eval.ab_units import arms_data, exposed

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def slate(name: str, user: str | None, arm: str, minutes: float = 0, **more: Any) -> Slate:
    by = "user" if more.get("by") != "session" else "session"
    drawn = Assignment(more.get("experiment", "x"), arm, by, more.get("share", 0.5))  # type: ignore[arg-type]
    return Slate(name, user, more.get("session"), at(minutes), ("i1", "i2"), (1.0, 1.0), drawn)


def deed(user: str, kind: str, minutes: float, **more: Any) -> Deed:
    return Deed(user, more.get("session"), more.get("item", "i1"), at(minutes), kind, more.get("value"), more.get("of"))


def test_events_are_counted_for_whom_the_list_was_shown() -> None:
    slates = [slate("r1", "ann", "a", 0), slate("r2", "ben", "b", 5), slate("r3", "ben", "b", 9)]
    deeds = [
        deed("ann", "purchase", -10), deed("ann", "click", 1, of="r1"), deed("ann", "view", 2, of="r1"),
        deed("ann", "view", 3, of="r1", item="elsewhere"), deed("ann", "purchase", 4),
        deed("ben", "rating", 6, value=5.0), deed("ben", "rating", 7, value=3.0), deed("ben", "dismiss", 8, of="r2"),
        deed("nobody", "click", 8), deed("ben", "click", 9, of="r1"),
    ]  # fmt: skip
    a, b = arms_data(exposed(slates, "x"), deeds, ["a", "b"])
    assert (a.slates.tolist(), a.shown.tolist()) == ([1.0], [2.0]) and b.shown.tolist() == [4.0]
    # The click and the look that follows it are one; what was not on the list is a look, and no click on the list.
    assert a.done["clicks"].tolist() == [2.0] and a.followed.tolist() == [1.0]
    assert (a.done["purchases"].tolist(), a.before["purchases"].tolist()) == ([1.0], [1.0])
    assert (b.done["likes"].tolist(), b.done["dismissals"].tolist(), b.done["clicks"].tolist()) == ([1.0], [1.0], [0.0])


def test_a_guest_counts_by_the_session_until_they_sign_in() -> None:
    """On signing in, the store gives the guest's events and lists to the shopper; the draw stays the session's."""
    slates = [slate("r1", "ann", "b", 0, session="s", by="session"), slate("r2", "ann", "a", 10, session="s")]
    deeds = [
        deed("ann", "click", 1, session="s", of="r1"), deed("ann", "purchase", 2, session="s"),
        deed("ann", "purchase", 12, session="s"), deed("ann", "click", 13, session="s", of="r1", item="i2"),
    ]  # fmt: skip
    a, b = arms_data(exposed(slates, "x"), deeds, ["a", "b"])
    assert (len(a), len(b)) == (1, 1)
    assert (b.done["clicks"].tolist(), b.done["purchases"].tolist()) == ([2.0], [1.0])
    assert (a.done["clicks"].tolist(), a.done["purchases"].tolist()) == ([0.0], [1.0])


def test_shoppers_of_two_arms_are_left_out_and_changed_weights_are_seen() -> None:
    slates = [slate("r1", "ann", "a"), slate("r2", "ann", "b"), slate("r3", "ben", "b", share=0.2)]
    found = exposed(slates, "x")
    assert (found.moved, found.changed, list(found.shoppers)) == (1, True, [("user", "ben")])
    a, b = arms_data(found, [deed("ann", "click", 1, of="r1")], ["a", "b"])
    assert (len(a), len(b)) == (0, 1)


def test_an_experiment_nobody_saw_is_named() -> None:
    with pytest.raises(DataError, match=r"nothing was shown by experiment 'y'.*Available: x"):
        exposed([slate("r1", "ann", "a")], "y")
    with pytest.raises(DataError, match="No list in the log belongs to any experiment"):
        exposed([], "y")


def test_the_report_says_when_it_cannot_be_trusted() -> None:
    slates = [slate(f"r{n}", f"u{n}", "b" if n < 20 else "a") for n in range(100)]
    deeds = [deed(f"u{n}", "click", 1, of=f"r{n}") for n in range(0, 100, 2)]
    report = ab_report("x", arms_data(exposed(slates, "x"), deeds, ["a", "b"]))
    text = ab_text(report)
    assert "NOT as meant" in text and "b has 20" in text and report.split_p < 1e-8
    # 40 of 80 and 10 of 20 shoppers clicked one of two items.
    assert [row.mean for row in report.metrics["clicks"]] == [0.5, 0.5]
    assert [row.mean for row in report.metrics[RATE]] == [0.25, 0.25]
    assert "purchases" not in report.metrics
    one = ab_report("x", arms_data(exposed(slates[19:21], "x"), deeds, ["a", "b"]))
    assert "too few" in ab_text(one)
    assert one.as_json()["metrics"]["clicks"][1]["difference"]["interval"]["low"] is None
