"""What a person reads on a terminal: columns that fit, each test once, refusals with a reason."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from eval.report import report_markdown
from eval.report_text import report_text


def metric(mean: float, seeds: list[float] | None = None) -> dict[str, Any]:
    return {"mean": mean, "ci95": [mean - 0.05, mean + 0.05], "seeds": seeds}


REPORT: dict[str, Any] = {
    "dataset": "board", "protocol": "last", "n_users": 1234, "label": "generated", "data_key": "k", "commit": None,
    "models": {
        "lirdrec": {"metrics": {"ndcg@20": metric(0.5, [0.4, 0.6]), "hit@10": metric(0.7)}, "epochs": [24, 21],
                    "fit_seconds": 3.25},
        "itemknn": {"metrics": {"ndcg@20": metric(0.25), "hit@10": metric(0.3)}, "epochs": 1, "fit_seconds": 0.5},
    },
    "refused": {"ease": "9 items are beyond max_items 5"},
    "paired": [{"a": "itemknn", "b": "lirdrec", "metric": "ndcg@20", "difference": -0.25, "ci95": [-0.3, -0.2],
                "p": 0.01}],
    "modalities": {"picture": "p", "text": "t"}, "readers": {"picture": ["lirdrec"], "text": []},
    "config": {"models": ["lirdrec", "itemknn"], "metrics": ["ndcg@20", "hit@10"], "seeds": [1, 2]},
    "audit": {"passed": True, "findings": [
        {"check": "parts", "status": "passed", "text": "a long story"},
        {"check": "time", "status": "noted", "text": "another long story"},
    ]},
}  # fmt: skip


def test_columns_line_up_and_the_first_metric_alone_has_its_interval() -> None:
    lines = report_text(REPORT, 100).splitlines()
    assert lines[0] == "board, protocol last, 1,234 users (generated)"
    assert lines[2:5] == [
        "model    ndcg@20      95% interval  hit@10  epochs  fit s",
        "lirdrec   0.5000  [0.4500, 0.5500]  0.7000   21-24    3.2",
        "itemknn   0.2500  [0.2000, 0.3000]  0.3000       1    0.5",
    ]


@pytest.mark.parametrize("width", [60, 72, 100])
def test_no_line_is_wider_than_the_terminal_and_no_column_is_lost(width: int) -> None:
    report = copy.deepcopy(REPORT)
    for row in report["models"].values():
        row["metrics"] |= {f"precision@{k}": metric(0.1) for k in range(10, 20)}
    text = report_text(report, width)
    assert max(map(len, text.splitlines())) <= width
    assert all(f"precision@{k}" in text for k in range(10, 20))


def test_what_was_counted_in_trials_is_called_so_and_a_control_as_its_model() -> None:
    report = copy.deepcopy(REPORT)
    report["models"]["lirdrec (no text)"] = {**report["models"]["lirdrec"], "epochs": 1}
    report["by_trial"] = ["lirdrec"]
    assert "| 21-24 trials | 3.2 |" in report_markdown(report) and "| 1 trial | 3.2 |" in report_markdown(report)
    *_, lirdrec, itemknn, control = report_text(report).splitlines()[:6]
    assert lirdrec.split()[-3:-1] == ["21-24", "trials"] and control.split()[-3:-1] == ["1", "trial"]
    assert itemknn.split()[-2] == "1"


def test_a_refusal_has_its_reason_once_and_stands_apart_from_the_table() -> None:
    assert "\n\nno row for ease: 9 items are beyond max_items 5\n" in report_text(REPORT)
    assert "\n\n- no row for ease: 9 items are beyond max_items 5\n" in report_markdown(REPORT)


def test_the_file_keeps_every_interval_and_the_whole_audit() -> None:
    text = report_markdown(REPORT)
    assert "| lirdrec | 0.5000 [0.4500, 0.5500] | 0.7000 [0.6500, 0.7500] | 21-24 | 3.2 |" in text
    assert "parts passed: a long story" in text and "another long story" in text


def test_the_audit_is_short_unless_something_failed() -> None:
    assert "Leakage audit passed: time noted; parts passed. The report says of each why." in report_text(REPORT)
    report = copy.deepcopy(REPORT)
    report["audit"]["passed"], report["audit"]["findings"][0]["status"] = False, "failed"
    assert "Leakage audit FAILED: parts failed: a long story; time noted." in report_text(report)


def test_features_that_no_model_reads_are_not_named() -> None:
    assert "Features: picture = p. Seeds 1, 2" in report_text(REPORT)
    report = {**REPORT, "readers": {"picture": [], "text": []}}
    assert "Features: none read. Seeds" in report_text(report)
    diverse = {**report, "config": {**REPORT["config"], "metrics": ["ndcg@20", "diversity@10"]}}
    assert "picture = p, for diversity alone" in report_text(diverse)
