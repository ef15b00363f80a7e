"""Two processes of one store, as two live shops on one journal: what one acknowledged, the other knows."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from catalog.errors import ServiceError
from catalog.journal_readers import FOLDER, JournalReaders
from catalog.nouns import Item
from tools.doubles import toy_live
from tools.live import LiveShop
from tools.live_config import LiveConfig
from tools.shop import Shop

NEW = Item("N01", title="Magenta kettle", price=30.0, currency="EUR", categories=("home", "kettles"))


@pytest.fixture
def both(shop: Shop) -> Iterator[tuple[LiveShop[Shop], LiveShop[Shop]]]:
    config = LiveConfig(look_seconds=60, grace_seconds=1.0)  # what follows, follows by the journal alone
    one, two = toy_live(shop, config=config), toy_live(shop, config=config)
    for live in (one, two):
        with live.pinned():  # from its first request on a process is waited for
            pass
    yield one, two
    one.close()
    two.close()


def test_an_acknowledged_record_is_given_by_the_other_too(both: tuple[LiveShop[Shop], LiveShop[Shop]]) -> None:
    one, two = both
    for price in (30.0, 31.0, 32.0):
        one.put(replace(NEW, price=price))
        record, _ = two.record("N01")
        assert record is not None and record.price == price
        one, two = two, one
    assert two.wait(10) and "N01" in two.current.catalog


def test_an_acknowledged_deletion_is_in_no_snapshot_of_the_other(both: tuple[LiveShop[Shop], LiveShop[Shop]]) -> None:
    one, two = both
    for item_id in ("V01", "V02", "M01", "S01"):
        assert one.delete(item_id).changed
        assert item_id not in two.current.catalog and two.gone(item_id) and two.record(item_id) == (None, False)
        assert not two.delete(item_id).changed
        one, two = two, one


def test_the_answers_of_the_other_that_began_before_are_waited_for(both: tuple[LiveShop[Shop], LiveShop[Shop]]) -> None:
    one, two = both
    began, ended = threading.Event(), []

    def ask() -> None:
        with two.pinned():
            began.set()
            time.sleep(0.4)
        ended.append(time.monotonic())

    reader = threading.Thread(target=ask)
    reader.start()
    assert began.wait(10)
    one.delete("V01")
    acknowledged = time.monotonic()
    reader.join()
    assert ended[0] <= acknowledged + 0.05


def test_a_process_that_does_not_follow_is_said_and_asked_for_again(shop: Shop) -> None:
    live = toy_live(shop, config=LiveConfig(agree_seconds=0.1))
    stuck = JournalReaders(shop.root / FOLDER, shop.name)
    stuck.join()
    for _ in range(2):
        with pytest.raises(ServiceError, match="'V01' is deleted, and another process") as caught:
            live.delete("V01")
        assert caught.value.retryable and "V01" not in live.current.catalog
    stuck.tell(settled=10**6)
    assert not live.delete("V01").changed
    stuck.leave()
    live.close()


def test_what_was_deleted_while_another_opened_is_not_in_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its reading of the journal and its being waited for, a process must look once more."""
    config = LiveConfig(follow_seconds=60)
    one, two = toy_live(shop, config=config), toy_live(shop, config=config)
    join = JournalReaders.join

    def deleted_before(self: JournalReaders) -> None:
        one.delete("V01")  # acknowledged at once: the other shows nothing to anybody yet
        join(self)

    monkeypatch.setattr(JournalReaders, "join", deleted_before)
    with two.pinned() as seen:
        assert "V01" not in seen.catalog and two.gone("V01")
    one.close()
    two.close()


def test_a_deletion_that_a_job_works_into_the_catalogue_stays_one(shop: Shop) -> None:
    """The journal forgets what the artifact holds; an answer that began before must still leave the item out."""
    live = toy_live(shop, config=LiveConfig(look_seconds=0.05, grace_seconds=0.1))
    live.delete("V01")
    fresh = live.newest
    reloads = [fresh]
    live._journal.forget(live._journal.last())
    live._parts.reload = lambda: reloads.pop() if reloads else None
    until = time.monotonic() + 10
    while live.newest is fresh and time.monotonic() < until:
        time.sleep(0.02)
    assert live.gone("V01") and live.record("V01") == (None, False)
    live.close()
