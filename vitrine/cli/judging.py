"""`vitrine eval --ctr` and `--advise`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vitrine.cli.output import say

if TYPE_CHECKING:
    from vitrine.settings import Settings


def judged_clicks(settings: Settings, json_path: Path | None) -> None:
    """Teach a click model on the older impressions, judge it by the newest quarter, and write the report."""
    from catalog.workspace import Workspace
    from eval.ctr import ctr_text
    from eval.report_files import files_line
    from vitrine.advising import write_json
    from vitrine.cli.bar import progress
    from vitrine.ctr import judge_ctr

    report = judge_ctr(settings, progress()).report
    say(ctr_text(report))
    say(files_line(tuple(write_json(Workspace(settings.store), "ctr", report.as_json(), json_path))))


def advised(settings: Settings, json_path: Path | None) -> None:
    """Pick the fusion of each category on validation, say what it gains on test, and write the report."""
    from catalog.workspace import Workspace
    from eval.advice import advice_text
    from eval.report_files import files_line
    from vitrine.advising import advise_store, write_json
    from vitrine.cli.bar import progress

    advice = advise_store(settings, progress=progress())
    say(advice_text(advice))
    say(files_line(tuple(write_json(Workspace(settings.store), "advice", advice.as_json(), json_path))))
