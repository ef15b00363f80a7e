"""A space learned from takes is judged by its own account of its rows, since its vectors cannot give it away."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from catalog.columns import INTERACTIONS
from catalog.ids import IdMap
from catalog.splits import make_split
from catalog.vectors import EmbeddingTable
from eval.audit import audit
from eval.audit_learned import learned_finding

START = datetime(2026, 1, 1, tzinfo=UTC)
ITEMS = IdMap([f"i{n}" for n in range(10)])


@pytest.fixture(scope="module")
def log():
    """Ten shoppers take every item, one a day; the last two days are validation and test."""
    rows = [
        {
            "event_id": f"e{user}-{day}", "user_id": f"u{user}", "item_id": f"i{(user + day) % 10}", "kind": "purchase",
            "timestamp": START + timedelta(days=day),
        }
        for user in range(10)
        for day in range(10)
    ]  # fmt: skip
    table = pl.DataFrame(rows, schema=INTERACTIONS)
    return table.with_columns(pl.Series("x_label", [0 if day < 8 else day - 7 for _ in range(10) for day in range(10)]))


@pytest.mark.parametrize("protocol", ["mmrec", "last", "temporal"])
def test_train_rows_pass_and_all_rows_fail(log, protocol):
    split = make_split(log, ITEMS, protocol=protocol)
    found = learned_finding("fused", split, log.filter(pl.col("x_label") == 0))
    assert (found.check, found.status) == ("rows behind 'fused'", "passed")
    assert found.text == "none of the 80 rows it was learned from is outside train"
    leaking = learned_finding("fused", split, log)
    assert leaking.status == "failed" and leaking.numbers["of test pairs"] == 10
    assert leaking.text.startswith("of 100 rows it was learned from 10 of test pairs and 10 of validation pairs")


def test_validation_rows_fail_as_well_since_models_are_stopped_by_them(log):
    split = make_split(log, ITEMS, protocol="mmrec")
    assert learned_finding("fused", split, log.filter(pl.col("x_label") < 2)).status == "failed"


def test_the_audit_of_a_report_fails_where_the_vectors_alone_would_pass(log):
    split = make_split(log, ITEMS, protocol="mmrec")
    tables = {"fused": EmbeddingTable(ITEMS, np.eye(10, dtype=np.float32), "fused")}
    assert audit(split, tables).passed
    assert not audit(split, tables, learned={"fused": log}).passed
