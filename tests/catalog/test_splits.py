"""Splits on logs a reader can check in the head, and on the real logs beside the project."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from catalog.columns import INTERACTIONS
from catalog.errors import ConfigError, DataError
from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.splits import Split, make_split

DAY = timedelta(days=1)
START = datetime(2024, 1, 1, tzinfo=UTC)


def log_of(*rows: tuple[str, str, float], kind: str = "purchase", label: Sequence[int] | None = None) -> pl.DataFrame:
    """A log of (user, item, day)."""
    table = [
        {"event_id": f"e{n}", "user_id": user, "item_id": item, "timestamp": START + day * DAY, "kind": kind}
        for n, (user, item, day) in enumerate(rows)
    ]
    frame = pl.DataFrame(table, schema=INTERACTIONS, orient="row")
    return frame if label is None else frame.with_columns(pl.Series("x_label", label, pl.Int64))


def pairs(part: Interactions) -> list[tuple[str, str]]:
    rows = zip(part.users.at(part.user_rows), part.items.at(part.item_rows), strict=True)
    return list(rows)


ITEMS = IdMap("abcdefgh")


def test_given_labels_are_taken_and_users_without_a_train_row_are_dropped() -> None:
    log = log_of(
        ("ann", "a", 0), ("ann", "b", 1), ("ann", "c", 2), ("bob", "a", 0), ("bob", "d", 1), ("new", "a", 3),
        label=[0, 1, 2, 0, 2, 2],
    )  # fmt: skip
    split = make_split(log, ITEMS, protocol="mmrec")
    assert pairs(split.train) == [("ann", "a"), ("bob", "a")]
    assert pairs(split.valid) == [("ann", "b")]
    assert pairs(split.test) == [("ann", "c"), ("bob", "d")]
    assert split.users.ids == ("ann", "bob") and split.items is ITEMS
    assert (split.meta["source"], split.meta["dropped_users"], split.meta["dropped_rows"]) == ("x_label", 1, 1)
    assert (split.meta["train"], split.meta["valid"], split.meta["test"]) == (2, 1, 2)
    assert len(split.cold_users) == 0
    assert ITEMS.at(split.cold_items) == ["b", "c", "d"]


def test_a_pair_stands_in_its_earliest_part_once() -> None:
    log = log_of(
        ("ann", "a", 0), ("ann", "a", 1), ("ann", "a", 2), ("ann", "b", 3), ("ann", "b", 4), ("ann", "c", 5),
        label=[0, 0, 2, 2, 1, 2],
    )  # fmt: skip
    split = make_split(log, ITEMS, protocol="mmrec")
    assert pairs(split.train) == [("ann", "a")]
    assert pairs(split.valid) == [("ann", "b")]
    assert pairs(split.test) == [("ann", "c")]
    assert split.meta["repeats"] == 3


def test_without_labels_each_user_gives_one_row_each_under_ten_and_a_tenth_from_ten_on() -> None:
    sizes = {"two": 2, "three": 3, "nine": 9, "ten": 10, "many": 35}
    items = IdMap(f"i{n}" for n in range(40))
    log = log_of(*[(user, f"i{n}", n) for user, size in sizes.items() for n in range(size)])
    split = make_split(log, items, protocol="mmrec", seed=3)
    expected = {"two": 0, "three": 1, "nine": 1, "ten": 1, "many": 3}
    for part in (split.valid, split.test):
        counts = {user: sum(1 for each, _ in pairs(part) if each == user) for user in sizes}
        assert counts == expected
    union = sorted(pairs(split.train) + pairs(split.valid) + pairs(split.test))
    assert union == sorted(zip(log["user_id"], log["item_id"], strict=True))
    again = make_split(log, items, protocol="mmrec", seed=3)
    other = make_split(log, items, protocol="mmrec", seed=4)
    assert pairs(again.test) == pairs(split.test) != pairs(other.test)


def test_the_random_rule_draws_every_row_alike() -> None:
    """Over 200 seeds each of 4 rows is tested about 50 times; five standard deviations are 31."""
    log = log_of(*[("ann", item, n) for n, item in enumerate("abcd")])
    tested = [pairs(make_split(log, ITEMS, protocol="mmrec", seed=seed).test)[0][1] for seed in range(200)]
    counts = [tested.count(item) for item in "abcd"]
    assert sum(counts) == 200
    assert max(abs(count - 50) for count in counts) < 31


def test_last_takes_the_last_in_time_and_the_one_before_it() -> None:
    log = log_of(("ann", "c", 3), ("ann", "a", 1), ("ann", "d", 4), ("ann", "b", 2), ("few", "a", 1), ("few", "b", 2))
    split = make_split(log, ITEMS, protocol="last")
    assert pairs(split.train) == [("ann", "a"), ("ann", "b"), ("few", "a"), ("few", "b")]
    assert pairs(split.valid) == [("ann", "c")]
    assert pairs(split.test) == [("ann", "d")]


def test_last_breaks_ties_by_the_order_of_the_log() -> None:
    log = log_of(("ann", "b", 1), ("ann", "a", 1), ("ann", "c", 1))
    split = make_split(log, ITEMS, protocol="last")
    assert (pairs(split.train), pairs(split.valid), pairs(split.test)) == (
        [("ann", "b")], [("ann", "a")], [("ann", "c")],
    )  # fmt: skip


def test_last_never_tests_an_item_the_user_had_before() -> None:
    log = log_of(("ann", "a", 1), ("ann", "b", 2), ("ann", "c", 3), ("ann", "a", 4))
    split = make_split(log, ITEMS, protocol="last")
    assert (pairs(split.train), pairs(split.valid), pairs(split.test)) == (
        [("ann", "a")], [("ann", "b")], [("ann", "c")],
    )  # fmt: skip
    assert split.meta["repeats"] == 1


def test_temporal_cuts_once_for_all_and_keeps_the_cold_apart() -> None:
    rows = [(f"u{n % 4}", "abcdefgh"[n % 8], n) for n in range(8)] + [("late", "a", 8), ("later", "h", 9)]
    split = make_split(log_of(*rows), ITEMS, protocol="temporal")
    assert (len(split.train), pairs(split.valid), pairs(split.test)) == (8, [("late", "a")], [("later", "h")])
    assert split.meta["valid_from"] == (START + 8 * DAY).isoformat()
    assert split.meta["test_from"] == (START + 9 * DAY).isoformat()
    assert split.users.at(split.cold_users) == ["late", "later"]
    assert ITEMS.at(split.cold_items) == []
    assert split.meta["dropped_users"] == 0


def test_temporal_keeps_rows_of_one_moment_together() -> None:
    moments = [0, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 8, 9, 9, 9, 9, 9, 10, 11, 12]
    items = IdMap(f"i{n}" for n in range(20))
    log = log_of(*[("ann", f"i{n}", moment) for n, moment in enumerate(moments)])
    split = make_split(log, items, protocol="temporal")
    parts = [set(part.timestamps.tolist()) for part in (split.train, split.valid, split.test)]
    assert all(parts)
    assert max(parts[0]) < min(parts[1]) and max(parts[1]) < min(parts[2])


def test_a_cold_item_is_one_no_train_row_has() -> None:
    rows = [("ann", f"i{n}", n) for n in range(8)] + [("bob", "i8", 8), ("ann", "i9", 9)]
    items = IdMap(f"i{n}" for n in range(10))
    split = make_split(log_of(*rows), items, protocol="temporal")
    assert items.at(split.cold_items) == ["i8", "i9"]
    assert split.users.at(split.cold_users) == ["bob"]


def test_only_positives_count() -> None:
    views = log_of(*[("ann", item, n) for n, item in enumerate("abcd")], kind="view")
    buys = log_of(*[("ann", item, n) for n, item in enumerate("efgh")])
    log = pl.concat([views, buys])
    by_default = make_split(log, ITEMS, protocol="last")
    assert pairs(by_default.train) == [("ann", "e"), ("ann", "f")]
    asked = make_split(log, ITEMS, protocol="last", positives=("view",))
    assert pairs(asked.test) == [("ann", "d")]


def test_rows_of_unknown_items_are_dropped_and_counted() -> None:
    log = log_of(("ann", "a", 0), ("ann", "zebra", 1), ("ann", "b", 2), ("ann", "c", 3))
    split = make_split(log, ITEMS, protocol="last")
    assert split.meta["unknown_items"] == 1
    assert pairs(split.test) == [("ann", "c")]


LABELLED = log_of(("ann", "a", 0), ("ann", "b", 1), label=[0, 2])


@pytest.mark.parametrize(
    ("log", "options", "says"),
    [
        (LABELLED, {"label_column": "x_lable"}, r"label column 'x_lable' is not in the log. Did you mean 'x_label'"),
        (log_of(), {}, "the log is empty"),
        (log_of(("ann", "a", 0), kind="dismiss"), {}, "none of 1 interactions .* the log has dismiss"),
        (LABELLED, {"positives": ("purchse",)}, "unknown kind 'purchse'"),
        (LABELLED, {"positives": ("view",)}, "none of 2 interactions is of kind view; the log has purchase"),
        (log_of(("ann", "zebra", 0)), {}, "no positive is of a known item .* 'zebra'"),
        (log_of(("ann", "a", 0), ("ann", "b", 0), label=[0, 3]), {}, r"label column 'x_label' holds 3 in 1 of 2 rows"),
        (log_of(("ann", "a", 0), ("ann", "b", 0), label=[1, 2]), {}, "leaves no train row of 2 positives"),
        (log_of(*[("ann", i, 1) for i in "abcdefgh"]), {"protocol": "temporal"}, "1 distinct timestamps in 8 rows"),
    ],
)
def test_bad_input_is_one_clear_line(log: pl.DataFrame, options: dict[str, object], says: str) -> None:
    arguments = {"protocol": "mmrec", **options}
    with pytest.raises(DataError, match=says):
        make_split(log, ITEMS, **arguments)  # type: ignore[arg-type]


def test_an_unknown_protocol_names_the_known() -> None:
    with pytest.raises(ConfigError, match=r"unknown protocol 'lst'. Did you mean 'last'"):
        make_split(LABELLED, ITEMS, protocol="lst")  # type: ignore[arg-type]


def test_ranks_are_not_cut_as_if_they_were_times() -> None:
    log = log_of(*[("ann", item, 0) for item in "abcdefgh"])
    ranks = log.with_columns(pl.Series("timestamp", range(8)).cast(pl.Datetime("us", "UTC")))
    with pytest.raises(DataError, match="ranks and not times"):
        make_split(ranks, ITEMS, protocol="temporal")
    assert len(make_split(ranks, ITEMS, protocol="last").test) == 1


def sizes(split: Split) -> tuple[int, int, int]:
    return len(split.train), len(split.valid), len(split.test)


@pytest.mark.realdata
def test_movies_splits_are_those_of_the_file(movies: pl.DataFrame, movie_ids: IdMap) -> None:
    by_label = {
        label: tuple(movies.filter(pl.col(label) == part).height for part in range(3))
        for label in ("x_label", "x_label_last", "x_label_time")
    }
    mmrec = make_split(movies, movie_ids, protocol="mmrec")
    assert sizes(mmrec) == by_label["x_label"] == (69_582, 8_409, 8_706)
    assert (len(mmrec.users), len(mmrec.items), mmrec.meta["repeats"]) == (610, 3_264, 0)
    assert mmrec.users.ids == tuple(str(user) for user in range(610))
    last = make_split(movies, movie_ids, protocol="last", label_column="x_label_last")
    assert sizes(last) == by_label["x_label_last"]
    timed = make_split(movies, movie_ids, protocol="temporal", label_column="x_label_time")
    assert sizes(timed) == by_label["x_label_time"]
    tested = set(timed.test.user_rows.tolist())
    assert (len(tested), len(tested - set(timed.cold_users.tolist()))) == (81, 19)  # design, section 10


@pytest.mark.realdata
def test_our_own_last_agrees_with_the_files(movies: pl.DataFrame, movie_ids: IdMap) -> None:
    """Users whose last two moments differ from all others have no tie to break."""
    ours = make_split(movies, movie_ids, protocol="last")
    theirs = make_split(movies, movie_ids, protocol="last", label_column="x_label_last")
    assert sizes(ours) == sizes(theirs)
    stamps = movies.sort("timestamp").group_by("user_id").agg(pl.col("timestamp").tail(3))
    untied = {user for user, moments in stamps.iter_rows() if len(set(moments)) == 3}
    assert len(untied) > 200
    mine, other = ([pair for pair in pairs(each.test) if pair[0] in untied] for each in (ours, theirs))
    assert sorted(mine) == sorted(other)


@pytest.mark.realdata
def test_our_own_temporal_cut_is_at_eighty_and_ninety_percent(movies: pl.DataFrame, movie_ids: IdMap) -> None:
    shares = np.array(sizes(make_split(movies, movie_ids, protocol="temporal"))) / movies.height
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.002)
