"""`vitrine eval dialogue`: recorded conversations, ReDial's, INSPIRED's or our own, put to the agent."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from catalog.errors import ConfigError, did_you_mean
from vitrine.cli.options import Set, Store, load
from vitrine.cli.output import say


def register(group: typer.Typer) -> None:
    """Add the command below `vitrine eval`."""
    group.command("dialogue")(dialogue)


def dialogue(
    file: Annotated[Path | None, typer.Argument(help="Dialogues: ReDial's, INSPIRED's or our own form.")] = None,
    store: Store = None,
    set_: Set = None,
    make: Annotated[
        Path | None,
        typer.Option("--make", metavar="FILE", help="Instead of judging, write such a file from the store's own log."),
    ] = None,
    history: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="What the agent knows of the turns before, one row each: none, read (as a client's history) or said "
            "(the shopper's turns, one by one in one session).",
        ),
    ] = "none,read,said",
    targets: Annotated[
        str,
        typer.Option(metavar="NAME", help="named: all a recommender names first; liked: what the seeker's form says."),
    ] = "named",
    ks: Annotated[
        str, typer.Option("--ks", help="Cut-offs of Recall and NDCG, comma-separated, up to 50.")
    ] = "1,10,20,50",
    limit: Annotated[int | None, typer.Option(min=1, help="Judge or make at most so many dialogues.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Of the intervals, or of what is made.")] = 0,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", help="For --make: targets are taken from this moment (UTC) on; train --as-of it too."),
    ] = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="Also write the report here.")] = None,
) -> None:
    """Judge the agent's answers to recorded dialogues.

    Recall@k and NDCG@k at each turn of the recommender, what was mentioned before removed, with and without the
    conversation so far. Targets find the shop's items by id, or by title and year. Nothing is kept in the store but
    the report, reports/dialogue.json and .md.
    """
    from eval.dialogue.config import HISTORIES, TOP_N, DialogueConfig
    from eval.dialogue.making import MakeConfig
    from eval.dialogue.report import dialogue_text
    from eval.report_files import files_line, require_place
    from vitrine.cli.bar import progress
    from vitrine.cli.learn import numbers
    from vitrine.cli.next_steps import say_next
    from vitrine.dialogues import judge_store_dialogues, make_store_dialogues

    if (file is None) == (make is None):
        raise ConfigError("a FILE of dialogues to judge, or --make FILE to write one, would be valid")
    settings = load(store, set_)
    if make is not None:
        require_place(make, "--make")
        moment = as_of.replace(tzinfo=UTC) if as_of is not None and as_of.tzinfo is None else as_of
        config = MakeConfig(seed=seed, as_of=moment, **({} if limit is None else {"dialogues": limit}))
        say(f"{make_store_dialogues(settings, make, config):,} dialogues in ReDial's form: {make}")
        say_next(store, set_, f"eval dialogue {shlex.quote(str(make))}")
        return
    if as_of is not None:
        raise ConfigError("--as-of says which part of the log --make takes targets from; leave it out to judge")
    assert file is not None
    asked = tuple(dict.fromkeys(name.strip() for name in history.split(",") if name.strip()))
    for name in asked:
        if name not in HISTORIES:
            raise ConfigError(f"unknown --history {name!r}. {did_you_mean(name, list(HISTORIES))}")
    if targets not in ("named", "liked"):
        raise ConfigError(f"unknown --targets {targets!r}. {did_you_mean(targets, ['named', 'liked'])}")
    cuts = numbers("--ks", ks)
    if not all(1 <= k <= TOP_N for k in cuts):
        raise ConfigError(f"--ks {ks!r}: numbers from 1 to {TOP_N}, the items the agent is asked for, would be valid")
    if not asked:
        raise ConfigError(f"--history {history!r} names none; {', '.join(HISTORIES)} would be valid")
    if json_path is not None:
        require_place(json_path)
    wanted = {"ks": cuts, "history": asked, "targets": targets, "limit": limit, "seed": seed}
    made = judge_store_dialogues(
        settings, file, DialogueConfig.model_validate(wanted), also=json_path, progress=progress()
    )
    say(dialogue_text(made.report))
    say(files_line(made.files))
