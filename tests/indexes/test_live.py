"""An index that changes while it answers."""

import threading
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import DataError, NotFoundError
from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable, Floats
from indexes.base import Query
from indexes.config import HnswConfig, VectorIndexConfig
from indexes.flat import FlatIndex
from indexes.live import LiveIndex
from indexes.opening import build_vectors

D = 8
VECTORS = np.random.default_rng(3).normal(size=(400, D)).astype(np.float32)
IDS = [f"i{n}" for n in range(400)]


def table(rows: slice | list[int], vectors: Floats = VECTORS) -> EmbeddingTable:
    chosen = list(range(400))[rows] if isinstance(rows, slice) else rows
    return EmbeddingTable(IdMap(IDS[row] for row in chosen), vectors[chosen], "s")


def found(index: LiveIndex, vector: Floats, k: int = 5) -> list[str]:
    return [each.item_id for each in index.search(Query(vector=vector), k)]


def same_as_built(index: LiveIndex, expected: EmbeddingTable) -> None:
    """The live index answers as an exact one of what should be there."""
    fresh = FlatIndex.build(expected)
    assert index.items == expected.ids and len(index.snapshot) == len(expected.ids)
    allowed = np.arange(len(expected.ids)) % 3 > 0
    for mask in (None, allowed):
        for wish in VECTORS[:10] + 0.1:
            assert index.search(Query(vector=wish), 7, allowed=mask) == fresh.search(
                Query(vector=wish), 7, allowed=mask
            )
        many, one = (each.search_many(VECTORS[:10], 7, allowed=mask) for each in (index, fresh))
        assert (many.rows == one.rows).all() and (many.scores == one.scores).all()
    by_id = Query(item_id=expected.ids.ids[0])
    assert index.search(by_id, 7) == fresh.search(by_id, 7)


def test_added_is_found_at_once_and_deleted_never() -> None:
    index = LiveIndex(FlatIndex.build(table(slice(0, 100))))
    assert "i100" not in found(index, VECTORS[100])
    index.add(table([100]))
    assert found(index, VECTORS[100])[0] == "i100"
    index.delete(["i100", "i5"])
    assert found(index, VECTORS[100])[0] != "i100" and "i5" not in found(index, VECTORS[5], 200)
    with pytest.raises(NotFoundError, match="unknown item 'i5'"):
        index.search(Query(item_id="i5"), 3)
    with pytest.raises(NotFoundError, match="unknown item 'i5'"):
        index.delete(["i6", "i5"])
    assert found(index, VECTORS[6])[0] == "i6"  # nothing was deleted with it
    index.add(table([5]))
    assert found(index, VECTORS[5])[0] == "i5"


def test_a_new_vector_moves_an_item() -> None:
    index = LiveIndex(FlatIndex.build(table(slice(0, 100))))
    index.add(EmbeddingTable(IdMap(["i5"]), VECTORS[[300]], "s"))
    assert found(index, VECTORS[300])[0] == "i5" and found(index, VECTORS[5])[0] != "i5"
    assert found(index, VECTORS[300], 200).count("i5") == 1


@pytest.mark.parametrize("compacted", [False, True])
def test_changes_leave_what_a_build_from_nothing_would_give(compacted: bool, tmp_path: Path) -> None:
    index = LiveIndex(FlatIndex.build(table(slice(0, 200))))
    moved = VECTORS.copy()
    moved[[10, 250]] = VECTORS[[390, 391]]
    index.add(table(slice(200, 300)))
    index.delete(["i0", "i7", "i299"])
    index.add(table([10], moved))
    index.add(table([250], moved))
    index.add(table([7]))
    if compacted:
        index.compact()
        assert index.snapshot.changes == 0
    order = [*range(1, 250), *range(251, 299), 250]  # what was not built in stands by its last arrival
    same_as_built(index, table(order, moved))
    index.save(tmp_path)
    same_as_built(LiveIndex.load(tmp_path), table(order, moved))


def test_a_held_snapshot_does_not_change() -> None:
    index = LiveIndex(FlatIndex.build(table(slice(0, 100))))
    held = index.snapshot
    index.delete(["i3"])
    index.add(table([200]))
    index.compact()
    assert held.items.ids == tuple(IDS[:100])
    assert held.search(Query(vector=VECTORS[3]), 1, allowed=np.arange(100) == 3)[0].item_id == "i3"


def test_another_space_or_width_is_refused() -> None:
    index = LiveIndex(FlatIndex.build(table(slice(0, 10))))
    with pytest.raises(DataError, match=r"space 'other' \(8 wide\); 's' \(8 wide\)"):
        index.add(EmbeddingTable(IdMap(["x"]), VECTORS[:1], "other"))
    with pytest.raises(DataError, match=r"space 's' \(4 wide\)"):
        index.add(EmbeddingTable(IdMap(["x"]), VECTORS[:1, :4], "s"))


def test_everything_can_go_and_come_back() -> None:
    index = LiveIndex(FlatIndex.build(table(slice(0, 3))))
    index.delete(["i0", "i1", "i2"])
    assert found(index, VECTORS[0]) == []
    index.compact()
    assert found(index, VECTORS[0]) == [] and len(index.items) == 0
    index.add(table([9]))
    assert found(index, VECTORS[0]) == ["i9"]


def test_writes_during_a_compaction_are_kept() -> None:
    started, go_on = threading.Event(), threading.Event()

    def slow(built: EmbeddingTable) -> FlatIndex:
        started.set()
        assert go_on.wait(10)
        return FlatIndex.build(built)

    index = LiveIndex(FlatIndex.build(table(slice(0, 50))), slow, compact_at=2)
    index.add(table([60, 61]))  # the second change: a compaction starts in the background
    assert started.wait(10)
    index.add(table([70]))
    index.delete(["i60", "i3"])
    assert found(index, VECTORS[70])[0] == "i70" and "i60" not in found(index, VECTORS[60], 100)
    go_on.set()
    index.wait()
    assert index.snapshot.base.items.ids == (*IDS[:50], "i60", "i61")
    same_as_built(index, table([*range(3), *range(4, 50), 61, 70]))


def test_a_build_that_fails_changes_nothing() -> None:
    def broken(_: EmbeddingTable) -> FlatIndex:
        raise DataError("no")

    index = LiveIndex(FlatIndex.build(table(slice(0, 50))), broken)
    index.add(table([60]))
    with pytest.raises(DataError, match="no"):
        index.compact()
    assert found(index, VECTORS[60])[0] == "i60" and index.snapshot.changes == 1


@pytest.mark.parametrize("kind", ["flat", "hnsw"])
def test_readers_beside_a_writer_never_see_half(kind: str) -> None:
    """Pairs of items come and go together; a reader that sees one without the other saw half a change."""
    config = VectorIndexConfig(kind=kind, hnsw=HnswConfig(ef_construction=16, neighbours=4))  # type: ignore[arg-type]
    rng = np.random.default_rng(0)
    many = rng.normal(size=(3000, D)).astype(np.float32)
    base = EmbeddingTable(IdMap(f"b{n}" for n in range(3000)), many, "s")
    first = build_vectors(base, config)
    index = LiveIndex(first, compact_at=5)
    wish = VECTORS[0]
    faults: list[str] = []
    done = threading.Event()
    searches = [0] * 4

    def read(number: int) -> None:
        while not done.is_set() or searches[number] < 20:
            try:
                got = found(index, wish, 8)
                pairs = {name[:-1] for name in got if name.startswith("p")}
                halves = [pair for pair in pairs if not {f"{pair}x", f"{pair}y"} <= set(got)]
                if len(set(got)) != 8 or halves or "gone" in got:
                    faults.append(f"{got}")
                view = index.snapshot
                if len(view.items) != len(view):
                    faults.append(f"{len(view.items)} of {len(view)}")
            except Exception as error:  # noqa: BLE001 - told below, where the test can fail
                faults.append(repr(error))
            searches[number] += 1

    readers = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for reader in readers:
        reader.start()
    for turn in range(150):
        # All pairs lie on the wish itself: at most three at a time, so that a list of eight holds every one whole.
        pair = EmbeddingTable(IdMap([f"p{turn}x", f"p{turn}y"]), np.stack([wish, wish]), "s")
        index.add(pair)
        got = found(index, wish, 8)
        if not {f"p{turn}x", f"p{turn}y"} <= set(got):
            faults.append(f"{turn}: not found at once")
        if turn >= 2:
            index.delete([f"p{turn - 2}x", f"p{turn - 2}y"])
            if {f"p{turn - 2}x", f"p{turn - 2}y"} & set(found(index, wish, 8)):
                faults.append(f"{turn}: found after it went")
    done.set()
    for reader in readers:
        reader.join()
    index.wait()
    assert faults == [] and min(searches) >= 20
    assert index.snapshot.base is not first  # compactions ran beside it all
    index.compact()
    assert sorted(index.items.ids) == sorted([*base.ids, "p148x", "p148y", "p149x", "p149y"])
