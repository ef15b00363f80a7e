from datetime import UTC, datetime

import polars as pl
import pytest

from catalog.columns import INTERACTIONS
from catalog.errors import DataError
from embedding.reviews import ReviewConfig, chosen_reviews, review_texts, reviews_meta


def log(*rows, labels=None):
    """Rows of (item, day, stars, text); one user each."""
    table = pl.DataFrame(
        [
            {
                "event_id": f"e{at:02d}", "user_id": f"u{at}", "item_id": item, "kind": "rating", "value": stars,
                "timestamp": datetime(2026, 1, day, tzinfo=UTC), "text": text,
            }
            for at, (item, day, stars, text) in enumerate(rows)
        ],
        schema=INTERACTIONS,
    )  # fmt: skip
    return table if labels is None else table.with_columns(pl.Series("x_label", labels))


ROWS = [
    ("a", 1, 5.0, "five, oldest"), ("a", 2, 5.0, "five, older still going on"), ("a", 3, 5.0, "five, newest"),
    ("a", 4, 1.0, "one"), ("a", 5, None, "no star"), ("b", 1, 3.0, "  "), ("b", 2, 3.0, None),
]  # fmt: skip


def texts(table, **changes):
    config = ReviewConfig(**changes)
    return review_texts(chosen_reviews(table, config), config)


@pytest.mark.parametrize(
    ("choose", "first"),
    [
        ("spread", ("five, newest", "one", "no star", "five, older still going on")),
        ("recent", ("no star", "one", "five, newest", "five, older still going on")),
        ("informative", ("five, older still going on", "no star", "five, newest", "five, oldest")),
    ],
)
def test_which_reviews_speak_for_an_item(choose, first):
    assert texts(log(*ROWS), choose=choose, count=4) == {"a": first}


def test_the_order_of_the_log_does_not_matter():
    table = log(*ROWS)
    for choose in ("spread", "recent", "informative"):
        assert texts(table.reverse(), choose=choose) == texts(table, choose=choose)


def test_nothing_from_the_moment_on_is_read():
    table = log(*ROWS)
    cut = datetime(2026, 1, 3, tzinfo=UTC)
    assert texts(table, as_of=cut)["a"] == ("five, older still going on", "five, oldest")
    assert texts(table, as_of=datetime(2026, 1, 1, tzinfo=UTC)) == {}
    assert reviews_meta(chosen_reviews(table, ReviewConfig(as_of=cut)), ReviewConfig(as_of=cut))["used"] == 2


def test_a_given_split_lets_train_rows_speak_alone():
    table = log(*ROWS, labels=[0, 2, 1, 0, 2, 0, 0])
    assert texts(table, label_column="x_label")["a"] == ("five, oldest", "one")
    with pytest.raises(DataError, match=r"'x_lable'.*Available: x_label"):
        texts(table, label_column="x_lable")


def test_the_same_words_count_once_and_each_is_cut_at_a_sentence():
    table = log(("a", 1, 5.0, "Good."), ("a", 2, 5.0, "Good."), ("a", 3, 5.0, "It is warm. It holds a great deal"))
    assert texts(table, chars=20) == {"a": ("It is warm.", "Good.")}


def test_notes_that_are_the_shops_own_business_are_no_reviews():
    table = log(("a", 1, None, "Where is my parcel")).with_columns(kind=pl.lit("complaint"))
    assert texts(table) == {} and texts(table, kinds=("complaint",)) == {"a": ("Where is my parcel",)}


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="timezone"):
        ReviewConfig(as_of=datetime(2026, 1, 1))  # noqa: DTZ001 - the fault under test
