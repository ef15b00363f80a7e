"""A clean log passes the audit on every protocol; each way of leaking, planted, is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

import models.features
import models.item_statistics
import models.shopper
from catalog.columns import INTERACTIONS
from catalog.ids import IdMap
from catalog.items import Catalog
from catalog.log import Interactions
from catalog.nouns import Item
from catalog.splits import ProtocolName, Split, make_split
from catalog.vectors import EmbeddingTable
from eval.audit import Audit, Finding, audit, audit_line
from eval.audit_canary import canary

N_USERS, N_ITEMS, N_GROUPS, TAKEN = 150, 120, 6, 14
PROTOCOLS: tuple[ProtocolName, ...] = ("mmrec", "last", "temporal")


@pytest.fixture(scope="module")
def log() -> pl.DataFrame:
    """Each shopper takes items of one group three times in four, in an order that says nothing."""
    rng = np.random.default_rng(0)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows: list[dict[str, Any]] = []
    for user in range(N_USERS):
        of_group = np.arange(N_ITEMS) % N_GROUPS == user % N_GROUPS
        chance = np.where(of_group, 3 * (N_GROUPS - 1), 1.0)
        taken = rng.choice(N_ITEMS, TAKEN, replace=False, p=chance / chance.sum())
        for item, minute in zip(taken, rng.integers(0, 500_000, TAKEN), strict=True):
            rows.append(
                {
                    **dict.fromkeys(INTERACTIONS),
                    "event_id": f"e{len(rows)}",
                    "user_id": f"u{user}",
                    "item_id": f"i{item}",
                    "timestamp": start + timedelta(minutes=int(minute)),
                    "kind": "purchase",
                }
            )
    return pl.DataFrame(rows, schema=INTERACTIONS, orient="row")


@pytest.fixture(scope="module")
def items() -> IdMap:
    return IdMap(f"i{item}" for item in range(N_ITEMS))


@pytest.fixture(scope="module")
def content(items: IdMap) -> EmbeddingTable:
    """What an honest photograph would tell: the group, blurred."""
    rng = np.random.default_rng(1)
    group = np.eye(N_GROUPS)[np.arange(N_ITEMS) % N_GROUPS]
    return EmbeddingTable(items, (group + 0.3 * rng.standard_normal(group.shape)).astype(np.float32), "photo")


def of(found: Audit, check: str) -> Finding:
    return next(finding for finding in found.findings if finding.check == check)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_clean_data_passes_and_the_planted_canary_is_seen(
    log: pl.DataFrame, items: IdMap, content: EmbeddingTable, protocol: ProtocolName
) -> None:
    split = make_split(log, items, protocol=protocol)
    catalog = Catalog([Item(item_id=item, title=item, price=1.0) for item in items])
    found = audit(split, {"picture": content}, catalog=catalog, log=log)
    assert found.passed, found
    assert of(found, "modality 'picture'").status == "passed"
    assert of(found, "as-of").status == "passed"
    assert of(found, "time").status == ("noted" if protocol == "mmrec" else "passed")
    sung = of(found, "canary")
    assert sung.status == "passed" and sung.numbers["leaking ndcg@20"] > 1.25 * sung.numbers["fair ndcg@20"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_vectors_made_from_test_rows_as_well_are_named(
    log: pl.DataFrame, items: IdMap, content: EmbeddingTable, protocol: ProtocolName
) -> None:
    split = make_split(log, items, protocol=protocol)
    found = audit(split, {"text": canary((split.train, split.test), 3), "picture": content})
    assert not found.passed
    assert of(found, "modality 'text'").status == "failed"
    assert of(found, "modality 'picture'").status == "passed"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_vectors_learned_from_train_rows_are_no_leak(log: pl.DataFrame, items: IdMap, protocol: ProtocolName) -> None:
    split = make_split(log, items, protocol=protocol)
    assert of(audit(split, {"text": canary((split.train,), 3)}), "modality 'text'").status == "passed"


def test_honest_vectors_raise_no_alarm_over_forty_splits(
    log: pl.DataFrame, items: IdMap, content: EmbeddingTable
) -> None:
    from eval.audit_vectors import vector_finding

    splits = (make_split(log, items, protocol="mmrec", seed=seed) for seed in range(40))
    found = [vector_finding("photo", split, content, False, np.random.default_rng(0)) for split in splits]
    assert [finding.status for finding in found] == ["passed"] * 40


def test_a_table_brought_along_is_noted_as_undated(log: pl.DataFrame, items: IdMap, content: EmbeddingTable) -> None:
    split = make_split(log, items, protocol="last")
    found = audit(split, {"picture": content}, undated=frozenset({"picture"}))
    assert of(found, "modality 'picture'").status == "noted" and found.passed


def test_a_pair_in_two_parts_fails(log: pl.DataFrame, items: IdMap) -> None:
    split = make_split(log, items, protocol="last")
    both: dict[str, Any] = {
        name: np.append(getattr(split.train, name), getattr(split.test, name)[0]) for name in COLUMNS
    }
    leaking = replace(split, train=replace(split.train, **both))
    finding = of(audit(leaking, {}), "parts")
    assert finding.status == "failed" and "1 (user, item) pairs stand in train and test" in finding.text


@pytest.mark.parametrize("protocol", ["last", "temporal"])
def test_a_label_column_that_breaks_the_protocol_is_reported(
    log: pl.DataFrame, items: IdMap, protocol: ProtocolName
) -> None:
    drawn = np.random.default_rng(4).choice(3, len(log), p=[0.8, 0.1, 0.1])
    labelled = log.with_columns(pl.Series("x_label", drawn))
    finding = of(audit(make_split(labelled, items, protocol=protocol, label_column="x_label"), {}), "time")
    assert finding.status == "failed" and "x_label" in finding.text
    assert finding.numbers["late_rows"] > 0


def test_late_rows_are_counted_by_hand(items: IdMap) -> None:
    users = IdMap(["a", "b"], "user")
    time = np.array([10, 40, 10, 20], np.int64)
    train = Interactions(users, items, np.array([0, 0, 1, 1], np.int32), np.array([0, 1, 0, 1], np.int32), time)
    test = Interactions(users, items, np.array([0, 1], np.int32), np.array([2, 2], np.int32), np.array([30, 20]))
    valid = test.take(np.array([], np.int64))
    none = np.empty(0, np.int64)
    split = Split(train, valid, test, "last", {"source": "x"}, cold_users=none, cold_items=none)
    finding = of(audit(split, {}), "time")
    assert finding.status == "failed"
    assert finding.numbers == {"late_rows": 1.0, "late_users": 1.0, "users": 2.0}  # 40 after 30; 20 is not after 20


@pytest.mark.parametrize(
    ("module", "told"), [(models.item_statistics, "columns"), (models.shopper, "profiles")], ids=["items", "shoppers"]
)
def test_aggregates_that_see_past_their_moment_are_named(
    log: pl.DataFrame, items: IdMap, monkeypatch: pytest.MonkeyPatch, module: Any, told: str
) -> None:
    for guard in (models.features, module):  # the store cuts the log, and each aggregate cuts it again
        monkeypatch.setattr(guard, "before", lambda log, as_of: log)
    catalog = Catalog([Item(item_id=item, title=item) for item in items])
    finding = of(audit(make_split(log, items, protocol="temporal"), {}, catalog=catalog, log=log), "as-of")
    assert finding.status == "failed" and told in finding.text


def test_a_handful_of_rows_is_skipped_not_passed(log: pl.DataFrame, items: IdMap, content: EmbeddingTable) -> None:
    few = log.filter(pl.col("user_id").is_in(["u0", "u1", "u2"]))
    found = audit(make_split(few, items, protocol="last"), {"picture": content})
    assert of(found, "canary").status == "skipped" and of(found, "modality 'picture'").status == "skipped"


def test_the_line_puts_failures_first(log: pl.DataFrame, items: IdMap) -> None:
    bad, good = Finding("time", "failed", "3 rows are late"), Finding("parts", "passed", "none shared")
    line = audit_line(Audit((good, bad)).as_json())
    assert line == "Leakage audit **FAILED**: time failed: 3 rows are late; parts passed: none shared."


COLUMNS = ("user_rows", "item_rows", "timestamps")
