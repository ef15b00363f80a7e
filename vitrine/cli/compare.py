"""`vitrine compare`: two reports side by side."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from vitrine.cli.learn import WIDTH
from vitrine.cli.output import say


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("compare")(compare)


def compare(
    first: Annotated[Path, typer.Argument(help="A JSON report of vitrine eval.")],
    second: Annotated[Path, typer.Argument(help="Another, of the same data and protocol.")],
    anyway: Annotated[bool, typer.Option("--anyway", help="Also when they are not of the same thing.")] = False,
) -> None:
    """Set two reports side by side: means, differences, paired intervals.

    Differences are tested user by user where both have their .npz beside them. Of files with several protocols,
    each that both hold is compared.
    """
    from eval.compare import compare as compared
    from eval.report_reading import read_reports

    width = shutil.get_terminal_size((WIDTH, 24)).columns
    say(compared(read_reports(first), read_reports(second), anyway=anyway, width=width), end="")
