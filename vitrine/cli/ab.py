"""`vitrine ab`: what an experiment found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vitrine.cli.options import Set, Store, load
from vitrine.cli.output import say


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="A/B experiments on live shoppers.", no_args_is_help=True, rich_markup_mode=None)
    group.callback()(_group)
    group.command("report")(report)
    app.add_typer(group, name="ab")


def _group() -> None:
    """A/B experiments on live shoppers; the setting `experiment` starts one."""


def report(
    store: Store = None,
    set_: Set = None,
    experiment: Annotated[
        str | None, typer.Option("--experiment", metavar="ID", help="Its name; the one of the settings otherwise.")
    ] = None,
    control: Annotated[
        str | None, typer.Option("--control", metavar="ARM", help="Arm to compare with; the first otherwise.")
    ] = None,
    cuped: Annotated[
        bool, typer.Option("--cuped", help="Take out of the counts what each shopper's 28 days before foretell.")
    ] = False,
    tenant: Annotated[str, typer.Option("--tenant", help="Whose; `open` is a service without keys.")] = "open",
    json_path: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the report here as well.")
    ] = None,
) -> None:
    """Compare the arms of an experiment: shoppers, clicks, likes, purchases, and how sure the differences are."""
    import json

    from catalog.tenancy import acting_for
    from catalog.workspace import write_text
    from eval.ab_text import ab_text
    from eval.report_files import require_place
    from vitrine.ab import report_experiment
    from vitrine.cli.events import opened_events

    if json_path is not None:
        require_place(json_path)
    settings = load(store, set_)
    with opened_events(settings) as events, acting_for(tenant):
        found = report_experiment(settings, events, experiment, control, cuped=cuped)
    if json_path is not None:
        write_text(json_path, json.dumps(found.as_json(), indent=2, ensure_ascii=False) + "\n")
    say(ab_text(found))
