"""`vitrine eval` where the data cannot be judged, or the report cannot be kept."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest


@pytest.mark.parametrize("users", [20, 1])
def test_events_that_judge_nobody_are_one_line_before_anything_is_fitted(run, files, users):
    rows = [f"u{n},V01,{1_700_000_000 + n},purchase" for n in range(users)]
    Path("log.csv").write_text("\n".join(["user_id,item_id,timestamp,kind", *rows]) + "\n")
    assert run("import", "table", "--items", files / "items.csv", "--interactions", "log.csv", "--store", "s").code == 0
    ran = run("eval", "--store", "s", "--models", "popularity,itemknn", "--protocol", "mmrec", "--protocol", "last")
    assert "protocol 'mmrec' (random): no user has a test row" in ran.line
    assert f"({users} users with {users} rows in all" in ran.line
    assert len(ran.err.splitlines()) == 1, "nothing was fitted"
    assert not Path("s/reports").exists()


def test_an_edited_report_is_one_line_that_names_the_place(run, life, tmp_path):
    report = json.loads((life.store / "reports" / "mmrec-last.json").read_text())
    report["reports"][1]["models"]["popularity"] = None
    (tmp_path / "edited.json").write_text(json.dumps(report))
    line = run("compare", "edited.json", "edited.json").line
    assert line == "report 'edited.json': reports.1.models.popularity has no metrics"


def test_a_disk_that_is_full_is_one_line_and_leaves_the_reports_of_before(run, store, tree):
    before = tree(store / "reports")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))  # the picture is larger
    try:
        ran = run("eval", "--store", store, "--models", "popularity", "--protocol", "mmrec", "--protocol", "last")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert ran.line == f"'{store}/reports/mmrec-last-mmrec.png': File too large"
    reports = {name: text for name, text in tree(store / "reports").items() if "cells/" not in name}
    assert reports == {name: text for name, text in before.items() if "cells/" not in name}
