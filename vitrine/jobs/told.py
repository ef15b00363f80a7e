"""What a finished batch job says of itself, and of what failed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import islice

from batch.base import JobReport
from batch.report import report_line
from catalog.workspace import Workspace

REASONS_SHOWN = 3
"""Commonest reasons of failures that a job names on the terminal; the file it names holds all."""


def job_text(report: JobReport, workspace: Workspace, told: Collection[str] = ()) -> str:
    """Return a line about a finished batch job, and where something failed the reasons below it.

    `told` are reasons that were said already.
    """
    twice = f" (duplicates among them: {report.duplicates:,})" if report.duplicates else ""
    failed = f", {report.failed:,} failed" if report.failed else ""
    later = f", {report.pending:,} left for later" if report.pending else ""
    line = (
        f"{report.name}: {report.done:,} done{twice}, {report.reused:,} reused{failed}{later}, {report.seconds:.1f} s"
    )
    how = [report_line(report)] if report.rate else []
    rest = [f"{report.resting:,} failed before and left alone (--retry-all tries them)"] if report.resting else []
    return "\n  ".join([line, *how, *rest, *failure_lines(report, workspace, told)])


def failure_lines(report: JobReport, workspace: Workspace, told: Collection[str] = ()) -> list[str]:
    """Return the commonest reasons, each with its count and first case, and where every failure stands; or nothing.

    `told` are reasons that were said already.
    """
    from batch.job import FAILURES

    failures = {reason: count for reason, count in report.failures.items() if reason not in told}
    if not failures:
        return []
    return [*reason_lines(failures, report.examples), f"all of them: {workspace.path(report.name) / FAILURES}"]


def reason_lines(failures: Mapping[str, int], examples: Mapping[str, str]) -> list[str]:
    """Return the commonest reasons, each with its count and first case."""
    return [
        f"{count:,} {reason}, the first: {examples[reason]}"
        for reason, count in islice(failures.items(), REASONS_SHOWN)
    ]
