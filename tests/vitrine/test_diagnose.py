"""`vitrine eval --diagnose`: the section stands in the report, in its text and beside it as a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import eval.diagnosis_runs

EVAL = ("eval", "--models", "popularity", "--protocol", "last", "--diagnose")


def test_the_report_holds_the_diagnosis(store: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = eval.diagnosis_runs.diagnose

    def quick(train: Any, valid: Any, modalities: Any, config: Any, progress: Any) -> Any:
        return real(train, valid, modalities, config.model_copy(update={"epochs": 3, "lirdrec_epochs": 3}), progress)

    monkeypatch.setattr(eval.diagnosis_runs, "diagnose", quick)
    ran = run(*EVAL, "--seeds", "3", "--store", store)
    assert ran.code == 0, ran
    report = json.loads((store / "reports" / "last.json").read_text())
    assert set(report["diagnosis"]["models"]) == {"vbpr", "vbpr-raw", "lirdrec-with-ids"}
    assert all(found["runs"][0]["seed"] == 3 for found in report["diagnosis"]["models"].values())
    assert ran.out.count("the paper's motivation is") == 3
    assert (store / "reports" / "last-diagnosis.png").read_bytes().startswith(b"\x89PNG")


def test_without_features_there_is_nothing_to_diagnose(run: Any, files: Path, tmp_path: Path) -> None:
    tables = ("--items", files / "items.csv", "--interactions", files / "interactions.csv")
    run("import", "table", *tables, "--store", tmp_path / "bare")
    line = run(*EVAL, "--store", tmp_path / "bare").line
    assert "--diagnose needs features beside the ids" in line
