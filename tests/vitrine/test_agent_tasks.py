"""`vitrine eval agent` on a store of six things."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_tasks_are_played_judged_and_kept_and_a_failure_plays_again(
    life: Any, run: Callable[..., Any], tmp_path: Path, tree: Callable[[Path], dict[str, bytes]]
) -> None:
    before = tree(life.store)
    dreaming = ("--mind", "dreaming", "--set", "agent.gate=off")  # fails every task that it answers
    ran = run("eval", "agent", "--store", life.store, "--tasks", 6, "--out", "out", *dreaming)
    assert ran.code == 0, ran.err
    assert tree(life.store) == before, "the store was written to"
    figures = json.loads((tmp_path / "out" / "tasks.json").read_text())
    assert figures["all"]["tasks"] == 6 and figures["about"]["mind"] == "dreaming"
    failures = (tmp_path / "out" / "failures.jsonl").read_text().splitlines()
    assert len(failures) == round((1 - figures["all"]["pass"]["1"]) * 6) > 0
    again = run("eval", "agent", "--store", life.store, *dreaming, "--replay", "out/failures.jsonl#1")
    kept = json.loads(failures[0])
    assert again.code == 0 and [f"shopper: {turn['said']}" for turn in kept["turns"]] == [
        line for line in again.out.splitlines() if line.startswith("shopper: ")
    ]
    assert "fault: " in again.out


def test_the_planner_of_a_store_is_judged(life: Any, run: Callable[..., Any], tmp_path: Path) -> None:
    ran = run("eval", "agent", "--store", life.store, "--tasks", 12, "--mind", "planner", "--out", "out")
    assert ran.code == 0, ran.err
    figures = json.loads((tmp_path / "out" / "tasks.json").read_text())
    assert figures["all"]["grounded"] == 1.0 and figures["all"]["pass"]["1"] > 0.5
    assert "pass^1" in ran.out and "failures.jsonl" in ran.out


def test_what_is_wrong_with_the_call_is_one_line(life: Any, run: Callable[..., Any]) -> None:
    line = run("eval", "agent", "--store", life.store, "--mind", "plannner").line
    assert line.startswith("unknown mind 'plannner'. Did you mean 'planner'?")
    assert (
        "'gone.jsonl#1' names no failure"
        in run("eval", "agent", "--store", life.store, "--replay", "gone.jsonl#1").line
    )
