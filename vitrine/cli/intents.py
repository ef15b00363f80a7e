"""The command `intents`."""

from __future__ import annotations

from typing import Annotated

import typer

from vitrine.cli.build import DryRun, Engine, Limit, RetryAll
from vitrine.cli.next_steps import say_next
from vitrine.cli.options import Set, Store, load
from vitrine.cli.output import say


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("intents")(intents)


def intents(
    store: Store = None,
    set_: Set = None,
    train: Annotated[
        bool, typer.Option("--train", help="Learn from the shop again, even where nothing has changed.")
    ] = False,
    dry_run: DryRun = False,
    limit: Limit = None,
    retry_all: RetryAll = False,
    engine: Engine = None,
) -> None:
    """Read what shoppers praise, complain of, return and seek, from reviews, notes, searches and calls.

    Without an LLM the reader learns from the shop first, in seconds. Resumes where an earlier run stopped.
    """
    from vitrine.cli.bar import progress
    from vitrine.intents import read_store_intents
    from vitrine.jobs import Scope

    settings = load(store, [*(set_ or []), *([f"batch.engine={engine}"] if engine else [])])
    for line in read_store_intents(settings, progress(), Scope(limit, retry_all, dry_run), again=train):
        say(line)
    if not dry_run:
        # Off unless named, so the line carries the setting that makes the ranker read them.
        say_next(store, set_, "index", "train --set intents.ranker=true", then="the ranker learns from them")
