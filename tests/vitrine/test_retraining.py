"""Training anew on everything so far, and serving it only if it is no worse."""

from __future__ import annotations

import shutil
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
from vitrine.rematch import Duel, Rematch, as_served, duels, ground_of
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
        return surge_of(log_frame(before), later, most)

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


def taken(n: int, items: int = 10) -> pl.DataFrame:
    """Positives an hour apart: shopper `u{n % 7}` takes item `i{n % items}`."""
    return log_frame(
        [Interaction(f"e{k}", f"u{k % 7}", f"i{k % items}", MOMENT + timedelta(hours=k), "purchase") for k in range(n)]
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
    ground = ground_of(taken(200, items=200), MOMENT + timedelta(hours=until), at_least)
    assert ground.since == MOMENT + timedelta(hours=first) and len(ground.after) == after
    assert len(ground.before) == (200 - after if after else 199)
    assert not set(ground.before["event_id"]) & set(ground.after["event_id"])


def test_what_one_shopper_takes_a_thousand_times_is_not_all_that_is_judged_by() -> None:
    """A page that reloads itself buys the same once more; a bot buys the shop: neither says how far back is looked."""
    honest = taken(200, items=200)
    end = MOMENT + timedelta(hours=200)

    def then(items: list[str]) -> pl.DataFrame:
        rows = [
            Interaction(f"x{n}", "u1", item, end + timedelta(seconds=n), "purchase") for n, item in enumerate(items)
        ]
        return pl.concat([honest, log_frame(rows)])

    again = ground_of(then(["i1"] * 1000), MOMENT, 5)
    assert again.after["user_id"].n_unique() == 7 and len(again.after) == 20  # a tenth of 200: u1 has i1 since long
    assert len(ground_of(then(["i1"] * 1000), end - timedelta(hours=1), 5).after) == 0
    bot = ground_of(then([f"j{n}" for n in range(1000)]), MOMENT, 5)
    assert bot.after["user_id"].n_unique() == 7 and bot.since < MOMENT + timedelta(
        hours=120
    )  # a tenth of 1,200, 20 its


def test_strangers_who_crowd_in_do_not_keep_those_who_are_known_from_judging() -> None:
    end = MOMENT + timedelta(hours=200)
    bots = [Interaction(f"b{n}", f"b{n}", f"j{n % 50}", end + timedelta(seconds=n), "purchase") for n in range(400)]
    crowd = pl.concat([taken(200, items=200), log_frame(bots)])
    until = MOMENT + timedelta(hours=100)
    assert not {f"u{n}" for n in range(7)} & set(ground_of(crowd, until, 10).after["user_id"])
    ground = ground_of(crowd, until, 10, [f"u{n}" for n in range(7)])
    assert ground.since == MOMENT + timedelta(hours=190) and {f"u{n}" for n in range(7)} <= set(ground.after["user_id"])
    assert ground_of(crowd, until, 10, ["nobody"]).since > end


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
                f"live-{n}", f"live-{n % 18}", ids[1 + n % (len(ids) - 1)], last + timedelta(hours=n), "purchase"
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


def lives(store: Path, *batches: list[Interaction]) -> None:
    """Write events to a store; moments count from the end of its log, as `bought` counts from `MOMENT`."""
    workspace = Workspace(store)
    last = load_shop(workspace).log["timestamp"].max()
    assert isinstance(last, datetime)
    events = SqliteEventStore(workspace.events_path)
    for batch in batches:
        events.put([replace(each, timestamp=last + (each.timestamp - MOMENT)) for each in batch])
    events.close()


def usual(store: Path, n: int = 90) -> list[Interaction]:
    """What nine shoppers buy in an hour each, one thing after the other."""
    ids = load_shop(Workspace(store)).catalog.ids.ids
    every = [f"live-{k % 9}" for k in range(n)]
    moments = [MOMENT + timedelta(hours=k + 1) for k in range(n)]
    return [
        Interaction(f"live-{k}", who, ids[k // 9 % len(ids)], moments[k], "purchase") for k, who in enumerate(every)
    ]


LENIENT = ("--set", "retrain.worse_by=0.99", *QUICK)
FEW = ("--set", "retrain.at_least=20", *LENIENT)


@pytest.mark.slow
@pytest.mark.parametrize("keep", [1, 2])
def test_a_candidate_is_judged_however_few_versions_are_kept(store: Path, run: Any, keep: int) -> None:
    run("train", "--store", store, "--set", f"models.keep={keep}", "--set", "seed=8", *QUICK)
    lives(store, usual(store))
    said = run("retrain", "--store", store, "--set", f"models.keep={keep}", *FEW).out
    assert "lirdrec@3 is promoted: ndcg@20" in said
    assert [each.number for each in Shelf(Workspace(store)).versions("lirdrec")] == [2, 3][-keep:]


@pytest.mark.slow
def test_a_candidate_whose_retraining_was_killed_is_judged_by_the_next(
    store: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives(store, usual(store))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("vitrine.retraining.rematch", killed)
        assert run("retrain", "--store", store, *FEW).code == 130
    shelf = Shelf(Workspace(store))
    assert [each.number for each in shelf.versions("lirdrec")] == [1, 2] and shelf.promoted("lirdrec") == 1
    assert "lirdrec@2 is promoted: ndcg@20" in run("retrain", "--store", store, *FEW).out
    run("retrain", "--store", store, "--rollback")
    assert "judged before and not promoted" in run("retrain", "--store", store, *FEW).out  # a verdict is final


@pytest.mark.slow
def test_one_shopper_who_buys_the_same_a_thousand_times_neither_judges_nor_is_learned_from(
    store: Path, run: Any
) -> None:
    data = load_shop(Workspace(store))
    who, what = data.log["user_id"][0], data.log["item_id"][0]
    again = [Interaction(f"x{n}", who, what, MOMENT + timedelta(seconds=n), "purchase") for n in range(1, 1001)]
    lives(store, again)
    said = run("retrain", "--store", store, *FEW).out
    assert "995 events are left out: their shopper took the same 5 times since" in said
    assert "nothing is trained: 0 positives since lirdrec@1 learned, 20 would do" in said
    lives(store, usual(store))
    assert "lirdrec@2 is promoted: ndcg@20" in run("retrain", "--store", store, *FEW).out


@pytest.mark.slow
def test_a_surge_that_bears_old_dates_is_seen_as_well(store: Path, run: Any) -> None:
    what = load_shop(Workspace(store)).catalog.ids.ids[0]
    old = MOMENT - timedelta(hours=2)
    bots = [Interaction(f"b{n}", f"bot-{n}", what, old + timedelta(seconds=n), "purchase") for n in range(60)]
    lives(store, usual(store), bots)
    said = run("retrain", "--store", store, *FEW).out
    assert "nothing is trained: since lirdrec@1 learned" in said and f"is the item {what!r}" in said
    assert "vitrine retrain --set retrain.surge=1" in said
    hit = run("retrain", "--store", store, "--set", "retrain.surge=1", *FEW).out
    assert "lirdrec@2 is promoted: ndcg@20" in hit
    more = [replace(each, event_id=f"m-{each.event_id}", timestamp=each.timestamp + timedelta(days=9)) for each in bots]
    lives(store, [replace(each, user_id=f"late-{each.user_id}", item_id=f"{what}") for each in more][:9])
    assert "nothing is trained: 9 positives since lirdrec@2" in run("retrain", "--store", store, *FEW).out  # learned


@pytest.mark.slow
def test_a_served_version_that_is_damaged_is_replaced_by_the_one_before_which_judges_the_next(
    store: Path, run: Any
) -> None:
    shelf = Shelf(Workspace(store))
    run("train", "--store", store, "--set", "seed=8", *QUICK)
    shutil.rmtree(shelf.versions("lirdrec")[1].folder)
    said = run("retrain", "--store", store, *FEW).out
    assert "lirdrec@2 is damaged" in said and "lirdrec@1 is promoted again" in said
    assert "nothing is trained: 0 positives since lirdrec@1" in said and shelf.promoted("lirdrec") == 1
    lives(store, usual(store))
    shutil.rmtree(shelf.versions("lirdrec")[0].folder)
    said = run("retrain", "--store", store, *FEW).out
    assert "so whatever is whole takes its place" in said and "is promoted: nothing else can be served" in said


@pytest.mark.slow
def test_a_training_from_the_log_alone_says_what_it_leaves_out(store: Path, run: Any) -> None:
    lives(store, usual(store))
    assert "lirdrec@2 is promoted" in run("retrain", "--store", store, *FEW).out
    said = run("train", "--store", store, *QUICK).out
    assert "learned from the log alone, and lirdrec@2 from live events as well: vitrine retrain does" in said


@pytest.mark.slow
def test_a_clock_that_ran_ahead_ends_no_retraining(store: Path, run: Any) -> None:
    """What was done while the clock was a year ahead is learned from; what is done now is later all the same."""
    last = load_shop(Workspace(store)).log["timestamp"].max()
    assert isinstance(last, datetime)
    now = datetime.now(UTC) - last - timedelta(days=9)
    done = usual(store, 108)
    ahead = [replace(each, event_id=f"a-{each.event_id}", timestamp=each.timestamp + now) for each in done[:27]]
    lives(store, [replace(each, timestamp=each.timestamp + now + timedelta(days=365)) for each in ahead])
    few = ("--set", "retrain.at_least=10", *LENIENT)
    lives(store, [replace(each, timestamp=each.timestamp + now) for each in done[27:54]])
    said = run("retrain", "--store", store, *few).out
    assert (
        "27 positives of a clock that ran ahead are learned from and judge nothing" in said and "lirdrec@2 is" in said
    )
    run("models", "promote", "lirdrec@2", "--store", store)
    again = run("retrain", "--store", store, *few).out
    assert "nothing is trained: 0 positives since lirdrec@2 learned" in again
    day = now + timedelta(days=1)
    lives(store, [replace(each, user_id=f"{each.user_id}-b", timestamp=each.timestamp + day) for each in done[54:]])
    assert "lirdrec@3 is promoted: ndcg@20" in run("retrain", "--store", store, *few).out
