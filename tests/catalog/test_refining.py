from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.log import Interactions, log_frame
from catalog.nouns import Interaction, Item, Kind, User
from catalog.readers.finishing import refine
from catalog.readers.importing import Import, save_import
from catalog.readers.refining import RefineConfig, first_reviews, k_core, key_columns
from catalog.readers.rejects import Rejects
from catalog.shop_data import ShopData
from catalog.splits import make_split
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace

START = datetime(2024, 1, 1, tzinfo=UTC)


def event(
    n: int, user: str, item: str, *, at: int | None = None, text: str | None = None, kind: Kind = "rating"
) -> Interaction:
    return Interaction(f"e{n}", user, item, START + timedelta(seconds=n if at is None else at), kind, text=text)


def imported(events: list[Interaction], n_items: int = 8) -> Import:
    items = [Item(f"i{n}") for n in range(n_items)]
    vectors = EmbeddingTable(IdMap(item.item_id for item in items), np.arange(n_items, dtype=np.float32)[:, None], "v")
    log = log_frame(events)
    shop = ShopData.of("t", items, log, [User(each) for each in log["user_id"].unique(maintain_order=True)])
    return Import(
        shop,
        {"v": vectors},
        {"items": n_items, "interactions": log.height, "media": 0, "media_missing": 0},
        Rejects(),
        "time",
    )


def test_a_k_core_peels_again_and_again() -> None:
    # a-b-c with items 0,1,2 all tied is a 2-core; d hangs on item 3 that only d and e know, e on item 3 alone.
    users = np.array([0, 0, 1, 1, 2, 2, 3, 3, 4])
    items = np.array([0, 1, 1, 2, 2, 0, 3, 0, 3])
    # First e falls (one item); then item 3 has one user; then d has one item.
    assert k_core(users, items, 2).tolist() == [True] * 6 + [False] * 3
    assert k_core(users, items, 1).all()
    assert not k_core(users, items, 3).any()


def test_a_pair_counts_once_in_a_core_however_often_it_stands() -> None:
    assert not k_core(np.array([0, 0, 0]), np.array([0, 0, 0]), 2).any()


def test_a_core_agrees_with_another_way_of_peeling() -> None:
    rng = np.random.default_rng(7)
    users, items = rng.integers(0, 60, 400), rng.integers(0, 50, 400)
    pairs = {(int(u), int(i)) for u, i in zip(users, items, strict=True)}
    while True:
        weak = {p for p in pairs if sum(q[0] == p[0] for q in pairs) < 5 or sum(q[1] == p[1] for q in pairs) < 5}
        if not weak:
            break
        pairs -= {next(iter(weak))}  # one at a time: the core does not depend on the order
    kept = k_core(users, items, 5)
    assert {(int(u), int(i)) for u, i in zip(users[kept], items[kept], strict=True)} == pairs and pairs


def test_a_review_repeats_one_of_the_same_moment_or_the_same_words() -> None:
    events = [
        event(0, "u", "i", text="good"),
        event(1, "u", "i", text="good"),
        event(2, "u", "i", text="bad"),
        event(3, "u", "i", at=2),
        event(4, "u", "j", text="good"),
        event(5, "v", "i", text="good"),
        event(6, "u", "i", text="good", kind="purchase"),
        event(7, "u", "i"),
        event(8, "u", "i"),
    ]
    keys = log_frame(events).select(*key_columns())
    assert first_reviews(keys).tolist() == [True, False, True, False, True, True, True, True, True]


def test_items_users_and_vectors_outside_the_core_go_and_are_counted() -> None:
    events = [event(0, "a", "i0"), event(1, "a", "i1"), event(2, "b", "i0"), event(3, "b", "i1"), event(4, "c", "i2")]
    left = refine(imported(events), RefineConfig(k_core=2))
    assert left.shop.items["item_id"].to_list() == ["i0", "i1"] and left.shop.users["user_id"].to_list() == ["a", "b"]
    assert left.embeddings["v"].ids.ids == ("i0", "i1") and left.embeddings["v"].vectors[:, 0].tolist() == [0.0, 1.0]
    assert {name: left.counts[name] for name in ("interactions", "outside_core", "items_outside_core")} == {
        "interactions": 4, "outside_core": 1, "items_outside_core": 6,
    }  # fmt: skip
    assert left.notes == ("2-core: 1 interactions, 6 items and 1 users left out",)
    with pytest.raises(DataError, match="--k-core 3 leaves none of 5 interactions"):
        refine(imported(events), RefineConfig(k_core=3))


def test_mmrecs_rule_gives_the_sets_that_the_protocol_would_draw() -> None:
    rng = np.random.default_rng(3)
    events = [event(n, f"u{rng.integers(0, 12)}", f"i{rng.integers(0, 8)}") for n in range(150)]
    before = imported(events)
    after = refine(before, RefineConfig(split_rule="mmrec", split_seed=5))
    ids = before.shop.catalog.ids
    given, drawn = (make_split(each.shop.log, ids, protocol="mmrec", seed=5) for each in (after, before))
    assert (given.meta["source"], drawn.meta["source"]) == ("x_label", "random")
    for name in ("train", "valid", "test"):
        assert pairs(getattr(given, name)) == pairs(getattr(drawn, name))
        assert after.counts[f"split_{name}"] == len(getattr(given, name))
    # Under ten items a user gives one each to validation and test; nobody has ten of eight items.
    per_user = (
        after.shop.log.filter(pl.col("x_label") == 2).select("user_id", "item_id").unique()["user_id"].value_counts()
    )
    assert set(per_user["count"]) == {1}


def pairs(part: Interactions) -> set[tuple[str, str]]:
    return set(zip(part.users.at(part.user_rows), part.items.at(part.item_rows), strict=True))


def test_a_split_that_stands_there_is_not_overwritten() -> None:
    events = [event(n, "u", f"i{n}") for n in range(4)]
    once = refine(imported(events), RefineConfig(split_rule="mmrec"))
    with pytest.raises(DataError, match="the log has a given 'x_label' already"):
        refine(once, RefineConfig(split_rule="mmrec"))


def test_the_summary_says_what_was_left_out(tmp_path: Path) -> None:
    events = [event(0, "a", "i0", at=0), event(1, "a", "i0", at=0), *(event(n, "a", f"i{n}") for n in range(2, 6))]
    left = refine(imported(events), RefineConfig(dedup_reviews=True, k_core=1, split_rule="mmrec"))
    text = save_import(Workspace(tmp_path), left).text()
    assert "1 repeated review left out: the first of each counts" in text
    assert "1-core: 0 interactions, 3 items and 0 users left out" in text
    assert "x_label by rule 'mmrec', seed 0: train 3, valid 1, test 1 pairs of user and item" in text


def test_a_split_says_which_rows_are_none_of_its_pairs() -> None:
    events = [*(event(n, "a", f"i{n}") for n in range(5)), event(5, "a", "i0"), event(6, "a", "i1", kind="dismiss")]
    left = refine(imported(events), RefineConfig(dedup_reviews=True, split_rule="mmrec"))
    # Seven rows: five pairs, one pair a second time, one row that speaks against its item.
    assert left.notes == (
        "no repeated reviews",
        "x_label by rule 'mmrec', seed 0: train 3, valid 1, test 1 pairs of user and item; "
        "1 more rows repeat a pair and have its label; 1 rows are no positives",
    )
