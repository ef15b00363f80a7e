"""Training anew on everything so far, and serving it only if it is no worse."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from catalog.events import SqliteEventStore
from catalog.ids import IdMap
from catalog.item_journal import JOURNAL, ItemJournal
from catalog.log import Interactions, log_frame
from catalog.nouns import Interaction, Item
from catalog.shop_data import load_shop
from catalog.workspace import Workspace
from eval.intervals import Interval, Paired
from models import registry
from models.base import TrainingData
from vitrine.rematch import Duel, Ground, Rematch, as_served, duels, ground_of
from vitrine.retrain_config import RetrainConfig
from vitrine.retraining import judged
from vitrine.shelf import Shelf, Version
from vitrine.surge import Surge, surge_of
from vitrine.training import with_live

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
QUICK = ("--set", 'models.overrides={"lirdrec": {"max_epochs": 5, "epochs": 5, "dim": 8}}')


def version(number: int) -> Version:
    return Version("ease", number, "key", "", {}, Path())


def duel(new: float, old: float, width: float = 0.0004) -> Duel:
    gap = Interval(new - old, new - old - width, new - old + width)
    return Duel(new, old, Paired(gap, 0.5), 60)


def found(new: float, old: float) -> Rematch:
    return Rematch(duel(new, old), None, 90, MOMENT)


@pytest.mark.parametrize(
    ("new", "old", "worse_by", "promoted"),
    [
        (0.21, 0.20, 0.0, True),
        (0.20, 0.20, 0.0, True),
        (0.199, 0.20, 0.0, False),
        (0.191, 0.20, 0.05, True),  # 0.2 * 0.95 is 0.19
        (0.189, 0.20, 0.05, False),
    ],
)
def test_what_is_no_worse_is_served(new: float, old: float, worse_by: float, promoted: bool) -> None:
    verdict = judged(version(2), version(1), found(new, old), RetrainConfig(worse_by=worse_by))
    assert verdict.promoted is promoted and "ease@2" in verdict.why
    assert f"ndcg@20 {new:.4f}, ease@1 {old:.4f} ({new - old:+.4f} [" in verdict.why


@pytest.mark.parametrize(
    ("new", "width", "config", "promoted"),
    [
        (0.1999, 0.01, {}, True),  # it may be chance, and is little
        (0.1901, 0.01, {}, True),
        (0.1899, 0.02, {}, False),  # it may be chance, and is more than a twentieth
        (0.1899, 0.02, {"noise": 0.1}, True),
        (0.1999, 0.01, {"noise": 0.0}, False),
        (0.1990, 0.0005, {}, False),  # it is little, and no chance
        (0.1990, 0.0005, {"worse_by": 0.01}, True),
    ],
)
def test_a_loss_that_may_be_chance_is_none_up_to_a_share(
    new: float, width: float, config: dict[str, float], promoted: bool
) -> None:
    two = Rematch(duel(new, 0.20, width), None, 90, MOMENT)
    assert judged(version(2), version(1), two, RetrainConfig(**config)).promoted is promoted


def test_nobody_who_came_since_outweighs_those_who_are_known() -> None:
    """Made-up shoppers praise the version that learned from them; those who were there before lose by it."""
    won_by_strangers = Rematch(duel(0.6, 0.1), duel(0.15, 0.20), 900, MOMENT)
    verdict = judged(version(2), version(1), won_by_strangers, RetrainConfig())
    assert not verdict.promoted and "for those whom ease@1 knows 0.1500, ease@1 0.2000" in verdict.why
    assert judged(version(2), version(1), replace(won_by_strangers, known=duel(0.2, 0.2)), RetrainConfig()).promoted


def test_those_whom_the_served_version_knows_are_looked_at_apart_where_others_are_among_them() -> None:
    new, old = np.array([0.0] * 6 + [1.0] * 30), np.array([0.5] * 6 + [0.0] * 30)
    known = np.arange(36) < 6
    everyone, of_known = duels(new, old, known, 0)
    assert (everyone.new, everyone.old) == (30 / 36, 3 / 36) and of_known is not None
    assert (of_known.new, of_known.old, of_known.shoppers) == (0.0, 0.5, 6)
    assert duels(new, old, known & (np.arange(36) > 2), 0)[1] is None  # too few
    assert duels(new, old, np.ones(36, np.bool_), 0)[1] is None  # all


def bought(who: str, items: list[str], hour: int) -> list[Interaction]:
    moment = MOMENT + timedelta(hours=hour)
    return [Interaction(f"{who}-{n}", who, item, moment, "purchase") for n, item in enumerate(items)]


def test_one_item_that_everybody_takes_at_once_stops_a_training_and_one_busy_shopper_does_not() -> None:
    before = [e for n in range(100) for e in bought(f"u{n}", [f"i{n % 20}", f"i{(n + 7) % 20}"], n)]
    usual = [e for n in range(60) for e in bought(f"v{n}", [f"i{n % 20}"], 200 + n)]
    bots = [e for n in range(40) for e in bought(f"bot{n}", ["i3"], 300)]
    busy = bought("busy", ["i3"] * 40, 300)

    def surge(*after: list[Interaction], most: float = 0.2) -> Surge | None:
        later = log_frame([replace(e, event_id=f"a{n}") for n, e in enumerate(e for each in after for e in each)])
        return surge_of(Ground(MOMENT, log_frame(before), later, MOMENT), most)

    # 40 of 100 shoppers took i3 alone, and 3 of the 60 others: 43%, after 1 of 20 before.
    risen = surge(usual, bots)
    assert risen is not None and (risen.item_id, risen.shoppers) == ("i3", 100)
    assert risen.before == pytest.approx(1 / 20) and risen.after == pytest.approx(0.43)
    assert str(risen) == "43% of what 100 shoppers took is the item 'i3' (5.0% before)"
    assert surge(usual) is None and surge(usual, busy) is None and surge(usual, bots, most=0.4) is None
    assert surge([]) is None
    assert surge(bots[:9]) is None and surge(bots[:10]) is not None  # a few who agree prove nothing


def test_the_first_is_served_whatever_it_reaches_and_without_evidence_none_after_it() -> None:
    assert judged(version(1), None, None, RetrainConfig()).promoted
    assert not judged(version(2), version(1), None, RetrainConfig()).promoted


def taken(n: int) -> pl.DataFrame:
    """Positives an hour apart: shopper `u{n % 7}` takes item `i{n % 10}`."""
    return log_frame(
        [Interaction(f"e{k}", f"u{k % 7}", f"i{k % 10}", MOMENT + timedelta(hours=k), "purchase") for k in range(n)]
    )


@pytest.mark.parametrize(
    ("until", "at_least", "first", "after"),
    [
        (0, 5, 180, 20),  # the newest tenth
        (189, 5, 190, 10),  # only what the served version has not seen
        (100, 50, 150, 50),  # a tenth is too few
        (199, 5, 199, 0),  # nothing has happened since
    ],
)
def test_both_are_judged_by_what_neither_has_seen(until: int, at_least: int, first: int, after: int) -> None:
    ground = ground_of(taken(200), MOMENT + timedelta(hours=until), at_least)
    assert ground.since == MOMENT + timedelta(hours=first) and len(ground.after) == after
    assert len(ground.before) == (200 - after if after else 199)
    assert not set(ground.before["event_id"]) & set(ground.after["event_id"])


def test_a_version_is_asked_as_the_shop_would_ask_it() -> None:
    """Other ids in another order, an item it does not know, and what a shopper took since it was fitted."""
    log = taken(60)
    own = IdMap(["i3", "i0", "i1", "i2", "i4", "i5"], "item")
    train = Interactions.from_log(log, IdMap(["u6", "u1", "u2"], "user"), own)
    model = registry.build("itemknn")
    model.fit(TrainingData(train, {}), seed=0)
    users, items = IdMap(["u1", "u2", "new"], "user"), IdMap([f"i{n}" for n in range(10)], "item")
    scores = as_served(model, users, items, {"u2": ["i4"], "new": ["i5"]})(np.arange(3))
    wanted = [model.score("u1"), model.score("u2", ["i4"]), model.score(None, ["i5"])]
    for row, each in zip(scores, wanted, strict=True):
        assert row[[3, 0, 1, 2, 4, 5]] == pytest.approx(each.values, rel=1e-5, abs=1e-6)
        assert (row[6:] < row[:6].min()).all()


def test_live_events_stand_behind_the_log_and_count_once() -> None:
    log = log_frame([Interaction("a", "ana", "x", MOMENT, "view"), Interaction("b", "ana", "y", MOMENT, "view")])
    live = log_frame([Interaction("b", "ana", "y", MOMENT, "view"), Interaction("c", "ben", "x", MOMENT, "cart")])
    assert with_live(log, live)["event_id"].to_list() == ["a", "b", "c"]
    split = log.with_columns(x_label=0)
    assert with_live(split, live).columns == split.columns


@pytest.mark.slow
def test_it_learns_from_what_happened_while_the_shop_was_open(store: Path, run: Any) -> None:
    workspace = Workspace(store)
    data, shelf = load_shop(workspace), Shelf(workspace)
    ids = data.catalog.ids.ids
    journal = ItemJournal(workspace.root / JOURNAL, data.name)
    journal.put(Item("new-1", title="Zebra teapot", categories=data.catalog.items[0].categories), "open")
    journal.delete(ids[0], "open")
    journal.close()
    last = data.log["timestamp"].max()
    assert isinstance(last, datetime)
    events = SqliteEventStore(workspace.events_path)
    events.put(
        [
            Interaction(
                f"live-{n}", f"live-{n % 9}", ids[1 + n % (len(ids) - 1)], last + timedelta(hours=n), "purchase"
            )
            for n in range(90)
        ]
    )
    events.close()
    before = shelf.promoted("lirdrec")
    said = run("retrain", "--store", store, "--set", "retrain.worse_by=0.99", *QUICK).out
    assert "2 items that were written while the shop was open are in the catalogue" in said
    after = load_shop(workspace).catalog
    assert "new-1" in after and ids[0] not in after
    newest = shelf.versions("lirdrec")[-1]
    assert f"{newest} is " in said and newest.number != before
    assert not any(each.startswith("live-") for each in load_shop(workspace).log["user_id"])  # they are in no artifact
    assert "50 positives since" in said and "which neither had seen" in said
    assert shelf.promoted("lirdrec") == newest.number
    again = run("retrain", "--store", store, *QUICK).out
    assert f"nothing is trained: 0 positives since {newest} learned, 50 would do" in again
    assert shelf.versions("lirdrec")[-1] == newest
    assert f"lirdrec@{before} is promoted again" in run("retrain", "--store", store, "--rollback").out
    assert shelf.promoted("lirdrec") == before
    same = run("retrain", "--store", store, *QUICK).out
    assert f"version {newest.number} was trained on the same" in same
    assert "judged before and not promoted; vitrine models promote serves it all the same" in same
