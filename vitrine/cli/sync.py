"""`vitrine sync`: a shop's product feed into the store, again and again."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from vitrine.cli.next_steps import say_next
from vitrine.cli.options import Set, Store, load, parse_pairs
from vitrine.cli.output import say

Form = Annotated[
    Literal["auto", "google", "shopify", "table"] | None,
    typer.Option(help="Whose feed it is, where its content does not tell."),
]
Currency = Annotated[str | None, typer.Option(help="Of prices that name none, e.g. EUR (Shopify's).")]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("sync")(sync)


def sync(
    feed: Annotated[str, typer.Argument(help="A file, a folder of files, or an http(s) URL; gzipped or not.")],
    store: Store = None,
    set_: Set = None,
    form: Form = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="OURS=THEIRS", help="Column map of a table, e.g. title=prod_name."),
    ] = None,
    currency: Currency = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="The feed says a part of some items, prices say; the rest stays.")
    ] = False,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete what the feed no longer names, with its events.")
    ] = False,
    allow_removal: Annotated[
        bool, typer.Option("--allow-removal", help="Go on even where most of the catalogue would go.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; write nothing.")] = False,
) -> None:
    """Bring the catalogue to what a product feed says, changing only what changed.

    Google Merchant (XML, TSV, CSV), Shopify product CSV and plain tables are told apart by their content. What the
    feed no longer names is marked as not available. Captions and vectors of all that stayed are kept: run vitrine
    caption, embed and index afterwards.
    """
    from captioning.catalogue.places import CATALOGUE
    from catalog.workspace import Workspace
    from vitrine.syncing import sync_store, sync_text

    asked = {"form": form, "currency": currency}
    more: dict[str, Any] = {"feed": {name: value for name, value in asked.items() if value is not None}}
    if delete:
        more["removed"] = "delete"
    settings = load(store, set_, {"sync": more})
    report = sync_store(
        settings,
        feed,
        columns=parse_pairs(columns or [], "--column", "title=prod_name"),
        partial=partial,
        allow_removal=allow_removal,
        dry_run=dry_run,
    )
    say(sync_text(report, feed))
    if report is not None and report.key is not None and report.changes:
        first: tuple[str, ...] = ()
        then = "they do only what changed"
        if settings.captions.captioner == "catalogue":
            first = () if Workspace(settings.store).has(CATALOGUE) else ("train clip",)
            then += "" if first else "; but catalogue's heads learn anew, and every picture is captioned again by them"
        say_next(store, set_, *first, "caption", "embed", "index", then=then)
