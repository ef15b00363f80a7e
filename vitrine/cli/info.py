"""Commands that tell: `doctor` and `settings`."""

from __future__ import annotations

from typing import Annotated

import typer

from vitrine.cli.options import Set, Store, load, overrides
from vitrine.cli.output import say, say_json


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("doctor")(doctor)
    app.command("settings")(settings)


def doctor(
    store: Store = None,
    set_: Set = None,
    probe: Annotated[
        bool | None,
        typer.Option(
            "--probe/--no-probe",
            help="Have every model, also one that is first loaded here, prove that it sees, calls tools and streams; "
            "or none. Without either: those behind a server.",
        ),
    ] = None,
) -> None:
    """Say what is installed, what the store holds, and who does which job.

    Exit status 1 when something needed is missing, damaged or does not answer.
    """
    from vitrine.doctor import examine

    findings = examine(load(store, set_), probe, store)
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        say(f"{finding.mark:4} {finding.subject:{width}}  {finding.text}")
    if any(finding.level == "bad" for finding in findings):
        raise typer.Exit(1)


def settings(
    store: Store = None,
    set_: Set = None,
    changed: Annotated[
        bool, typer.Option("--changed", help="Only what differs from the default, with where it came from.")
    ] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Every setting and its meaning, as a table.")] = False,
) -> None:
    """Print the settings in force, or what every setting means."""
    if markdown:
        from vitrine.reference import settings_markdown
        from vitrine.settings import Settings

        say(settings_markdown(Settings), end="")
        return
    chosen = load(store, set_)
    if not changed:
        say_json(chosen.model_dump_json(indent=2))
        return
    from vitrine.settings import changed_settings

    for path, value, origin in changed_settings(chosen, overrides(store, set_)):
        say(f"{path} = {value}  ({origin})")
