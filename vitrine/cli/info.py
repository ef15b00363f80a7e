"""Commands that tell: `doctor` and `settings`."""

from __future__ import annotations

from typing import Annotated

import typer

from vitrine.cli.options import Set, Store, load


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("doctor")(doctor)
    app.command("settings")(settings)


def doctor(store: Store = None, set_: Set = None) -> None:
    """Say what is installed, what the store holds, and which default or service each job uses."""
    from vitrine.doctor import examine

    findings = examine(load(store, set_))
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        print(f"{finding.mark:4} {finding.subject:{width}}  {finding.text}")
    if any(finding.level == "bad" for finding in findings):
        raise typer.Exit(1)


def settings(
    store: Store = None,
    set_: Set = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print every setting as a Markdown table.")] = False,
) -> None:
    """Print the settings in force, or (with --markdown) what every setting means."""
    if markdown:
        from vitrine.settings import settings_markdown

        print(settings_markdown(), end="")
        return
    print(load(store, set_).model_dump_json(indent=2))
