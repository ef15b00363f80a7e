"""A/A and A/B end to end: the real pipeline, a real event store, clicks by the boutique's hidden truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.ab import simulate
from eval.ab import RATE
from eval.ab_simulation import TOP_N
from eval.ab_text import verdict


@pytest.mark.parametrize("planted", [False, True])
def test_the_report_finds_what_was_planted_and_nothing_else(tmp_path: Path, planted: bool) -> None:
    made = simulate(3, items=150, users=300, visits=6, planted=planted, folder=tmp_path)
    row = made.report.metrics[RATE][1]
    assert row.difference is not None
    true = (made.truth["variant"] - made.truth["control"]) / TOP_N
    interval = row.difference.interval
    assert interval.low <= true <= interval.high
    assert (true > 0.01) == planted and (true == 0.0) == (not planted)
    assert verdict(row) == ("better" if planted else "no difference")
    assert made.report.split_p > 0.001 and not made.report.warnings
