"""The shop while items are written and deleted: what a reader holds never changes, what went is never seen again."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import pytest

from catalog.item_journal import JOURNAL, ItemJournal
from catalog.nouns import Item
from tools.base import Shopper
from tools.doubles import TOY_NOW, ToyReader, toy_live, toy_shop
from tools.live import LiveParts, LiveShop
from tools.live_config import LiveConfig
from tools.pipeline.nouns import PipelineRequest
from tools.pipeline.run import run
from tools.renewal import _MADE_LATE, Change, renewed
from tools.shop import Shop

NEW = Item(
    "N01", title="Magenta kettle", description="Sings when the water boils.", price=30.0, currency="EUR",
    categories=("home", "kettles"), attributes={"colour": ("magenta",)}, images=("media/V01.png",), availability=True,
)  # fmt: skip
QUICK = LiveConfig(look_seconds=0.05)


@pytest.fixture
def live(shop: Shop) -> Iterator[LiveShop[Shop]]:
    live = toy_live(shop, config=QUICK)
    yield live
    live.close()


def found(shop: Shop, query: str | None = None, **more: object) -> list[str]:
    mode = "search" if query else "recommend"
    request = PipelineRequest(Shopper("cleo", None), TOY_NOW, mode=mode, query=query, **{"top_n": 30, **more})  # type: ignore[arg-type]
    return [ranked.item_id for ranked in run(shop, request).ranked]


def test_a_new_item_is_found_by_words_likeness_and_without_a_wish(live: LiveShop[Shop]) -> None:
    written = live.put(NEW)
    assert written.created and written.changed and written.pending
    assert live.record("N01")[0] == NEW
    assert live.wait(10)
    shop = live.current
    assert found(shop, "magenta kettle")[0] == "N01"
    assert "N01" in found(shop)  # the content's nearest known items stand for it
    assert found(shop, like=("N01",))[:1] != ["N01"] and found(shop, like=("N01",))
    assert shop.captions["N01"][0].text == "A magenta object."
    assert live.record("N01") == (NEW, False)


def test_the_same_record_again_changes_nothing(live: LiveShop[Shop]) -> None:
    live.put(NEW)
    live.wait(10)
    before = live.newest
    again = live.put(NEW)
    assert not again.created and not again.changed and not again.pending and live.newest is before


def test_a_changed_record_takes_the_old_ones_place_in_every_channel(live: LiveShop[Shop], shop: Shop) -> None:
    live.put(replace(shop.catalog["V01"], title="Tartan teapot", price=99.0, images=()))
    assert live.record("V01")[0].price == 99.0  # type: ignore[union-attr]
    live.wait(10)
    new = live.current
    assert new.catalog.ids == shop.catalog.ids and new.catalog["V01"].price == 99.0
    assert found(new, "tartan teapot")[0] == "V01"
    # Without a picture there is nothing to read from one, and no vector of it either.
    assert "V01" not in new.captions and "V01" not in new.spaces["caption-toy-hashing"].ids
    assert "V01" not in new.indexes["caption-toy-hashing"].items
    assert shop.catalog["V01"].price == 24.0  # the snapshot before is as it was


@pytest.mark.parametrize("item_id", ["V01", "N01"])
def test_what_is_deleted_is_nowhere_and_may_come_back(live: LiveShop[Shop], item_id: str) -> None:
    live.put(NEW)
    live.wait(10)
    item = live.newest.catalog[item_id]
    assert live.delete(item_id).changed
    shop = live.current
    assert item_id not in shop.catalog and live.gone(item_id) and live.record(item_id) == (None, False)
    for ids in (found(shop), found(shop, item.title), found(shop, sort="price_asc"), found(shop, like=("V02",))):
        assert item_id not in ids and ids
    assert not live.delete(item_id).changed  # twice does no harm
    live.wait(10)
    assert item.title is not None and item_id not in live.current.indexes["keyword"].items
    assert live.put(item).created
    live.wait(10)
    assert found(live.current, item.title)[0] == item_id and not live.gone(item_id)


def test_a_request_sees_one_snapshot_from_its_beginning_to_its_end(live: LiveShop[Shop]) -> None:
    began, go_on = threading.Event(), threading.Event()
    seen: list[Shop] = []

    def ask() -> None:
        with live.pinned():
            seen.append(live.current)
            began.set()
            assert go_on.wait(10)
            seen.append(live.current)

    reader = threading.Thread(target=ask)
    reader.start()
    assert began.wait(10)
    live.put(NEW)
    assert live.wait(10) and "N01" in live.current.catalog
    go_on.set()
    reader.join()
    assert seen[0] is seen[1] and "N01" not in seen[1].catalog


def test_a_deletion_is_acknowledged_after_answers_that_began_before_it(live: LiveShop[Shop]) -> None:
    ended: list[float] = []
    began = threading.Event()

    def ask() -> None:
        with live.pinned() as shop:
            began.set()
            time.sleep(0.4)
            assert "V01" in shop.catalog
        ended.append(time.monotonic())

    reader = threading.Thread(target=ask)
    reader.start()
    assert began.wait(10)
    with live.pinned():  # who deletes within a request does not wait for itself
        live.delete("V01")
    acknowledged = time.monotonic()
    reader.join()
    assert ended[0] <= acknowledged + 0.05


def test_a_reader_that_never_ends_holds_no_deletion_up(shop: Shop) -> None:
    live = toy_live(shop, config=LiveConfig(grace_seconds=0.1))
    with live.pinned() as before:
        other = threading.Thread(target=live.delete, args=("V01",))
        other.start()
        other.join(10)
        assert not other.is_alive() and "V01" in before.catalog and live.gone("V01")
    live.close()


def test_writes_are_there_after_another_opening(tmp_path: Path) -> None:
    shop = toy_shop(tmp_path)
    live = toy_live(shop, delay=30)  # as if it was killed before any snapshot
    live.put(NEW)
    live.delete("V01")
    again = toy_live(shop)
    assert again.record("N01")[0] == NEW and "V01" not in again.current.catalog
    assert again.wait(10)
    assert found(again.current, "magenta kettle")[0] == "N01" and again.record("N01") == (NEW, False)
    again.close()
    shop.events.close()


def test_deleted_while_it_is_read_it_never_comes_in(shop: Shop) -> None:
    live = toy_live(shop, delay=0.3)
    live.put(NEW)
    time.sleep(0.1)
    live.delete("N01")
    assert live.wait(10)
    time.sleep(0.5)
    assert "N01" not in live.current.catalog and live.record("N01") == (None, False)
    live.close()


def test_another_process_writes_and_deletes(live: LiveShop[Shop], shop: Shop) -> None:
    other = ItemJournal(shop.root / JOURNAL, shop.name)
    other.put(NEW, "open")
    other.delete("V01", "open")
    deadline = time.monotonic() + 10
    while ("N01" not in live.current.catalog or "V01" in live.current.catalog) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert "N01" in live.current.catalog and "V01" not in live.current.catalog
    other.close()


class Broken:
    def read(self, items: Sequence[Item]) -> Change:
        raise RuntimeError("a bug")


def test_a_reader_that_breaks_sells_the_record_all_the_same(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    parts = LiveParts(Broken(), lambda same: same.statistics)
    live = LiveShop(shop, ItemJournal(shop.root / JOURNAL, shop.name), parts, lambda same: same)
    live.put(NEW)
    assert live.wait(10) and "N01" in found(live.current, "magenta kettle")
    assert "could not be read" in caplog.text
    live.close()


def test_a_snapshot_is_warm_in_everything_a_shop_makes_late() -> None:
    late = {name for name, value in vars(Shop).items() if isinstance(value, cached_property)}
    assert late - {"centres", "_unknown", "popularity"} == set(_MADE_LATE)  # a dictionary to fill, and what others ask


def test_readers_beside_writers_never_see_half(live: LiveShop[Shop]) -> None:
    """Pairs come together; nobody finds what was deleted before they asked."""
    faults: list[str] = []
    done = threading.Event()
    deleted: set[str] = set()

    def ask() -> None:
        while not done.is_set():
            gone = set(deleted)
            with live.pinned() as shop:
                ids = found(shop, "magenta kettle")
            if back := gone & set(ids):
                faults.append(f"deleted and found: {back}")

    readers = [threading.Thread(target=ask) for _ in range(4)]
    for reader in readers:
        reader.start()
    for n in range(12):
        live.put(replace(NEW, item_id=f"N{n}"))
        if n % 3 == 2:
            live.wait(10)
            live.delete(f"N{n - 1}")
            deleted.add(f"N{n - 1}")
    live.wait(10)
    done.set()
    for reader in readers:
        reader.join()
    assert faults == []
    assert {i for i in live.current.catalog.ids if i.startswith("N")} == {f"N{n}" for n in range(12)} - deleted


def test_nothing_changed_is_the_same_shop(shop: Shop) -> None:
    same = renewed(shop, Change(), {}, lambda s: s.statistics)
    assert same.catalog.ids == shop.catalog.ids and same.spaces == shop.spaces and found(same) == found(shop)


class Counting(ToyReader):
    """Notes what it reads; `pause` is for each record."""

    def __init__(self, pause: float = 0.0) -> None:
        super().__init__()
        self.pause, self.seen = pause, list[str]()

    def read(self, items: Sequence[Item]) -> Change:
        self.seen += [item.item_id for item in items]
        time.sleep(self.pause * len(items))
        return super().read(items)


def counted(shop: Shop, reader: Counting) -> LiveShop[Shop]:
    parts = LiveParts(reader, lambda same: same.statistics, config=QUICK)
    return LiveShop(shop, ItemJournal(shop.root / JOURNAL, shop.name), parts, lambda same: same)


def test_another_price_is_taken_in_without_reading_the_record_again(shop: Shop) -> None:
    reader = Counting()
    live = counted(shop, reader)
    before = live.newest
    live.put(replace(shop.catalog["V01"], price=99.0, availability=False))
    live.put(NEW)
    assert live.wait(10) and reader.seen == ["N01"]
    new = live.current
    assert new.catalog["V01"].price == 99.0 and new.captions.get("V01") == before.captions.get("V01")
    for space, table in before.spaces.items():
        row, then = table.ids.rows(["V01"])[0], new.spaces[space].ids.rows(["V01"])[0]
        assert (new.spaces[space].vectors[then] == table.vectors[row]).all()
        assert "N01" in new.spaces[space].ids and "V01" in new.indexes[space].items
    live.put(replace(shop.catalog["V01"], title="Tartan teapot"))
    assert live.wait(10) and reader.seen == ["N01", "V01"]
    live.close()


def test_what_an_opening_has_to_read_again_holds_no_new_price_up(shop: Shop) -> None:
    journal = ItemJournal(shop.root / JOURNAL, shop.name)
    for n in range(40):
        journal.put(replace(NEW, item_id=f"N{n}"), "open")
    journal.close()
    reader = Counting(pause=0.05)
    live = counted(shop, reader)
    live.put(replace(NEW, item_id="N39", price=31.0))
    until = time.monotonic() + 10
    while live.current.catalog["N39"].price != 31.0 and time.monotonic() < until:
        time.sleep(0.01)
    assert live.current.catalog["N39"].price == 31.0 and len(reader.seen) < 30
    assert "N39" in reader.seen  # nothing was made of it yet: it had to be read
    assert live.wait(20) and set(reader.seen) == {f"N{n}" for n in range(40)}
    live.close()
