"""`vitrine retrain`: the command for the timer."""

from __future__ import annotations

from typing import Annotated

import typer

from vitrine.cli.options import Set, Store, load
from vitrine.cli.output import say


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("retrain")(retrain)


def retrain(
    store: Store = None,
    set_: Set = None,
    rollback: Annotated[bool, typer.Option("--rollback", help="Only serve again what was served before.")] = False,
) -> None:
    """Train anew on the catalogue and every event so far, and serve it if it is no worse.

    Items that were written while the shop was open are captioned, embedded and indexed with the rest first. The version
    before is kept. A running shop takes a promoted version over within seconds. Run it nightly by a timer.
    """
    from catalog.workspace import Workspace
    from vitrine.cli.bar import progress
    from vitrine.retraining import retrain_store
    from vitrine.served import rollback_whole
    from vitrine.shelf import Shelf

    settings = load(store, set_)
    if rollback:
        say(f"{rollback_whole(Shelf(Workspace(settings.store)), settings.models.serve)} is promoted again")
        return
    for line in retrain_store(settings, progress()):
        say(line)
