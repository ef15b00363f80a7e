"""The replay: moments by hand, no peeking, and what adaptation is worth where the answer is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from catalog.errors import DataError
from catalog.log import log_frame
from catalog.nouns import Interaction, Kind
from eval.replay import Moment, ReplayConfig, Replayed, moments_of, replay, start_of
from eval.replay_report import replay_json, replay_text
from tools.doubles import toy_shop
from tools.shop import Shop

DAY = datetime(2026, 3, 2, tzinfo=UTC)
CONFIG = ReplayConfig(metric="ndcg@3")


def event(minute: float, user: str, item: str, kind: Kind, session: str | None = "s") -> Interaction:
    stamp = DAY + timedelta(minutes=minute)
    return Interaction(f"{user}-{item}-{kind}-{minute}", user, item, stamp, kind, f"{user}-{session}")


LOG = log_frame(
    [
        event(-600, "ann", "B01", "purchase", "old"),
        event(-500, "ann", "M02", "view", "old"),
        event(10, "ann", "V01", "view"),
        event(11, "ann", "V02", "view"),
        event(13, "ann", "V02", "cart"),
        event(14, "ann", "V02", "purchase"),
        event(20, "bob", "L01", "purchase"),
        event(30, "ann", "B01", "purchase", "later"),
        event(31, "ann", "M02", "purchase", "later"),
    ]
)


def at(minute: float) -> datetime:
    return DAY + timedelta(minutes=minute)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A model that adds 100 to every item of a category the shopper touched, over a fixed popularity."""
    shop = toy_shop(tmp_path)
    yield shop
    shop.events.close()


def test_a_pair_counts_once_at_the_first_look_of_its_session_or_at_the_taking() -> None:
    opening = [
        Moment("ann", "V02", at(11), "ann-s"),
        Moment("bob", "L01", at(20), "bob-s"),
        Moment("ann", "M02", at(31), "ann-later"),  # looked at before, in another session
    ]
    assert list(moments_of(LOG, DAY)) == opening, "B01 was taken before the start"
    assert [m.at for m in moments_of(LOG, DAY, before="taking")] == [at(13), at(20), at(31)]


def test_the_start_is_counted_back_from_the_last_event() -> None:
    assert start_of(LOG, 1) == at(31 - 60)
    with pytest.raises(
        DataError, match=r"48\.0 hours to replay leave nothing to learn from: the log is 10\.5 hours long"
    ):
        start_of(LOG, 48.0)
    with pytest.raises(DataError, match="the log is empty"):
        start_of(LOG.clear(), 1)


def test_only_what_happened_before_a_moment_counts(shop: Shop) -> None:
    moments = moments_of(LOG, DAY)
    live = LOG.filter(pl.col("timestamp") >= DAY)
    found = replay(shop, LOG, moments, live, CONFIG)
    assert found.informed.tolist() == [True, False, True]
    assert found.adapted[1] == found.frozen[1], "bob had done nothing yet"
    # Had the look at V02 itself been known, or what came after it, its own second look would lift it.
    without_later = replay(shop, LOG, moments, live.filter(pl.col("timestamp") < at(11)), CONFIG)
    assert found.adapted[0] == without_later.adapted[0]


def test_values_by_hand(shop: Shop) -> None:
    """Vases by how often they were rated: V05 54, V01 31, V03 20, V02 12; popular elsewhere: M02 95, B02 90, L02 88."""
    asked = Moment("ann", "V05", at(12), "ann-s")
    plain = replace(shop, pipeline=shop.pipeline.model_copy(update={"second_look": 0.0}))
    live = LOG.filter((pl.col("timestamp") >= DAY) & (pl.col("timestamp") < at(12)))
    found = replay(plain, LOG, (asked,), live, CONFIG)
    assert found.frozen.tolist() == [0.0], "three others are more popular"
    assert found.adapted.tolist() == [1.0], "after two vases, the best of the vases comes first"
    second = replay(plain, LOG, (replace_item(asked, "V01"),), live, CONFIG)
    assert second.adapted[0] == pytest.approx(1 / np.log2(3)), "the second of the vases"


def replace_item(moment: Moment, item_id: str) -> Moment:
    return Moment(moment.user_id, item_id, moment.at, moment.session_id)


def test_what_was_taken_before_is_on_neither_list(shop: Shop) -> None:
    log = pl.concat([log_frame([event(-5, "ann", "M02", "purchase"), event(-4, "ann", "B02", "purchase")]), LOG])
    found = replay(shop, log, (Moment("ann", "L02", at(5)),), LOG.clear(), CONFIG)
    assert found.frozen.tolist() == found.adapted.tolist() == [1.0], "88 ratings, after mug and tote are out"


def test_gain_and_difference_by_arithmetic() -> None:
    moments = tuple(Moment(user, item, DAY) for user, item in (("a", "1"), ("a", "2"), ("b", "1")))
    found = Replayed(moments, np.array([0.2, 0.4, 0.4]), np.array([0.4, 0.6, 0.5]), np.ones(3, np.bool_))
    assert found.gain().mean == pytest.approx(1.5 / 1.0 - 1)
    assert found.paired().difference.mean == pytest.approx(((0.5 - 0.3) + (0.5 - 0.4)) / 2)
    assert found.gain().low == pytest.approx(0.25) and found.gain().high == pytest.approx(1.0 / 0.6 - 1)
    report = replay_json({"opening": found}, metric="ndcg@20", model="ease", start="2026-03-02")
    figures = report["replay"]["before"]["opening"]
    assert (figures["moments"], figures["shoppers"], figures["informed"]) == (3, 2, 3)
    few = replay_text(report)
    assert "+50% [too few]" in few and "too few: fewer than 5 shoppers" in few and "[+25%" not in few
    figures["shoppers"] = 5
    assert "+50% [+25%, +67%]" in replay_text(report) and "too few" not in replay_text(report)


def test_a_gain_over_nothing_is_infinite_not_a_number_of_fifteen_digits() -> None:
    moments = tuple(Moment(user, "1", DAY) for user in "abc")
    found = Replayed(moments, np.array([0.5, 0.0, 0.0]), np.array([0.5, 0.5, 0.5]), np.ones(3, np.bool_))
    assert (found.gain().mean, found.gain().low, found.gain().high) == (pytest.approx(2), 0.0, np.inf)
    report = replay_json({"opening": found}, metric="ndcg@20", model="ease", start="2026-03-02")
    assert report["replay"]["before"]["opening"]["gain"] == {"mean": pytest.approx(2), "low": 0.0, "high": None}
    report["replay"]["before"]["opening"]["shoppers"] = 5
    assert "+200% [+0%, +∞]" in replay_text(report)


def test_nothing_to_replay_is_said(shop: Shop) -> None:
    with pytest.raises(DataError, match="no moment to replay"):
        replay(shop, LOG, (), LOG, CONFIG)
    with pytest.raises(DataError, match=r"from 2026-03-03 00:00 on, .* the last before is of 2026-03-02 00:31; more"):
        moments_of(LOG, DAY + timedelta(days=1))
