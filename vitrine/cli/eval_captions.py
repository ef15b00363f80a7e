"""`vitrine eval captions`: what each captioner, prompt and embedder buys on this shop's own log."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from catalog.errors import ConfigError
from vitrine.cli.options import Set, Store, load, parse_pairs
from vitrine.cli.output import say

WIDTH = 100
"""Columns of a table where there is no terminal."""


def register(group: typer.Typer) -> None:
    """Add the command below `vitrine eval`."""
    group.command("captions")(captions)


def refuse_before(context: typer.Context) -> None:
    """Refuse options of `vitrine eval` in front of a word after it, which has its own.

    Raises:
        ConfigError: When there is one.
    """
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            word = context.invoked_subcommand
            raise ConfigError(
                f"an option of vitrine eval ({name.strip('_')!r}) stands before {word!r}, which would not see it; "
                f"vitrine eval {word} with its own options behind it would be valid"
            )


def captions(
    contenders: Annotated[
        list[str] | None,
        typer.Argument(help="Embedding spaces, or captions by name for all their spaces; every space otherwise."),
    ] = None,
    store: Store = None,
    set_: Set = None,
    ground: Annotated[
        str | None, typer.Option(metavar="SPACE", help="What the shop wrote; the text role's space otherwise.")
    ] = None,
    protocol: Annotated[str, typer.Option(metavar="NAME", help="mmrec, last or temporal.")] = "mmrec",
    label_column: Annotated[
        str | None, typer.Option("--label-column", help="A given split column of the log, e.g. x_label_last.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Of the controls and of the held-out items.")] = 0,
    price: Annotated[
        list[str] | None,
        typer.Option(
            "--price",
            metavar="[SPACE:]KIND=AMOUNT",
            help="What a million tokens read (prompt) or written (completion), or an hour of work (hour), costs. "
            "Repeatable.",
        ),
    ] = None,
    check: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Also train this model on every contender, and say whether it agrees."),
    ] = None,
    check_seeds: Annotated[str, typer.Option("--check-seeds", help="Comma-separated; one fit each.")] = "0",
    json_path: Annotated[Path | None, typer.Option("--json", help="Also write the report here.")] = None,
) -> None:
    """Rank captioners, prompts and embedders by the NDCG@20 each buys.

    Each space of vectors is read by a closed-form model that trains in seconds, alone and beside what the shop
    wrote, and is held against no content, its own vectors on the wrong items, and random vectors. Items that
    nobody took are judged apart. Reports are written below the store's reports/captions/.
    """
    from eval.captions.config import ScoreboardConfig
    from eval.captions.text import scoreboard_text
    from eval.report_files import files_line, require_place
    from vitrine.cli.bar import progress
    from vitrine.cli.learn import numbers
    from vitrine.scoreboard import parse_prices, score_captions

    settings = load(store, set_)
    config = ScoreboardConfig(seed=seed, check=check, check_seeds=numbers("--check-seeds", check_seeds))
    prices = parse_prices(parse_pairs(price or [], "--price", "prompt=0.15"))
    if json_path is not None:
        require_place(json_path)
    made = score_captions(
        settings,
        config,
        contenders=tuple(dict.fromkeys(contenders or ())),
        ground=ground,
        protocol=protocol,
        label_column=label_column,
        prices=prices,
        also=json_path,
        progress=progress(),
    )
    say(scoreboard_text(made.report, shutil.get_terminal_size((WIDTH, 24)).columns))
    say(files_line(made.files))
