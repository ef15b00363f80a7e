"""The plan in `docs/scaling.md` is what the command prints."""

from __future__ import annotations

from pathlib import Path

from bench.scaling_plan import STAGES, plan, sources

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"


def test_the_documented_plan_is_the_one_that_is_printed() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert plan(STAGES, 32, 0.9, 2.0) in text
    assert sources(STAGES) in text
