"""`vitrine demo`: the main job on the boutique, from nothing to three conversations."""

from __future__ import annotations

import typer

from vitrine.cli.options import Set, Store, load


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("demo")(demo)


def demo(store: Store = None, set_: Set = None, seed: int | None = None) -> None:
    """Generate, caption, embed, index, train, evaluate the boutique, and hold three conversations."""
    from vitrine.cli.bar import progress
    from vitrine.cli.tour import tour

    tour(load(store, set_), seed, progress())
