"""Commands that build the store: `generate`, `preview`, `caption`, `embed`, `index`; `import` stands beside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from vitrine.cli.imports import imports
from vitrine.cli.options import Set, Store, load, parse_pairs
from vitrine.cli.output import say


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("generate")(generate)
    app.add_typer(imports, name="import")
    app.command("preview")(preview)
    app.command("caption")(caption)
    app.command("embed")(embed)
    app.command("index")(index)


def generate(
    store: Store = None,
    set_: Set = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed is another shop.")] = None,
    marketing: Annotated[
        bool, typer.Option("--marketing", help="Shoot its marketing films as well, with who saw and clicked them.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Replace another shop that the store holds.")] = False,
) -> None:
    """Generate the boutique: products, pictures, shoppers, events.

    A store that holds another shop is left alone: one that was imported, or one of other boutique settings.
    """
    from vitrine.cli.bar import progress
    from vitrine.cli.next_steps import say_next
    from vitrine.encoders import after_catalogue
    from vitrine.jobs import generate_boutique

    settings = load(store, set_)
    say(generate_boutique(settings, seed, progress(), again=again))
    if marketing:
        from vitrine.videos import generate_marketing

        say(generate_marketing(settings, seed, progress()))
    say_next(store, set_, *after_catalogue(settings))


def preview(
    path: Annotated[Path, typer.Argument(help="CSV, TSV, Parquet or JSONL (.gz too).")],
    columns: Annotated[
        list[str] | None, typer.Option("--column", metavar="OURS=THEIRS", help="Column map to try.")
    ] = None,
    kind: Annotated[Literal["items", "interactions", "users"], typer.Option(help="What the file holds.")] = "items",
    rows: Annotated[int, typer.Option(min=1, max=100, help="Sample values to show.")] = 3,
) -> None:
    """Show what each column of a table would become."""
    from catalog.readers.preview import preview_table

    say(preview_table(path, parse_pairs(columns or [], "--column", "title=prod_name"), rows=rows, table=kind).text())


DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done and how long it would take.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="New pieces to work on at most.")]
RetryAll = Annotated[bool, typer.Option("--retry-all", help="Try even what failed too often.")]
Engine = Annotated[
    Literal["local", "ray"] | None, typer.Option("--engine", help="Who runs the job; the setting batch.engine.")
]


def caption(
    store: Store = None,
    set_: Set = None,
    dry_run: DryRun = False,
    limit: Limit = None,
    retry_all: RetryAll = False,
    engine: Engine = None,
) -> None:
    """Read words from every picture and video.

    Media named by URL are brought first. Resumes where an earlier run stopped; what failed is tried
    again. Ctrl-C pauses it.
    """
    from vitrine.cli.bar import progress
    from vitrine.cli.next_steps import say_next
    from vitrine.jobs import Scope, caption_store

    settings = load(store, _with_engine(set_, engine))
    say(caption_store(settings, progress(), Scope(limit, retry_all, dry_run)))
    if not dry_run:
        say_next(store, set_, "embed")


def embed(
    store: Store = None,
    set_: Set = None,
    dry_run: DryRun = False,
    limit: Limit = None,
    retry_all: RetryAll = False,
    engine: Engine = None,
) -> None:
    """Turn the shop's texts and captions into vectors.

    Only what changed is embedded again. Ctrl-C pauses it.
    """
    from vitrine.cli.bar import progress
    from vitrine.cli.next_steps import say_next
    from vitrine.encoders import after_embedding
    from vitrine.jobs import Scope, embed_store

    settings = load(store, _with_engine(set_, engine))
    for line in embed_store(settings, progress(), Scope(limit, retry_all, dry_run)):
        say(line)
    if not dry_run:
        say_next(store, set_, *after_embedding(settings))


def _with_engine(pairs: list[str] | None, engine: str | None) -> list[str]:
    return [*(pairs or []), *([f"batch.engine={engine}"] if engine else [])]


def index(store: Store = None, set_: Set = None) -> None:
    """Build the keyword index and a vector index for each space.

    An index whose inputs are unchanged is left alone.
    """
    from vitrine.cli.bar import progress
    from vitrine.cli.next_steps import say_next
    from vitrine.encoders import after_index
    from vitrine.jobs import index_store

    settings = load(store, set_)
    for line in index_store(settings, progress()):
        say(line)
    say_next(store, set_, *after_index(settings))
