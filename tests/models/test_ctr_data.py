"""Lessons of the click model: each row as of its own moment, from the very function that serves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from catalog.errors import DataError
from catalog.items import Catalog
from catalog.log import log_frame
from catalog.nouns import Candidate, Interaction, Item, Kind
from models.ctr_data import CtrData, CtrDataConfig, build_ctr_data
from models.features import SHOWN, FeatureContext, FeatureStore, build_features
from models.session import Session

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
CATALOG = Catalog([Item("a", price=10.0, brand="x"), Item("b", price=20.0), Item("c", price=30.0, brand="x")])
CONFIG = CtrDataConfig(warm_up=0.0)


def event(
    user: str, item: str, hours: float, kind: Kind, slate: str | None = None, place: int | None = None
) -> Interaction:
    context = {} if place is None else {"position": place, "device": "tablet"}
    when = MONDAY + timedelta(hours=hours)
    return Interaction(f"{user}{item}{hours}{kind}", user, item, when, kind, "s1", context=context, request_id=slate)


LOG = [
    event("ann", "a", -30, "purchase"),
    event("ann", "a", 0, "impression", "r1", 1),
    event("ann", "b", 0, "impression", "r1", 2),
    event("ann", "ghost", 0, "impression", "r1", 3),
    event("ann", "b", 0.1, "click", "r1", 2),
    event("ann", "b", 0.2, "view", "r1"),
    event("ann", "c", 5, "impression", "r2", 1),
    event("ann", "b", 5, "impression", "r2", 2),
    event("bob", "c", 24 * 9, "impression", "r3", 1),
    event("bob", "c", 24 * 9 + 1, "click", "r3", 1),
]


def liked(events: pl.DataFrame) -> list[str]:
    return events.filter(pl.col("kind").is_in(["view", "click", "purchase"]))["item_id"].to_list()


def lessons(log: list[Interaction], config: CtrDataConfig = CONFIG) -> CtrData:
    frame = log_frame(log)
    return build_ctr_data(frame, lambda at: FeatureStore(CATALOG, frame, as_of=at), liked=liked, config=config)


def test_a_row_an_impression_with_its_click_its_place_and_its_moment() -> None:
    data = lessons(LOG)
    assert data.source == "impressions"
    assert data.table.item_ids == ("a", "b", "c", "b", "c")
    assert data.clicked.tolist() == [False, True, False, False, True]
    assert data.positions.tolist() == [1, 2, 1, 2, 1]
    assert data.user_ids == ("ann",) * 4 + ("bob",)
    assert data.slates == ("r1", "r1", "r2", "r2", "r3")
    assert data.table.column("hour").tolist() == [0, 0, 5, 5, 0]
    assert data.table.column("session_seen")[3] == 2  # clicked and viewed since the slate before
    assert np.isnan(data.table.column("session_seen")[0])
    assert data.table.column("screen").tolist() == [2] * 5
    early, late = data.parted(MONDAY + timedelta(days=1))
    assert (len(early), late.slates) == (4, ("r3",))


def test_rows_equal_what_serving_would_have_built_with_only_what_was_known_then() -> None:
    data = lessons(LOG)
    known = log_frame([e for e in LOG if e.timestamp < MONDAY + timedelta(hours=5)])
    store = FeatureStore(CATALOG, known, as_of=MONDAY)
    context = FeatureContext(store, "ann", ["b", "b"], session=Session(("b", "b"), "tablet"))
    served = build_features(
        [Candidate("c", 0.5, SHOWN), Candidate("b", 0.5, SHOWN)], context, MONDAY + timedelta(hours=5)
    )
    assert served.names == data.table.names
    np.testing.assert_array_equal(served.values, data.table.values[2:4])


def test_what_happens_later_changes_no_row_but_its_label() -> None:
    first = lessons(LOG)
    rush = [event(f"u{n}", "c", 5.5 + n / 100, "purchase") for n in range(40)]
    rush += [event("ann", "c", 5.01, "view"), event("ann", "c", 5.02, "click", "r2", 1)]
    loud = lessons([*LOG, *rush])
    np.testing.assert_array_equal(first.table.values[:4], loud.table.values[:4])
    assert loud.clicked.tolist() == [False, True, True, False, True]
    assert (loud.table.column("popularity")[4], first.table.column("popularity")[4]) != (0, 0)


def test_without_impressions_items_are_drawn_and_it_is_called_a_proxy() -> None:
    bare = [replace(event(f"u{n % 5}", "abc"[n % 3], n, "purchase"), session_id=f"s{n}") for n in range(30)]
    data = lessons(bare, CtrDataConfig(warm_up=0.5, negatives=4))
    assert data.source == "sampled negatives"
    assert data.clicked.sum() == 15 == len(set(data.slates))
    assert np.isnan(data.positions).all()
    for slate in set(data.slates):
        mine = [at for at, name in enumerate(data.slates) if name == slate]
        assert data.clicked[mine].tolist() == [True] + [False] * (len(mine) - 1)
        assert len({data.table.item_ids[at] for at in mine}) == len(mine)
    again = lessons(bare, CtrDataConfig(warm_up=0.5, negatives=4))
    np.testing.assert_array_equal(again.table.values, data.table.values)
    with pytest.raises(DataError, match="there is no click to learn"):
        lessons([event("ann", "ghost", 0, "impression", "r1", 1)])


def test_a_drawn_row_stands_before_the_items_own_page() -> None:
    log = [
        event("ann", "b", 0.0, "view"),
        event("ann", "a", 0.1, "view"),
        event("ann", "a", 0.3, "cart"),
        event("ann", "a", 1.5, "purchase"),  # the same taking, and the same session an hour later
        replace(event("ann", "b", 40.0, "view"), session_id=None),
        replace(event("ann", "b", 40.2, "purchase"), session_id=None),
        replace(event("bob", "c", 50.0, "purchase"), session_id=None),  # no page was seen
    ]
    data = lessons(log)
    hours = (data.timestamps[data.clicked] / 1e6 - MONDAY.timestamp()) / 3600
    np.testing.assert_allclose(hours, [0.1, 40.0, 50.0])
    assert np.nan_to_num(data.table.select(("session_seen",)).values[data.clicked]).sum() == 0


def test_the_newest_slates_are_kept_and_spans_share_a_store() -> None:
    moments: list[datetime] = []
    frame = log_frame(LOG)

    def store(at: datetime) -> FeatureStore:
        moments.append(at)
        return FeatureStore(CATALOG, frame, as_of=at)

    build_ctr_data(frame, store, liked=liked, config=CONFIG)
    assert moments == [MONDAY, MONDAY + timedelta(days=9)]
    assert set(lessons(LOG, CtrDataConfig(warm_up=0.0, max_slates=1)).slates) == {"r3"}
