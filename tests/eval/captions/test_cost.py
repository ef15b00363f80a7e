"""What a space cost, from the reports its jobs left: every piece at the rate of the runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from catalog.workspace import Workspace
from eval.captions.config import Prices
from eval.captions.cost import Cost, cost_of


def write_runs(root: Path, name: str, *runs: dict[str, Any]) -> None:
    (root / name).mkdir(parents=True)
    (root / name / "runs.json").write_text(json.dumps(runs))


def run(worked: int, work: float, prompt: int, completion: int, **counts: int) -> dict[str, Any]:
    usage = {"prompt": prompt, "completion": completion}
    return {"worked": worked, "phases": {"plan": 9.0, "work": work}, "usage": usage, **counts}


def test_captions_and_their_vectors_cost_together(tmp_path: Path) -> None:
    write_runs(tmp_path, "captions/a", run(10, 20.0, 1000, 100, done=10))
    write_runs(tmp_path, "embeddings/caption-a-m", run(10, 4.0, 50, 0, done=10))
    found = cost_of(Workspace(tmp_path), ["captions/a", "embeddings/caption-a-m"], Prices())
    assert found == Cost(20.0 + 4.0, 1000 + 50, 100, None)


def test_a_job_in_two_runs_costs_what_all_its_pieces_do(tmp_path: Path) -> None:
    first = run(6, 6.0, 60, 6, done=6)
    # 4 more, of which one was tried twice: 5 worked on; one of the pieces is a duplicate of another.
    second = run(5, 5.0, 50, 5, done=5, reused=6, duplicates=1)
    write_runs(tmp_path, "embeddings/s", first, second)
    # 11 worked in 11 s with 110 and 11 tokens: ten distinct pieces.
    found = cost_of(Workspace(tmp_path), ["embeddings/s"], Prices())
    assert found is not None and found.seconds == pytest.approx(10.0)
    assert (found.prompt, found.completion) == (100, 10)


def test_a_run_that_only_put_things_in_order_changes_nothing(tmp_path: Path) -> None:
    made, ordered = run(4, 8.0, 40, 4, done=4), run(0, 0.0, 0, 0, done=0, reused=4)
    write_runs(tmp_path, "embeddings/s", made, ordered)
    assert cost_of(Workspace(tmp_path), ["embeddings/s"], Prices()) == Cost(8.0, 40, 4)


def test_what_left_no_report_costs_nobody_knows_what(tmp_path: Path) -> None:
    write_runs(tmp_path, "captions/a", run(10, 20.0, 1000, 100, done=10))
    assert cost_of(Workspace(tmp_path), ["captions/a", "embeddings/brought"], Prices()) is None


def test_prices_are_of_a_million_tokens_and_of_an_hour() -> None:
    cost = Cost(1800.0, 2_000_000, 500_000)
    assert cost.priced(Prices(prompt=0.15, completion=0.6, hour=2.0)).money == pytest.approx(0.3 + 0.3 + 1.0)
    assert cost.priced(Prices(hour=0.0)).money == 0.0
    assert cost.priced(Prices()).money is None
