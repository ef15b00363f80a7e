"""Commands about trained models: `models list`, `compare`, `promote`, `rollback`, `remove`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vitrine.cli.options import Set, Store, load
from vitrine.cli.output import say

if TYPE_CHECKING:
    from vitrine.settings import Settings
    from vitrine.shelf import Shelf

Label = Annotated[str, typer.Argument(metavar="NAME@VERSION", help="E.g. lirdrec@2; lirdrec alone is its served one.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(
        help="List, compare, promote and roll back what was trained.", no_args_is_help=True, rich_markup_mode=None
    )
    group.command("list")(list_models)
    group.command("compare")(compare)
    group.command("promote")(promote)
    group.command("rollback")(rollback)
    group.command("remove")(remove)
    app.add_typer(group, name="models")


def list_models(store: Store = None, set_: Set = None) -> None:
    """List every kept version; a star marks the promoted one of each model.

    The figures are those of the scout, which had not seen the newest tenth.
    """
    from vitrine.versions import version_lines

    settings = load(store, set_)
    for line in version_lines(_shelf(settings), settings.models.serve):
        say(line)


def compare(a: Label, b: Label, store: Store = None, set_: Set = None) -> None:
    """Print two versions side by side: figures, then what they differ in."""
    from vitrine.versions import compared_lines

    shelf = _shelf(load(store, set_))
    for line in compared_lines(shelf.find(a), shelf.find(b)):
        say(line)


def promote(version: Label, store: Store = None, set_: Set = None) -> None:
    """Let a version be the one that is served; a running shop takes it over within seconds."""
    from vitrine.served import promote_whole

    settings = load(store, set_)
    shelf = _shelf(settings)
    chosen = shelf.find(version)
    promote_whole(shelf, chosen)
    say(f"{chosen} is promoted{_served(settings, chosen.name)}")


def rollback(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Recommender; the one the shop serves unless named.")
    ] = None,
    store: Store = None,
    set_: Set = None,
) -> None:
    """Promote what was promoted before; once more, what was before that."""
    from vitrine.served import rollback_whole

    settings = load(store, set_)
    chosen = rollback_whole(_shelf(settings), name or settings.models.serve)
    say(f"{chosen} is promoted again{_served(settings, chosen.name)}")


def remove(version: Label, store: Store = None, set_: Set = None) -> None:
    """Remove a version that is not promoted."""
    shelf = _shelf(load(store, set_))
    chosen = shelf.find(version)
    shelf.remove(chosen)
    say(f"{chosen} is removed")


def _shelf(settings: Settings) -> Shelf:
    from catalog.errors import NotBuiltError
    from catalog.workspace import Workspace
    from vitrine.shelf import Shelf

    workspace = Workspace(settings.store)
    if not workspace.root.is_dir():
        raise NotBuiltError(f"there is no store {str(workspace.root)!r}: run vitrine import or vitrine demo first")
    return Shelf(workspace)


def _served(settings: Settings, name: str) -> str:
    serve = settings.models.serve
    if name == serve:
        return "; a running shop takes it over within seconds"
    return f"; the shop serves {serve!r}, until models.serve says {name!r}"
