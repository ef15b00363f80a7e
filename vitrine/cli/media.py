"""`vitrine media`: what the catalogue names by URL into the store."""

from __future__ import annotations

from typing import Annotated

import typer

from vitrine.cli.options import Set, Store, load
from vitrine.cli.output import say


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("media")(media)


def media(
    store: Store = None,
    set_: Set = None,
    every: Annotated[bool, typer.Option("--all", help="Every medium, not only those that are captioned.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try even what failed too often.")] = False,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask whether media that are here have changed.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="URLs to ask for at most.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count them; ask nobody.")] = False,
) -> None:
    """Bring the pictures and videos that the catalogue names by URL.

    Resumes where an earlier run stopped; what failed is tried again. vitrine caption and vitrine embed do it first.
    """
    from catalog.media.bringing import unfetched
    from catalog.workspace import Workspace
    from vitrine.cli.bar import progress
    from vitrine.media import bring_store, media_text, store_urls

    settings = load(store, set_)
    job = settings.captions.job
    urls = (
        store_urls(settings) if every else store_urls(settings, images=job.images_per_item, videos=job.videos_per_item)
    )
    if not urls:
        say("media: the catalogue names none by URL")
    elif dry_run:
        missing = sum(1 for _ in unfetched(urls, Workspace(settings.store).root))
        say(f"media: {len(urls):,} by URL, {missing:,} of them not here yet")
    else:
        say(media_text(bring_store(settings, urls, progress(), retry=retry, refresh=refresh, limit=limit)))
