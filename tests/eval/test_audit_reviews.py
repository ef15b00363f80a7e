"""Reviews of test rows in an item's text are a leak that is named, counted and has a cure."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from catalog.columns import INTERACTIONS
from catalog.ids import IdMap
from catalog.splits import make_split
from embedding.reviews import ReviewConfig, chosen_reviews
from eval.audit import audit
from eval.audit_reviews import review_finding

START = datetime(2026, 1, 1, tzinfo=UTC)
ITEMS = IdMap([f"i{n}" for n in range(10)])


@pytest.fixture(scope="module")
def log():
    """Ten shoppers write of every item, one a day, shopper n beginning with item n."""
    rows = [
        {
            "event_id": f"e{user}-{day}", "user_id": f"u{user}", "item_id": f"i{(user + day) % 10}", "kind": "rating",
            "timestamp": START + timedelta(days=day), "value": 5.0, "text": f"words {user} {day}",
        }
        for user in range(10)
        for day in range(10)
    ]  # fmt: skip
    table = pl.DataFrame(rows, schema=INTERACTIONS)
    return table.with_columns(pl.Series("x_label", [0 if day < 8 else day - 7 for _ in range(10) for day in range(10)]))


def finding(log, protocol, **config):
    split = make_split(log, ITEMS, protocol=protocol)
    return review_finding("text", split, chosen_reviews(log, ReviewConfig(count=99, **config)))


@pytest.mark.parametrize("protocol", ["mmrec", "last", "temporal"])
def test_all_reviews_hold_the_test_rows_and_fail(log, protocol):
    found = finding(log, protocol)
    assert found.status == "failed" and found.numbers["of test"] == 10 == found.numbers["of valid"]
    assert "embedding.reviews.as_of before the cut" in found.text


@pytest.mark.parametrize("protocol", ["mmrec", "last", "temporal"])
def test_reviews_before_the_cuts_pass(log, protocol):
    assert finding(log, protocol, as_of=START + timedelta(days=8)).status == "passed"


def test_reviews_of_train_rows_pass(log):
    assert finding(log, "mmrec", label_column="x_label").status == "passed"


def test_reviews_of_validation_pairs_are_noted(log):
    found = finding(log, "last", as_of=START + timedelta(days=9))
    assert (found.status, found.numbers["of valid"], found.numbers["of test"]) == ("noted", 10, 0)


def test_under_one_cut_in_time_a_later_review_of_anyone_fails(log):
    stranger = log.head(1).with_columns(user_id=pl.lit("stranger"), timestamp=pl.lit(START + timedelta(days=9)))
    split = make_split(log, ITEMS, protocol="temporal")
    found = review_finding("text", split, stranger.select("item_id", "user_id", "timestamp"))
    assert (found.status, found.numbers["late"], found.numbers["of test"]) == ("failed", 1, 0)


def test_the_audit_of_a_report_fails_with_it(log):
    split = make_split(log, ITEMS, protocol="last")
    sources = chosen_reviews(log, ReviewConfig())
    assert not audit(split, {}, reviews={"text": sources}).passed
    assert audit(split, {}).passed
