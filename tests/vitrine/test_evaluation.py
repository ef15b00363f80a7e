"""`vitrine eval` where the data cannot be judged, or the report cannot be kept."""

from __future__ import annotations

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
