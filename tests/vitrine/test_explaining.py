"""`vitrine eval explain` on a store of six things."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_the_evidence_of_a_store_is_taken_away_and_the_figures_kept(
    life: Any, run: Callable[..., Any], tmp_path: Path, tree: Callable[[Path], dict[str, bytes]]
) -> None:
    before = tree(life.store)
    asked = ("--shoppers", 3, "--wishes", 4, "--events", 1, 9, "--out", "out")
    ran = run("eval", "explain", "--store", life.store, *asked)
    assert ran.code == 0, ran.err
    assert tree(life.store) == before, "the store was written to"
    figures = json.loads((tmp_path / "out" / "explanations.json").read_text())
    assert figures["about"]["data"] and figures["kinds"] and figures["config"]["wishes"] == 4
    assert (tmp_path / "out" / "explanations.md").read_text().strip() in ran.out


def test_nothing_to_explain_is_one_line(life: Any, run: Callable[..., Any]) -> None:
    line = run("eval", "explain", "--store", life.store, "--shoppers", 0, "--wishes", 0).line
    assert "no shopper has 5 to 60 items and no wish found any" in line
