"""Training anew on everything so far, and serving it only if it is no worse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalog.events import SqliteEventStore
from catalog.item_journal import JOURNAL, ItemJournal
from catalog.log import log_frame
from catalog.nouns import Interaction, Item
from catalog.shop_data import load_shop
from catalog.workspace import Workspace
from vitrine.retrain_config import RetrainConfig
from vitrine.retraining import judged
from vitrine.shelf import Shelf, Version
from vitrine.training import with_live

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
QUICK = ("--set", 'models.overrides={"lirdrec": {"max_epochs": 5, "epochs": 5, "dim": 8}}')


def version(number: int, ndcg: float | None) -> Version:
    metrics = {} if ndcg is None else {"ndcg@20": ndcg}
    return Version("ease", number, "key", "", {"metrics": metrics}, Path())


@pytest.mark.parametrize(
    ("new", "old", "worse_by", "promoted"),
    [
        (0.21, 0.20, 0.0, True),
        (0.20, 0.20, 0.0, True),
        (0.199, 0.20, 0.0, False),
        (0.191, 0.20, 0.05, True),  # 0.2 * 0.95 is 0.19
        (0.189, 0.20, 0.05, False),
        (None, 0.20, 0.0, False),
        (0.01, None, 0.0, True),
    ],
)
def test_what_is_no_worse_is_served(new: float | None, old: float | None, worse_by: float, promoted: bool) -> None:
    verdict = judged(version(2, new), version(1, old), RetrainConfig(worse_by=worse_by))
    assert verdict.promoted is promoted and "ease@2" in verdict.why


def test_the_first_is_served_whatever_it_reaches() -> None:
    assert judged(version(1, None), None, RetrainConfig()).promoted


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
    if "ndcg@20" not in newest.meta["metrics"]:  # a shop this small may hold too little out to judge by
        assert shelf.promoted("lirdrec") == before
        return
    assert shelf.promoted("lirdrec") == newest.number
    assert f"lirdrec@{before} is promoted again" in run("retrain", "--store", store, "--rollback").out
    assert shelf.promoted("lirdrec") == before
