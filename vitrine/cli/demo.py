"""`vitrine demo`: the main job on the boutique, from nothing to three conversations."""

from __future__ import annotations

from typing import Annotated

import typer

from vitrine.cli.options import Set, Store, load
from vitrine.cli.output import say


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("demo")(demo)


def demo(
    store: Store = None,
    set_: Set = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed is another shop.")] = None,
    next_: Annotated[bool, typer.Option("--next/--no-next", help="End with what to do next.")] = True,
) -> None:
    """Show the whole journey on the generated boutique.

    Generate, caption, embed, index, train, evaluate, and hold three conversations.
    """
    from vitrine.cli.bar import progress
    from vitrine.cli.tour import next_steps, tour

    settings = load(store, set_)
    tour(settings, seed, progress())
    if next_:
        say(next_steps(settings))
