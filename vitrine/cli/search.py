"""The command that looks for settings: `search`."""

from __future__ import annotations

from typing import Annotated

import typer

from vitrine.cli.options import Set, Store, load
from vitrine.cli.output import say


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("search")(search)


def search(
    model: Annotated[str, typer.Argument(help="Recommender or preset, as in vitrine eval --models.")],
    store: Store = None,
    set_: Set = None,
    protocol: Annotated[str, typer.Option(metavar="NAME", help="mmrec, last or temporal.")] = "mmrec",
    label_column: Annotated[
        str | None, typer.Option("--label-column", help="A given split column of the log, e.g. x_label_last.")
    ] = None,
    trials: Annotated[
        int, typer.Option(min=1, help="Trials in all, an interrupted run's included; the first is the defaults.")
    ] = 30,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Of the sampler and of every fit.")] = 0,
    timeout: Annotated[
        float | None, typer.Option(min=1, metavar="SECONDS", help="Begin no trial after this; go on another time.")
    ] = None,
    select_by: Annotated[str, typer.Option("--select-by", help="Validation metric to maximise.")] = "recall@20",
    modality: Annotated[
        list[str] | None,
        typer.Option("--modality", metavar="ROLE=SPACE", help="Role's vectors, e.g. picture=image_feat. Repeatable."),
    ] = None,
) -> None:
    """Look for a model's best settings on the validation part; the test part is never read.

    Prints the settings as a part of vitrine.toml and writes them below the store's reports/search/; use them by
    vitrine eval --parameters FILE. A search that was killed goes on when the same command is given again.
    """
    from eval.search import SearchConfig
    from eval.search_report import search_markdown
    from vitrine.cli.bar import progress
    from vitrine.cli.learn import with_modalities
    from vitrine.searching import search_store

    settings = with_modalities(load(store, set_), modality)
    report, toml, path = search_store(
        settings,
        model,
        SearchConfig(trials=trials, seed=seed, timeout=timeout, select_by=select_by),
        protocol=protocol,
        label_column=label_column,
        progress=progress(),
    )
    say(search_markdown(report, toml))
    if report["timed_out"]:
        say(f"The time was up after {len(report['trials'])} of {trials} trials; the same command goes on.\n")
    say(f"Use it: vitrine eval --models {model} --parameters {path}")
