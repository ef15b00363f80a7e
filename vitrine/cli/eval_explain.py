"""`vitrine eval explain`: whether the evidence that explanations name is what moved their items."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vitrine.cli.options import Set, Store, load
from vitrine.cli.output import say


def register(group: typer.Typer) -> None:
    """Add the command below `vitrine eval`."""
    group.command("explain")(explain)


def explain(
    store: Store = None,
    set_: Set = None,
    shoppers: Annotated[int, typer.Option(min=0, max=10_000, help="Lists of recommendations that are tested.")] = 60,
    wishes: Annotated[int, typer.Option(min=0, max=10_000, help="Searches that are tested.")] = 30,
    top_n: Annotated[int, typer.Option("--top-n", min=1, max=50, help="Items of a list that are explained.")] = 10,
    events: Annotated[
        tuple[int, int], typer.Option(metavar="LOW HIGH", help="Items that a shopper of these lists has to do with.")
    ] = (5, 60),
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Of shoppers, wishes, controls, intervals.")] = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where the files go; the store's reports/ otherwise.")
    ] = None,
) -> None:
    """Take away the evidence that explanations name, and see whether the items fall.

    An event never happened, a signal proposes nothing, a feature of the ranker stands at its median, words of a
    caption or a text are blank. Beside it stands the control: something else of the same kind, that nobody named, is
    taken away. Writes explanations.json and explanations.md.
    """
    from eval.explain.config import FaithfulnessConfig
    from eval.explain.report import report_text
    from vitrine.cli.bar import progress
    from vitrine.explaining import judge_explanations

    settings = load(store, set_)
    config = FaithfulnessConfig(
        shoppers=shoppers, wishes=wishes, top_n=top_n, events=events, seed=seed, tried=settings.pipeline.tried_events
    )
    figures, files = judge_explanations(settings, config, folder=out, progress=progress())
    say(report_text(figures))
    say(f"Wrote {files[0]} and {files[1]}.")
