"""The command that ranks films: `videos`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from vitrine.cli.options import Set, Store, load
from vitrine.cli.output import say


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("videos")(videos)


def videos(
    store: Store = None,
    set_: Set = None,
    of: Annotated[
        Literal["marketing", "item", "all"], typer.Option("--of", help="Marketing films, items' own, or both.")
    ] = "marketing",
    top: Annotated[int, typer.Option("--top", min=1, help="Films to show.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="All of them as JSON, click-through from 0 to 1.")] = False,
) -> None:
    """Rank films by the click-through to expect, with its 95% interval.

    A film that had impressions when vitrine train video ran is judged by a network that had not seen its campaign, or
    its product; what was counted stands beside it, marked where the two disagree. Films that were added since are read
    and judged as well.
    """
    from vitrine.cli.bar import progress
    from vitrine.videos import rank_store, ranking_json, ranking_notes, ranking_text

    settings = load(store, set_)
    ranked = rank_store(settings, of, progress())
    if as_json:
        say(ranking_json(ranked))
        return
    say(ranking_text(ranked, top))
    for note in ranking_notes(settings, ranked):
        say(note)
