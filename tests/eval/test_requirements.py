"""A split that judges nobody is refused before anything is fitted; one that validates nobody says so."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

import eval.cells
from catalog.columns import INTERACTIONS
from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.splits import ProtocolName, Split, make_split
from eval.config import EvalConfig
from eval.report import report_json, report_markdown
from eval.report_text import report_text
from eval.requirements import require_valid_users
from eval.table import evaluate

ITEMS = IdMap(f"i{n}" for n in range(6))


def split_of(pairs: Iterable[tuple[str, str, int]], protocol: ProtocolName, label: str | None = None) -> Split:
    """Split (user, item, label) triples, an hour apart."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    given: dict[str, Any] = {**dict.fromkeys(INTERACTIONS), "kind": "purchase"}
    rows = [
        {**given, "event_id": str(n), "user_id": user, "item_id": item, "x_label_own": part,
         "timestamp": start + timedelta(hours=n)}
        for n, (user, item, part) in enumerate(pairs)
    ]  # fmt: skip
    log = pl.DataFrame(rows, schema={**INTERACTIONS, "x_label_own": pl.Int64}, orient="row")
    return make_split(log, ITEMS, protocol=protocol, label_column=label)


def report_of(split: Split, **wanted: Any) -> dict[str, Any]:
    config = EvalConfig.model_validate({"models": ("popularity", "als"), "overrides": {"als": {"dim": 2}}, **wanted})
    table = evaluate(split, {}, config)
    return report_json(table, dataset="b", origin="import", data_key="k", modalities={}, config=config)


@pytest.fixture
def no_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("something was fitted")

    monkeypatch.setattr(eval.cells, "contender", refuse)


@pytest.mark.usefixtures("no_fit")
@pytest.mark.parametrize("protocol", ["mmrec", "last"])
@pytest.mark.parametrize("users", [20, 1])
def test_nobody_to_judge_is_one_line_with_counts_and_what_helps(protocol: ProtocolName, users: int) -> None:
    split = split_of([(f"u{n}", "i0", 0) for n in range(users)], protocol)
    with pytest.raises(DataError) as refused:
        evaluate(split, {}, EvalConfig(models=("popularity", "itemknn")))
    assert str(refused.value).startswith(f"protocol {protocol!r} (")
    assert f"no user has a test row ({users} users with {users} rows in all: {users} train, 0 validation" in str(
        refused.value
    )
    assert "a user with 3 different items would be valid" in str(refused.value)


@pytest.mark.usefixtures("no_fit")
def test_given_labels_are_what_the_refusal_speaks_of() -> None:
    split = split_of([("a", "i0", 0), ("a", "i1", 1), ("b", "i2", 2)], "last", "x_label_own")
    with pytest.raises(DataError, match=r"2 users with 3 rows .* 1 of users without a train row\)") as refused:
        evaluate(split, {}, EvalConfig(models=("popularity",)))
    assert "a row whose 'x_label_own' is 2 of a user with a row labelled 0 would be valid" in str(refused.value)


def test_without_a_validation_row_models_train_and_the_report_says_which_nothing_stopped() -> None:
    pairs = [(f"u{n % 4}", f"i{n // 4}", 2 if n >= 12 else 0) for n in range(16)]
    split = split_of(pairs, "last", "x_label_own")
    report = report_of(split)
    assert report["unvalidated"] == ["als"] and report["models"]["als"]["history"] == [[]]
    for text in (report_markdown(report), report_text(report)):
        assert "No user has a validation row: als took the default epochs or settings" in text
    with pytest.raises(DataError, match=r"--diagnose: protocol 'last' \(x_label_own\): no user has a validation row"):
        require_valid_users(split, "--diagnose")


def test_a_first_metric_that_nobody_has_is_said_and_nothing_breaks() -> None:
    pairs = [(f"u{n % 4}", f"i{n // 4}", (0, 0, 1, 2)[n // 4]) for n in range(16)]
    pairs += [("more", f"i{n}", 0) for n in range(4)]
    split = split_of(pairs, "last", "x_label_own")
    report = report_of(split, metrics=("coldrecall@2", "hit@2"), seeds=(1, 2))
    assert report["models"]["als"]["metrics"]["coldrecall@2"]["mean"] is None
    assert report["unvalidated"] == []
    assert "coldrecall@2 none [none, none], p = 1.0000" in report_markdown(report)
    assert "no user" in report_text(report)
